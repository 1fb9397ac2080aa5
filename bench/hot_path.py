"""First contacts through our units of work, beside the raw driver executing the very same statements.

A first contact is two units: the call begins, then a phone rings and with that come card, identity, lead,
timeline, contact, screen-pop and facts. The statements and parameters of one pass are recorded at the cursor
and replayed by sqlite3 (one connection, a commit per unit, synchronous=FULL) and asyncpg (eight connections,
a commit per unit). Each pass runs on a fresh copy of the same furnished database.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.engine import Engine

from bench import office
from bench.measure import Figure, machine, median, ratio
from gateway.services import call_intake
from gateway.store import sqlite_files
from gateway.store.engine import Store, open_store
from tests.lab.postgres import PostgresServer, running

NAME = "hot_path"
CONTACTS = 600
TASKS = 8
ROUNDS = 3
LEAST = {"sqlite": 0.7, "postgresql": 0.45}


@dataclass(frozen=True, slots=True)
class Statement:
    """What reached the driver's cursor."""

    sql: str
    parameters: Any
    many: bool


Unit = list[Statement]


def run() -> list[Figure]:
    """Both engines."""
    return [*_engine("sqlite", _sqlite_copies), *_engine("postgresql", _postgres_copies)]


def _engine(engine: str, copies: Callable[[], contextlib.AbstractContextManager["Copies"]]) -> list[Figure]:
    raw = _raw_sqlite if engine == "sqlite" else _raw_postgres
    with copies() as fresh, office.folder() as disk:
        with fresh() as url:
            units = asyncio.run(_recorded(url))
        ours, theirs = [], []
        for _ in range(ROUNDS):
            with fresh() as url:
                ours.append(CONTACTS / asyncio.run(_timed(_ours(url))))
            with fresh() as url:
                theirs.append(CONTACTS / asyncio.run(_timed(raw(url, units))))
        what = f"{engine}: ours ÷ raw {'sqlite3 FULL' if engine == 'sqlite' else 'asyncpg'}"
        statements = sum(map(len, units)) / CONTACTS
        return [
            machine(NAME, disk),
            ratio(NAME, what, median([a / b for a, b in zip(ours, theirs, strict=True)]), LEAST[engine]),
            Figure(NAME, f"{engine}: first contacts/s, ours", f"{median(ours):.0f}"),
            Figure(NAME, f"{engine}: first contacts/s, raw", f"{median(theirs):.0f}"),
            Figure(NAME, f"{engine}: statements per first contact", f"{statements:.1f}"),
        ]


Copies = Callable[[], contextlib.AbstractContextManager[str]]


async def _timed(work: contextlib.AbstractAsyncContextManager[Callable[[], Awaitable[None]]]) -> float:
    async with work as go:
        began = time.perf_counter()
        await go()
        return time.perf_counter() - began


async def _recorded(url: str) -> list[Unit]:
    """The statements of each unit of one pass, the contacts one after another."""
    units: list[Unit] = []

    def note(_c: Any, _cursor: Any, sql: str, parameters: Any, _x: Any, many: bool) -> None:
        units[-1].append(Statement(sql, parameters, many))

    async with _store(url) as store:
        await _take_in(store, range(CONTACTS, CONTACTS + 10))
        event.listen(Engine, "before_cursor_execute", note)
        try:
            for number in range(CONTACTS):
                for happened in office.first_contact(number):
                    units.append([])
                    await store.write(call_intake.record, happened, datetime.now(UTC))
        finally:
            event.remove(Engine, "before_cursor_execute", note)
    return units


@contextlib.asynccontextmanager
async def _ours(url: str) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    async with _store(url) as store:
        await _take_in(store, range(CONTACTS, CONTACTS + 100))
        yield lambda: _take_in(store, range(CONTACTS))


@contextlib.asynccontextmanager
async def _store(url: str) -> AsyncIterator[Store]:
    store = await open_store(url)
    try:
        yield store
    finally:
        await store.close()


async def _take_in(store: Store, numbers: Sequence[int]) -> None:
    contacts = [office.first_contact(number) for number in numbers]

    async def task(own: list[Any]) -> None:
        for contact in own:
            for happened in contact:
                await store.write(call_intake.record, happened, datetime.now(UTC))

    await asyncio.gather(*(task(contacts[part::TASKS]) for part in range(TASKS)))


@contextlib.asynccontextmanager
async def _raw_sqlite(url: str, units: list[Unit]) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    path = Path(url.removeprefix("sqlite+aiosqlite:///"))
    raw = sqlite_files.connect(path, read_only=False, busy_timeout_s=5.0)

    async def go() -> None:
        _replay_sqlite(raw, units)

    try:
        yield go
    finally:
        raw.close()


def _replay_sqlite(raw: sqlite3.Connection, units: list[Unit]) -> None:
    # One thread without locks or hand-overs: eight of them would only wait for each other.
    cursor = raw.cursor()
    for unit in units:
        cursor.execute("BEGIN IMMEDIATE")
        for statement in unit:
            if statement.many:
                cursor.executemany(statement.sql, statement.parameters)
            else:
                cursor.execute(statement.sql, statement.parameters)
                cursor.fetchall()
        cursor.execute("COMMIT")


@contextlib.asynccontextmanager
async def _raw_postgres(url: str, units: list[Unit]) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    plain = url.replace("+asyncpg", "")
    connections = [await asyncpg.connect(plain, statement_cache_size=500) for _ in range(TASKS)]
    contacts = [units[i : i + 2] for i in range(0, len(units), 2)]

    async def task(connection: Any, own: list[list[Unit]]) -> None:
        for contact in own:
            for unit in contact:
                async with connection.transaction():
                    for statement in unit:
                        if statement.many:
                            await connection.executemany(statement.sql, statement.parameters)
                        else:
                            await connection.fetch(statement.sql, *statement.parameters)

    async def go() -> None:
        parts = (task(connection, contacts[part::TASKS]) for part, connection in enumerate(connections))
        await asyncio.gather(*parts)

    try:
        yield go
    finally:
        for connection in connections:
            await connection.close()


@contextlib.contextmanager
def _sqlite_copies() -> Iterator[Copies]:
    with office.folder() as where:
        template = where / "template.db"
        asyncio.run(_furnished(f"sqlite+aiosqlite:///{template}"))

        @contextlib.contextmanager
        def fresh() -> Iterator[str]:
            copy = where / "perezvon.db"
            sqlite_files.copy(template, copy)
            yield f"sqlite+aiosqlite:///{copy}"
            for file in where.glob("perezvon.db*"):
                file.unlink()

        yield fresh


@contextlib.contextmanager
def _postgres_copies() -> Iterator[Copies]:
    with running(fsync=True) as server, server.database() as template:
        asyncio.run(_furnished(server.url(template)))
        yield lambda: _database_of(server, template)


@contextlib.contextmanager
def _database_of(server: PostgresServer, template: str) -> Iterator[str]:
    with server.database(template) as name:
        server.sql("checkpoint")
        yield server.url(name)


async def _furnished(url: str) -> None:
    async with office.opened(url) as store:
        await office.furnish(store)
