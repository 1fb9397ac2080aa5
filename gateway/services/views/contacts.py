"""Contacts and the screen-pop."""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Row

from gateway.services.views.calls import CallView
from gateway.services.views.cards import Card
from gateway.services.views.common import PersonRef, View, at_or_none
from gateway.services.views.threads import Thread

ContactState = Literal[
    "queued", "offered", "assigned", "wrap_up", "deferred", "closed", "abandoned", "rejected"
]


class Contact(View, frozen=True):
    """One interaction to be handled by one operator."""

    id: str
    channel: Literal["voice", "email", "chat", "callback"]
    card_id: str | None
    call_id: str | None
    thread_id: str | None
    queue: str | None
    priority: int
    skills: list[str]
    state: ContactState
    operator: PersonRef | None
    offered_to: list[str]
    queued_at: str | None
    offered_at: str | None
    assigned_at: str | None
    closed_at: str | None
    due_at: str | None
    reason: str | None
    outcome: str | None
    version: int

    @classmethod
    def of(cls, row: Row[Any], queue: str | None, operator: PersonRef | None) -> "Contact":
        """From a row of `contacts`."""
        return cls(
            id=row.id,
            channel=row.channel,
            card_id=row.card_id,
            call_id=row.call_id,
            thread_id=row.thread_id,
            queue=queue,
            priority=row.priority,
            skills=row.skills,
            state=row.state,
            operator=operator,
            offered_to=row.offered_to,
            queued_at=at_or_none(row.queued_at),
            offered_at=at_or_none(row.offered_at),
            assigned_at=at_or_none(row.assigned_at),
            closed_at=at_or_none(row.closed_at),
            due_at=at_or_none(row.due_at),
            reason=row.reason,
            outcome=row.outcome,
            version=row.version,
        )


class ContactChanged(View, frozen=True):
    """Data of the `contact.*` events."""

    contact: Contact


class CardOpened(View, frozen=True):
    """Data of `card.opened`, the screen-pop."""

    card: Card | None
    candidates: Sequence[Card]
    created: bool
    because: Literal["call", "message", "callback", "task"]
    call: CallView | None
    contact: Contact | None
    thread: Thread | None = None
