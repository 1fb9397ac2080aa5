"""Durable work as rows: put in a verb's own transaction, claimed by loops, done where it takes effect.

A claim is a time in the row and a token: when the time is over somebody else may claim, and what the former
claimant then still writes is refused. Rows of one key are done in the order they were put: while an older one
waits, whether claimed, due later or to be tried again, the younger ones are not given out. Poison blocks
nothing. A transaction that puts rows of several keys does so in the order of the keys, or two may lock each
other out on PostgreSQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, or_, select, text, update

from gateway.domain.errors import PerezvonError
from gateway.store import clock
from gateway.store.contract import announce
from gateway.store.tables_core import WorkState, work

TTL_S = 60.0

# Written out, not bound: SQLite uses a partial index only where it reads the index's own condition.
_HEADS = text("work.head and work.state = 'waiting'")
_WAITING = text("work.state = 'waiting'")


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
    return _add(tx, kind, payload, key, due_at=due_at or clock.after(tx), head=_is_alone(tx, kind, key))


def claim(tx: Connection, kind: str, *, limit: int = 1, ttl_s: float = TTL_S) -> list[Claim]:
    """Take up to `limit` rows that are due, the longest due first and one per key, for `ttl_s` seconds."""
    free = (
        select(work.c.id)
        .where(work.c.kind == kind, _HEADS, work.c.due_at <= clock.after(tx))
        .where(or_(work.c.claimed_until.is_(None), work.c.claimed_until <= clock.after(tx)))
        .order_by(work.c.due_at, work.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
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
    moment = select(work.c.due_at).where(work.c.kind == kind, _HEADS, free)
    return tx.execute(moment.order_by(work.c.due_at).limit(1)).scalar_one_or_none()


def done(tx: Connection, held: Claim) -> None:
    """Take the row away, in the transaction of what it asked for; ClaimLost rolls both back."""
    _lock_key(tx, held.kind, held.key)
    _must(tx.execute(delete(work).where(_held(held))).rowcount)
    _promote(tx, held)


def extend(tx: Connection, held: Claim, ttl_s: float = TTL_S) -> None:
    """Keep the row for `ttl_s` seconds more; ClaimLost when it is too late."""
    _settle(tx, held, claimed_until=clock.after(tx, ttl_s))


def retry_at(tx: Connection, held: Claim, due_at: datetime, error: str) -> None:
    """Give the row back to be tried again at `due_at`; ClaimLost when another has it."""
    _settle(tx, held, claimed_until=None, due_at=due_at, error=error)


def poison(tx: Connection, held: Claim, error: str) -> None:
    """Set the row aside for a person; the next of its key is free. ClaimLost when another has it."""
    _lock_key(tx, held.kind, held.key)
    _settle(tx, held, claimed_until=None, state=WorkState.POISON, head=False, error=error)
    _promote(tx, held)


def hasten(tx: Connection, kind: str, key: str) -> None:
    """What waits under the key is due now."""
    waiting = (work.c.kind == kind) & (work.c.key == key) & _WAITING
    tx.execute(update(work).where(waiting).values(due_at=clock.after(tx)))
    announce(tx)


def release_all(tx: Connection, kind: str) -> None:
    """Nobody holds a row of this kind any more: their claimants are gone, as whoever calls knows."""
    tx.execute(update(work).where(work.c.kind == kind, _WAITING).values(claimed_until=None))


def drop(tx: Connection, kind: str, key: str) -> None:
    """What waits under the key, or was set aside, is not wanted any more; a claim on it is lost."""
    _lock_key(tx, kind, key)
    tx.execute(delete(work).where(work.c.kind == kind, work.c.key == key))


def set_aside(tx: Connection, kind: str, payload: str, error: str, *, key: str | None = None) -> int:
    """Add a row that waits for a person from the start; its id."""
    return _add(
        tx, kind, payload, key, due_at=clock.after(tx), head=False, state=WorkState.POISON, error=error
    )


def poisoned(tx: Connection, kind: str, limit: int = 50) -> Sequence[Poison]:
    """The rows set aside, oldest first."""
    query = select(work).where(work.c.kind == kind, work.c.state == WorkState.POISON)
    rows = tx.execute(query.order_by(work.c.id).limit(limit))
    return [Poison(row.id, row.kind, row.key, row.payload, row.attempts, row.error) for row in rows]


def replay(tx: Connection, row_id: int) -> bool:
    """Let a row set aside be tried again, after those of its key that wait; False when there is none.

    It is put anew, with a new id: the younger ones of its key have passed it long ago.
    """
    aside = (work.c.id == row_id) & (work.c.state == WorkState.POISON)
    row = tx.execute(delete(work).where(aside).returning(work)).one_or_none()
    if row is not None:
        put(tx, row.kind, row.payload, key=row.key)
    return row is not None


def _add(tx: Connection, kind: str, payload: str, key: str | None, **more: Any) -> int:
    row = {
        "kind": kind,
        "key": key,
        "payload": payload,
        "state": WorkState.WAITING,
        "attempts": 0,
        "token": 0,
        "created_at": datetime.now(UTC),
    }
    announce(tx)
    return int(tx.execute(insert(work).values(row | more).returning(work.c.id)).scalar_one())


def _lock_key(tx: Connection, kind: str, key: str | None) -> None:
    """Until this transaction ends nobody else changes who is the head of the key (SQLite: nobody can)."""
    if key is not None and tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{kind}/{key}", 0))))


def _is_alone(tx: Connection, kind: str, key: str | None) -> bool:
    """Whether a row put now is the first of its key."""
    if key is None:
        return True
    _lock_key(tx, kind, key)
    return tx.execute(_waiting(kind, key).limit(1)).first() is None


def _promote(tx: Connection, held: Claim) -> None:
    """After the head of a key is gone the next one is it; the key is locked."""
    if held.key is not None:
        oldest = _waiting(held.kind, held.key).order_by(work.c.id).limit(1).scalar_subquery()
        tx.execute(update(work).where(work.c.id == oldest).values(head=True))
    announce(tx)


def _waiting(kind: str, key: str) -> Select[tuple[int]]:
    return select(work.c.id).where(work.c.kind == kind, work.c.key == key, _WAITING)


def _held(held: Claim) -> ColumnElement[bool]:
    return (work.c.id == held.id) & (work.c.token == held.token) & (work.c.state == WorkState.WAITING)


def _settle(tx: Connection, held: Claim, **values: Any) -> None:
    _must(tx.execute(update(work).where(_held(held)).values(**values)).rowcount)


def _must(rows: int) -> None:
    if rows != 1:
        raise ClaimLost
