"""What a track amounts to: direction, state, disposition, who hung up."""

from connectors.asterisk.tracker_model import Leg, Track
from connectors.asterisk.tracker_names import Names
from gateway.domain.calls import (
    CallState,
    Direction,
    Disposition,
    HangupBy,
    TransferResult,
)

# ITU-T Q.850 causes, as app_dial and chan_pjsip set them.
_UNALLOCATED = 1
_BUSY = 17
_UNREACHABLE = frozenset({18, 19, 20})
_REJECTED = 21
_ELSEWHERE = 26
_BAD_NUMBER = 28
_NO_LINE = frozenset({"CHANUNAVAIL", "CONGESTION"})


def direction(track: Track, names: Names, *, final: bool = False) -> Direction | None:
    """Which way the call goes, None while that cannot be told; `final`: there is nothing more to wait for."""
    caller, target = track.caller, track.target
    if track.originated:
        return _originated(track, names)
    if caller is None:
        if not final:
            return None
        return Direction.OUT if target is not None and target.trunk else Direction.IN
    if caller.trunk:
        return Direction.IN if final or caller.calling or caller.state == 6 else None
    if target is not None:
        return Direction.OUT if target.trunk else Direction.INTERNAL
    if final:
        # Nothing was dialled: a line down makes no channel, so here the number alone can tell.
        return Direction.OUT if names.public(track.to_raw) else Direction.INTERNAL
    return Direction.INTERNAL if track.queue or caller.state == 6 else None


def _originated(track: Track, names: Names) -> Direction:
    caller, target = track.caller, track.target
    if target is not None:
        return Direction.OUT if target.trunk or (caller is not None and caller.trunk) else Direction.INTERNAL
    wanted = track.to_raw
    inside = wanted is not None and len(wanted) < 6 and names.public(wanted) is None
    return Direction.INTERNAL if inside else Direction.OUT


def state(track: Track) -> CallState:
    """Where the call stands."""
    if track.talkers:
        return CallState.HELD if track.held else CallState.TALKING
    if track.parked:
        return CallState.PARKED
    if track.ringing:
        return CallState.RINGING
    if track.in_queue:
        return CallState.QUEUED
    caller = track.caller
    if caller is not None and caller.state == 6 and not track.originated and not _being_put_through(track):
        return CallState.MENU
    return CallState.RINGING


def _being_put_through(track: Track) -> bool:
    return any(leg.dialled and leg.state == 6 for leg in track.legs.values())


def outcome(leg: Leg, cause: int) -> Disposition | None:
    """How a dialled phone that nobody talked on turned the call down; None where it was called off.

    DialStatus NOANSWER covers rung out, refused (603), switched off and unallocated: the cause of the leg's
    own hangup tells them apart.
    """
    if leg.answered or leg.status == "CANCEL" or cause == _ELSEWHERE:
        return None
    if leg.status == "BUSY" or cause == _BUSY:
        return Disposition.BUSY
    if cause == _REJECTED:
        return Disposition.DECLINED
    if cause in (_UNALLOCATED, _BAD_NUMBER):
        return Disposition.FAILED
    if leg.trunk and leg.rang_at is None and leg.status in _NO_LINE and cause not in _UNREACHABLE:
        return Disposition.FAILED
    return Disposition.NO_ANSWER


def disposition(track: Track) -> Disposition:
    """How the call came out for the people."""
    if track.answered_at is not None:
        return Disposition.ANSWERED
    if track.voicemail:
        return Disposition.VOICEMAIL
    origin = track.origin_leg
    if track.originated and origin is not None and origin.state != 6 and not origin.trunk:
        return Disposition.OPERATOR_NO_ANSWER
    if track.shutdown:
        return Disposition.FAILED
    if track.walked_out:
        return Disposition.ABANDONED
    return track.outcome or _undialled(track)


def _undialled(track: Track) -> Disposition:
    # No channel was made for anybody: phones without registration and dead trunks look like this.
    if track.cause == _BUSY:
        return Disposition.BUSY
    if track.cause in (_UNALLOCATED, _BAD_NUMBER):
        return Disposition.FAILED
    if track.direction is Direction.IN or track.cause in _UNREACHABLE:
        return Disposition.NO_ANSWER
    return Disposition.FAILED


def transfer_result(out: Disposition | None) -> TransferResult:
    """What became of a transfer whose target turned the call down so."""
    if out is Disposition.BUSY:
        return TransferResult.BUSY
    return TransferResult.FAILED if out is Disposition.FAILED else TransferResult.NO_ANSWER


def hangup_by(track: Track, how: Disposition) -> HangupBy | None:
    """Who ended the call: the first to ask for it, not the hangup's cause. None: we were not there."""
    caller = track.caller
    if how is Disposition.ANSWERED:
        return _ended_talk(track)
    if how is Disposition.ABANDONED or (caller is not None and caller.asked is not None):
        return HangupBy.CALLER
    if how in (Disposition.BUSY, Disposition.DECLINED):
        return HangupBy.CALLEE
    return HangupBy.SYSTEM


def _ended_talk(track: Track) -> HangupBy | None:
    out = track.direction is Direction.OUT
    asked = [
        (leg.asked, not leg.trunk if out else leg is track.caller)
        for leg in track.last_talkers
        if leg.asked is not None
    ]
    if asked:
        return HangupBy.CALLER if min(asked)[1] else HangupBy.CALLEE
    if track.reason is not None and not track.soft:
        return track.reason
    # Who ended a talk that was over before we came is not known.
    return HangupBy.SYSTEM if track.soft or track.base is None or track.last_talkers else None
