"""The service's side of the port `RecordingBook`: what is to be done with recordings, and what was done."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from sqlalchemy import Connection, select

from gateway import metrics
from gateway.domain.errors import JobLost
from gateway.domain.recordings import (
    Blob,
    FileStamp,
    RecordingJob,
    Sound,
    SpoolFile,
    Stage,
    Unwanted,
)
from gateway.services import recordings_intake
from gateway.services import recordings_steps as steps
from gateway.services.recordings_rows import COLLECT, ENCODE, REMOVE
from gateway.store import work
from gateway.store.contract import Store
from gateway.store.tables import recording_scans

T = TypeVar("T")

_KIND = {Stage.COLLECT: COLLECT, Stage.ENCODE: ENCODE}
_POLL_S = 5.0
_LEAST_S = 0.2
"""Between two looks: every commit of the service wakes a loop that waits."""
_CODEC = {"ogg": "opus", "opus": "opus", "wav": "pcm", "wav16": "pcm"}


class StoredBook:
    """The book in the store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def scanned_to(self, pbx: str) -> int | None:
        """How far the PBX's folder has been looked through."""
        place = select(recording_scans.c.scanned_to_ns).where(recording_scans.c.pbx == pbx)
        return await self._store.read(lambda tx: tx.scalar(place))

    async def found(self, pbx: str, files: Sequence[SpoolFile], scanned_to_ns: int) -> None:
        """Make recordings of the files not known yet, and keep the place."""
        await self._store.write(recordings_intake.found, pbx, files, scanned_to_ns, datetime.now(UTC))

    async def jobs(self, stage: Stage, limit: int) -> Sequence[RecordingJob]:
        """Jobs that are due."""
        return await self._given(_KIND[stage], steps.jobs, limit)

    async def _given(self, kind: str, take: Callable[[Connection, str, int], list[T]], limit: int) -> list[T]:
        woken = asyncio.Event()
        stop = self._store.on_commit(woken.set)
        try:
            while not (found := await self._store.write(take, kind, limit)):
                await self._until_due(kind, woken)
            return found
        finally:
            stop()

    async def _until_due(self, kind: str, woken: asyncio.Event) -> None:
        """Wait until something may be due; a claim that was left behind shows by polling alone."""
        loop = asyncio.get_running_loop()
        end = loop.time() + _POLL_S
        while (left := end - loop.time()) > 0:
            woken.clear()
            due = await self._store.read(work.next_due, kind)
            if due is not None:
                left = min(left, (due - datetime.now(UTC)).total_seconds())
            if left <= 0:
                return
            try:
                async with asyncio.timeout(left):
                    await woken.wait()
            except TimeoutError:
                return
            await asyncio.sleep(_LEAST_S)

    async def hold(self, job: RecordingJob) -> None:
        """Keep the job."""
        await self._settle(lambda tx: steps.hold(tx, job))

    async def looked(self, job: RecordingJob, stamp: FileStamp, again_in_s: float) -> None:
        """The file looked so."""
        await self._settle(lambda tx: steps.looked(tx, job, stamp, again_in_s))

    async def later(self, job: RecordingJob, again_in_s: float, why: str) -> None:
        """It cannot be done now."""
        await self._settle(lambda tx: steps.later(tx, job, again_in_s, why))

    async def refer(self, job: RecordingJob, blob: Blob) -> None:
        """The recording's bytes will be these."""
        await self._settle(lambda tx: steps.refer(tx, job, blob))

    async def collected(self, job: RecordingJob) -> None:
        """The file's bytes are in the library."""
        await self._settle(lambda tx: steps.collected(tx, job))
        metrics.recordings_total.labels(outcome="collected").inc()

    async def ready(self, job: RecordingJob, sound: Sound | None) -> None:
        """The bytes to play are in the library."""
        since = await self._settle(lambda tx: steps.ready(tx, job, sound))
        metrics.recordings_total.labels(outcome="ready").inc()
        if since is not None:
            metrics.recording_ready_seconds.observe((datetime.now(UTC) - since).total_seconds())

    async def failed(self, job: RecordingJob, error: str, again_in_s: float | None) -> None:
        """An attempt failed."""
        await self._settle(lambda tx: steps.failed(tx, job, error, again_in_s))
        metrics.recordings_total.labels(outcome="failed" if again_in_s is None else "retried").inc()

    async def unwanted(self, limit: int) -> Sequence[Unwanted]:
        """Bytes that may have to go."""
        return await self._given(REMOVE, steps.unwanted, limit)

    async def is_wanted(self, blob: Blob) -> bool:
        """Whether a recording refers to the bytes."""
        return await self._store.read(steps.is_wanted, blob)

    async def gone(self, unwanted: Unwanted) -> None:
        """Done with the bytes."""
        await self._settle(lambda tx: steps.gone(tx, unwanted))

    async def _settle(self, unit: Callable[[Connection], T]) -> T:
        try:
            return await self._store.write(unit)
        except work.ClaimLost:
            raise JobLost from None
