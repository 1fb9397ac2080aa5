"""Queries on contacts on behalf of people."""

from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, Select, select, text

from gateway.domain.people import Actor
from gateway.services import scope
from gateway.services.views.common import Page, PersonRef
from gateway.services.views.contacts import Contact
from gateway.store import paging
from gateway.store.engine import Store
from gateway.store.tables import OPEN_CONTACT, contacts, operators, queues

MOST_OPEN = 2000


class ContactFilters(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /contacts` may be narrowed by; `open` for all that are not over; `queue` by name."""

    state: (
        Literal[
            "open", "queued", "offered", "assigned", "wrap_up", "deferred", "closed", "abandoned", "rejected"
        ]
        | None
    ) = None
    queue: str | None = None
    operator: str | None = None


def _query() -> Select[Any]:
    names = (queues.c.name.label("queue_name"), operators.c.name.label("operator_name"))
    return (
        select(contacts, *names)
        .outerjoin(queues, queues.c.id == contacts.c.queue_id)
        .outerjoin(operators, operators.c.id == contacts.c.operator_id)
    )


def _of(row: Row[Any]) -> Contact:
    operator = PersonRef(id=row.operator_id, name=row.operator_name) if row.operator_id else None
    return Contact.of(row, row.queue_name, operator)


def view(tx: Connection, row: Row[Any]) -> Contact:
    """From a row of `contacts`."""
    return _of(tx.execute(_query().where(contacts.c.id == row.id)).one())


def present(tx: Connection, actor: Actor) -> list[Contact]:
    """The open contacts that the actor may see, oldest first."""
    wanted = _query().where(text(OPEN_CONTACT), scope.contacts(actor))
    return [_of(row) for row in tx.execute(wanted.order_by(contacts.c.id).limit(MOST_OPEN))]


async def list_contacts(
    store_: Store, actor: Actor, filters: ContactFilters, limit: int, cursor: str | None
) -> Page[Contact]:
    """One page, newest first."""
    return await store_.read(_list, actor, filters, limit, cursor)


def _list(
    tx: Connection, actor: Actor, filters: ContactFilters, limit: int, cursor: str | None
) -> Page[Contact]:
    wanted = _query().where(scope.contacts(actor), *_narrowed(filters))
    page = paging.page(tx, wanted, [contacts.c.id], cursor=cursor, limit=limit)
    return Page(items=[_of(row) for row in page.rows], next_cursor=page.next_cursor)


def _narrowed(filters: ContactFilters) -> list[Any]:
    found: list[Any] = []
    if filters.state == "open":
        found.append(text(OPEN_CONTACT))
    elif filters.state:
        found.append(contacts.c.state == filters.state)
    if filters.queue:
        found.append(queues.c.name == filters.queue)
    if filters.operator:
        found.append(contacts.c.operator_id == filters.operator)
    return found


async def get(store_: Store, actor: Actor, contact_id: str) -> Contact:
    """The contact, if the actor may see it."""

    def work(tx: Connection) -> Contact:
        return view(tx, scope.contact_for(tx, actor, contact_id))

    return await store_.read(work)
