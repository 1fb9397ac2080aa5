"""The intake loop: raw updates become messages, in order per lane, different lanes side by side.

One node runs it. An update that cannot be worked on is set aside with its error and blocks nothing.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from gateway import metrics
from gateway.domain.contacts import Dispatch
from gateway.domain.errors import StoreUnavailable
from gateway.domain.messages import Inbound, InboundMessage, InboundReachability
from gateway.domain.ports import Translator
from gateway.services import changes, inbound, places
from gateway.store import leases, raw
from gateway.store.engine import Store
from gateway.supervise import until_stored

log = logging.getLogger(__name__)

BATCH = 256
AT_ONCE = 16
ATTEMPTS = 3
POLL_S = 1.0
_NAME = "the message intake"


class InboundLoop:
    """Works on the updates of these connectors; `translators`: name → what its updates mean."""

    def __init__(
        self,
        store: Store,
        translators: Mapping[str, Translator],
        dispatch: Dispatch,
        lease: leases.Lease | None = None,
    ) -> None:
        self._store = store
        self._translators = translators
        self._dispatch = dispatch
        self._lease = lease
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """For ever. Raises `LeaseLost` when another node has taken over."""
        stop = self._store.on_commit(self._wake.set)
        try:
            while True:
                self._wake.clear()
                if not await self.step():
                    await self._woken()
        finally:
            stop()

    async def _woken(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
        except TimeoutError:
            return

    async def step(self) -> bool:
        """Work on what waits now; whether there was anything."""
        waiting = await until_stored(
            _NAME, lambda: self._store.read(raw.waiting, list(self._translators), BATCH)
        )
        room = asyncio.Semaphore(AT_ONCE)
        lanes: dict[tuple[str, str], list[raw.Stored]] = {}
        for update in waiting:
            lanes.setdefault((update.connector, update.lane), []).append(update)

        async def lane(own: list[raw.Stored]) -> None:
            async with room:
                for update in own:
                    await self._work_on(update)

        try:
            async with asyncio.TaskGroup() as group:
                for own in lanes.values():
                    group.create_task(lane(own))
        except ExceptionGroup as failures:
            # All of one kind: the lease is gone, or the store was closed under us.
            raise failures.exceptions[0] from None
        return bool(waiting)

    async def _work_on(self, update: raw.Stored) -> None:
        with metrics.message_intake_seconds.time():
            try:
                items = self._translators[update.connector](update.body, update.received_at)
            except Exception as error:
                await self._set_aside(update, error)
                return
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    await until_stored(_NAME, lambda: self._store.write(self._take, update, items))
                except (StoreUnavailable, leases.LeaseLost):
                    raise
                except Exception as error:
                    if attempt == ATTEMPTS:
                        await self._set_aside(update, error)
                else:
                    return

    def _take(self, tx: Connection, update: raw.Stored, items: Sequence[Inbound]) -> None:
        if self._lease is not None:
            leases.fenced(tx, self._lease.name, self._lease.token)
        now = datetime.now(UTC)
        if not raw.done(tx, update.id, now):
            return
        place = places.of(tx, update.connector)
        for item in items:
            match item:
                case InboundMessage():
                    inbound.take(tx, item, place, self._dispatch, now)
                case InboundReachability():
                    inbound.reachable(tx, item.identity, yes=item.reachable)
                case _:
                    changes.take(tx, update.connector, item, now)

    async def _set_aside(self, update: raw.Stored, error: Exception) -> None:
        why = f"{type(error).__name__}: {error}"
        log.error(
            "an update of %s could not be worked on and was set aside",
            update.connector,
            exc_info=error,
            extra={"action": "update_set_aside", "connector": update.connector, "update": update.id},
        )
        await until_stored(_NAME, lambda: self._store.write(raw.set_aside, update.id, why))
