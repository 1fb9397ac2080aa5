"""What a PBX wrote of a call that nobody watched, as the call that the tracker would have told of."""

from dataclasses import replace
from datetime import timedelta

from connectors.asterisk.records_groups import Group
from connectors.asterisk.records_judge import call_of
from connectors.asterisk.records_replay import calls_of
from gateway.domain.calls import Call, CallState, PbxRules, lost


def calls_in(group: Group, rules: PbxRules, *, offset_s: float = 0.0, tells_hold: bool = False) -> list[Call]:
    """The calls of which these records are; empty where they tell of none.

    Channel events tell most and are taken where they tell the whole story, else the call detail records; the
    queue's log completes either. All of the calls are over: what nobody recorded stands in `estimated`.
    `offset_s`: our clock minus the PBX's. `tells_hold`: CEL says when music begins.
    """
    whole = group.begins_in_sight and (group.is_over or not group.cdrs)
    if not whole:
        call = call_of(rules, group.cdrs, group.lines, offset_s=offset_s) if group.cdrs else None
        return [_with_legs(call, group)] if call is not None else []
    calls = calls_of(rules, group.cels, group.lines, offset_s=offset_s, tells_hold=tells_hold)
    return [_over(call, group.last + offset_s) for call in calls]


def _over(call: Call, at: float) -> Call:
    """A call that the PBX took with it when it died ended with its last record, as far as anybody knows."""
    if call.state is CallState.ENDED:
        return call
    since = call.started_at.timestamp()
    return lost(call, call.started_at + timedelta(seconds=max(0.0, at - since))).call


def _with_legs(call: Call, group: Group) -> Call:
    channels = sorted({row.uniqueid for row in group.cels})
    return replace(call, legs=tuple(dict.fromkeys([*call.legs, *channels])))
