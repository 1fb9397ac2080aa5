"""Bridges, talk, hold and parking: who hears whom, and for how long."""

from connectors.asterisk import tracker_judge as judge
from connectors.asterisk.tracker_core import Core, Event, Handler, resolve_transfer
from connectors.asterisk.tracker_graph import people
from connectors.asterisk.tracker_model import Leg, Stretch, Track, room
from gateway.domain.calls import CallEventType, Direction, TransferResult

_MANY = 256


def bridge_enter(core: Core, event: Event, now: float) -> None:
    id_ = event.get("BridgeUniqueid")
    leg = core.leg(event, now)
    if leg is None or not id_ or (leg.bridge is not None and leg.bridge.id == id_):
        return
    if leg.bridge is not None:
        leave(core, leg, now)
    holding = event.get("BridgeTechnology") == "holding_bridge" or event.get("BridgeType") == "parking"
    enter(core, leg, id_, holding, now)
    if leg.bridge is not None and len(leg.bridge.members) < _number(event.get("BridgeNumChannels")):
        find_missing(core, leg, now)


def _number(value: str | None) -> int:
    return int(value) if value is not None and value.isascii() and value.isdigit() and len(value) < 6 else 0


def find_missing(core: Core, leg: Leg, now: float) -> None:
    """Somebody else is in the bridge whose BridgeEnter was lost: the one who is up and nowhere else."""
    bridge = leg.bridge
    if bridge is None or bridge.holding or len(bridge.members) != 1:
        return
    free = [
        other
        for other in leg.track.legs.values()
        if other.person
        and other is not leg
        and other.state == 6
        and other.bridge is None
        and other.ending is None
    ]
    if len(free) == 1:
        room(leg.track.estimated, "answered_at")
        enter(core, free[0], bridge.id, False, now)


def enter(core: Core, leg: Leg, id_: str, holding: bool, now: float) -> None:
    """The channel enters the bridge; whoever hears each other now belongs to one call."""
    bridge = core.graph.put(leg, id_, holding, now)
    leg.state = 6
    if leg.ringing:
        quiet(leg, now)
    if bridge.holding:
        return
    for member in bridge.members.values():
        if member.track is not leg.track:
            core.merge(member.track, leg.track, now)
            break
    group = people(bridge)
    if len(group) > 1:
        talk(core, group, now)
    else:
        core.lull(leg.track, now)


def bridge_leave(core: Core, event: Event, now: float) -> None:
    leg = core.known(event, now)
    if leg is None or leg.bridge is None or leg.bridge.id != event.get("BridgeUniqueid"):
        return
    if len(leg.bridge.members) - 1 < _number(event.get("BridgeNumChannels")) and not leg.track.talkers:
        find_missing(core, leg, leg.bridge.since)
    leave(core, leg, now)


def bridge_destroy(core: Core, event: Event, now: float) -> None:
    bridge = core.graph.bridges.get(event.get("BridgeUniqueid", ""))
    if bridge is not None:
        for leg in list(bridge.members.values()):
            leave(core, leg, now)


def leave(core: Core, leg: Leg, now: float) -> None:
    """The channel leaves its bridge, if it is in one."""
    if leg.bridge is None:
        return
    group = people(leg.bridge)
    core.graph.take(leg)
    track = leg.track
    if leg.person:
        _stop(leg, now)
        rest = [other for other in group if other is not leg]
        if len(rest) > 1:
            _choose_operator(track, rest)
            track.last_talkers = tuple(rest)
            return
        group = rest
    for other in group:
        if len(people(other.bridge)) < 2:
            _stop(other, now)
    if not track.talkers:
        core.lull(track, now)


def talk(core: Core, group: list[Leg], now: float) -> None:
    """These people hear each other."""
    track = group[0].track
    if track.talk_since is None:
        track.talk_since = now
    if track.answered_at is None:
        track.answered_at = now
    track.in_queue = track.parked = False
    track.fading = None
    if not track.announced:
        core.announce(track, now)
    with_client = track.principals(group)
    news = [leg for leg in group if with_client and not leg.introduced and leg is not track.caller]
    for leg in group:
        if leg.talk_since is None:
            leg.talk_since = now
            track.talkers += 1
        if with_client and leg.client_since is None:
            leg.client_since = now
        leg.answered = True
        _stretch(track, leg, with_client, now)
    track.last_talkers = tuple(group)
    _choose_operator(track, group)
    _settle_transfer(track, news)
    if news:
        track.state = judge.state(track)
        for leg in news:
            leg.introduced = True
            core.note(CallEventType.ANSWERED, track, now, leg.label)
    else:
        core.settle(track, now)


