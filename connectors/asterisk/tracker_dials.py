"""Who dials whom, and how the dialled phone answers that."""

from connectors.asterisk import tracker_judge as judge
from connectors.asterisk.tracker_channels import RINGING, dials_in, pick_up, ring, wanted
from connectors.asterisk.tracker_core import Core, Event, Handler
from connectors.asterisk.tracker_model import Leg, Track
from connectors.asterisk.tracker_moves import redirected
from connectors.asterisk.tracker_names import text
from connectors.asterisk.tracker_talk import quiet
from gateway.domain.calls import CallEventType, Disposition


def dial_begin(core: Core, event: Event, now: float) -> None:
    dest = core.leg(event, now, "Dest")
    if dest is None:
        return
    dest.dialled = True
    source = core.leg(event, now)
    if source is None:
        if not event.get("Channel"):
            _originate(core, dest, event, now)
        return
    track = dest.track
    if source.track is not track:
        if dest.bridge is not None:
            return
        track = core.merge(source.track, track, now)
    redirected(core, source, text(event.get("Exten")), now)
    source.moved = True
    if source is track.caller and not track.originated:
        dials_in(core, source, event)
    if dest.person:
        if dest.trunk and dest.number is None:
            core.name_target(dest, event)
        if dest is not track.caller:
            _aim(track, dest)
    if not track.announced:
        core.announce(track, now)
    if dest.rang_at is not None or event.get("DestChannelState") == RINGING:
        ring(core, dest, now)


def _aim(track: Track, dest: Leg) -> None:
    if track.target is None:
        track.target = dest
    if not dest.trunk and (track.to_raw is None or (track.originated and dest is track.target)):
        track.to_raw = dest.extension


def _originate(core: Core, leg: Leg, event: Event, now: float) -> None:
    leg.originated = True
    track = leg.track
    if leg.id != track.first and leg is not track.caller:
        return
    track.originated = True
    if leg.person:
        track.origin_leg = leg
        if track.target is leg:
            track.target = None
        if track.caller is None:
            core.make_caller(leg, event, "Dest")
        wanted(leg, event.get("DestCallerIDNum"))
        if leg.trunk:
            leg.number = core.names.public(track.to_raw) or track.to_raw
    core.announce(track, now)
    if event.get("DestChannelState") == RINGING or leg.rang_at is not None:
        ring(core, leg, now)


def dial_state(core: Core, event: Event, now: float) -> None:
    leg = core.leg(event, now, "Dest")
    if leg is None:
        return
    _belated(core, leg, event, now)
    if event.get("DialStatus") == "RINGING" and leg.state < 6:
        ring(core, leg, now)


def dial_end(core: Core, event: Event, now: float) -> None:
    leg = core.known(event, now, "Dest")
    if leg is None:
        return
    source = core.known(event, now)
    if source is not None and source.track is not leg.track and leg.bridge is None:
        core.merge(source.track, leg.track, now)
    status = event.get("DialStatus")
    if leg.status is not None or not status:
        return
    leg.status = status
    _belated(core, leg, event, now)
    if status == "ANSWER":
        pick_up(core, leg, now)
        return
    track = leg.track
    core.lull(track, now)
    if leg.rang_at is not None and leg.ring_ended is None:
        quiet(leg, now)
        if track.announced and leg.person and not track.walked_out:
            _stopped_ringing(core, track, now)
    if status == "CANCEL" and leg.person and track.answered_at is None:
        # Called off before anybody answered: the caller left, unless something else comes of it.
        track.outcome, track.outcome_at = Disposition.ABANDONED, now


def _belated(core: Core, leg: Leg, event: Event, now: float) -> None:
    """What DialBegin would have told, had it not been lost."""
    if leg.dialled or leg.calling:
        return
    leg.dialled = True
    if not event.get("Channel"):
        _originate(core, leg, event, now)
    elif leg.trunk and leg.number is None:
        core.name_target(leg, event)


def _stopped_ringing(core: Core, track: Track, now: float) -> None:
    track.state = track.state if track.talkers else judge.state(track)
    core.note(CallEventType.UPDATED, track, now)


HANDLERS: dict[str, Handler] = {
    "DialBegin": dial_begin,
    "DialState": dial_state,
    "DialEnd": dial_end,
}
