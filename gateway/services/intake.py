"""The service's side of the port `Intake`: events of connectors become durable before the call returns."""

import asyncio
import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from gateway import metrics
from gateway.domain.calls import Call, CallEvent
from gateway.domain.errors import StoreUnavailable
from gateway.services import call_intake
from gateway.store import leases, raw, work
from gateway.store.engine import Store
from gateway.supervise import until_stored

log = logging.getLogger(__name__)

POISON_KIND = "call_event"
_AT_ONCE = 16


class VoiceIntake:
    """Events of one call are recorded in their order; those of different calls side by side.

    A fault of the database holds the events until it is back. An event that cannot be stored for another
    reason is set aside, listed and replayable, and the next goes on.
    """

    def __init__(self, store: Store, lease: leases.Lease | None = None) -> None:
        self._store = store
        self._lease = lease

    async def live_calls(self, pbx: str) -> Sequence[Call]:
        """Calls of this PBX that the books hold as not ended."""
        return await until_stored("the call tracker", lambda: self._store.read(call_intake.live, pbx))

    async def calls_happened(self, events: Sequence[CallEvent]) -> None:
        """Record the events; returns when all are durable."""
        lanes = _by_call(events)
        room = asyncio.Semaphore(_AT_ONCE)

        async def lane(own: list[CallEvent]) -> None:
            async with room:
                for event in own:
                    await self._record(event)

        try:
            async with asyncio.TaskGroup() as group:
                for own in lanes:
                    group.create_task(lane(own))
        except ExceptionGroup as failures:
            # All of one kind: the lease is gone, or the store was closed under us.
            raise failures.exceptions[0] from None

    async def calls_with(self, pbx: str, channels: Collection[str]) -> Sequence[Call]:
        """Calls of this PBX in the books, live or over, of which any of these channels is part."""
        return await until_stored(
            "the catch-up", lambda: self._store.read(call_intake.with_channels, pbx, channels)
        )

    async def records_place(self, pbx: str) -> str | None:
        """How far this PBX's records have been dealt with."""
        return await until_stored("the catch-up", lambda: self._store.read(raw.checkpoint, _records_of(pbx)))

    async def calls_found(self, pbx: str, events: Sequence[CallEvent], place: str) -> None:
        """Record what the PBX's records tell, and the place reached in them."""

        def keep(tx: Connection, found: Sequence[CallEvent]) -> None:
            for event in found:
                self._work(tx, event)
            raw.keep_checkpoint(tx, _records_of(pbx), place, datetime.now(UTC))

        try:
            await until_stored("the catch-up", lambda: self._store.write(keep, events))
        except (StoreUnavailable, leases.LeaseLost):
            raise
        except Exception:
            # One of them cannot be stored: each by itself, so that the others are.
            log.exception("calls found in the PBX's records are stored one by one", extra={"connector": pbx})
            for event in events:
                await self._record(event)
            await until_stored("the catch-up", lambda: self._store.write(keep, ()))

    async def _record(self, event: CallEvent) -> None:
        with metrics.call_intake_seconds.time():
            try:
                await until_stored("the call intake", lambda: self._store.write(self._work, event))
            except (StoreUnavailable, leases.LeaseLost):
                raise
            except Exception as error:
                # Whatever the fault in one event, the others must not wait for it: it is kept and shown.
                log.exception(
                    "a call event could not be stored and was set aside",
                    extra={"action": "call_event_set_aside", "call_id": event.call.id},
                )
                await self._set_aside(event, error)

    def _work(self, tx: Connection, event: CallEvent) -> None:
        if self._lease is not None:
            leases.fenced(tx, self._lease.name, self._lease.token)
        call_intake.record(tx, event, datetime.now(UTC))

    async def _set_aside(self, event: CallEvent, error: Exception) -> None:
        def keep(tx: Connection) -> None:
            why = f"{type(error).__name__}: {error}"
            work.set_aside(tx, POISON_KIND, call_intake.poison(event), why, key=event.call.id)

        await until_stored("the call intake", lambda: self._store.write(keep))


def _records_of(pbx: str) -> str:
    # No connector is called so: names hold no colon.
    return f"records:{pbx}"


def _by_call(events: Iterable[CallEvent]) -> list[list[CallEvent]]:
    # A call that absorbed others shares their lane, so that the order between them holds.
    lanes: dict[str, list[CallEvent]] = {}
    for event in events:
        ids = (event.call.id, *event.call.aliases)
        joined = list({id(lanes[i]): lanes[i] for i in ids if i in lanes}.values())
        lane = [*(earlier for lane in joined for earlier in lane), event]
        for other, known in list(lanes.items()):
            if any(known is one for one in joined):
                lanes[other] = lane
        lanes |= dict.fromkeys(ids, lane)
    return list({id(lane): lane for lane in lanes.values()}.values())
