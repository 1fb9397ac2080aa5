"""Raw updates: stored before they are acknowledged outside, worked on in their order, kept when they fail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, text, update

from gateway.domain.messages import RawUpdate
from gateway.store.contract import announce
from gateway.store.tables_conversations import checkpoints, raw_updates
from gateway.store.upsert import insert, insert_or_skip

# In the words of the partial indexes, so that SQLite sees that they serve.
_WAITING = text("raw_updates.state = 'waiting'")
_POISON = text("raw_updates.state = 'poison'")


@dataclass(frozen=True, slots=True)
class Stored:
    """An update in the store."""

    id: int
    connector: str
    lane: str
    body: bytes
    received_at: datetime
    attempts: int


def put(tx: Connection, connector: str, updates: Sequence[RawUpdate]) -> int:
    """Store the updates that are not known yet; how many were new."""
    fresh = sum(
        insert_or_skip(
            tx,
            raw_updates,
            {
                "connector": connector,
                "external_id": one.external_id,
                "lane": one.lane,
                "body": one.body,
                "received_at": one.received_at,
                "state": "waiting",
                "attempts": 0,
            },
            on=["connector", "external_id"],
        )
        for one in updates
    )
    if fresh:
        announce(tx)
    return fresh


def keep_checkpoint(tx: Connection, connector: str, value: str, now: datetime) -> None:
    """Remember how far the connector has read."""
    row = {"value": value, "at": now}
    statement = insert(tx, checkpoints).values(connector=connector, **row)
    tx.execute(statement.on_conflict_do_update(index_elements=["connector"], set_=row))


def checkpoint(tx: Connection, connector: str) -> str | None:
    """The checkpoint kept last."""
    found: str | None = tx.scalar(select(checkpoints.c.value).where(checkpoints.c.connector == connector))
    return found


def waiting(tx: Connection, connectors: Sequence[str], limit: int) -> list[Stored]:
    """The oldest updates of these connectors that wait."""
    mine = raw_updates.c.connector.in_(connectors)
    rows = tx.execute(select(raw_updates).where(_WAITING, mine).order_by(raw_updates.c.id).limit(limit))
    return [Stored(row.id, row.connector, row.lane, row.body, row.received_at, row.attempts) for row in rows]


def done(tx: Connection, update_id: int, now: datetime) -> bool:
    """It was worked on; False where somebody else has done so before."""
    mine = update(raw_updates).where(raw_updates.c.id == update_id, raw_updates.c.state == "waiting")
    return tx.execute(mine.values(state="done", done_at=now, error=None)).rowcount == 1


def set_aside(tx: Connection, update_id: int, error: str) -> None:
    """It cannot be worked on: it waits for a person and blocks nothing."""
    mine = update(raw_updates).where(raw_updates.c.id == update_id, raw_updates.c.state == "waiting")
    tx.execute(mine.values(state="poison", error=error, attempts=raw_updates.c.attempts + 1))


def poisoned(tx: Connection, after: int, limit: int) -> Sequence[Row[Any]]:
    """Updates set aside, oldest first, beginning after the id."""
    query = select(raw_updates).where(_POISON, raw_updates.c.id > after)
    return tx.execute(query.order_by(raw_updates.c.id).limit(limit)).all()


def replay(tx: Connection, update_id: int) -> bool:
    """Let an update set aside be tried again; False when there is none."""
    aside = update(raw_updates).where(raw_updates.c.id == update_id, raw_updates.c.state == "poison")
    found = tx.execute(aside.values(state="waiting")).rowcount == 1
    if found:
        announce(tx)
    return found


def prune(tx: Connection, before: datetime, limit: int = 1000) -> int:
    """Delete at most `limit` updates done and older than `before`; senders no longer repeat them."""
    old = select(raw_updates.c.id).where(raw_updates.c.state == "done", raw_updates.c.received_at < before)
    return tx.execute(
        delete(raw_updates).where(raw_updates.c.id.in_(old.order_by(raw_updates.c.id).limit(limit)))
    ).rowcount
