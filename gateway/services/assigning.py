"""A thread's contact goes to an operator: one conditional UPDATE decides between those who want it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from gateway.domain.errors import Conflict
from gateway.domain.facts import Fact
from gateway.domain.messages import ThreadState
from gateway.domain.people import Actor
from gateway.services import offers, thread_contacts, thread_views
from gateway.store import threads as store
from gateway.store.tables import contacts, operators

FREE = ("queued", "offered", "deferred")


def assign(
    tx: Connection,
    thread: Row[Any],
    contact: Row[Any],
    operator_id: str,
    now: datetime,
    reason: str,
    *,
    event: str = "contact.assigned",
    from_states: Sequence[str] = FREE,
) -> tuple[Row[Any], list[Fact]]:
    """Give the contact to the operator, if nobody has it; the thread is held.

    Raises `Conflict` naming who was faster, or where the operator holds as many as he may.
    """
    refuse_full(tx, operator_id, contact.channel)
    mine = update(contacts).where(contacts.c.id == contact.id, contacts.c.state.in_(from_states))
    values: dict[str, Any] = {
        "state": "assigned",
        "operator_id": operator_id,
        "offered_to": [],
        "declined_by": [],
        "assigned_at": now,
        "due_at": None,
        "reason": reason,
        "version": contacts.c.version + 1,
    }
    row = tx.execute(mine.values(**values).returning(contacts)).one_or_none()
    if row is None:
        raise Conflict(_who(tx, contact.id))
    offers.people(tx, row)
    others = [*contact.offered_to, *([contact.operator_id] if contact.operator_id else [])]
    told = [offers.changed(tx, row, event, others)]
    return row, told + hand_thread(tx, thread, operator_id, others)


def hand_thread(
    tx: Connection, thread: Row[Any], operator_id: str | None, others: Sequence[str] = ()
) -> list[Fact]:
    """The operator is the one who answers in the thread; None: nobody."""
    if thread.assignee_id == operator_id:
        return []
    row = store.change(tx, thread.id, {"assignee_id": operator_id, "version": thread.version + 1})
    return [
        thread_views.thread_told(
            tx, row, also=(*others, *([thread.assignee_id] if thread.assignee_id else []))
        )
    ]


def _who(tx: Connection, contact_id: str) -> str:
    query = (
        select(contacts.c.state, operators.c.name)
        .outerjoin(operators, operators.c.id == contacts.c.operator_id)
        .where(contacts.c.id == contact_id)
    )
    row = tx.execute(query).one()
    return f"{row.name} has it already" if row.state == "assigned" else f"this contact is {row.state}"


def refuse_full(tx: Connection, operator_id: str, channel: str) -> None:
    """Raises `Conflict` where the operator holds as many contacts of the channel as he may."""
    # Held, so that two contacts taken at once are counted one after the other.
    query = select(operators.c.name, operators.c.capacity, operators.c.active).where(
        operators.c.id == operator_id
    )
    row = tx.execute(query.with_for_update(key_share=True)).one()
    held = offers.held_by(tx, [operator_id], channel).get(operator_id, 0)
    if not row.active:
        raise Conflict(f"{row.name} does not work here any more")
    if held >= row.capacity.get(channel, 0):
        raise Conflict(f"{row.name} has {held} of these already, as many as the capacity allows")


def answered(tx: Connection, thread: Row[Any], actor: Actor, now: datetime) -> list[Fact]:
    """Somebody writes to the client: what waits is his from now on, a letter that he has is answered."""
    if actor.operator_id is None:
        return []
    contact = thread_contacts.open_of(tx, thread.id)
    if contact is not None and contact.state in FREE:
        _, told = assign(tx, thread, contact, actor.operator_id, now, "answered")
        contact = thread_contacts.open_of(tx, thread.id)
    else:
        told = hand_thread(tx, thread, actor.operator_id) if thread.assignee_id is None else []
    if contact is not None and thread.channel == "email" and contact.operator_id == actor.operator_id:
        told += close_contact(tx, contact, now, "answered")
    return told


def close_contact(tx: Connection, contact: Row[Any], now: datetime, outcome: str | None) -> list[Fact]:
    """The contact is over."""
    others = [*contact.offered_to, *([contact.operator_id] if contact.operator_id else [])]
    row = offers.change(
        tx, contact, state="closed", offered_to=[], closed_at=now, outcome=outcome, due_at=None
    )
    return [offers.changed(tx, row, "contact.closed", others)]


def close_thread(tx: Connection, thread: Row[Any], now: datetime, outcome: str | None) -> list[Fact]:
    """The conversation is over, and its contact with it; the thread is held."""
    contact = thread_contacts.open_of(tx, thread.id)
    told = close_contact(tx, contact, now, outcome) if contact is not None else []
    if thread.state == ThreadState.CLOSED:
        return told
    values = {"state": ThreadState.CLOSED.value, "closed_at": now, "version": thread.version + 1}
    row = store.change(tx, thread.id, values | {"due_at": None, "snoozed_until": None})
    return [*told, thread_views.thread_told(tx, row)]
