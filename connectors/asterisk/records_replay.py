"""Channel events (CEL) judged by the tracker: calls that nobody watched come out as if somebody had."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from connectors.asterisk.records_rows import Cel, QueueLine
from connectors.asterisk.records_script import Script
from connectors.asterisk.tracker import Tracker
from gateway.domain.calls import Call, CallState, PbxRules

_AFTERWARDS_S = 3600.0
"""The rows are the whole story: whatever they leave open fades away."""


def calls_of(
    rules: PbxRules,
    rows: Sequence[Cel],
    lines: Sequence[QueueLine] = (),
    *,
    offset_s: float = 0.0,
    tells_hold: bool = True,
) -> list[Call]:
    """The calls that these rows are the whole story of.

    `offset_s`: our clock minus the PBX's. `tells_hold`: the PBX writes when music begins (STREAM_BEGIN). A
    call whose channels have not all hung up in the rows stays as it stood last.
    """
    ordered = sorted(rows, key=lambda row: row.at)
    if not ordered:
        return []
    script = Script(ordered, lines)
    tracker = Tracker(rules)
    tracker.clock_offset_s = offset_s
    found: dict[str, Call] = {}
    for at, event in script.events():
        for told in tracker.feed(event | {"Timestamp": f"{at:.6f}"}, datetime.fromtimestamp(at, UTC)):
            found[told.call.id] = told.call
    last = ordered[-1].at
    found |= {call.id: call for call in tracker.calls(datetime.fromtimestamp(last, UTC))}
    for told in tracker.tick(datetime.fromtimestamp(last + _AFTERWARDS_S, UTC)):
        found[told.call.id] = told.call
    merged = {alias for call in found.values() for alias in call.aliases}
    return [_marked(call, script, tells_hold) for id_, call in found.items() if id_ not in merged]


def _marked(call: Call, script: Script, tells_hold: bool) -> Call:
    unknown = []
    if not script.doubtful.isdisjoint(call.legs):
        unknown.append("rang")
    if call.answered_at is not None and not tells_hold:
        unknown.append("hold_s")
    if call.state is not CallState.ENDED:
        unknown += ["ended_at", "talk_s" if call.answered_at else "disposition"]
    return replace(call, estimated=tuple(dict.fromkeys([*call.estimated, *unknown])))