def _stretch(track: Track, leg: Leg, with_client: bool, now: float) -> None:
    if leg.stretch is None and track.base is not None:
        _take_up_stretch(track, leg)
    if leg.stretch is not None:
        leg.stretch.end = None
        return
    if leg.trunk:
        counts = leg is not track.caller and track.direction is Direction.IN
    else:
        counts = leg.dialled or with_client
    label = leg.label
    if not counts or label is None or len(track.stretches) >= _MANY:
        return
    rang, ended = leg.rang_at, leg.ring_ended
    ring_s = (ended if ended is not None else now) - rang if rang is not None else 0.0
    leg.stretch = Stretch(label, rang if rang is not None else now, max(0.0, ring_s))
    track.stretches.append(leg.stretch)
    track.stretches.sort(key=_start)


def _take_up_stretch(track: Track, leg: Leg) -> None:
    """The books hold an open stretch at this extension: it goes on."""
    for stretch in track.stretches:
        if stretch.extension == leg.label and stretch.end is None:
            leg.stretch = stretch
            leg.client_since = stretch.start + stretch.ring_s + stretch.talk_s
            return


def _start(stretch: Stretch) -> float:
    return stretch.start


def _choose_operator(track: Track, group: list[Leg]) -> None:
    if track.operator is not None and not track.principals(group):
        return
    own = track.caller if track.direction is not Direction.OUT else None
    phones = [leg for leg in group if not leg.trunk and leg is not own and leg.talk_since is not None]
    if phones:
        track.operator = max(phones, key=_joined).extension


def _joined(leg: Leg) -> float:
    return leg.talk_since or 0.0


def _settle_transfer(track: Track, news: list[Leg]) -> None:
    if track.transfers and any(leg.label != track.transfers[-1].source for leg in news):
        resolve_transfer(track, TransferResult.ANSWERED)


def _stop(leg: Leg, now: float) -> None:
    if leg.talk_since is None:
        return
    track = leg.track
    _end_hold(leg, now)
    if leg.stretch is not None:
        if leg.client_since is not None:
            leg.stretch.talk_s += max(0.0, now - leg.client_since)
        leg.stretch.end = now
    leg.talk_since = leg.client_since = None
    track.talkers -= 1
    if track.talkers <= 0 and track.talk_since is not None:
        if len(track.talks) < _MANY:
            track.talks.append((track.talk_since, max(now, track.talk_since)))
        track.talk_since = None


def hold(core: Core, event: Event, now: float) -> None:
    leg = core.known(event, now)
    if leg is None or leg.talk_since is None or leg.hold_since is not None:
        return
    leg.hold_since = now
    track = leg.track
    track.held += 1
    if track.hold_since is None:
        track.hold_since = now
    core.settle(track, now)


def unhold(core: Core, event: Event, now: float) -> None:
    leg = core.known(event, now)
    if leg is None:
        return
    track = leg.track
    if leg.hold_since is None and "hold_s" in track.estimated:
        # Who holds was taken from the books, which do not name him.
        leg = next((other for other in track.legs.values() if other.hold_since is not None), leg)
    if leg.hold_since is not None:
        _end_hold(leg, now)
        core.settle(track, now)


def _end_hold(leg: Leg, now: float) -> None:
    if leg.hold_since is None:
        return
    track = leg.track
    if leg.stretch is not None:
        leg.stretch.hold_s += max(0.0, now - leg.hold_since)
    leg.hold_since = None
    track.held -= 1
    if track.held <= 0 and track.hold_since is not None:
        track.hold_s += max(0.0, now - track.hold_since)
        track.hold_since = None


def quiet(leg: Leg, now: float) -> None:
    """The phone stops ringing."""
    leg.ring_ended = now
    leg.track.ringing.pop(leg.id, None)


def parked(core: Core, event: Event, now: float) -> None:
    leg = core.known(event, now, "Parkee")
    if leg is not None:
        leg.moved = leg.track.parked = True
        core.settle(leg.track, now)


def unparked(core: Core, event: Event, now: float) -> None:
    leg = core.known(event, now, "Parkee")
    if leg is None:
        return
    retriever = core.known(event, now, "Retriever")
    if retriever is not None:
        core.merge(leg.track, retriever.track, now)
    leg.track.parked = False
    core.lull(leg.track, now)


HANDLERS: dict[str, Handler] = {
    "BridgeEnter": bridge_enter,
    "BridgeLeave": bridge_leave,
    "BridgeDestroy": bridge_destroy,
    "Hold": hold,
    "Unhold": unhold,
    "ParkedCall": parked,
    "UnParkedCall": unparked,
    "ParkedCallGiveUp": unparked,
    "ParkedCallTimeOut": unparked,
}
