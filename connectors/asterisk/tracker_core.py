"""What every handler works with: the graph, what is to be told, and what must be looked at again."""

from collections import deque
from collections.abc import Callable, Mapping

from connectors.asterisk import tracker_judge as judge
from connectors.asterisk.tracker_graph import Graph
from connectors.asterisk.tracker_merge import absorb
from connectors.asterisk.tracker_model import Leg, Track, room
from connectors.asterisk.tracker_names import Names, dialled, text
from connectors.asterisk.tracker_view import View
from gateway.domain.calls import (
    Call,
    CallEvent,
    CallEventType,
    CallState,
    Direction,
    PbxRules,
    TransferResult,
)
from gateway.domain.ids import call_id

Event = Mapping[str, str]
Handler = Callable[["Core", Event, float], None]

_GRAVE_S = 60.0
"""How long a gone channel is remembered, so that its late events make no new call."""
_GRAVES = 20_000
_LULL_S = 1.0
"""How long a call may stand still between two states before the pause itself is a state."""


class Core:
    """The state of one tracker; handlers are functions of it."""

    __slots__ = (
        "_rows", "due", "effects", "gathering", "graph", "graves", "names", "pbx", "unlikely", "view",
        "waiting",
    )  # fmt: skip

    def __init__(self, rules: PbxRules) -> None:
        self.pbx = rules.pbx
        self.names = Names(rules)
        self.graph = Graph()
        self.view = View(rules.pbx, self.names)
        self.gathering = False
        """While channels are listed: none of a call may be judged before all of it is known."""
        self.unlikely = 0
        """Events that name a channel by another's Uniqueid."""
        self.effects: list[tuple[CallEventType, Track, float, str | None]] = []
        self.graves: set[str] = set()
        """Channels and linkedids that ended not long ago."""
        self._rows: deque[tuple[float, str]] = deque()
        self.waiting: dict[Track, float] = {}
        self.due = float("inf")
        """When there is something to look at again."""

    # -- what is told

    def note(self, type_: CallEventType, track: Track, now: float, extension: str | None = None) -> None:
        """Tell it, once the call has been announced."""
        if track.announced:
            self.effects.append((type_, track, now, extension))

    def flush(self) -> list[CallEvent]:
        """What happened since the last time, each with its call as it stands now."""
        effects, self.effects = self.effects, []
        calls: dict[Track, Call] = {}
        events = []
        for type_, told, now, extension in effects:
            track = told.current()
            if track is not told and type_ is not CallEventType.ENDED:
                type_ = CallEventType.UPDATED if type_ is CallEventType.STARTED else type_
            call = calls.get(track)
            if call is None:
                call = calls[track] = self.view.call(track, now)
            events.append(CallEvent(type_, call, self.view.at(now), extension))
        for track in calls:
            if track.state is CallState.ENDED:
                track.release()
        return events

    def announce(self, track: Track, now: float) -> None:
        """Tell of a new call as soon as its direction is known."""
        if track.announced or self.gathering:
            return
        way = judge.direction(track, self.names)
        if way is not None:
            self.tell_start(track, way, now)

    def tell_start(self, track: Track, way: Direction, now: float) -> None:
        """Tell of a new call."""
        track.direction = way
        track.announced = True
        track.state = judge.state(track)
        self.note(CallEventType.STARTED, track, now)
        if track.state is CallState.MENU:
            self.note(CallEventType.MENU, track, now)
        elif track.in_queue:
            self.note(CallEventType.QUEUED, track, now)
        for leg in track.ringing.values():
            self.note(CallEventType.RINGING, track, now, leg.label)

    def settle(self, track: Track, now: float) -> None:
        """Tell of the state the call has come into, where that is news."""
        if not track.announced:
            self.announce(track, now)
            return
        new, old = judge.state(track), track.state
        if new is old or old is CallState.ENDED:
            return
        track.state = new
        if new is CallState.TALKING and old is CallState.HELD:
            type_ = CallEventType.RESUMED
        else:
            type_ = _TOLD.get(new, CallEventType.UPDATED)
        self.note(type_, track, now)

    # -- channels and calls

    def leg(self, event: Event, now: float, prefix: str = "") -> Leg | None:
        """The channel an event speaks of, made where it is new; None where it is gone or not named."""
        id_ = event.get(prefix + "Uniqueid")
        leg = self.graph.legs.get(id_) if id_ else None
        if leg is None:
            return self._newcomer(event, id_, now, prefix) if id_ and id_ not in self.graves else None
        name = event.get(prefix + "Channel")
        if name and name != leg.name:
            # Rename would have said so: somebody put another channel's Uniqueid into his own event.
            self.unlikely += 1
            return None
        linkedid = event.get(prefix + "Linkedid")
        # A linkedid alone joins no two calls: what ties them has events of its own, harder to forge.
        if linkedid and linkedid not in self.graph.tracks and linkedid not in self.graves:
            self.graph.adopt(leg.track, linkedid)
        return leg

    def known(self, event: Event, now: float, prefix: str = "") -> Leg | None:
        """The channel an event speaks of, if we have it."""
        id_ = event.get(prefix + "Uniqueid")
        return self.leg(event, now, prefix) if id_ and id_ in self.graph.legs else None

    def rename(self, leg: Leg, name: str) -> None:
        """The channel goes by another name now and stands for another line, unless it is a zombie."""
        self.graph.rename(leg, name)
        if name.endswith("<ZOMBIE>") or leg.local:
            return
        face = self.names.face(name)
        if face.person and leg.person:
            leg.trunk, leg.extension = face.trunk, face.extension

    def _newcomer(self, event: Event, id_: str, now: float, prefix: str) -> Leg | None:
        name = event.get(prefix + "Channel")
        if not name or len(id_) > 150:
            return None
        if name in self.graph.names:
            self.unlikely += 1
            return None
        linkedid = event.get(prefix + "Linkedid") or id_
        if event.get("Event") == "Newchannel" and event.get("ChannelState") == "4" and name[:6] != "Local/":
            # Who dials in begins a call of his own, whatever his event says.
            linkedid = id_
        tells_birth = event.get("Event") in _TELL_BIRTH
        track = self._track(id_, linkedid, now, tells_birth)
        if id_ == track.first and tells_birth and "started_at" in track.estimated:
            track.started = now
            del track.estimated["started_at"]
        leg = Leg(id_, name, self.names.face(name), track, now)
        self.graph.add(leg)
        state = event.get(prefix + "ChannelState", "")
        leg.state = int(state) if state in _STATES else 0
        leg.calling = leg.state == 4
        leg.exten = text(event.get(prefix + "Exten"))
        if id_ == track.first and not tells_birth:
            room(track.estimated, "started_at")
        if leg.person:
            self._place(leg, event, now, prefix)
        return leg

    def _track(self, id_: str, linkedid: str, now: float, tells_birth: bool) -> Track:
        track = self.graph.tracks.get(linkedid)
        if track is not None:
            return track
        # A linkedid whose call ended names nothing any more.
        first = id_ if linkedid in self.graves else linkedid
        track = Track(call_id(self.pbx, first), first, now)
        self.graph.adopt(track, first)
        if first != id_ or not tells_birth:
            track.started = _born(first, now)
            track.estimated["started_at"] = None
        return track

    def _place(self, leg: Leg, event: Event, now: float, prefix: str) -> None:
        track = leg.track
        track.fading = None
        origin = self.graph.legs.get(track.first)
        if track.caller is None and (leg.id == track.first or (origin is not None and origin.originated)):
            self.make_caller(leg, event, prefix)
        elif track.target is None and not leg.calling:
            track.target = leg
        if not track.announced:
            self.announce(track, now)

    def make_caller(self, leg: Leg, event: Event, prefix: str) -> None:
        """The channel is the one the call began with."""
        track = leg.track
        track.caller = leg
        number = text(event.get(prefix + "CallerIDNum"))
        if leg.trunk or leg.calling:
            track.from_raw = track.from_raw or number
            track.from_name = track.from_name or text(event.get(prefix + "CallerIDName"))
            track.to_raw = track.to_raw or leg.exten
            if leg.trunk:
                track.did = track.did or leg.exten
        elif track.originated or leg.originated:
            track.origin_leg = leg

    def name_target(self, leg: Leg, event: Event) -> None:
        """A dialled line of the outside world gets the number at its far end."""
        track = leg.track
        raw = (
            dialled(event.get("DialString")) or text(event.get("DestCallerIDNum")) or text(event.get("Exten"))
        )
        public = self.names.public(raw)
        leg.number = public or raw
        typed = self.names.public(track.to_raw)
        unclear = track.originated or typed is None or (typed != public and _has_prefix(track.to_raw, raw))
        if raw and leg is track.target and unclear and (public or not track.to_raw):
            track.to_raw = raw

    def merge(self, one: Track, other: Track, now: float) -> Track:
        """Two calls turn out to be one: the older stays, the younger's id becomes an alias."""
        if one is other:
            return one
        older, younger = (one, other) if one.age() <= other.age() else (other, one)
        absorb(self.graph, older, younger)
        self.waiting.pop(younger, None)
        if not older.announced:
            self.announce(older, now)
        elif younger.announced:
            older.state = judge.state(older)
            self.note(CallEventType.UPDATED, older, now)
        return older

    # -- time

    def look_again(self, track: Track, at: float) -> None:
        """Look at the call again at `at` if nothing happens before."""
        self.waiting[track] = at
        self.due = min(self.due, at)

    def lull(self, track: Track, now: float) -> None:
        """The call stands between two states; it usually moves on at once."""
        self.look_again(track, now + _LULL_S)

    def burials(self, now: float) -> None:
        """Forget the channels that are gone for long, and note when to come again."""
        rows = self._rows
        while rows and (rows[0][0] <= now - _GRAVE_S or len(rows) > _GRAVES):
            self.graves.discard(rows.popleft()[1])
        waiting = min(self.waiting.values(), default=float("inf"))
        self.due = min(waiting, now + _GRAVE_S / 4 if rows else float("inf"))

    def bury(self, id_: str, now: float) -> None:
        """Late events of this channel or linkedid are to make nothing new."""
        if id_ not in self.graves:
            self.graves.add(id_)
            self._rows.append((now, id_))
        self.due = min(self.due, now + _GRAVE_S)


