"""The contact of a thread: at most one open, made by what the client writes."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, text

from gateway.domain.contacts import Dispatch
from gateway.domain.facts import Fact
from gateway.domain.ids import new_id
from gateway.services import offers
from gateway.services.offers import Pop
from gateway.services.places import Place
from gateway.store import upsert
from gateway.store.tables import OPEN_CONTACT, contacts

_OPEN = text(OPEN_CONTACT)
_of_thread = select(contacts).where(_OPEN, contacts.c.thread_id == bindparam("thread_id"))
_last = (
    select(contacts.c.operator_id)
    .where(contacts.c.thread_id == bindparam("thread_id"), contacts.c.operator_id.is_not(None))
    .order_by(contacts.c.id.desc())
    .limit(1)
)


def open_of(tx: Connection, thread_id: str) -> Row[Any] | None:
    """The thread's open contact; its row is safe as long as the thread's is held."""
    return tx.execute(_of_thread, {"thread_id": thread_id}).one_or_none()


def last_operator(tx: Connection, thread_id: str) -> str | None:
    """Who handled the thread last."""
    found: str | None = tx.scalar(_last, {"thread_id": thread_id})
    return found


def put_on_card(tx: Connection, thread_id: str, card_id: str) -> None:
    """The thread's open contact is about this card from now on."""
    contact = open_of(tx, thread_id)
    if contact is not None:
        offers.change(tx, contact, card_id=card_id)


def make(
    tx: Connection, thread: Row[Any], place: Place, priority: int, preferred: str | None, now: datetime
) -> Row[Any]:
    """A contact of the thread, queued; or the open one that it has."""
    row: Mapping[str, Any] = {
        "id": new_id(),
        "channel": thread.channel,
        "card_id": thread.card_id,
        "call_id": None,
        "thread_id": thread.id,
        "queue_id": place.queue_id,
        "team_id": place.team_id,
        "priority": priority,
        "skills": list(place.skills),
        "state": "queued",
        "offered_to": [],
        "declined_by": [],
        "preferred_id": preferred,
        "queued_at": now,
        "version": 1,
    }
    where = text(f"thread_id is not null and {OPEN_CONTACT.removeprefix('contacts.')}")
    upsert.insert_or_skip(tx, contacts, row, on=["thread_id"], where=where)
    made = open_of(tx, thread.id)
    assert made is not None, "what could not be made is there already"
    return made


def heard(tx: Connection, contact: Row[Any], dispatch: Dispatch, now: datetime) -> list[Fact]:
    """The client wrote on: one who was put off is asked for again, by whoever put him off."""
    if contact.state != "deferred":
        return []
    return requeue(tx, contact, contact.operator_id, dispatch, now, event="contact.queued")


def requeue(
    tx: Connection,
    contact: Row[Any],
    preferred: str | None,
    dispatch: Dispatch,
    now: datetime,
    *,
    event: str,
    **values: Any,
) -> list[Fact]:
    """Put the contact back into its queue; it keeps the time since which it waits."""
    also = [*contact.offered_to, *([contact.operator_id] if contact.operator_id else [])]
    row = offers.change(
        tx,
        contact,
        state="queued",
        operator_id=None,
        offered_to=[],
        declined_by=[],
        preferred_id=preferred,
        offered_at=None,
        assigned_at=None,
        due_at=None,
        **values,
    )
    told = [offers.changed(tx, row, event, also)]
    return told + offers.offer(tx, row, dispatch, now)


def queued(tx: Connection, contact: Row[Any], dispatch: Dispatch, now: datetime, pop: Pop) -> list[Fact]:
    """Offer a contact that was just made."""
    return offers.offer(tx, contact, dispatch, now, pop, event="contact.queued")
