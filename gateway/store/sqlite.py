"""The embedded engine: SQLite in WAL mode, one writing thread, a few reading ones."""

import asyncio
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Concatenate, Literal, ParamSpec, TypeVar

from sqlalchemy import Connection, make_url

from gateway import metrics
from gateway.domain.errors import NeedsAdministrator, StoreUnavailable
from gateway.store.hints import Hints
from gateway.store.sqlite_files import lock, prepare
from gateway.store.sqlite_readers import Readers
from gateway.store.sqlite_writer import Unit, Writer

P = ParamSpec("P")
T = TypeVar("T")

WAITING_UNITS = 1024
"""So many units may wait for the writer; callers beyond that wait for a place."""


class SqliteStore:
    """See contract.Store."""

    dialect: Literal["sqlite"] = "sqlite"

    def __init__(self, url: str, path: Path, held: int | None, readers: int, busy_timeout_s: float) -> None:
        self.url = url
        self.path = path
        self._held = held
        self._loop = asyncio.get_running_loop()
        self._places = asyncio.Semaphore(WAITING_UNITS)
        self._hints = Hints()
        self._readers = Readers(path, readers, busy_timeout_s)
        self._writer = Writer(path, busy_timeout_s, self._decided)
        self._writer.start()
        self._closed = False

    async def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kw: P.kwargs) -> T:
        await self._places.acquire()
        if self._closed:
            self._places.release()
            raise StoreUnavailable("the store is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        future.add_done_callback(self._leave)
        with metrics.unit_of_work(StoreUnavailable):
            self._writer.put(Unit(lambda tx: work(tx, *args, **kw), future))
            return await future

    async def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kw: P.kwargs) -> T:
        if self._closed:
            raise StoreUnavailable("the store is closed")
        unit = partial(self._readers.run, lambda tx: work(tx, *args, **kw))
        return await self._loop.run_in_executor(self._readers.executor, unit)

    def on_commit(self, callback: Callable[[], None]) -> Callable[[], None]:
        return self._hints.add(callback)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        await asyncio.to_thread(self._writer.stop)
        await asyncio.to_thread(self._readers.close)
        if self._held is not None:
            os.close(self._held)

    def _leave(self, _: asyncio.Future[T]) -> None:
        self._places.release()

    def _decided(self, group: list[Unit]) -> None:
        """In the writer's thread."""
        self._loop.call_soon_threadsafe(self._settle, group)

    def _settle(self, group: list[Unit]) -> None:
        for unit in group:
            unit.settle()
        if any(unit.announced and unit.error is None for unit in group):
            self._hints.fire()


async def open_sqlite(
    url: str, *, exclusive: bool = False, readers: int = 3, busy_timeout_s: float = 5.0
) -> SqliteStore:
    """Open the file, making it where it is missing, and its folder too.

    `busy_timeout_s`: how long a unit waits for a lock held by another process before StoreUnavailable.
    """
    path = sqlite_path(url)
    await asyncio.to_thread(prepare, path)
    held = await asyncio.to_thread(lock, path) if exclusive else None
    store = SqliteStore(url, path, held, readers, busy_timeout_s)
    try:
        # The first connection turns the file to WAL, without which a read-only one cannot open it.
        await store.write(lambda tx: tx.exec_driver_sql("pragma user_version").scalar())
    except BaseException:
        await store.close()
        raise
    return store


def sqlite_path(url: str) -> Path:
    """The file that `url` names; NeedsAdministrator for one in memory, which no second thread could see."""
    name = make_url(url).database
    if not name or name == ":memory:":
        raise NeedsAdministrator(
            "the database needs a file", remedy="set database.url to sqlite+aiosqlite:///PATH"
        )
    return Path(name)
