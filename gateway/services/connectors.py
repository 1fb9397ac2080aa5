"""Connectors on behalf of people: which there are and how each stands."""

from sqlalchemy import Connection, select

from gateway.domain.errors import NotFound
from gateway.domain.ids import is_id
from gateway.domain.people import Actor
from gateway.services.teams import Listing
from gateway.services.views.common import Page
from gateway.services.views.queues import Connector
from gateway.store import paging
from gateway.store.engine import Store
from gateway.store.tables import connectors


async def list_connectors(store: Store, actor: Actor, listing: Listing) -> Page[Connector]:  # noqa: ARG001
    """The attached connectors; everybody may see whether the telephone works."""

    def work(tx: Connection) -> Page[Connector]:
        query = select(connectors).where(connectors.c.attached)
        page = paging.page(
            tx, query, [connectors.c.id], cursor=listing.cursor, limit=listing.limit, ascending=True
        )
        return Page(items=[Connector.of(row) for row in page.rows], next_cursor=page.next_cursor)

    return await store.read(work)


async def get(store: Store, actor: Actor, connector_id: str) -> Connector:  # noqa: ARG001
    """One connector. Raises `NotFound`."""

    def work(tx: Connection) -> Connector:
        query = select(connectors).where(connectors.c.id == connector_id, connectors.c.attached)
        row = tx.execute(query).one_or_none() if is_id(connector_id) else None
        if row is None:
            raise NotFound
        return Connector.of(row)

    return await store.read(work)
