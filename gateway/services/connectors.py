"""Connectors as rows: which there are and how each stands, told when it changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from gateway.domain.errors import Conflict, NotFound
from gateway.domain.facts import Fact
from gateway.domain.ids import is_id, new_id
from gateway.domain.people import Actor
from gateway.domain.ports import LinkState
from gateway.services.teams import Listing
from gateway.services.views.common import Page, to_json
from gateway.services.views.queues import Connector
from gateway.store import facts, paging
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


@dataclass(frozen=True, slots=True)
class Attached:
    """A connector that the configuration names."""

    name: str
    kind: str
    queue: str | None = None


def adopt(tx: Connection, wanted: Sequence[Attached]) -> None:
    """Make the rows what the configuration says, for the start of the service: all of them connecting.

    What is no longer configured stays as a name in old records, detached. Raises `Conflict` where a name
    was another kind before: what came in under it belongs to the other.
    """
    known = {row.name: row for row in tx.execute(select(connectors))}
    for one in wanted:
        row = known.pop(one.name, None)
        if row is None:
            tx.execute(insert(connectors), {"id": new_id(), "created_at": datetime.now(UTC), **_fresh(one)})
        elif row.kind != one.kind:
            raise Conflict(f"the connector {one.name} was of kind {row.kind}; give the new one another name")
        else:
            tx.execute(update(connectors).where(connectors.c.id == row.id).values(**_fresh(one)))
    gone = connectors.c.id.in_([row.id for row in known.values()])
    tx.execute(update(connectors).where(gone).values(attached=False))


def _fresh(one: Attached) -> dict[str, Any]:
    return {
        "name": one.name,
        "kind": one.kind,
        "queue": one.queue,
        "state": LinkState.CONNECTING.value,
        "detail": "",
        "remedy": "",
        "clock_offset_s": None,
        "since": datetime.now(UTC),
        "attached": True,
    }


def stands(
    tx: Connection,
    name: str,
    state: LinkState,
    detail: str = "",
    *,
    remedy: str = "",
    clock_offset_s: float | None = None,
) -> None:
    """Write down how the connector stands; told to everybody when it stands otherwise than before."""
    row = tx.execute(select(connectors).where(connectors.c.name == name).with_for_update()).one()
    values: dict[str, Any] = {"state": state.value, "detail": detail, "remedy": remedy}
    if clock_offset_s is not None:
        values["clock_offset_s"] = clock_offset_s
    same = all(getattr(row, column) == values[column] for column in ("state", "detail", "remedy"))
    if row.state != state.value:
        values["since"] = datetime.now(UTC)
    changed = update(connectors).where(connectors.c.id == row.id).values(**values)
    fresh = tx.execute(changed.returning(connectors)).one()
    if not same:
        facts.append(tx, [Fact("connector.state", to_json(Connector.of(fresh)))])
