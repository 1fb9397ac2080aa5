"""The ordered stream of facts: written in the transaction of the thing itself, read without gaps.

On SQLite the one writer makes ids in commit order. On PostgreSQL ids are given before the commit, so a reader
that went by `id > last` would skip what commits late (10 % of all in a trial with eight writers): a fact is
read once every transaction up to its own is over, ordered by (transaction, id).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
from sqlalchemy import BigInteger, Connection, Text, cast, delete, func, insert, literal, select, tuple_

from gateway.domain.facts import CommittedFact, Fact
from gateway.store.contract import announce
from gateway.store.tables_core import facts


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the stream: everything up to (x, id) has been read.

    `timeline` is the history that PostgreSQL follows; it changes when a standby takes over, and a place in
    another history means nothing (0 on SQLite).
    """

    timeline: int
    x: int
    id: int

    def __str__(self) -> str:
        return f"{self.timeline}-{self.x}-{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Position":
        """The position written as `text`; ValueError for anything else."""
        timeline, x, last = text.split("-")
        return cls(int(timeline), int(x), int(last))


class HistoryChanged(Exception):
    """The position belongs to another history: what was lost or repeated cannot be told; start from now."""


_xid = cast(cast(func.pg_current_xact_id(), Text), BigInteger)
_oldest = cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)
_timeline = func.substr(func.pg_walfile_name(func.pg_current_wal_lsn()), 1, 8)

_append_sqlite = insert(facts).values(x=0)
_append_postgresql = insert(facts).values(x=_xid)


def append(tx: Connection, happened: Sequence[Fact]) -> None:
    """Write facts in the caller's transaction, in this order."""
    if not happened:
        return
    now = datetime.now(UTC)
    rows = [
        {
            "at": now,
            "type": fact.type,
            "data": fact.data.decode(),
            "team": fact.team,
            "operators": msgspec.json.encode(fact.operators).decode(),
            "private": fact.private,
            "card_id": fact.card_id,
        }
        for fact in happened
    ]
    tx.execute(_append_postgresql if tx.dialect.name == "postgresql" else _append_sqlite, rows)
    announce(tx)


def now(tx: Connection) -> Position:
    """The end of the stream: facts of transactions still running come after it."""
    if tx.dialect.name == "postgresql":
        # The place of a fact, not of the newest transaction: one that wrote nothing leaves no trace in the
        # server's log, and after a crash its number is given again.
        last = select(facts.c.x, facts.c.id).where(facts.c.x < _oldest)
        place = tx.execute(last.order_by(facts.c.x.desc(), facts.c.id.desc()).limit(1)).one_or_none()
        timeline = int(tx.execute(select(_timeline)).scalar_one(), 16)
        return Position(timeline, *place) if place is not None else Position(timeline, 0, 0)
    return Position(0, 0, tx.execute(select(func.coalesce(func.max(facts.c.id), 0))).scalar_one())


def read_after(tx: Connection, after: Position, limit: int) -> list[CommittedFact]:
    """At most `limit` facts after that position, in commit order; HistoryChanged after a fail-over."""
    query = select(facts).order_by(facts.c.x, facts.c.id).limit(limit)
    if tx.dialect.name == "postgresql":
        if int(tx.execute(select(_timeline)).scalar_one(), 16) != after.timeline:
            raise HistoryChanged
        place = tuple_(literal(after.x, BigInteger), literal(after.id, BigInteger))
        query = query.where(tuple_(facts.c.x, facts.c.id) > place, facts.c.x < _oldest)
    else:
        query = select(facts).order_by(facts.c.id).limit(limit).where(facts.c.id > after.id)
    return [
        CommittedFact(
            position=str(Position(after.timeline, row.x, row.id)),
            at=row.at,
            fact=Fact(
                type=row.type,
                data=row.data.encode(),
                team=row.team,
                operators=tuple(msgspec.json.decode(row.operators)),
                private=row.private,
                card_id=row.card_id,
            ),
        )
        for row in tx.execute(query)
    ]


def prune(tx: Connection, before: datetime, limit: int = 5000) -> int:
    """Delete at most `limit` facts older than `before`, and say how many; call again while it is `limit`."""
    old = select(facts.c.id).where(facts.c.at < before).order_by(facts.c.at).limit(limit)
    return tx.execute(delete(facts).where(facts.c.id.in_(old))).rowcount
