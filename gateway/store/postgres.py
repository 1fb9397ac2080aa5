"""The engine for several nodes: PostgreSQL through asyncpg, units of work in greenlets of the event loop."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, NullPool
from sqlalchemy.util import greenlet_spawn

from gateway import metrics
from gateway.domain.errors import StoreUnavailable
from gateway.store.contract import ANNOUNCED
from gateway.store.hints import Hints
from gateway.store.postgres_errors import ConnectionLost, unavailable
from gateway.store.postgres_hints import Channel

P = ParamSpec("P")
T = TypeVar("T")

CONNECT_S = 5.0
KEEPALIVE_S = 15.0
UNIT_S = 20.0
"""A unit that takes longer counts as lost with its connection; one timer for all its statements."""

SETTINGS = {
    "application_name": "perezvon",
    "timezone": "UTC",
    "default_transaction_isolation": "read committed",
    "jit": "off",
    # A transaction left open holds back everybody's facts: they are read below the oldest one's snapshot.
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "10s",
}


class PostgresStore:
    """See contract.Store."""

    dialect: Literal["postgresql"] = "postgresql"

    def __init__(self, url: str, connections: int) -> None:
        self.url = url
        self._engine = make_engine(url, pool_size=connections, max_overflow=0, pool_timeout=CONNECT_S)
        self._snapshots = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._distrusted_before = 0.0
        event.listen(self._engine.sync_engine, "checkout", self._refuse_dead)
        self._places = asyncio.Semaphore(connections)
        self._running: set[asyncio.Task[Any]] = set()
        self._hints = Hints()
        self._listener = make_engine(url, statement_s=KEEPALIVE_S, poolclass=NullPool)
        self._channel = Channel(self._listener, self._hints.fire)
        self._listening = asyncio.create_task(self._channel.run(), name="perezvon-hints")
        self._closed = False

    async def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kw: P.kwargs) -> T:
        def unit(tx: Connection) -> tuple[T, bool]:
            tx.info.pop(ANNOUNCED, None)
            with tx.begin():
                result = work(tx, *args, **kw)
            return result, ANNOUNCED in tx.info

        with metrics.unit_of_work(StoreUnavailable):
            return await self._begin(self._write(unit))

    async def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kw: P.kwargs) -> T:
        def unit(tx: Connection) -> T:
            with tx.begin():
                return work(tx, *args, **kw)

        return await self._begin(self._run(self._snapshots, unit))

    def on_commit(self, callback: Callable[[], None]) -> Callable[[], None]:
        return self._hints.add(callback)

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._running:
            await asyncio.wait(self._running)
        self._channel.stop()
        await self._listening
        await self._engine.dispose()
        await self._listener.dispose()

    async def _begin(self, unit: Coroutine[Any, Any, T]) -> T:
        """Run `unit` in a task of its own, so that a cancelled caller does not cut a transaction in two."""
        try:
            await self._places.acquire()
        except asyncio.CancelledError:
            unit.close()
            raise
        if self._closed:
            unit.close()
            self._places.release()
            raise StoreUnavailable("the store is closed")
        task = asyncio.create_task(unit)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        self._places.release()
        if not task.cancelled():
            task.exception()  # its caller may be gone

    async def _write(self, unit: Callable[[Connection], tuple[T, bool]]) -> T:
        result, announced = await self._run(self._engine, unit)
        if announced:
            self._channel.tell()
            self._hints.fire()
        return result

    async def _run(self, engine: AsyncEngine, unit: Callable[[Connection], T]) -> T:
        def whole() -> T:
            with engine.sync_engine.connect() as tx:
                return unit(tx)

        try:
            async with asyncio.timeout(UNIT_S):
                # As AsyncConnection.run_sync does, but one greenlet for connecting, the unit and giving back.
                return await greenlet_spawn(whole)
        except Exception as error:
            shown = unavailable(error, reading=engine is self._snapshots)
            if shown is None:
                raise
            if isinstance(shown, ConnectionLost):
                self._distrusted_before = time.monotonic()
            raise shown from error

    def _refuse_dead(self, dbapi_connection: Any, record: ConnectionPoolEntry, _: object) -> None:
        """Have the pool open a new connection in place of one that is dead.

        The event loop has heard of a server's end long before anybody asks, so no round trip is needed; of a
        cut network it hears nothing, so after one loss its elders are not trusted either.
        """
        born: float = record.info.setdefault("born", time.monotonic())
        if dbapi_connection.driver_connection.is_closed() or born < self._distrusted_before:
            raise DisconnectionError


async def open_postgres(url: str, *, connections: int = 10) -> PostgresStore:
    """Make the pool of at most `connections`, all opened when needed, and one more for hints."""
    return PostgresStore(url, connections)


def make_engine(url: str, *, statement_s: float | None = None, **options: Any) -> AsyncEngine:
    """An engine with our session settings; `options` are those of `create_async_engine`.

    `statement_s`: how long each statement may take before it counts as lost; None for ever.
    """
    return create_async_engine(
        url,
        connect_args={
            "timeout": CONNECT_S,
            "command_timeout": statement_s,
            "prepared_statement_cache_size": 500,
            "server_settings": SETTINGS,
        },
        **options,
    )
