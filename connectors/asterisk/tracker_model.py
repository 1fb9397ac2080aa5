"""What the tracker remembers: channels (legs), bridges, and the business calls (tracks) they make up.

Times are seconds since 1970 by the PBX's clock.
"""

from connectors.asterisk.tracker_names import Face
from gateway.domain.calls import (
    Call,
    CallState,
    Direction,
    Disposition,
    HangupBy,
    TransferKind,
    TransferResult,
)

MANY = 256
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
        "extension", "hold_since", "id", "introduced", "local", "moved", "name", "number",
        "originated", "peer", "person", "rang_at", "ring_ended", "state", "status", "stretch",
        "talk_since", "track", "trunk",
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
        self.introduced = False
        """It has been told that this one answered."""
        self.moved = False
        """It was sent on: it lives without the one who dialled it."""
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

    def release(self) -> None:
        """Let go of the channels, so that an ended call is freed at once and not by the garbage collector."""
        self.caller = self.target = self.origin_leg = None
        self.last_talkers = ()

    def principals(self, group: "list[Leg]") -> bool:
        """Whether the one for whom the call is made is among these; a consultation goes on without him.

        It is who called in, or on our own calls either end; when they are gone it is anybody.
        """
        caller, target = self.caller, self.target
        if self.direction is Direction.IN:
            target = None
        if caller in group or (target is not None and target in group):
            return True
        gone = caller is None or caller.id not in self.legs
        return gone and (target is None or target.id not in self.legs)

    def age(self) -> tuple[int, int]:
        """Sorts the older call first: Uniqueids of one second differ in the counter behind the dot."""
        seconds, _, counter = self.first.rpartition("-")[2].partition(".")
        if seconds.isascii() and seconds.isdigit() and counter.isascii() and counter.isdigit():
            return int(seconds[:12]), int(counter[:18])
        return int(self.started), 0


def room(things: dict[str, None], thing: str) -> None:
    """Remember `thing` in order, once, within bounds."""
    if thing not in things and len(things) < MANY:
        things[thing] = None
