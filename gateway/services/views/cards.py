"""Cards, identities, leads, timeline entries."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import Row

from gateway.services.views.calls import CallView
from gateway.services.views.common import PersonRef, View, at, at_or_none
from gateway.services.views.tasks import Task
from gateway.services.views.threads import Message

CardKind = Literal["lead", "client"]
CardType = Literal["person", "company"]
_NONE: Mapping[str, Message] = MappingProxyType({})
_NO_TASKS: Mapping[str, Task] = MappingProxyType({})
LeadStatus = Literal["new", "in_work", "converted", "rejected"]


class Identity(View, frozen=True):
    """An address at which the client is reached."""

    kind: str
    value: str
    label: str | None
    level: Literal["known", "maybe"]
    blocked: bool
    undeliverable: bool

    @classmethod
    def of(cls, row: Row[Any]) -> "Identity":
        """From a row of `identities`."""
        return cls(
            kind=row.kind,
            value=row.value,
            label=row.label,
            level=row.level,
            blocked=row.blocked,
            undeliverable=row.undeliverable,
        )


class LeadSource(View, frozen=True):
    """Where a lead came from."""

    connector: str | None = None
    channel: str | None = None
    did: str | None = None
    campaign: str | None = None


class Lead(View, frozen=True):
    """An open sales interest."""

    id: str
    card_id: str
    status: LeadStatus
    reason: str | None
    source: LeadSource
    note: str
    version: int
    created_at: str
    updated_at: str

    @classmethod
    def of(cls, row: Row[Any]) -> "Lead":
        """From a row of `leads`."""
        return cls(
            id=row.id,
            card_id=row.card_id,
            status=row.status,
            reason=row.reason,
            source=LeadSource(**row.source),
            note=row.note,
            version=row.version,
            created_at=at(row.created_at),
            updated_at=at(row.updated_at),
        )


class External(View, frozen=True):
    """The same client in an outside CRM."""

    crm: str
    id: str
    url: str | None = None


class Card(View, frozen=True):
    """The record of a person or a company."""

    id: str
    version: int
    kind: CardKind
    type: CardType
    name: str
    company: str | None
    language: str | None
    priority: int
    leads: list[Lead]
    identities: list[Identity]
    owner: PersonRef | None
    team: str
    tags: list[str]
    note: str
    fields: dict[str, Any]
    external: list[External]
    created_at: str
    updated_at: str
    last_contact_at: str | None

    @classmethod
    def of(
        cls,
        row: Row[Any],
        identities: Sequence[Row[Any]],
        leads: Sequence[Row[Any]],
        owner: PersonRef | None,
        team: str,
    ) -> "Card":
        """From a row of `cards` and the rows that hang on it."""
        return cls(
            id=row.id,
            version=row.version,
            kind=row.kind,
            type=row.type,
            name=row.name,
            company=row.company,
            language=row.language,
            priority=row.priority,
            leads=[Lead.of(lead) for lead in leads],
            identities=[Identity.of(identity) for identity in identities],
            owner=owner,
            team=team,
            tags=row.tags,
            note=row.note,
            fields=row.fields,
            external=[External(**e) for e in row.external],
            created_at=at(row.created_at),
            updated_at=at(row.updated_at),
            last_contact_at=at_or_none(row.last_contact_at),
        )


class Lookup(View, frozen=True):
    """Cards found by an identity: known first, then maybe."""

    items: list[Card]


class Note(View, frozen=True):
    """A person's note on a card."""

    kind: Literal["note", "meeting", "wish", "complaint"]
    text: str
    author: PersonRef | None


class CardEvent(View, frozen=True):
    """Something that was done to the card itself."""

    type: str
    by: PersonRef | None
    detail: dict[str, Any]


class TimelineEntry(View, frozen=True):
    """One thing on the card, in the order in which it happened."""

    id: str
    card_id: str
    at: str
    kind: Literal["call", "message", "note", "task", "card_event", "contact_event"]
    channel: str | None
    direction: Literal["in", "out", "internal"] | None
    summary: str
    call: CallView | None = None
    message: Message | None = None
    task: Task | None = None
    note: Note | None = None
    card_event: CardEvent | None = None

    @classmethod
    def of(
        cls,
        row: Row[Any],
        calls: Mapping[str, CallView],
        messages: Mapping[str, Message] = _NONE,
        tasks: Mapping[str, Task] = _NO_TASKS,
    ) -> "TimelineEntry":
        """From a row of `timeline`; `calls`, `messages` and `tasks` hold those that the page refers to."""
        return cls(
            id=row.id,
            card_id=row.card_id,
            at=at(row.at),
            kind=row.kind,
            channel=row.channel,
            direction=row.direction,
            summary=row.summary,
            call=calls.get(row.ref_id) if row.kind == "call" else None,
            message=messages.get(row.ref_id) if row.kind == "message" else None,
            task=tasks.get(row.ref_id) if row.kind == "task" else None,
            note=Note(kind=row.data["kind"], text=row.data["text"], author=_author(row.data))
            if row.kind == "note"
            else None,
            card_event=CardEvent(
                type=row.data["type"], by=_author(row.data), detail=row.data.get("detail", {})
            )
            if row.kind == "card_event"
            else None,
        )


def _author(data: Mapping[str, Any]) -> PersonRef | None:
    author = data.get("author")
    return PersonRef(**author) if author else None


class CardMerged(Card, frozen=True):
    """Data of `card.merged`: the card that goes on; `from_id` is part of it now, or no longer (`undone`)."""

    from_id: str
    undone: bool


class TimelineAdded(View, frozen=True):
    """Data of `timeline.added`."""

    card_id: str
    entry: TimelineEntry
