"""Durable work as rows: put in a verb's own transaction, claimed by loops, done where it takes effect.

A claim is a time in the row and a token: when the time is over somebody else may claim, and what the former
claimant then still writes is refused. Rows of one key are done in order: while an older one waits, whether
claimed, due later or to be tried again, the younger ones are not given out. Poison blocks nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from gateway.domain.errors import PerezvonError
from gateway.store import clock
from gateway.store.contract import announce
from gateway.store.tables_core import WorkState, work

TTL_S = 60.0


class ClaimLost(PerezvonError):
    """The claim lapsed and another has it, or the row is gone: what was done under it must not count."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A row in hand; `attempts` counts this one."""

    id: int
    kind: str
    key: str | None
    payload: str
    attempts: int
    token: int


@dataclass(frozen=True, slots=True)
class Poison:
    """A row that waits for a person."""

    id: int
    kind: str
    key: str | None
    payload: str
    attempts: int
    error: str


def put(
    tx: Connection, kind: str, payload: str, *, key: str | None = None, due_at: datetime | None = None
) -> int:
    """Add a row, due now unless said otherwise; its id. The loops are woken after the commit."""
    now = datetime.now(UTC)
    row = {
        "kind": kind,
        "key": key,
        "payload": payload,
        "state": WorkState.WAITING,
        "attempts": 0,
        "due_at": due_at or clock.after(tx),
        "token": 0,
        "created_at": now,
    }
    announce(tx)
    return int(tx.execute(insert(work).values(**row).returning(work.c.id)).scalar_one())


def claim(tx: Connection, kind: str, *, limit: int = 1, ttl_s: float = TTL_S) -> list[Claim]:
    """Take up to `limit` rows that are due, the longest due first and one per key, for `ttl_s` seconds."""
    older = work.alias("older")
    blocked = (
        select(older.c.id)
        .where(older.c.kind == work.c.kind, older.c.key == work.c.key, older.c.id < work.c.id)
        .where(older.c.state == WorkState.WAITING)
        .exists()
    )
    free = (
        select(work.c.id)
        .where(work.c.kind == kind, work.c.state == WorkState.WAITING, work.c.due_at <= clock.after(tx))
        .where(or_(work.c.claimed_until.is_(None), work.c.claimed_until <= clock.after(tx)))
        .where(or_(work.c.key.is_(None), ~blocked))
        .order_by(work.c.due_at, work.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=work)
        .cte("free")
    )
    taken = tx.execute(
        update(work)
        .where(work.c.id.in_(select(free.c.id)))
        .values(claimed_until=clock.after(tx, ttl_s), token=work.c.token + 1, attempts=work.c.attempts + 1)
        .returning(work)
    )
    rows = sorted(taken, key=lambda row: (row.due_at, row.id))
    return [Claim(row.id, row.kind, row.key, row.payload, row.attempts, row.token) for row in rows]


def next_due(tx: Connection, kind: str) -> datetime | None:
    """When the next row of `kind` may be claimed, as far as times tell; None when none waits."""
    free = or_(work.c.claimed_until.is_(None), work.c.claimed_until <= work.c.due_at)
    moment = select(work.c.due_at).where(work.c.kind == kind, work.c.state == WorkState.WAITING, free)
    return tx.execute(moment.order_by(work.c.due_at).limit(1)).scalar_one_or_none()


def done(tx: Connection, held: Claim) -> None:
    """Take the row away, in the transaction of what it asked for; ClaimLost rolls both back."""
    _must(tx.execute(delete(work).where(_held(held))).rowcount)
    announce(tx)  # the next of the key is free


def extend(tx: Connection, held: Claim, ttl_s: float = TTL_S) -> None:
    """Keep the row for `ttl_s` seconds more; ClaimLost when it is too late."""
    _settle(tx, held, claimed_until=clock.after(tx, ttl_s))


def retry_at(tx: Connection, held: Claim, due_at: datetime, error: str) -> None:
    """Give the row back to be tried again at `due_at`; ClaimLost when another has it."""
    _settle(tx, held, claimed_until=None, due_at=due_at, error=error)


def poison(tx: Connection, held: Claim, error: str) -> None:
    """Set the row aside for a person; the next of its key is free. ClaimLost when another has it."""
    _settle(tx, held, claimed_until=None, state=WorkState.POISON, error=error)
    announce(tx)


def set_aside(tx: Connection, kind: str, payload: str, error: str, *, key: str | None = None) -> int:
    """Add a row that waits for a person from the start; its id."""
    row_id = put(tx, kind, payload, key=key)
    tx.execute(update(work).where(work.c.id == row_id).values(state=WorkState.POISON, error=error))
    return row_id


def poisoned(tx: Connection, kind: str, limit: int = 50) -> Sequence[Poison]:
    """The rows set aside, oldest first."""
    query = select(work).where(work.c.kind == kind, work.c.state == WorkState.POISON)
    rows = tx.execute(query.order_by(work.c.id).limit(limit))
    return [Poison(row.id, row.kind, row.key, row.payload, row.attempts, row.error) for row in rows]


def replay(tx: Connection, row_id: int) -> bool:
    """Let a row set aside be tried again from the first attempt; False when there is none of this id."""
    aside = (work.c.id == row_id) & (work.c.state == WorkState.POISON)
    values = {"state": WorkState.WAITING, "attempts": 0, "due_at": clock.after(tx)}
    announce(tx)
    return tx.execute(update(work).where(aside).values(values)).rowcount == 1


def _held(held: Claim) -> ColumnElement[bool]:
    return (work.c.id == held.id) & (work.c.token == held.token) & (work.c.state == WorkState.WAITING)


def _settle(tx: Connection, held: Claim, **values: Any) -> None:
    _must(tx.execute(update(work).where(_held(held)).values(**values)).rowcount)


def _must(rows: int) -> None:
    if rows != 1:
        raise ClaimLost
