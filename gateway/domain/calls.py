"""One business call, whatever the number of Asterisk channels, rings and transfers.

A tracker (connectors/asterisk/tracker.py) turns a PBX's events into snapshots of calls; `advance` lays a
snapshot over what our books already hold, which may know more: the tracker may have attached in mid-call.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum


class CallState(StrEnum):
    """Where a call stands now."""

    RINGING = "ringing"
    MENU = "menu"
    QUEUED = "queued"
    TALKING = "talking"
    HELD = "held"
    PARKED = "parked"
    ENDED = "ended"


class Direction(StrEnum):
    """Seen from the contact centre."""

    IN = "in"
    OUT = "out"
    INTERNAL = "internal"


class Disposition(StrEnum):
    """How a call came out for the people, not for the channels."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    OPERATOR_NO_ANSWER = "operator_no_answer"
    DECLINED = "declined"
    BUSY = "busy"
    ABANDONED = "abandoned"
    VOICEMAIL = "voicemail"
    FAILED = "failed"


class HangupBy(StrEnum):
    """Who ended the call."""

    CALLER = "caller"
    CALLEE = "callee"
    SYSTEM = "system"


class TransferKind(StrEnum):
    """How a call was handed on."""

    BLIND = "blind"
    ATTENDED = "attended"


class TransferResult(StrEnum):
    """What became of a transfer."""

    ANSWERED = "answered"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    QUEUED = "queued"
    FAILED = "failed"


class CallEventType(StrEnum):
    """What happened to a call; the names are those of the contract's events."""

    STARTED = "call.started"
    MENU = "call.menu"
    QUEUED = "call.queued"
    RINGING = "call.ringing"
    ANSWERED = "call.answered"
    HELD = "call.held"
    RESUMED = "call.resumed"
    TRANSFERRED = "call.transferred"
    PARKED = "call.parked"
    UPDATED = "call.updated"
    ENDED = "call.ended"


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a call: the number in E.164 where it is one, the raw string received, the name shown."""

    number: str | None = None
    raw: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of talk at one extension, from its first ring (or its answer) to its end.

    On an incoming call that was sent on to the outside, at that number.
    """

    extension: str
    start: datetime
    end: datetime | None = None
    ring_s: float = 0.0
    talk_s: float = 0.0
    hold_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Transfer:
    """One handing on of the call."""

    kind: TransferKind
    from_: str | None
    to: str | None
    at: datetime
    result: TransferResult | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A snapshot of one business call. Times are UTC by the PBX's clock, durations in seconds."""

    id: str
    pbx: str
    linkedid: str
    direction: Direction
    state: CallState
    started_at: datetime
    from_: Party = Party()
    to: Party = Party()
    disposition: Disposition | None = None
    did: str | None = None
    queue: str | None = None
    """The PBX's own name of the queue (`400`); the service maps it to a configured queue."""
    extension: str | None = None
    """Who talked last; on internal calls and on outgoing ones nobody answered the calling extension."""
    rang: tuple[str, ...] = ()
    ringing: tuple[str, ...] = ()
    """Extensions whose phones ring right now."""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    hangup_by: HangupBy | None = None
    hangup_cause: int | None = None
    wait_s: float = 0.0
    talk_s: float = 0.0
    hold_s: float = 0.0
    segments: tuple[Segment, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    estimated: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()
    """Paths named by MixMonitor on the PBX, in order."""
    legs: tuple[str, ...] = ()
    """Uniqueids of the channels that belong, the first first: they find the call again after a restart."""
    aliases: tuple[str, ...] = ()
    """Ids of calls that turned out to be this one (the consultation call of an attended transfer)."""


@dataclass(frozen=True, slots=True)
class CallEvent:
    """Something happened to `call`, its state after it; `extension`: the phone that rang or answered."""

    type: CallEventType
    call: Call
    at: datetime
    extension: str | None = None
    from_records: bool = False
    """The PBX's own records tell it, afterwards: nobody's phone rings any more."""


def _longer(known: Sequence[str], fresh: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*known, *fresh]))


def _parties(known: Party, fresh: Party) -> Party:
    return Party(fresh.number or known.number, fresh.raw or known.raw, fresh.name or known.name)


def advance(known: Call | None, event: CallEvent) -> Call:
    """The call after `event`: what the event knows wins, what only the books know stays.

    A call that ended stays ended; an answer once seen is never taken back; who rang and which channels
    belonged only grows.
    """
    fresh = event.call
    if known is None:
        return fresh
    if known.state is CallState.ENDED:
        return replace(
            known,
            legs=_longer(known.legs, fresh.legs),
            recordings=_longer(known.recordings, fresh.recordings),
        )
    if event.from_records:
        return completed(known, fresh)
    return replace(
        fresh,
        id=known.id,
        direction=known.direction,
        started_at=min(known.started_at, fresh.started_at),
        from_=_parties(known.from_, fresh.from_),
        to=_parties(known.to, fresh.to),
        did=known.did or fresh.did,
        queue=fresh.queue or known.queue,
        extension=fresh.extension or known.extension,
        rang=_longer(known.rang, fresh.rang),
        answered_at=known.answered_at or fresh.answered_at,
        disposition=_judged(known, fresh),
        wait_s=known.wait_s if known.answered_at else fresh.wait_s,
        talk_s=max(known.talk_s, fresh.talk_s),
        hold_s=max(known.hold_s, fresh.hold_s),
        segments=fresh.segments if len(fresh.segments) >= len(known.segments) else known.segments,
        transfers=fresh.transfers if len(fresh.transfers) >= len(known.transfers) else known.transfers,
        estimated=_longer(known.estimated, fresh.estimated),
        recordings=_longer(known.recordings, fresh.recordings),
        legs=_longer(known.legs, fresh.legs),
        aliases=_longer(known.aliases, fresh.aliases),
    )


