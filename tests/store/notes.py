"""A table of the tests' own, for what the contract says of units of work."""

from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, func, select

from gateway.store.types import Id, Json, UtcDateTime
from gateway.store.upsert import insert_or_skip

metadata = MetaData()
notes = Table(
    "notes",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("number", Integer),
    Column("ref", Id),
    Column("at", UtcDateTime),
    Column("data", Json),
)


def create(tx: Connection) -> None:
    """Make the table."""
    metadata.create_all(tx)


def add(tx: Connection, key: str, number: int = 0) -> None:
    """Insert, or fail when the key is there."""
    tx.execute(notes.insert().values(key=key, number=number))


def add_once(tx: Connection, key: str) -> bool:
    """Insert or skip; whether it was new."""
    return insert_or_skip(tx, notes, {"key": key}, on=["key"])


def keys(tx: Connection) -> set[str]:
    """All keys."""
    return set(tx.execute(select(notes.c.key)).scalars())


def count(tx: Connection) -> int:
    """How many rows there are."""
    return tx.execute(select(func.count()).select_from(notes)).scalar_one()
