"""Millions of rows in minutes: made inside the database, with its indexes built afterwards."""

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex

from tests.lab.postgres import PostgresServer

FIRST_MS = 1_790_000_000_000
"""Milliseconds since 1970 of the oldest row; each next one is a millisecond younger."""

CARD, ENTRY, CALL, LEAD, IDENTITY = range(5)


class Bulk(Protocol):
    """One database being filled."""

    engine: str

    def run(self, *statements: str) -> None:
        """Execute each."""
        ...


@dataclass(frozen=True, slots=True)
class SqliteBulk:
    """Straight into the file."""

    path: Path
    engine: str = "sqlite"

    def run(self, *statements: str) -> None:
        """All in one transaction, not synced: a bench's database may be lost."""
        with contextlib.closing(sqlite3.connect(self.path)) as raw:
            raw.execute("pragma synchronous = off")
            raw.execute("pragma cache_size = -1000000")
            for statement in statements:
                raw.execute(statement)
            raw.commit()
            raw.execute("pragma wal_checkpoint(truncate)")


@dataclass(frozen=True, slots=True)
class PostgresBulk:
    """Through psql; foreign keys are not checked."""

    server: PostgresServer
    database: str
    engine: str = "postgresql"

    def run(self, *statements: str) -> None:
        """Each in its own transaction."""
        quick = "set session_replication_role = replica; set maintenance_work_mem = '512MB'"
        for statement in statements:
            self.server.sql(f"{quick}; {statement}", self.database)


def id_of(kind: int, number: int) -> str:
    """The id of the row of that kind and number, as `sql_id` makes it."""
    ms = FIRST_MS + number
    return f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7{kind:03x}-8000-{number:012x}"


def sql_id(bulk: Bulk, kind: int, number: str) -> str:
    """An expression for the id of the row of that kind and number (an expression itself): UUIDv7 in order."""
    ms = f"({FIRST_MS} + {number})"
    if bulk.engine == "sqlite":
        return f"printf('%08x-%04x-7{kind:03x}-8000-%012x', {ms} >> 16, {ms} & 65535, {number})"
    parts = f"lpad(to_hex({ms} >> 16), 8, '0') || '-' || lpad(to_hex({ms} & 65535), 4, '0')"
    return f"({parts} || '-7{kind:03x}-8000-' || lpad(to_hex(({number})::bigint), 12, '0'))::uuid"


def sql_at(bulk: Bulk, number: str) -> str:
    """An expression for the moment of the row of that number."""
    if bulk.engine == "sqlite":
        return f"({FIRST_MS} + {number}) * 1000"
    return f"(timestamptz 'epoch' + ({FIRST_MS} + {number}) * interval '1 millisecond')"


def sql_text(options: Sequence[str], number: str) -> str:
    """An expression that takes one of the texts in turn."""
    cases = " ".join(f"when {i} then '{option}'" for i, option in enumerate(options))
    return f"(case ({number}) % {len(options)} {cases} end)"


def insert(bulk: Bulk, table: Table, count: int, columns: dict[str, str], where: str = "true") -> str:
    """INSERT of `count` rows whose columns are expressions of `n`, from 0."""
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join(columns.values())
    if bulk.engine == "sqlite":
        series = f"with recursive s(n) as (select 0 union all select n + 1 from s where n < {count - 1}) "
        return f"insert into {table.name} ({names}) {series} select {values} from s where {where}"
    return f"insert into {table.name} ({names}) select {values} from generate_series(0, {count - 1}) s(n)" + (
        f" where {where}"
    )


@contextlib.contextmanager
def without_indexes(bulk: Bulk, *tables: Table) -> Iterator[None]:
    """Secondary indexes are dropped while rows come in, and built after."""
    indexes = [index for table in tables for index in table.indexes if not index.unique]
    dialect = sqlite.dialect() if bulk.engine == "sqlite" else postgresql.dialect()
    bulk.run(*(f"drop index {index.name}" for index in indexes))
    yield
    bulk.run(*(str(CreateIndex(index).compile(dialect=dialect)) for index in indexes))
    bulk.run(*(f"analyze {table.name}" for table in tables))
