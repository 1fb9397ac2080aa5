"""Queries and verbs on threads on behalf of people."""

from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, func, literal, select, tuple_

from gateway.domain.contacts import Dispatch
from gateway.domain.errors import Conflict, Invalid
from gateway.domain.ids import is_id
from gateway.domain.messages import ThreadState
from gateway.domain.people import Actor, Role
from gateway.services import (
    assigning,
    contact_verbs,
    presence_told,
    publish,
    scope,
    thread_contacts,
    thread_views,
)
from gateway.services.contact_verbs import Target
from gateway.services.places import Place
from gateway.services.views.common import Body, Page, View, at
from gateway.services.views.threads import Author, Message, Revision, Thread
from gateway.store import cards as card_store
from gateway.store import facts, paging, upsert
from gateway.store import threads as store
from gateway.store.engine import Store
from gateway.store.tables import queues
from gateway.store.tables_conversations import message_revisions, messages, thread_reads, threads

MOST_COUNTED = 1000


class ThreadFilters(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /threads` may be narrowed by; `queue` by name; `assignee` an id, `me` or `none`."""

    state: Literal["open", "pending", "closed"] | None = None
    queue: str | None = None
    assignee: str | None = None
    card_id: str | None = None
    channel: Literal["email", "chat"] | None = None
    connector: str | None = None


class Counts(View, frozen=True):
    """Open threads: `mine`, `unassigned`, `all` that one sees; each at most 1,000."""

    mine: int
    unassigned: int
    all: int


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """Messages older than `before` or newer than `after` (ids); without either the newest."""

    before: str | None = None
    after: str | None = None


class Typing(Body, frozen=True):
    """What the operator does in the thread just now."""

    what: Literal["typing", "viewing"] = "typing"


class ReadTo(Body, frozen=True):
    """How many of the client's messages were read (`inbound` of the thread as it was seen); null: all."""

    inbound: int | None = None


async def list_threads(
    store_: Store, actor: Actor, filters: ThreadFilters, limit: int, cursor: str | None
) -> Page[Thread]:
    """One page, the newest message first."""
    return await store_.read(_list, actor, filters, limit, cursor)


def _list(
    tx: Connection, actor: Actor, filters: ThreadFilters, limit: int, cursor: str | None
) -> Page[Thread]:
    wanted = store.query(actor.id).where(scope.threads(actor), *_narrowed(actor, filters))
    order = [threads.c.last_message_at, threads.c.id]
    page = paging.page(tx, wanted, order, cursor=cursor, limit=limit)
    return Page(items=[thread_views.of(row) for row in page.rows], next_cursor=page.next_cursor)


def _narrowed(actor: Actor, filters: ThreadFilters) -> list[Any]:
    found: list[Any] = []
    for column in ("state", "card_id", "channel", "connector"):
        if value := getattr(filters, column):
            found.append(threads.c[column] == value)
    if filters.queue:
        found.append(
            threads.c.queue_id == select(queues.c.id).where(queues.c.name == filters.queue).scalar_subquery()
        )
    if filters.assignee == "none":
        found.append(threads.c.assignee_id.is_(None))
    elif filters.assignee == "me":
        found.append(threads.c.assignee_id == actor.id)
    elif filters.assignee:
        if not is_id(filters.assignee):
            raise Invalid.one("assignee", "an operator's id, me or none")
        found.append(threads.c.assignee_id == filters.assignee)
    return found


async def counts(store_: Store, actor: Actor) -> Counts:
    """How many threads wait for an answer of ours."""
    return await store_.read(_counts, actor)


def _counts(tx: Connection, actor: Actor) -> Counts:
    is_open = threads.c.state == ThreadState.OPEN.value

    def count(*conditions: Any) -> int:
        some = select(literal(1)).where(is_open, *conditions).limit(MOST_COUNTED).subquery()
        return tx.scalar(select(func.count()).select_from(some)) or 0

    seen = scope.threads(actor)
    return Counts(
        mine=count(threads.c.assignee_id == actor.id),
        unassigned=count(threads.c.assignee_id.is_(None), seen),
        all=count(seen),
    )


async def get(store_: Store, actor: Actor, thread_id: str) -> Thread:
    """One thread. Raises `NotFound`."""

    def work(tx: Connection) -> Thread:
        return thread_views.view(tx, scope.thread_for(tx, actor, thread_id).id, actor.id)

    return await store_.read(work)


async def page(store_: Store, actor: Actor, thread_id: str, window: Window, limit: int) -> Page[Message]:
    """Messages of a thread, oldest first inside the page; `next_cursor`: what to give as `before`, or with
    `after` as `after`."""
    return await store_.read(_page, actor, thread_id, window, limit)


def _page(tx: Connection, actor: Actor, thread_id: str, window: Window, limit: int) -> Page[Message]:
    scope.thread_for(tx, actor, thread_id)
    order = (messages.c.at, messages.c.sequence, messages.c.id)
    key = tuple_(*order)
    query = select(messages).where(messages.c.thread_id == thread_id)
    if window.before:
        query = query.where(key < _spot(tx, thread_id, "before", window.before))
    if window.after:
        query = query.where(key > _spot(tx, thread_id, "after", window.after))
        rows = tx.execute(query.order_by(*order).limit(limit + 1)).all()
        kept = list(rows[:limit])
        following = kept[-1].id if len(rows) > limit else None
    else:
        rows = tx.execute(query.order_by(*(column.desc() for column in order)).limit(limit + 1)).all()
        kept = list(reversed(rows[:limit]))
        following = kept[0].id if len(rows) > limit else None
    return Page(items=thread_views.message_views(tx, kept), next_cursor=following)


def _spot(tx: Connection, thread_id: str, field: str, message_id: str) -> Any:
    mine = (messages.c.id == message_id, messages.c.thread_id == thread_id)
    row = tx.execute(select(messages).where(*mine)).one_or_none() if is_id(message_id) else None
    if row is None:
        raise Invalid.one(field, "the id of a message of this thread")
    return tuple_(
        literal(row.at, messages.c.at.type),
        literal(row.sequence, messages.c.sequence.type),
        literal(row.id, messages.c.id.type),
    )


async def revisions(store_: Store, actor: Actor, message_id: str) -> Page[Revision]:
    """What a message said before, oldest first; of one taken back for supervisors."""
    return await store_.read(_revisions, actor, message_id)


def _revisions(tx: Connection, actor: Actor, message_id: str) -> Page[Revision]:
    message = scope.message_for(tx, actor, message_id)
    if message.deleted_at is not None:
        scope.require(actor, Role.SUPERVISOR)
    mine = select(message_revisions).where(message_revisions.c.message_id == message_id)
    rows = tx.execute(mine.order_by(message_revisions.c.id)).all()
    return Page(items=[_revision(row) for row in rows])


def _revision(row: Row[Any]) -> Revision:
    return Revision(at=at(row.at), author=Author(**row.author), text=row.text, html=row.html)


async def close(store_: Store, actor: Actor, thread_id: str) -> Thread:
    """The conversation is over; what the client writes from now on begins a new one."""

    def work(tx: Connection) -> Thread:
        thread = _held(tx, actor, thread_id)
        facts.append(tx, assigning.close_thread(tx, thread, datetime.now(UTC), None))
        return thread_views.view(tx, thread_id, actor.id)

    return await store_.write(work)


async def reopen(store_: Store, actor: Actor, thread_id: str) -> Thread:
    """Go on with a closed one. Raises `Conflict` where the client has a newer."""
    return await store_.write(_reopen, actor, thread_id)


def _reopen(tx: Connection, actor: Actor, thread_id: str) -> Thread:
    thread = _held(tx, actor, thread_id)
    if thread.state == ThreadState.CLOSED:
        newer = store.open_thread(tx, thread.connector, thread.thread_key)
        if newer is not None:
            raise Conflict(f"the client has a newer thread: go on in {newer.id}")
        values = {"state": ThreadState.OPEN.value, "closed_at": None, "version": thread.version + 1}
        facts.append(tx, [thread_views.thread_told(tx, store.change(tx, thread_id, values))])
    return thread_views.view(tx, thread_id, actor.id)


async def assign(store_: Store, actor: Actor, thread_id: str, body: Target, dispatch: Dispatch) -> Thread:
    """Give the thread to a colleague, or to a queue. Raises `Invalid`, `Conflict`."""
    return await store_.write(_assign, actor, thread_id, body, dispatch)


def _assign(tx: Connection, actor: Actor, thread_id: str, body: Target, dispatch: Dispatch) -> Thread:
    thread = _held(tx, actor, thread_id)
    if thread.state == ThreadState.CLOSED:
        raise Conflict("this thread is closed: open it again first")
    contact = thread_contacts.open_of(tx, thread_id)
    if contact is None:
        place = Place(thread.connector, thread.channel, thread.queue_id, thread.team_id, ())
        priority = card_store.card(tx, thread.card_id).priority if thread.card_id else 0
        contact = thread_contacts.make(tx, thread, place, priority, None, datetime.now(UTC))
    facts.append(tx, contact_verbs.moved(tx, actor, thread, contact, body, dispatch))
    return thread_views.view(tx, thread_id, actor.id)


async def read(store_: Store, actor: Actor, thread_id: str, body: ReadTo) -> Thread:
    """The actor has read it; his other windows are told."""
    return await store_.write(_read, actor, thread_id, body)


def _read(tx: Connection, actor: Actor, thread_id: str, body: ReadTo) -> Thread:
    thread = scope.thread_for(tx, actor, thread_id)
    if actor.operator_id is None:
        raise Conflict("a program reads nothing: a person must")
    inbound = thread.inbound if body.inbound is None else max(0, min(body.inbound, thread.inbound))
    now = datetime.now(UTC)
    row = {"thread_id": thread_id, "operator_id": actor.operator_id, "inbound": inbound, "at": now}
    newer = (
        upsert.insert(tx, thread_reads)
        .values(row)
        .on_conflict_do_update(
            index_elements=["thread_id", "operator_id"],
            set_={"inbound": inbound, "at": now},
            where=thread_reads.c.inbound < inbound,
        )
    )
    moved = tx.execute(newer).rowcount
    view = thread_views.view(tx, thread_id, actor.id)
    if moved:
        facts.append(tx, [publish.thread_read(view, actor.operator_id)])
    return view


async def tell_presence(store_: Store, actor: Actor, thread_id: str, body: Typing) -> tuple[str, str]:
    """Colleagues see that he looks or types; connector and key of the thread, for who tells the client."""

    def work(tx: Connection) -> tuple[str, str]:
        thread = scope.thread_for(tx, actor, thread_id)
        presence_told.operator_does(tx, thread, actor, body.what)
        return thread.connector, thread.thread_key

    return await store_.write(work)


def _held(tx: Connection, actor: Actor, thread_id: str) -> Row[Any]:
    """The thread, held, after its card. Raises `NotFound`."""
    seen = scope.thread_for(tx, actor, thread_id)
    if seen.card_id is not None:
        card_store.locked(tx, seen.card_id)
    return store.locked(tx, thread_id)


async def message(store_: Store, actor: Actor, message_id: str) -> Message:
    """One message. Raises `NotFound`."""

    def work(tx: Connection) -> Message:
        return thread_views.message_view(tx, scope.message_for(tx, actor, message_id))

    return await store_.read(work)
