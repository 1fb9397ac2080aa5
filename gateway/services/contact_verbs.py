"""What operators do with the contacts of threads: accept, decline, take, transfer, defer, close.

Calls are distributed and answered by the PBX: there these verbs are refused with the reason.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection, Row, select

from gateway.domain.contacts import Dispatch
from gateway.domain.errors import Conflict, Invalid
from gateway.domain.facts import Fact
from gateway.domain.people import Actor, Presence, Role
from gateway.services import assigning, offers, scope, thread_contacts, timeline
from gateway.services import contacts as contacts_service
from gateway.services.card_changes import author
from gateway.services.views.common import Body
from gateway.services.views.contacts import Contact
from gateway.store import cards as card_store
from gateway.store import facts
from gateway.store import threads as store
from gateway.store.engine import Store
from gateway.store.tables import contacts, queues
from gateway.store.tables_conversations import threads

_LONGEST_DEFER = timedelta(days=366)


class Target(Body, frozen=True):
    """Whom it goes to: an operator, or a queue by its name."""

    operator_id: str | None = None
    queue: str | None = None


class Until(Body, frozen=True):
    """When it comes back to whoever puts it off."""

    until: Annotated[datetime, msgspec.Meta(tz=True)]


class Closing(Body, frozen=True):
    """How it ended; a note goes on the card."""

    outcome: Annotated[str, msgspec.Meta(max_length=255)] | None = None
    note: Annotated[str, msgspec.Meta(max_length=20_000)] | None = None


async def accept(store_: Store, actor: Actor, contact_id: str) -> Contact:
    """Take what one is offered. Raises `Conflict` naming who was faster."""
    return await store_.write(_accept, actor, contact_id)


def _accept(tx: Connection, actor: Actor, contact_id: str) -> Contact:
    thread, contact = _held(tx, actor, contact_id)
    me = _operator(actor)
    if _is_his(contact, me):
        return contacts_service.view(tx, contact)
    if contact.state == "offered" and me not in contact.offered_to:
        raise Conflict("this contact is not offered to you: take it")
    return _given(tx, thread, contact, me, "accepted", from_states=("offered",))


async def take(store_: Store, actor: Actor, contact_id: str) -> Contact:
    """Take what waits, offered or not; a supervisor also from whoever has it. Raises `Conflict`."""
    return await store_.write(_take, actor, contact_id)


def _take(tx: Connection, actor: Actor, contact_id: str) -> Contact:
    thread, contact = _held(tx, actor, contact_id)
    me = _operator(actor)
    if _is_his(contact, me):
        return contacts_service.view(tx, contact)
    if contact.state == "assigned" and actor.role.rank >= Role.SUPERVISOR.rank:
        return _given(
            tx, thread, contact, me, "taken over", from_states=("assigned",), event="contact.transferred"
        )
    return _given(tx, thread, contact, me, "taken")


def _given(
    tx: Connection, thread: Row[Any], contact: Row[Any], operator_id: str, reason: str, **how: Any
) -> Contact:
    row, told = assigning.assign(tx, thread, contact, operator_id, datetime.now(UTC), reason, **how)
    facts.append(tx, told)
    return contacts_service.view(tx, row)


def _is_his(contact: Row[Any], operator_id: str) -> bool:
    return bool(contact.state == "assigned" and contact.operator_id == operator_id)


async def decline(store_: Store, actor: Actor, contact_id: str, dispatch: Dispatch) -> Contact:
    """Leave it to the others. Raises `Conflict` where it is not offered to him."""
    return await store_.write(_decline, actor, contact_id, dispatch)


def _decline(tx: Connection, actor: Actor, contact_id: str, dispatch: Dispatch) -> Contact:
    _, contact = _held(tx, actor, contact_id)
    me = _operator(actor)
    if contact.state != "offered" or me not in contact.offered_to:
        raise Conflict("this contact is not offered to you")
    left = [one for one in contact.offered_to if one != me]
    row = offers.change(
        tx,
        contact,
        state="offered" if left else "queued",
        offered_to=left,
        declined_by=[*contact.declined_by, me],
    )
    told = [offers.changed(tx, row, "contact.declined", [me])]
    if not left:
        told += offers.offer(tx, row, dispatch, datetime.now(UTC))
    facts.append(tx, told)
    return _now(tx, contact_id)


async def transfer(store_: Store, actor: Actor, contact_id: str, body: Target, dispatch: Dispatch) -> Contact:
    """Give it to a colleague, who has it from then on, or back into a queue. Raises `Invalid`, `Conflict`."""
    return await store_.write(_transfer, actor, contact_id, body, dispatch)


def _transfer(tx: Connection, actor: Actor, contact_id: str, body: Target, dispatch: Dispatch) -> Contact:
    thread, contact = _held(tx, actor, contact_id)
    _his_or_led(actor, contact)
    facts.append(tx, moved(tx, actor, thread, contact, body, dispatch))
    return _now(tx, contact_id)


def moved(
    tx: Connection, actor: Actor, thread: Row[Any], contact: Row[Any], body: Target, dispatch: Dispatch
) -> list[Fact]:
    """The contact goes where the body says; its thread is held."""
    now = datetime.now(UTC)
    if (body.operator_id is None) == (body.queue is None):
        raise Invalid.one("operator_id", "either an operator or a queue")
    if body.operator_id is not None:
        return _to_operator(tx, actor, thread, contact, body.operator_id, now)
    return _to_queue(tx, actor, thread, contact, body.queue or "", dispatch, now)


def _to_operator(
    tx: Connection, actor: Actor, thread: Row[Any], contact: Row[Any], operator_id: str, now: datetime
) -> list[Fact]:
    target = scope.operator_for(tx, actor, operator_id)
    if contact.channel != "email" and target.presence == Presence.OFFLINE:
        raise Conflict(f"{target.name} is not there")
    if _is_his(contact, target.id):
        return []
    states = ("assigned", *assigning.FREE)
    reason = f"given by {actor.name}"
    row, told = assigning.assign(
        tx, thread, contact, target.id, now, reason, event="contact.transferred", from_states=states
    )
    return told + offers.opened(tx, row, [target.id], offers.pop_of(tx, row))


def _to_queue(
    tx: Connection,
    actor: Actor,
    thread: Row[Any],
    contact: Row[Any],
    name: str,
    dispatch: Dispatch,
    now: datetime,
) -> list[Fact]:
    queue = tx.execute(select(queues).where(queues.c.name == name)).one_or_none()
    if queue is None:
        raise Invalid.one("queue", "the name of a queue")
    told = assigning.hand_thread(tx, thread, None)
    thread = store.locked(tx, thread.id)
    where = {"queue_id": queue.id, "team_id": queue.team_id}
    store.change(tx, thread.id, {**where, "version": thread.version + 1})
    told += thread_contacts.requeue(
        tx,
        contact,
        None,
        dispatch,
        now,
        event="contact.transferred",
        skills=queue.skills,
        reason=f"given to the queue by {actor.name}",
        **where,
    )
    return told


async def defer(store_: Store, actor: Actor, contact_id: str, body: Until) -> Contact:
    """Put it off; it comes back at its time, or when the client writes. Raises `Invalid`, `Conflict`."""
    return await store_.write(_defer, actor, contact_id, body)


def _defer(tx: Connection, actor: Actor, contact_id: str, body: Until) -> Contact:
    now = datetime.now(UTC)
    if not now < body.until <= now + _LONGEST_DEFER:
        raise Invalid.one("until", "a moment to come, within a year")
    thread, contact = _held(tx, actor, contact_id)
    _his_or_led(actor, contact)
    if contact.state == "offered":
        contact = offers.change(tx, contact, state="queued", offered_to=[])
    holder = contact.operator_id or actor.operator_id
    row = offers.change(tx, contact, state="deferred", operator_id=holder, due_at=body.until)
    store.change(tx, thread.id, {"snoozed_until": body.until, "version": thread.version + 1})
    facts.append(tx, [offers.changed(tx, row, "contact.deferred", contact.offered_to)])
    return contacts_service.view(tx, row)


async def close(store_: Store, actor: Actor, contact_id: str, body: Closing) -> Contact:
    """It is over, and the conversation with it. Raises `Conflict` where it was over already."""
    return await store_.write(_close, actor, contact_id, body)


def _close(tx: Connection, actor: Actor, contact_id: str, body: Closing) -> Contact:
    thread, contact = _held(tx, actor, contact_id)
    _his_or_led(actor, contact)
    now = datetime.now(UTC)
    facts.append(tx, assigning.close_thread(tx, thread, now, body.outcome))
    if body.note and thread.card_id is not None:
        _note(tx, actor, thread.card_id, body.note, now)
    return _now(tx, contact_id)


def _note(tx: Connection, actor: Actor, card_id: str, text: str, now: datetime) -> None:
    team_id: str = card_store.card(tx, card_id).team_id
    data = {"kind": "note", "text": text, "author": author(actor)}
    timeline.add(tx, card_id, team_id, now, kind="note", summary=text[:200], data=data)


def _held(tx: Connection, actor: Actor, contact_id: str) -> tuple[Row[Any], Row[Any]]:
    """The contact, open, and its thread, held. Raises `NotFound`; `Conflict` where it is over or a call."""
    seen = scope.contact_to_handle(tx, actor, contact_id)
    if seen.thread_id is None:
        raise Conflict("not_supported: a call is answered, transferred and ended at the phone")
    card_id = tx.scalar(select(threads.c.card_id).where(threads.c.id == seen.thread_id))
    if card_id is not None:
        card_store.locked(tx, card_id)
    thread = store.locked(tx, seen.thread_id)
    row = tx.execute(select(contacts).where(contacts.c.id == contact_id)).one()
    if row.closed_at is not None:
        raise Conflict(f"this contact is {row.state}")
    return thread, row


def _his_or_led(actor: Actor, contact: Row[Any]) -> None:
    if contact.operator_id != actor.id and actor.id not in contact.offered_to:
        scope.require(actor, Role.SUPERVISOR)


def _operator(actor: Actor) -> str:
    if actor.operator_id is None:
        raise Conflict("a program handles no contacts: a person must")
    return actor.operator_id


def _now(tx: Connection, contact_id: str) -> Contact:
    return contacts_service.view(tx, tx.execute(select(contacts).where(contacts.c.id == contact_id)).one())
