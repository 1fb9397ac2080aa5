"""Taking up calls that were going on before: from our books, and from the PBX's list of channels.

Neither list says who dialled whom, when somebody answered or what was on hold; it is inferred and named in
`estimated`. Source: docs.asterisk.org, actions CoreShowChannels, Status and QueueStatus.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from connectors.asterisk import tracker_judge as judge
from connectors.asterisk.tracker_channels import ring
from connectors.asterisk.tracker_core import Core, Event
from connectors.asterisk.tracker_endings import drop, end
from connectors.asterisk.tracker_model import Handover, Leg, Stretch, Track, room
from connectors.asterisk.tracker_names import text
from connectors.asterisk.tracker_talk import enter
from gateway.domain.calls import Call, CallEvent, CallEventType, CallState, lost

_CALLED = frozenset({"AppDial", "AppDial2", "AppQueue"})
Dials = Mapping[str, str]
"""Linkedid → what the channel that calls has given to Dial."""
_PARKED = frozenset({"Park", "ParkedCall", "Parked Call"})


def restore(core: Core, calls: Sequence[Call]) -> None:
    """The books' live calls, each waiting for the list of channels to confirm it."""
    for call in calls:
        if call.state is not CallState.ENDED and call.linkedid not in core.graph.tracks:
            _restored(core, call)


def _restored(core: Core, call: Call) -> Track:
    track = Track(call.id, call.linkedid, _theirs(core, call.started_at))
    track.base = call
    track.announced = True
    track.direction, track.state = call.direction, call.state
    track.queue, track.did, track.to_raw = call.queue, call.did, call.to.raw
    track.from_raw, track.from_name = call.from_.raw, call.from_.name
    track.operator, track.hold_s = call.extension, call.hold_s
    track.originated = call.extension is not None and call.extension in call.ringing
    track.rang.update(dict.fromkeys(call.rang))
    for segment in call.segments:
        stretch = Stretch(segment.extension, _theirs(core, segment.start), segment.ring_s)
        stretch.talk_s, stretch.hold_s = segment.talk_s, segment.hold_s
        stretch.end = _theirs(core, segment.end) if segment.end else None
        track.stretches.append(stretch)
    track.transfers += [
        Handover(t.kind, t.from_, t.to, _theirs(core, t.at), t.result) for t in call.transfers
    ]
    if call.answered_at is not None:
        _restore_talk(track, call, _theirs(core, call.answered_at))
    for linkedid in (call.linkedid, *call.legs):
        core.graph.adopt(track, linkedid)
    return track


def _restore_talk(track: Track, call: Call, answered_at: float) -> None:
    track.answered_at = answered_at
    until = answered_at + call.talk_s
    if call.state in (CallState.TALKING, CallState.HELD):
        open_ = [s.start + s.ring_s for s in track.stretches if s.end is None]
        track.talk_since = max(answered_at, min(open_, default=answered_at))
        until = min(until, track.talk_since)
    if until > answered_at:
        track.talks.append((answered_at, until))


def _theirs(core: Core, at: datetime) -> float:
    return at.timestamp() - core.view.offset_s


def apply(core: Core, channels: Sequence[Event], entries: Sequence[Event], now: float) -> list[CallEvent]:
    """The graph after the PBX's own account; returns the ends of calls that vanished."""
    rows = {row["Uniqueid"]: row for row in channels if row.get("Uniqueid") and row.get("Channel")}
    gone = _vanished(core, rows, now)
    before = set(core.graph.legs)
    core.gathering = True
    legs = [leg for leg in (_take_up(core, row, now) for row in _oldest_first(rows)) if leg is not None]
    dials = {r.get("Linkedid", ""): r.get("ApplicationData", "") for r in rows.values() if _is_dialling(r)}
    for leg in legs:
        _place(core, leg, rows[leg.id], dials, leg.id not in before, now)
    for entry in entries:
        _wait_in_queue(core, entry, now)
    core.gathering = False
    for track in {leg.track: None for leg in legs}:
        _close_talk(track, now)
        _look(core, track, now)
    return gone


def _is_dialling(row: Event) -> bool:
    return row.get("Application") == "Dial" and not row["Channel"].startswith("Local/")


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
    return core.leg({"Event": "CoreShowChannel", **row}, born)


