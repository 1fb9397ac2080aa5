"""How a call is handed on: queues, blind and attended transfers, pick-ups.

BlindTransfer's Result only says that the dialplan took it; what became of it shows in what follows.
QueueCallerAbandon is sent when a queue times out as well, so it only says that the caller left the queue.
"""

from connectors.asterisk import tracker_judge as judge
from connectors.asterisk.tracker_core import Core, Event, Handler
from connectors.asterisk.tracker_model import Handover, Leg, Track, room
from connectors.asterisk.tracker_names import text
from gateway.domain.calls import CallEventType, HangupBy, TransferKind, TransferResult

_MANY = 256
_TWICE_S = 0.5


def queue_join(core: Core, event: Event, now: float) -> None:
    leg = core.leg(event, now)
    queue = text(event.get("Queue"))
    if leg is None or queue is None:
        return
    track = leg.track
    if track.in_queue and track.queue == queue:
        return
    redirected(core, leg, queue, now)
    leg.moved = True
    track.queue, track.in_queue = queue, True
    if leg is track.caller and not track.originated:
        leg.calling = True
    if track.transfers and track.transfers[-1].result is None:
        track.transfers[-1].result = TransferResult.QUEUED
    if not track.announced:
        core.announce(track, now)
        return
    if track.talkers == 0:
        track.state = judge.state(track)
    core.note(CallEventType.QUEUED, track, now)


def queue_leave(core: Core, event: Event, now: float) -> None:
    leg = core.known(event, now)
    if leg is not None and leg.track.queue is None:
        leg.track.queue = text(event.get("Queue"))
    if leg is not None and leg.track.in_queue:
        leg.track.in_queue = False
        leg.track.queue_left = now
        # The state stays until it is known what comes next: AgentConnect follows a moment later, or nothing.
        core.lull(leg.track, now)


def redirected(core: Core, leg: Leg, to: str | None, now: float) -> bool:
    """A party that was talking is sent on without any transfer event: AMI's Redirect looks like this.

    It is none when the other side hung up and the dialplan just goes on.
    """
    track = leg.track
    if leg.talk_since is not None or not leg.answered or track.talkers or not track.talks:
        return False
    began = track.talks[-1][0]
    others = [other for other in track.last_talkers if other is not leg]
    known = track.transfers and track.transfers[-1].at >= began
    if known or not others or any(other.asked is not None for other in others):
        return False
    _hand_over(core, track, Handover(TransferKind.BLIND, others[0].label, to, now, None), now)
    room(track.estimated, "transfers")
    return True


def agent_complete(core: Core, event: Event, now: float) -> None:
    leg = core.known(event, now)
    reason = _REASONS.get(event.get("Reason", ""))
    if leg is not None:
        leg.track.reason = reason


_REASONS = {"caller": HangupBy.CALLER, "agent": HangupBy.CALLEE}


def blind_transfer(core: Core, event: Event, now: float) -> None:
    giver = core.known(event, now, "Transferer")
    given = core.known(event, now, "Transferee")
    leg = given or giver
    if leg is None:
        return
    if given is not None:
        given.moved = True
    if giver is not None and giver.track is not leg.track:
        core.merge(giver.track, leg.track, now)
    result = None if event.get("Result", "Success") == "Success" else TransferResult.FAILED
    source = _label(giver)
    _hand_over(
        core, leg.track, Handover(TransferKind.BLIND, source, text(event.get("Extension")), now, result), now
    )


def attended_transfer(core: Core, event: Event, now: float) -> None:
    parties = [
        core.known(event, now, prefix)
        for prefix in ("Transferee", "OrigTransferer", "SecondTransferer", "TransferTarget")
    ]
    legs = [leg for leg in parties if leg is not None]
    if not legs:
        return
    done = event.get("Result", "Success") == "Success"
    track = legs[0].track
    if done:
        for leg in legs[1:]:
            track = core.merge(track, leg.track, now)
    target, second = parties[3], parties[2]
    to = (target.extension if target.local else target.label) if target is not None else None
    to = to or (second.exten if second is not None else None) or text(event.get("SecondTransfererExten"))
    up = event.get("DestType") in _TALKING or (target is not None and (target.answered or target.state == 6))
    result = (TransferResult.ANSWERED if up else None) if done else TransferResult.FAILED
    source = _label(parties[1]) or _label(second)
    _hand_over(core, track, Handover(TransferKind.ATTENDED, source, to, now, result), now)


_TALKING = frozenset({"Bridge", "Link", "Threeway"})
"""DestType of a transfer after a consultation; App is one to a phone that rings still."""


def _label(leg: Leg | None) -> str | None:
    return leg.label if leg is not None else None


def _hand_over(core: Core, track: Track, transfer: Handover, now: float) -> None:
    for known in track.transfers[-3:]:
        same = (known.kind, known.source, known.target) == (transfer.kind, transfer.source, transfer.target)
        if same and abs(known.at - now) < _TWICE_S:
            return
    if len(track.transfers) < _MANY:
        track.transfers.append(transfer)
        core.note(CallEventType.TRANSFERRED, track, now)


def pickup(core: Core, event: Event, now: float) -> None:
    taker, taken = core.known(event, now), core.known(event, now, "Target")
    if taker is not None and taken is not None and taker.track is not taken.track:
        core.merge(taken.track, taker.track, now)


HANDLERS: dict[str, Handler] = {
    "QueueCallerJoin": queue_join,
    "QueueCallerLeave": queue_leave,
    "QueueCallerAbandon": queue_leave,
    "AgentComplete": agent_complete,
    "BlindTransfer": blind_transfer,
    "AttendedTransfer": attended_transfer,
    "Pickup": pickup,
}
