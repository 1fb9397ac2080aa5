"""Files of PBXs come into the library: found in their folders, waited for until they are complete, copied.

Whatever happens at whatever moment, a file is taken once: what is done stands in the book, and each step may
be done again.
"""

import asyncio
import errno
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

from gateway.domain.errors import JobLost, PermanentFailure
from gateway.domain.ports import RecordingBook
from gateway.domain.recordings import Blob, FileStamp, RecordingJob, Stage
from recordings.formats import DEMUXER, extension_of
from recordings.library import Library, copied
from recordings.spool import LOOK_BACK_NS, Spool, Watch, stamp_of

_AT_ONCE = 4
_OURS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a collector waits, in seconds."""

    look_s: float = 3.0
    """Between two looks into a folder."""
    look_everywhere_s: float = 3600.0
    """Between two looks at every file, which also find those written over."""
    still_s: float = 2.0
    """A file that has not changed for so long is complete, its call being over."""
    still_unknown_s: float = 300.0
    """The same where no call is known: it may go on, in silence."""
    still_live_s: float = 3600.0
    """The same where the call has not ended as far as we know."""
    missing_s: float = 600.0
    """A file that is not there so long after its call is given up (and taken when it comes after all)."""
    upload_s: float = 86_400.0
    """The same where it can only come by upload."""


PATIENT = Patience()
FIRST_LOOK_BACK = timedelta(hours=4)
"""Of a folder never looked into before, files older than this are left: an archive is no news."""


async def look_for_files(book: RecordingBook, pbx: str, spool: Spool, patience: Patience) -> None:
    """Tell the book of files in the PBX's folder, for ever. Raises `OSError` where it cannot be read."""
    watch = Watch(spool)
    loop = asyncio.get_running_loop()
    everywhere_at = loop.time()
    while True:
        everywhere = loop.time() >= everywhere_at
        await look_once(book, pbx, watch, everywhere=everywhere)
        if everywhere:
            everywhere_at = loop.time() + patience.look_everywhere_s
        await asyncio.sleep(patience.look_s)


async def look_once(book: RecordingBook, pbx: str, watch: Watch, *, everywhere: bool) -> None:
    """One look into the folder; what is found is in the book when it returns."""
    reached = await book.scanned_to(pbx)
    if reached is None:
        began = datetime.now(UTC) - FIRST_LOOK_BACK
        reached = int(began.timestamp()) * 10**9 + LOOK_BACK_NS
    since = reached - LOOK_BACK_NS
    files = await asyncio.to_thread(watch.found, since, everywhere=everywhere)
    if files:
        reached = max(reached, *(file.changed_ns for file in files))
        for start in range(0, len(files), 100):
            await book.found(pbx, files[start : start + 100], reached if start + 100 >= len(files) else since)
        watch.told(files, since)


@dataclass(frozen=True, slots=True)
class Collector:
    """Fetches files from the folders of `spools`, by connector."""

    book: RecordingBook
    library: Library
    spools: Mapping[str, Spool]
    patience: Patience = PATIENT

    async def run(self) -> None:
        """Fetch for ever."""
        while True:
            jobs = await self.book.jobs(Stage.COLLECT, _AT_ONCE)
            try:
                async with asyncio.TaskGroup() as group:
                    for job in jobs:
                        group.create_task(self._one(job))
            except ExceptionGroup as failures:
                # The first says it: the others are of the same database.
                raise failures.exceptions[0] from None

    async def _one(self, job: RecordingJob) -> None:
        with suppress(JobLost):
            try:
                await self.collect(job)
            except PermanentFailure as failure:
                await self.book.failed(job, str(failure), None)
            except OSError as failure:
                await self._not_now(job, failure)

    async def _not_now(self, job: RecordingJob, failure: OSError) -> None:
        place = "the storage or the folder" if failure.errno in _OURS else "the file"
        await self.book.later(job, 30.0, f"{place} cannot be used: {failure.strerror or failure}")

    async def collect(self, job: RecordingJob) -> None:
        """One look at the job's file: take it if it is complete. Raises `OSError`, `PermanentFailure`."""
        if extension_of(job.path.rpartition("/")[2]) is None:
            known = ", ".join(sorted(DEMUXER))
            raise PermanentFailure(f"this is no kind of file that we can read; known are {known}")
        spool = self.spools.get(job.pbx)
        if spool is None:
            await self._missing(job, "waiting for the upload", self.patience.upload_s)
            return
        try:
            file = await asyncio.to_thread(spool.open, job.path)
        except FileNotFoundError:
            await self._missing(job, f"it is not in {spool.root}", self.patience.missing_s)
            return
        with file:
            stamp = await asyncio.to_thread(stamp_of, file)
            still_s = self._still_s(job)
            since = job.stamp_since if job.stamp == stamp else None
            if since is None or (datetime.now(UTC) - since).total_seconds() < still_s:
                await self.book.looked(job, stamp, min(still_s, 30.0) if since else self.patience.still_s)
                return
            await self._take(job, file, stamp)

    def _still_s(self, job: RecordingJob) -> float:
        if job.call_over:
            return self.patience.still_s
        return self.patience.still_unknown_s if job.call_over is None else self.patience.still_live_s

    async def _missing(self, job: RecordingJob, what: str, patience_s: float) -> None:
        waited = (datetime.now(UTC) - job.waiting_since).total_seconds()
        if job.call_over is not False and waited > patience_s:
            raise PermanentFailure(f"the file did not come in {patience_s / 60:.0f} minutes: {what}")
        await self.book.later(job, min(max(2.0, waited / 4), 60.0), what)

    async def _take(self, job: RecordingJob, file: BinaryIO, stamp: FileStamp) -> None:
        with self.library.draft() as folder:
            draft = folder / "file"
            sha256, size = await asyncio.to_thread(copied, file, draft)
            if await asyncio.to_thread(stamp_of, file) != stamp:
                await self.book.looked(job, await asyncio.to_thread(stamp_of, file), self.patience.still_s)
                return
            blob = Blob(sha256, extension_of(job.path.rpartition("/")[2]) or "", size)
            await self.book.refer(job, blob)
            await asyncio.to_thread(self.library.keep, draft, blob)
        await self.book.collected(job)
