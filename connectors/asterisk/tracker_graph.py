"""The graph the tracker lives on: channels (legs) by Uniqueid, bridges, and the calls they make up.

A linkedid alone is no key of a call: it changes on live channels and a picked-up call never shares one. So
a track owns a set of linkedids, and two tracks become one when a dial, a bridge, a transfer or a pick-up
ties them.
Times are seconds since 1970 by the PBX's clock.
"""

from collections.abc import Iterator

from connectors.asterisk.tracker_names import Face, half
from gateway.domain.calls import (
    Call,
    CallState,
    Direction,
    Disposition,
    HangupBy,
    TransferKind,
    TransferResult,
)

_MANY = 256
"""No list about one call grows beyond this."""


class Stretch:
    """One stretch of talk at one extension in the making: see `gateway.domain.calls.Segment`."""

    __slots__ = ("end", "extension", "hold_s", "ring_s", "start", "talk_s")

    def __init__(self, extension: str, start: float, ring_s: float) -> None:
        self.extension = extension
        self.start = start
        self.end: float | None = None
        self.ring_s = ring_s
        self.talk_s = 0.0
        self.hold_s = 0.0


class Handover:
    """One transfer in the making: see `gateway.domain.calls.Transfer`."""

    __slots__ = ("at", "kind", "result", "source", "target")

    def __init__(
        self,
        kind: TransferKind,
        source: str | None,
        target: str | None,
        at: float,
        result: TransferResult | None,
    ) -> None:
        self.kind = kind
        self.source = source
        self.target = target
        self.at = at
        self.result = result


class Bridge:
    """One bridge with someone in it."""

    __slots__ = ("holding", "id", "members", "since")

    def __init__(self, id_: str, holding: bool, now: float) -> None:
        self.id = id_
        self.since = now
        self.holding = holding
        """Its members hear music, not each other: a car park."""
        self.members: dict[str, Leg] = {}


class Leg:
    """One channel."""

    __slots__ = (
        "answered", "asked", "born", "bridge", "calling", "client_since", "dialled", "ending", "exten",
        "extension", "hold_since", "id", "local", "name", "number", "originated", "peer", "person", "rang_at",
        "ring_ended", "state", "status", "stretch", "talk_since", "track", "trunk",
    )  # fmt: skip

    def __init__(self, id_: str, name: str, face: Face, track: "Track", now: float) -> None:
        self.id = id_
        self.name = name
        self.person = face.person
        self.trunk = face.trunk
        self.local = face.local
        self.extension = face.extension
        self.track = track
        self.born = now
        self.state = 0
        self.calling = False
        """It dialled in (state Ring), rather than being dialled."""
        self.dialled = False
        self.originated = False
        """The PBX itself dialled it: the first leg of click-to-call."""
        self.exten: str | None = None
        self.number: str | None = None
        """The outside number at its far end."""
        self.rang_at: float | None = None
        self.ring_ended: float | None = None
        self.status: str | None = None
        """The first DialEnd's DialStatus; app_queue sends a second one that says less."""
        self.answered = False
        self.asked: float | None = None
        """When this side asked to hang up."""
        self.ending: float | None = None
        """Since when its end is certain: it was asked for, or its dialplan is through."""
        self.bridge: Bridge | None = None
        self.peer: Leg | None = None
        """The other half of a Local channel."""
        self.talk_since: float | None = None
        self.client_since: float | None = None
        """Since when it talks to the one who began the call; a consultation does not count as its talk."""
        self.hold_since: float | None = None
        self.stretch: Stretch | None = None

    @property
    def label(self) -> str | None:
        """The extension, or the outside number."""
        return self.number if self.trunk else self.extension

    @property
    def ringing(self) -> bool:
        """Whether this phone rings now."""
        return self.rang_at is not None and self.ring_ended is None


