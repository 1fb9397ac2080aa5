"""When a call is over: its last person's channel is gone, or nobody has been left on it for a while."""

from connectors.asterisk import tracker_judge as judge
from connectors.asterisk.tracker_core import Core, resolve_transfer
from connectors.asterisk.tracker_model import Leg, Track, room
from connectors.asterisk.tracker_talk import find_missing, leave
from gateway.domain.calls import CallEventType, CallState, Direction

_FADE_S = 2.0
"""How long a call with only the PBX's own channels left may last: they hang up within milliseconds."""
_FADE_ORIGINATED_S = 30.0
"""The same while the PBX is still looking for the first party of a click-to-call."""
_FADE_ASKED_S = 5.0
"""How long a channel may stay whose party asked to hang up: its Hangup was lost."""
_FADE_LEFT_S = 60.0
"""How long a phone may stay after the caller who dialled it is gone; perhaps it was redirected unseen."""


def hang_up(core: Core, leg: Leg, cause: int, now: float) -> None:
    """The channel is gone."""
    track = leg.track
    drop(core, leg, now)
    if leg.person:
        if leg is track.caller or track.caller is None or track.caller.id in track.legs:
            track.cause = cause
        if leg.dialled and leg is not track.caller:
            _turned_down(track, leg, cause, now)
        if track.announced and track.legs and not track.talkers:
            core.lull(track, now)
    check_end(core, track, now)


def _turned_down(track: Track, leg: Leg, cause: int, now: float) -> None:
    out = judge.outcome(leg, cause)
    if out is not None:
        track.outcome, track.outcome_at = out, now
        resolve_transfer(track, judge.transfer_result(out))


def drop(core: Core, leg: Leg, now: float) -> None:
    """The channel leaves everything it was part of and is forgotten."""
    leave(core, leg, now)
    leg.track.ringing.pop(leg.id, None)
    if leg.ringing:
        leg.ring_ended = now
    core.graph.remove(leg)
    core.bury(leg.id, now)


def check_end(core: Core, track: Track, now: float) -> None:
    """A channel of the call is gone: is the call over?"""
    if not track.legs:
        end(core, track, track.fading if track.fading is not None else now)
        return
    grace = _grace(track)
    if grace is None:
        track.fading = None
    else:
        if track.fading is None:
            track.fading = now
        core.look_again(track, track.fading + grace)


def _grace(track: Track) -> float | None:
    """Seconds the call may go on with those who are left; None: somebody is really there."""
    caller = track.caller
    gone = caller is not None and caller.id not in track.legs
    grace = 0.0
    for leg in track.legs.values():
        if not leg.person or (leg.status not in (None, "ANSWER") and leg.bridge is None):
            continue
        if leg.bridge is None and leg.ending is not None:
            grace = max(grace, _FADE_ASKED_S)
        elif leg.bridge is None and gone and leg.answered and leg.dialled and not leg.moved:
            grace = max(grace, _FADE_LEFT_S)
        else:
            return None
    if grace:
        return grace
    return _FADE_ORIGINATED_S if track.originated and track.answered_at is None else _FADE_S


def end(core: Core, track: Track, now: float) -> None:
    """The call is over; everything about it is dropped."""
    if track.state is CallState.ENDED:
        return
    for leg in list(track.legs.values()):
        drop(core, leg, now)
    if not track.announced:
        way = judge.direction(track, core.names, final=True)
        core.tell_start(track, way or Direction.IN, now)
    track.state = CallState.ENDED
    track.end_at = now
    for transfer in track.transfers:
        if transfer.result is None:
            transfer.result = judge.transfer_result(track.outcome)
    core.note(CallEventType.ENDED, track, now)
    core.graph.forget(track)
    core.waiting.pop(track, None)
    for linkedid in track.linkedids:
        core.bury(linkedid, now)


def pass_time(core: Core, now: float) -> None:
    """Close what nobody is left on, settle what stood still, forget old graves."""
    for track, due in [(t, at) for t, at in core.waiting.items() if at <= now]:
        del core.waiting[track]
        if track.merged_into is None and track.state is not CallState.ENDED:
            _revisit(core, track, due, now)
    core.burials(now)


def _complete_bridges(core: Core, track: Track) -> None:
    if track.talkers:
        return
    for leg in list(track.legs.values()):
        if leg.bridge is not None and leg.person and leg.dialled:
            find_missing(core, leg, leg.bridge.since)


def _revisit(core: Core, track: Track, due: float, now: float) -> None:
    grace = _grace(track)
    if grace is None:
        track.fading = None
        _complete_bridges(core, track)
        core.settle(track, now)
    elif track.fading is None or now < track.fading + grace:
        if track.fading is None:
            track.fading = max((leg.ending or 0.0 for leg in track.legs.values()), default=0.0) or due
        core.look_again(track, track.fading + grace)
    else:
        room(track.estimated, "ended_at")
        end(core, track, track.fading)
