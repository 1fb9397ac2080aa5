"""Calls as the API and `perezvon replay` show them."""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import field

from gateway.domain.calls import Call, Party, Segment, Transfer
from gateway.services.views.common import PersonRef, View, at, at_or_none


class PartyView(View, frozen=True):
    """One end: E.164 where it is a public number, the raw string received, the name shown."""

    number: str | None
    raw: str | None
    name: str | None

    @classmethod
    def of(cls, party: Party) -> "PartyView":
        """From the tracker's party."""
        return cls(number=party.number, raw=party.raw, name=party.name)


class CallOperator(View, frozen=True):
    """Who talked: without operators configured the extension alone."""

    id: str | None
    name: str | None
    extension: str


class SegmentView(View, frozen=True):
    """One stretch of the call at one extension."""

    operator: CallOperator | None
    extension: str
    from_: str = field(name="from")
    to: str | None
    ring_s: float
    talk_s: float
    hold_s: float


class TransferView(View, frozen=True):
    """One handing on."""

    kind: Literal["blind", "attended"]
    from_: str | None = field(name="from")
    to: str | None
    at: str
    result: Literal["answered", "busy", "no_answer", "queued", "failed"] | None


Phones = Mapping[str, PersonRef]
"""Extension → the operator signed in there."""


class CallView(View, frozen=True):
    """One business call."""

    id: str
    pbx: str
    linkedid: str
    direction: Literal["in", "out", "internal"]
    state: Literal["ringing", "menu", "queued", "talking", "held", "parked", "ended"]
    disposition: (
        Literal[
            "answered",
            "no_answer",
            "operator_no_answer",
            "declined",
            "busy",
            "abandoned",
            "voicemail",
            "failed",
        ]
        | None
    )
    from_: PartyView = field(name="from")
    to: PartyView
    did: str | None
    queue: str | None
    card_id: str | None
    operator: CallOperator | None
    rang: list[str]
    started_at: str
    answered_at: str | None
    ended_at: str | None
    hangup_by: Literal["caller", "callee", "system"] | None
    hangup_cause: int | None
    wait_s: float
    talk_s: float
    hold_s: float
    segments: list[SegmentView]
    transfers: list[TransferView]
    recordings: list[str]
    estimated: list[str]
    note: str | None
    version: int | None = None

    @classmethod
    def of(
        cls,
        call: Call,
        phones: Phones,
        *,
        card_id: str | None = None,
        queue: str | None = None,
        note: str | None = None,
        version: int | None = None,
        recordings: Sequence[str] = (),
    ) -> "CallView":
        """The call with what only the database knows laid in; `queue` replaces the PBX's own name."""
        return cls(
            id=call.id,
            pbx=call.pbx,
            linkedid=call.linkedid,
            direction=call.direction.value,
            state=call.state.value,
            disposition=call.disposition.value if call.disposition else None,
            from_=PartyView.of(call.from_),
            to=PartyView.of(call.to),
            did=call.did,
            queue=queue or call.queue,
            card_id=card_id,
            operator=_operator(call.extension, phones),
            rang=list(call.rang),
            started_at=at(call.started_at),
            answered_at=at_or_none(call.answered_at),
            ended_at=at_or_none(call.ended_at),
            hangup_by=call.hangup_by.value if call.hangup_by else None,
            hangup_cause=call.hangup_cause,
            wait_s=round(call.wait_s, 3),
            talk_s=round(call.talk_s, 3),
            hold_s=round(call.hold_s, 3),
            segments=[_segment(s, phones) for s in call.segments],
            transfers=[_transfer(t) for t in call.transfers],
            recordings=list(recordings),
            estimated=list(call.estimated),
            note=note,
            version=version,
        )


def _operator(extension: str | None, phones: Phones) -> CallOperator | None:
    if extension is None:
        return None
    person = phones.get(extension)
    return CallOperator(
        id=person.id if person else None, name=person.name if person else None, extension=extension
    )


def _segment(segment: Segment, phones: Phones) -> SegmentView:
    return SegmentView(
        operator=_operator(segment.extension, phones),
        extension=segment.extension,
        from_=at(segment.start),
        to=at_or_none(segment.end),
        ring_s=round(segment.ring_s, 3),
        talk_s=round(segment.talk_s, 3),
        hold_s=round(segment.hold_s, 3),
    )


def _transfer(transfer: Transfer) -> TransferView:
    return TransferView(
        kind=transfer.kind.value,
        from_=transfer.from_,
        to=transfer.to,
        at=at(transfer.at),
        result=transfer.result.value if transfer.result else None,
    )


class CallChanged(View, frozen=True):
    """Data of the `call.*` events."""

    call: CallView
    extension: str | None = None
    merged_into: str | None = None
    """On `call.ended`: it was no call of its own but a part of this one, which goes on."""
