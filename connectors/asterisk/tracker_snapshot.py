"""Taking up calls that were going on before: from our books, and from the PBX's list of channels.

Neither list says who dialled whom, when somebody answered or what was on hold; it is inferred and named in
`estimated`. Source: docs.asterisk.org, actions CoreShowChannels, Status and QueueStatus.
"""

from collections.abc import Sequence

from connectors.asterisk import tracker_judge as judge
from connectors.asterisk.tracker_channels import ring
from connectors.asterisk.tracker_core import Core, Event
from connectors.asterisk.tracker_endings import drop, end
from connectors.asterisk.tracker_graph import Leg, Track, room
from connectors.asterisk.tracker_names import text
from connectors.asterisk.tracker_talk import enter
from gateway.domain.calls import Call, CallEvent, CallEventType, CallState, lost

_CALLED = frozenset({"AppDial", "AppDial2", "AppQueue"})
_PARKED = frozenset({"Park", "ParkedCall", "Parked Call"})


def restore(core: Core, calls: Sequence[Call]) -> None:
    """The books' live calls, each waiting for the list of channels to confirm it."""
    offset = core.view.offset_s
    for call in calls:
        if call.state is CallState.ENDED or call.linkedid in core.graph.tracks:
            continue
        first = call.legs[0] if call.legs else call.linkedid
        track = Track(call.id, call.linkedid or first, call.started_at.timestamp() - offset)
        track.base = call
        track.announced = True
        track.direction = call.direction
        track.state = call.state
        track.queue = call.queue
        track.did, track.to_raw = call.did, call.to.raw
        track.operator = call.extension
        if call.answered_at is not None:
            track.answered_at = call.answered_at.timestamp() - offset
        for linkedid in (call.linkedid, *call.legs):
            core.graph.adopt(track, linkedid)


def apply(core: Core, channels: Sequence[Event], entries: Sequence[Event], now: float) -> list[CallEvent]:
    """The graph after the PBX's own account; returns the ends of calls that vanished."""
    rows = {row["Uniqueid"]: row for row in channels if row.get("Uniqueid") and row.get("Channel")}
    gone = _vanished(core, rows, now)
    before = set(core.graph.legs)
    legs = [leg for leg in (_take_up(core, row, now) for row in _oldest_first(rows)) if leg is not None]
    for leg in legs:
        _place(core, leg, rows[leg.id], leg.id not in before, now)
    for entry in entries:
        _wait_in_queue(core, entry, now)
    for track in {leg.track: None for leg in legs}:
        _look(core, track, now)
    return gone


def _oldest_first(rows: dict[str, Event]) -> list[Event]:
    return sorted(rows.values(), key=lambda row: (-_age_s(row), row["Uniqueid"] != row.get("Linkedid")))


def _age_s(row: Event) -> float:
    """Seconds since the channel was made: `Seconds` of Status, `Duration` (h:mm:ss) of CoreShowChannels."""
    total = 0
    for part in (row.get("Seconds") or row.get("Duration") or "0").split(":"):
        total = total * 60 + (int(part) if part.isascii() and part.isdigit() and len(part) < 10 else 0)
    return float(total)


def _vanished(core: Core, rows: dict[str, Event], now: float) -> list[CallEvent]:
    alive = {row.get("Linkedid") for row in rows.values()} | set(rows)
    events: list[CallEvent] = []
    for track in list(core.graph.calls()):
        if not track.legs and track.base is not None:
            if alive.isdisjoint(track.linkedids):
                events.append(lost(track.base, core.view.at(now)))
                _bury(core, track, now)
            continue
        missing = [leg for leg in track.legs.values() if leg.id not in rows and leg.born <= now]
        if missing:
            _lose(core, track, missing, now)
    return events


def _bury(core: Core, track: Track, now: float) -> None:
    core.graph.forget(track)
    for linkedid in track.linkedids:
        core.bury(linkedid, now)


def _lose(core: Core, track: Track, missing: Sequence[Leg], now: float) -> None:
    if len(missing) == len(track.legs):
        call = lost(core.view.call(track, now), core.view.at(now)).call
        for name in call.estimated:
            room(track.estimated, name)
        end(core, track, now)
        return
    for leg in missing:
        drop(core, leg, now)
    core.lull(track, now)


def _take_up(core: Core, row: Event, now: float) -> Leg | None:
    born = max(0.0, now - _age_s(row))
    return core.leg({**row, "Event": "Newchannel"}, born)


def _place(core: Core, leg: Leg, row: Event, fresh: bool, now: float) -> None:
    if row.get("ChannelState", "") in ("4", "5", "6"):
        leg.state = int(row["ChannelState"])
    track = leg.track
    if fresh:
        leg.dialled = row.get("Application") in _CALLED
        leg.calling = leg.person and not leg.dialled and leg is track.caller
        if leg.trunk and leg.dialled:
            core.name_target(leg, {"DestCallerIDNum": row.get("CallerIDNum", "")})
        did = text(row.get("DNID"))
        if did and leg is track.caller:
            track.to_raw = did
            track.did = did if leg.trunk else track.did
        track.parked = track.parked or row.get("Application") in _PARKED
    if not leg.person and not leg.local:
        return
    if leg.state == 5 and not leg.ringing:
        leg.ring_ended = None
        ring(core, leg, now)
    id_ = row.get("BridgeId") or row.get("BridgeID") or ""
    if id_ and (leg.bridge is None or leg.bridge.id != id_) and not track.parked:
        _join(core, leg, id_, now)


def _join(core: Core, leg: Leg, id_: str, now: float) -> None:
    track = leg.track
    unknown = track.answered_at is None
    enter(core, leg, id_, False, now)
    track = leg.track
    if unknown and track.answered_at is not None:
        # When they began to talk is unknown; the called channel's birth is the nearest that is not.
        called = [
            m.born for m in (leg.bridge.members.values() if leg.bridge else ()) if m is not track.caller
        ]
        track.answered_at = max(track.started, min(called, default=now))
        room(track.estimated, "answered_at")
    if track.talk_since is not None and track.answered_at is not None and not track.talks:
        track.talk_since = min(track.talk_since, track.answered_at)
        room(track.estimated, "talk_s")


def _wait_in_queue(core: Core, entry: Event, now: float) -> None:
    leg = core.graph.legs.get(entry.get("Uniqueid", ""))
    queue = text(entry.get("Queue"))
    if leg is None or queue is None or leg.track.in_queue or leg.track.talkers:
        return
    track = leg.track
    track.queue, track.in_queue = queue, True
    leg.calling = leg is track.caller
    if track.announced:
        track.state = judge.state(track)
        if track.base is None or track.base.state is not CallState.QUEUED:
            core.note(CallEventType.QUEUED, track, now)


def _look(core: Core, track: Track, now: float) -> None:
    if not track.announced:
        way = judge.direction(track, core.names, final=True)
        if way is not None:
            core.tell_start(track, way, now)
    core.settle(track, now)
