"""The store's own tables: facts, leases and work. What the nouns need stands in tables.py."""

from enum import StrEnum

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, String, Table, Text, text

from gateway.store.schema import EPHEMERAL, metadata
from gateway.store.types import Id, UtcDateTime

# Only INTEGER PRIMARY KEY is the rowid on SQLite; AUTOINCREMENT keeps pruned numbers from coming back.
SERIAL = BigInteger().with_variant(Integer(), "sqlite")

facts = Table(
    "facts",
    metadata,
    Column("id", SERIAL, primary_key=True),
    # The writing transaction on PostgreSQL (pg_current_xact_id), 0 on SQLite, where ids are in commit order.
    Column("x", BigInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("type", String(64), nullable=False),
    Column("data", Text, nullable=False),
    Column("team", Id),
    Column("operators", Text, nullable=False),
    Column("private", Boolean, nullable=False),
    Column("card_id", Id),
    Index("ix_facts_x", "x", "id"),
    Index("ix_facts_at", "at"),
    sqlite_autoincrement=True,
    info=EPHEMERAL,
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("holder", String(255), nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    info=EPHEMERAL,
)


class WorkState(StrEnum):
    """`waiting` also while claimed: the claim is a time in the row; `poison` waits for a person."""

    WAITING = "waiting"
    POISON = "poison"


work = Table(
    "work",
    metadata,
    Column("id", SERIAL, primary_key=True),
    Column("kind", String(80), nullable=False),
    # Rows of one key are done one after the other, in the order of their ids.
    Column("key", String(255)),
    Column("payload", Text, nullable=False),
    Column("state", String(16), nullable=False),
    # The oldest waiting row of its key, or without key: only these are given out. Held by work.py under a
    # lock of the key, so that a claim costs the same however many wait behind a row that is stuck.
    Column("head", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("claimed_until", UtcDateTime),
    Column("token", BigInteger, nullable=False),
    Column("error", Text),
    Column("created_at", UtcDateTime, nullable=False),
    sqlite_autoincrement=True,
)
WAITING = "state = 'waiting'"
HEADS = "head and state = 'waiting'"
Index(
    "ix_work_due",
    work.c.kind,
    work.c.due_at,
    work.c.id,
    sqlite_where=text(HEADS),
    postgresql_where=text(HEADS),
)
Index(
    "ix_work_key",
    work.c.kind,
    work.c.key,
    work.c.id,
    sqlite_where=text(WAITING),
    postgresql_where=text(WAITING),
)