class Track:
    """One business call in the making."""

    __slots__ = (
        "aliases",
        "announced",
        "answered_at",
        "base",
        "caller",
        "cause",
        "did",
        "direction",
        "end_at",
        "estimated",
        "fading",
        "first",
        "from_name",
        "from_raw",
        "held",
        "hold_s",
        "hold_since",
        "id",
        "in_queue",
        "last_talkers",
        "legs",
        "linkedids",
        "merged_into",
        "operator",
        "origin_leg",
        "originated",
        "outcome",
        "outcome_at",
        "parked",
        "queue",
        "queue_left",
        "rang",
        "reason",
        "recordings",
        "ringing",
        "seen",
        "shutdown",
        "soft",
        "started",
        "state",
        "stretches",
        "talk_since",
        "talkers",
        "talks",
        "target",
        "to_raw",
        "transfers",
        "voicemail",
        "walked_out",
    )  # fmt: skip

    def __init__(self, id_: str, first: str, now: float) -> None:
        self.id = id_
        self.first = first
        """Uniqueid of the oldest channel."""
        self.started = now
        self.base: Call | None = None
        """What the books knew before this tracker attached."""
        self.legs: dict[str, Leg] = {}
        self.seen: dict[str, None] = {}
        self.linkedids: set[str] = set()
        self.aliases: dict[str, None] = {}
        self.merged_into: Track | None = None
        self.announced = False
        self.state = CallState.RINGING
        self.direction: Direction | None = None
        self.caller: Leg | None = None
        self.target: Leg | None = None
        """The first person's line that was dialled: it tells outgoing from internal."""
        self.originated = False
        self.origin_leg: Leg | None = None
        self.from_raw: str | None = None
        self.from_name: str | None = None
        self.to_raw: str | None = None
        self.did: str | None = None
        self.queue: str | None = None
        self.in_queue = False
        self.queue_left = 0.0
        self.voicemail = False
        self.parked = False
        self.ringing: dict[str, Leg] = {}
        self.rang: dict[str, None] = {}
        self.talkers = 0
        self.talk_since: float | None = None
        self.talks: list[tuple[float, float]] = []
        self.answered_at: float | None = None
        self.operator: str | None = None
        self.last_talkers: tuple[Leg, ...] = ()
        self.held = 0
        self.hold_since: float | None = None
        self.hold_s = 0.0
        self.stretches: list[Stretch] = []
        self.transfers: list[Handover] = []
        self.outcome: Disposition | None = None
        """How the last dialled phone turned the call down."""
        self.outcome_at = 0.0
        self.walked_out = False
        """The caller hung up while he waited."""
        self.soft = False
        """The PBX was told to end it (AMI, console, time limit)."""
        self.shutdown = False
        self.reason: HangupBy | None = None
        """Who ended it by app_queue's account."""
        self.cause: int | None = None
        self.end_at: float | None = None
        self.fading: float | None = None
        """Since when nobody seems to be left on it."""
        self.recordings: dict[str, None] = {}
        self.estimated: dict[str, None] = {}

    def current(self) -> "Track":
        """The track this one is part of now."""
        track = self
        while track.merged_into is not None:
            track = track.merged_into
        return track

    def age(self) -> tuple[int, int]:
        """Sorts the older call first: Uniqueids of one second differ in the counter behind the dot."""
        seconds, _, counter = self.first.rpartition("-")[2].partition(".")
        if seconds.isascii() and seconds.isdigit() and counter.isascii() and counter.isdigit():
            return int(seconds[:12]), int(counter[:18])
        return int(self.started), 0


def room(things: dict[str, None], thing: str) -> None:
    """Remember `thing` in order, once, within bounds."""
    if thing not in things and len(things) < _MANY:
        things[thing] = None


class Graph:
    """All live channels, bridges and calls of one PBX."""

    def __init__(self) -> None:
        self.legs: dict[str, Leg] = {}
        self.bridges: dict[str, Bridge] = {}
        self.names: dict[str, Leg] = {}
        """Live channels by name; no two have the same."""
        self.tracks: dict[str, Track] = {}
        """Every linkedid of a live call."""
        self._halves: dict[str, Leg] = {}

    def calls(self) -> Iterator[Track]:
        """Each live call once."""
        return iter({id(t): t for t in self.tracks.values()}.values())

    def adopt(self, track: Track, linkedid: str) -> None:
        """From now on `linkedid` means this call."""
        if len(track.linkedids) < _MANY:
            track.linkedids.add(linkedid)
            self.tracks[linkedid] = track

    def add(self, leg: Leg) -> None:
        """A new channel."""
        self.legs[leg.id] = leg
        self.names[leg.name] = leg
        leg.track.legs[leg.id] = leg
        room(leg.track.seen, leg.id)
        if leg.local:
            self._pair(leg)

    def rename(self, leg: Leg, name: str | None) -> None:
        """The channel is called `name` now, None: nothing any more."""
        if self.names.get(leg.name) is leg:
            del self.names[leg.name]
        if name is not None:
            self.names[name] = leg
            leg.name = name

    def _pair(self, leg: Leg) -> None:
        key = half(leg.name)
        other = self._halves.pop(key, None)
        if other is None:
            self._halves[key] = leg
        else:
            leg.peer, other.peer = other, leg

    def remove(self, leg: Leg) -> None:
        """The channel is gone; it must have left its bridge."""
        self.legs.pop(leg.id, None)
        self.rename(leg, None)
        leg.track.legs.pop(leg.id, None)
        if leg.local:
            self._halves.pop(half(leg.name), None)
            if leg.peer is not None:
                leg.peer.peer = None
                leg.peer = None

    def forget(self, track: Track) -> None:
        """The call is over: nothing of it stays."""
        for linkedid in track.linkedids:
            if self.tracks.get(linkedid) is track:
                del self.tracks[linkedid]

    def put(self, leg: Leg, id_: str, holding: bool, now: float) -> Bridge:
        """The channel into the bridge."""
        bridge = self.bridges.get(id_)
        if bridge is None:
            bridge = self.bridges[id_] = Bridge(id_, holding, now)
        bridge.members[leg.id] = leg
        leg.bridge = bridge
        return bridge

    def take(self, leg: Leg) -> None:
        """The channel out of its bridge."""
        bridge = leg.bridge
        if bridge is None:
            return
        leg.bridge = None
        bridge.members.pop(leg.id, None)
        if not bridge.members:
            self.bridges.pop(bridge.id, None)


def people(bridge: Bridge | None) -> list[Leg]:
    """The people who hear each other: the connected component of bridges, Local channels removed."""
    if bridge is None or bridge.holding:
        return []
    found: list[Leg] = []
    bridges = [bridge]
    for current in bridges:
        for leg in current.members.values():
            if leg.person:
                found.append(leg)
            elif leg.peer is not None:
                beyond = leg.peer.bridge
                if beyond is not None and not beyond.holding and beyond not in bridges:
                    bridges.append(beyond)
    return found