def _judged(known: Call, fresh: Call) -> Disposition | None:
    if known.answered_at and fresh.state is CallState.ENDED:
        return Disposition.ANSWERED
    return fresh.disposition or known.disposition


def completed(known: Call, fresh: Call) -> Call:
    """A call seen in part, ended by its records: what was seen stays, what had been inferred gives way."""
    unknown = dict.fromkeys(fresh.estimated)
    answered_at, wait_s, talk_s = fresh.answered_at, fresh.wait_s, fresh.talk_s
    if known.answered_at is not None and "answered_at" not in known.estimated:
        answered_at, wait_s = known.answered_at, known.wait_s
        if "talk_s" in unknown and "transfers" not in unknown and fresh.ended_at is not None:
            talk_s = max(known.talk_s, (fresh.ended_at - answered_at).total_seconds())
            unknown.pop("talk_s")
        for name in ("answered_at", "wait_s", "disposition"):
            unknown.pop(name, None)
    if known.did:
        unknown.pop("did", None)
        unknown.pop("to", None)
    by, cause = fresh.hangup_by, fresh.hangup_cause
    if known.hangup_by is not None and "hangup_by" not in known.estimated:
        by, cause = known.hangup_by, known.hangup_cause
        unknown.pop("hangup_by", None)
        unknown.pop("hangup_cause", None)
    return replace(
        fresh,
        id=known.id,
        linkedid=known.linkedid,
        hangup_by=by,
        hangup_cause=cause,
        direction=known.direction,
        started_at=fresh.started_at if "started_at" in known.estimated else known.started_at,
        from_=_parties(known.from_, fresh.from_),
        to=_parties(fresh.to, known.to),
        did=known.did or fresh.did,
        queue=fresh.queue or known.queue,
        extension=fresh.extension or known.extension,
        rang=_longer(known.rang, fresh.rang),
        disposition=Disposition.ANSWERED if known.answered_at else fresh.disposition,
        answered_at=answered_at or known.answered_at,
        wait_s=wait_s,
        talk_s=talk_s,
        hold_s=max(known.hold_s, fresh.hold_s),
        segments=_closed(known if len(known.segments) > len(fresh.segments) else fresh, fresh.ended_at),
        transfers=fresh.transfers if len(fresh.transfers) >= len(known.transfers) else known.transfers,
        estimated=tuple(unknown),
        recordings=_longer(known.recordings, fresh.recordings),
        legs=_longer(known.legs, fresh.legs),
        aliases=_longer(known.aliases, fresh.aliases),
    )


def _closed(call: Call, at: datetime | None) -> tuple[Segment, ...]:
    return tuple(s if s.end else replace(s, end=at) for s in call.segments)


def lost(call: Call, at: datetime) -> CallEvent:
    """The call vanished from the PBX while nobody looked: ended, with what was inferred named in `estimated`.

    `at` is the last moment at which it may have been alive (UTC).
    """
    by_state = ("talk_s",) if call.answered_at else ("disposition", "wait_s")
    inferred = ("ended_at", "hangup_by", "hangup_cause", *by_state)
    disposition = Disposition.ANSWERED if call.answered_at else _unanswered(call)
    ended = replace(
        call,
        state=CallState.ENDED,
        ringing=(),
        disposition=disposition,
        ended_at=at,
        wait_s=call.wait_s if call.answered_at else max(0.0, (at - call.started_at).total_seconds()),
        talk_s=max(call.talk_s, (at - call.answered_at).total_seconds()) if call.answered_at else 0.0,
        segments=tuple(s if s.end else _cut_off(s, at) for s in call.segments),
        estimated=_longer(call.estimated, inferred),
    )
    return CallEvent(CallEventType.ENDED, ended, at)


def _cut_off(segment: Segment, at: datetime) -> Segment:
    talked = (at - segment.start).total_seconds() - segment.ring_s
    return replace(segment, end=at, talk_s=max(segment.talk_s, talked))


def _unanswered(call: Call) -> Disposition:
    return Disposition.ABANDONED if call.direction is Direction.IN else Disposition.NO_ANSWER


@dataclass(frozen=True, slots=True)
class PbxRules:
    """What a tracker must know of one PBX's habits."""

    pbx: str
    trunks: tuple[str, ...] = ()
    """Channel-name prefixes of the outside world, such as `PJSIP/trunk`."""
    interface: str = "PJSIP/{extension}"
    country: str = "RU"
    """ISO 3166 code for numbers dialled without a country code."""
