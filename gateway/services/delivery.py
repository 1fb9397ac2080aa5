"""The sending loop of one connector: takes up what waits, sends outside any transaction, settles.

One message of a thread at a time; threads side by side. Together with `supervise` the only place that waits
in order to try again.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from gateway import metrics
from gateway.domain.errors import (
    NeedsAdministrator,
    OutcomeUnknown,
    PermanentFailure,
    TemporaryFailure,
    Unreachable,
)
from gateway.domain.messages import Delivered
from gateway.domain.ports import Sender
from gateway.services import outbox
from gateway.services.outbox import Job
from gateway.store import work
from gateway.store.engine import Store
from gateway.store.work import ClaimLost
from gateway.supervise import until_stored
from recordings.library import Library

log = logging.getLogger(__name__)

AT_ONCE = 16
POLL_S = 1.0
SEND_S = 300.0
"""Longest time of one attempt; then nobody knows its outcome."""
FINISH_S = 10.0
"""What is being sent when the service stops has so long to end."""
_LONGEST_PAUSE_S = 60.0
_NAME = "the delivery of messages"
_Settling = Callable[[Connection], None]


class Delivery:
    """Sends what waits for the connector `name`."""

    def __init__(self, store: Store, library: Library, name: str, sender: Sender) -> None:
        self._store = store
        self._library = library
        self._name = name
        self._sender = sender
        self._pace = Pace(sender.traits.per_second, sender.traits.thread_gap_s)
        self._wake = asyncio.Event()
        self._in_hand: set[asyncio.Task[None]] = set()
        self._broken: NeedsAdministrator | None = None

    async def run(self) -> None:
        """For ever; nobody else sends for this connector meanwhile.

        Raises `NeedsAdministrator` where only a person can mend it; the messages wait until then.
        """
        await until_stored(_NAME, lambda: self._store.write(work.release_all, outbox.work_kind(self._name)))
        stop = self._store.on_commit(self._wake.set)
        try:
            while True:
                self._wake.clear()
                if self._broken is not None:
                    raise self._broken
                if not await self._take_up():
                    await self._woken()
        finally:
            stop()
            await self._finish()

    async def _woken(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _take_up(self) -> bool:
        room = AT_ONCE - len(self._in_hand)
        if room <= 0 or self._pace.pauses():
            return False
        idempotent = self._sender.traits.idempotent
        jobs = await until_stored(
            _NAME,
            lambda: self._store.write(outbox.take_up, self._name, self._library, room, idempotent),
        )
        for job in jobs:
            self._start(self._deliver(job))
        return bool(jobs)

    def _start(self, work_: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work_)
        self._in_hand.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._in_hand.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a delivery failed", exc_info=error, extra={"action": "delivery_failed"})

    async def _finish(self) -> None:
        """Let what is being sent end: a message cut off has an outcome that nobody knows."""
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=FINISH_S)
        for task in tuple(self._in_hand):
            task.cancel()
        await asyncio.gather(*self._in_hand, return_exceptions=True)

    async def _deliver(self, job: Job) -> None:
        await self._pace.turn(job.message.thread_key)
        settling = await self._outcome(job)
        try:
            await until_stored(_NAME, lambda: self._store.write(settling))
        except ClaimLost:
            log.warning(
                "a message of %s was taken away while it was being sent", self._name,
                extra={"action": "claim_lost", "connector": self._name},
            )  # fmt: skip

    async def _outcome(self, job: Job) -> _Settling:
        """Send it once; what is to be written down of it."""
        try:
            async with asyncio.timeout(SEND_S):
                outcome = await self._sender.send(job.message)
        except TemporaryFailure as failure:
            return self._not_taken(job, failure)
        except Unreachable as failure:
            return self._counted("failed", outbox.unreachable, job, str(failure))
        except PermanentFailure as failure:
            return self._counted("failed", outbox.failed, job, str(failure))
        except NeedsAdministrator as failure:
            self._broken = failure
            return self._later(job, 1.0, f"{failure}: {failure.remedy}")
        except OutcomeUnknown as failure:
            return self._lost(job, str(failure))
        except TimeoutError:
            return self._lost(job, f"no answer within {SEND_S:.0f} s")
        except Exception as error:
            log.exception(
                "sending through %s failed", self._name,
                extra={"action": "send_failed", "connector": self._name},
            )  # fmt: skip
            return self._lost(job, f"{type(error).__name__}: {error}")
        return self._counted("sent", outbox.delivered, job, outcome)

    def _counted(
        self, result: str, settle: Callable[[Connection, Job, Any], None], job: Job, what: str | Delivered
    ) -> _Settling:
        metrics.messages_sent_total.labels(self._name, result).inc()
        return lambda tx: settle(tx, job, what)

    def _lost(self, job: Job, why: str) -> _Settling:
        """The answer was lost. The same again does no harm where the other side takes an id once."""
        if self._sender.traits.idempotent:
            return self._later(job, _pause(job.claim.attempts), why)
        metrics.messages_sent_total.labels(self._name, "unknown").inc()
        return lambda tx: outbox.unknown(tx, job.claim, job.message.message_id, why)

    def _not_taken(self, job: Job, failure: TemporaryFailure) -> _Settling:
        wait_s = _pause(job.claim.attempts)
        if failure.retry_after_s is not None:
            wait_s = failure.retry_after_s * random.uniform(1.0, 1.1)  # noqa: S311  (spreads load)
        if failure.whole_connector:
            self._pace.pause(wait_s)
        if datetime.now(UTC) - job.queued_at > outbox.GIVE_UP:
            why = f"given up after {outbox.GIVE_UP.total_seconds() / 3600:.0f} hours: {failure}"
            return self._counted("failed", outbox.failed, job, why)
        return self._later(job, wait_s, str(failure))

    def _later(self, job: Job, wait_s: float, why: str) -> _Settling:
        due_at = datetime.now(UTC) + timedelta(seconds=wait_s)
        return lambda tx: outbox.later(tx, job, due_at, why)


def _pause(attempts: int) -> float:
    """1, 2, 4 ... 60 s, each shortened by up to half at random."""
    longest: float = min(2.0 ** min(attempts - 1, 10), _LONGEST_PAUSE_S)
    return longest * random.uniform(0.5, 1.0)  # noqa: S311  (spreads load)


class Pace:
    """How fast the other side bears it: messages a second of the whole, seconds between two of a thread."""

    def __init__(self, per_second: float, gap_s: float) -> None:
        self._each_s = 1.0 / per_second
        self._gap_s = gap_s
        self._next = 0.0
        self._until = 0.0
        self._last: dict[str, float] = {}

    def pause(self, seconds: float) -> None:
        """The other side wants nothing at all for so long."""
        self._until = max(self._until, time.monotonic() + seconds)

    def pauses(self) -> bool:
        """Whether it still wants nothing."""
        return time.monotonic() < self._until

    async def turn(self, thread_key: str) -> None:
        """Wait for the turn of a message of this thread."""
        now = time.monotonic()
        at = max(now, self._next, self._last.get(thread_key, 0.0) + self._gap_s)
        self._next = max(self._next, now) + self._each_s
        if self._gap_s:
            if len(self._last) > 10_000:
                self._last.clear()
            self._last[thread_key] = at
        if at > now:
            await asyncio.sleep(at - now)