def _place(core: Core, leg: Leg, row: Event, dials: Dials, fresh: bool, now: float) -> None:
    if row.get("ChannelState", "") in ("4", "5", "6"):
        leg.state = int(row["ChannelState"])
    track = leg.track
    if fresh:
        leg.dialled = row.get("Application") in _CALLED
        leg.calling = leg.person and not leg.dialled and leg is track.caller
        if leg.trunk and leg.dialled:
            number = {"DestCallerIDNum": row.get("CallerIDNum", "")}
            core.name_target(leg, {"DialString": dials.get(row.get("Linkedid", ""), ""), **number})
        did = text(row.get("DNID"))
        if did and leg is track.caller:
            track.to_raw = did
            track.did = did if leg.trunk else track.did
        track.parked = track.parked or row.get("Application") in _PARKED
    if not leg.person and not leg.local:
        return
    if leg.state == 5 and not leg.ringing:
        leg.ring_ended = None
        if fresh and leg.dialled:
            # A dialled phone rings from its channel's birth on, give or take the age's whole seconds.
            leg.rang_at = max(track.started, leg.born)
        ring(core, leg, now, known=track.base is not None and leg.label in track.base.ringing)
    id_ = row.get("BridgeId") or row.get("BridgeID") or ""
    if id_ and (leg.bridge is None or leg.bridge.id != id_) and not track.parked:
        _join(core, leg, id_, now)


def _join(core: Core, leg: Leg, id_: str, now: float) -> None:
    track = leg.track
    unknown = track.answered_at is None
    base = track.base
    if base is not None and base.answered_at is not None:
        leg.introduced = leg.trunk or leg.label == base.extension
    enter(core, leg, id_, False, now)
    track = leg.track
    if base is not None and base.state is CallState.HELD and leg.label == base.extension:
        _hold_on(core, track, leg, base)
    if unknown and track.answered_at is not None:
        # When they began to talk is unknown; the called channel's birth is the nearest that is not.
        called = [
            m.born for m in (leg.bridge.members.values() if leg.bridge else ()) if m is not track.caller
        ]
        track.answered_at = max(track.started, min(called, default=now))
        room(track.estimated, "answered_at")
        room(track.estimated, "wait_s")
    if track.talk_since is not None and track.answered_at is not None and not track.talks:
        track.talk_since = min(track.talk_since, track.answered_at)
        room(track.estimated, "talk_s")


def _hold_on(core: Core, track: Track, leg: Leg, base: Call) -> None:
    """The books have the client on hold; no list of the PBX says whether he still is: so he is until told."""
    if base.answered_at is None or track.held or leg.talk_since is None:
        return
    # The books wrote their last word when the hold began, and the talk was this long then.
    began = _theirs(core, base.answered_at) + base.talk_s
    leg.hold_since = track.hold_since = began
    track.held = 1
    room(track.estimated, "hold_s")


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
        if not _waited(track.base, queue):
            core.note(CallEventType.QUEUED, track, now)


def _waited(base: Call | None, queue: str) -> bool:
    """Whether the books have the call waiting in this queue already, its phones ringing or not."""
    return base is not None and base.queue == queue and base.state in (CallState.QUEUED, CallState.RINGING)


def _close_talk(track: Track, now: float) -> None:
    """The books have them talking, the PBX does not: they stopped at some time in between."""
    if track.talk_since is not None and not track.talkers:
        track.talks.append((track.talk_since, now))
        track.talk_since = None
        room(track.estimated, "talk_s")
        for stretch in track.stretches:
            if stretch.end is None:
                stretch.end = now
                stretch.talk_s = max(stretch.talk_s, now - stretch.start - stretch.ring_s)


def _look(core: Core, track: Track, now: float) -> None:
    if not track.announced:
        way = judge.direction(track, core.names, final=True)
        if way is not None:
            core.tell_start(track, way, now)
            if track.talkers:
                core.note(CallEventType.ANSWERED, track, now, track.operator)
    core.settle(track, now)
    base = track.base
    if base is not None and not any(told is track for _, told, _, _ in core.effects):
        rings = {leg.label for leg in track.ringing.values()}
        if rings != set(base.ringing):
            core.note(CallEventType.UPDATED, track, now)
