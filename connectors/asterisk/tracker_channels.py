"""A channel's life: it appears, rings, is picked up, gets another name, hangs up."""

from connectors.asterisk import tracker_judge as judge
from connectors.asterisk.tracker_core import Core, Event, Handler
from connectors.asterisk.tracker_model import Leg, Track, room
from connectors.asterisk.tracker_names import text
from connectors.asterisk.tracker_talk import quiet
from gateway.domain.calls import CallEventType

RINGING = "5"
"""ChannelState of a phone that rings."""
_JUST_NOW_S = 1.0
_VOICEMAIL = frozenset({"VoiceMail", "MinivmRecord"})


def newchannel(core: Core, event: Event, now: float) -> None:
    late = event.get("Uniqueid", "") in core.graph.legs
    leg = core.leg(event, now)
    if leg is not None and late:
        _born_before(leg, event)
    if leg is not None and event.get("ChannelState") != "0":
        _into(core, leg, event, now)


def _born_before(leg: Leg, event: Event) -> None:
    """An event of the channel came before its birth: where it dialled in is told by the birth alone."""
    track, exten = leg.track, text(event.get("Exten"))
    if leg.trunk and leg is track.caller and leg.id == track.first and exten:
        track.did = track.to_raw = leg.exten = exten


def newstate(core: Core, event: Event, now: float) -> None:
    leg = core.leg(event, now)
    if leg is not None:
        _into(core, leg, event, now)


def _into(core: Core, leg: Leg, event: Event, now: float) -> None:
    match event.get("ChannelState"):
        case "6":
            pick_up(core, leg, now)
        case "5":
            leg.state = 5
            if leg.originated and leg is leg.track.caller:
                wanted(leg, event.get("CallerIDNum"))
            ring(core, leg, now)
        case "4" if leg.state < 6:
            leg.state = 4
            dials_in(core, leg, event)
            if not leg.track.announced:
                core.announce(leg.track, now)


def dials_in(core: Core, leg: Leg, event: Event) -> None:
    """This channel calls, rather than being called."""
    if leg.calling:
        return
    leg.calling = True
    leg.exten = leg.exten or text(event.get("Exten"))
    if leg is leg.track.caller:
        core.make_caller(leg, event, "")


def wanted(leg: Leg, number: str | None) -> None:
    """During click-to-call the operator's own leg shows the number that is to be called next."""
    raw = text(number)
    if raw and raw != leg.extension and not leg.track.to_raw:
        leg.track.to_raw = raw


def ring(core: Core, leg: Leg, now: float, *, known: bool = False) -> None:
    """This phone rings, if it is a person's and was not ringing already; `known`: that is told already."""
    if not leg.person or leg.calling or leg.ring_ended is not None or leg.answered:
        return
    if leg.rang_at is None:
        leg.rang_at = now
    track, label = leg.track, leg.label
    if label is None or leg.id in track.ringing:
        return
    track.ringing[leg.id] = leg
    if leg is not track.caller:
        room(track.rang, label)
    if not track.announced:
        core.announce(track, now)
        return
    if known:
        return
    track.state = judge.state(track)
    core.note(CallEventType.RINGING, track, now, label)


def pick_up(core: Core, leg: Leg, now: float) -> None:
    """The channel is up; a phone that went up at once (early media, automatic answer) has rung too."""
    if leg.state == 6:
        return
    track = leg.track
    if leg.rang_at is None and (leg.dialled or leg is not track.caller):
        ring(core, leg, now)
    leg.state = 6
    if leg.rang_at is not None and leg.ring_ended is None:
        quiet(leg, now)
    if leg is track.caller:
        core.settle(track, now)
    elif track.announced:
        core.lull(track, now)


def rename(core: Core, event: Event, _now: float) -> None:
    leg = core.graph.legs.get(event.get("Uniqueid", ""))
    name = event.get("Newname")
    if leg is not None and name and event.get("Channel") == leg.name:
        core.rename(leg, name)


def hangup_request(core: Core, event: Event, now: float) -> None:
    leg = core.known(event, now)
    if leg is None or not leg.person:
        return
    if leg.asked is None:
        leg.asked = now
    track = leg.track
    _will_end(core, leg, now)
    if leg is track.caller and track.answered_at is None and _waits(track, now):
        track.walked_out = True


def _waits(track: Track, now: float) -> bool:
    if track.outcome is None or track.ringing or track.in_queue or now - track.queue_left < _JUST_NOW_S:
        return True
    return any(leg.dialled and leg.status is None and leg.state != 6 for leg in track.legs.values())


def soft_hangup_request(core: Core, event: Event, now: float) -> None:
    leg = core.known(event, now)
    if leg is None or not leg.person:
        return
    # AST_SOFTHANGUP_* (include/asterisk/channel.h): 2 redirect, 4 the PBX goes down, 16 the dialplan's end.
    cause = event.get("Cause")
    if cause == "4":
        leg.track.shutdown = True
    if cause not in ("2", "16"):
        leg.track.soft = True
    if cause != "2":
        _will_end(core, leg, now)


def _will_end(core: Core, leg: Leg, now: float) -> None:
    if leg.ending is None:
        leg.ending = now
        core.lull(leg.track, now)


def varset(core: Core, event: Event, now: float) -> None:
    if event.get("Variable") != "MIXMONITOR_FILENAME":
        return
    leg, path = core.known(event, now), event.get("Value")
    if leg is not None and path and path not in leg.track.recordings:
        room(leg.track.recordings, path[:1024])
        core.note(CallEventType.UPDATED, leg.track, now)


def newexten(core: Core, event: Event, now: float) -> None:
    if event.get("Application") in _VOICEMAIL:
        leg = core.known(event, now)
        if leg is not None and leg.track.answered_at is None:
            leg.track.voicemail = True


HANDLERS: dict[str, Handler] = {
    "Newchannel": newchannel,
    "Newstate": newstate,
    "Rename": rename,
    "HangupRequest": hangup_request,
    "SoftHangupRequest": soft_hangup_request,
    "VarSet": varset,
    "Newexten": newexten,
}
