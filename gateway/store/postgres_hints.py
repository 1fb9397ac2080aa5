"""Telling other nodes that something was committed, and hearing it from them.

NOTIFY goes out after the commit on a connection of its own, at most one in 5 ms: inside the business
transaction it takes a lock for all commits of the server and cost 37 % of them. It is a hint and nothing
more: whoever follows facts polls as well.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.store.postgres_errors import unavailable
from gateway.supervise import Backoff

log = logging.getLogger(__name__)

CHANNEL = "perezvon"
COALESCE_S = 0.005
IDLE_S = 30.0


class Channel:
    """`run` until `stop`; `tell` is called after each commit that announced something."""

    def __init__(self, engine: AsyncEngine, heard: Callable[[], None]) -> None:
        self._engine = engine
        self._heard = heard
        self._wake = asyncio.Event()
        self._told = False
        self._stopping = asyncio.Event()

    def tell(self) -> None:
        self._told = True
        self._wake.set()

    def stop(self) -> None:
        """Have `run` end. Not by cancelling: a connection being made would be left open."""
        self._stopping.set()
        self._wake.set()

    async def run(self) -> None:
        """Hold the connection; without it hints are late, nothing else, so outages are only noted."""
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                async with self._engine.connect() as connection:
                    driver = (await connection.get_raw_connection()).driver_connection
                    await self._serve(driver, backoff)
            except Exception as error:
                if unavailable(error) is None:
                    log.exception("the hint connection failed", extra={"action": "hints_failed"})
                else:
                    log.debug("no hints: %s", error, extra={"action": "hints_down"})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(backoff.pause()):
                    await self._stopping.wait()

    async def _serve(self, connection: Any, backoff: Backoff) -> None:
        """Until `connection`, asyncpg's own, is closed."""
        own = connection.get_server_pid()

        def heard(_connection: object, sender: int, _channel: str, _payload: object) -> None:
            if sender != own:
                self._heard()

        connection.add_termination_listener(lambda _: self._wake.set())
        await connection.add_listener(CHANNEL, heard)
        backoff.reset()
        self._heard()  # whatever was said while nobody listened
        while not connection.is_closed() and not self._stopping.is_set():
            await self._woken()
            if self._told:
                self._told = False
                await connection.execute(f"notify {CHANNEL}")
                await asyncio.sleep(COALESCE_S)
            elif not connection.is_closed() and not self._stopping.is_set():
                await connection.execute("select 1")  # is the other side still there?

    async def _woken(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IDLE_S):
                await self._wake.wait()
        self._wake.clear()