_STATES = frozenset("0123456789")
_TELL_BIRTH = frozenset({"Newchannel", "CoreShowChannel", "Status"})
_TOLD = {
    CallState.MENU: CallEventType.MENU,
    CallState.HELD: CallEventType.HELD,
    CallState.PARKED: CallEventType.PARKED,
}


def _has_prefix(typed: str | None, dialled_out: str | None) -> bool:
    """Whether the number was typed with a prefix that the dialplan takes away (9 for an outside line), which
    may read as the code of another country.
    """
    if not typed or not dialled_out or len(dialled_out) < _SUBSCRIBER:
        return False
    return len(typed) > len(dialled_out) and typed.endswith(dialled_out[-_SUBSCRIBER:])


_SUBSCRIBER = 9
"""As many last digits as two different numbers do not share."""


def _born(uniqueid: str, now: float) -> float:
    """When the channel of this Uniqueid was made, by the seconds in it."""
    seconds = uniqueid.rpartition("-")[2].partition(".")[0]
    born = float(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 12 else now
    return born if now - 7 * 86400 < born <= now else now


def resolve_transfer(track: Track, result: TransferResult) -> None:
    """The latest transfer came to this, unless more is known of it already."""
    if track.transfers:
        last = track.transfers[-1]
        if last.result is None or last.result in (TransferResult.BUSY, TransferResult.NO_ANSWER):
            last.result = result
