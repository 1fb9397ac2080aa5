"""What is in the library is made fit to be played, one file at a time; what nobody wants is taken away."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gateway.domain.errors import JobLost, PermanentFailure, TemporaryFailure
from gateway.domain.ports import RecordingBook
from gateway.domain.recordings import Blob, RecordingJob, Stage
from recordings import wav
from recordings.encoding import Encoded, encode
from recordings.formats import CONTENT_TYPE
from recordings.library import Library, measured

HOLD_S = 6.0
_PAUSES_S = (5.0, 60.0, 600.0)
"""After the first failures; then the recording is given up."""
_PLAIN = ("wav", "wav16")
_SWEEP_EVERY_S = 3600.0
_OLD_DRAFT_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Encoder:
    """`ffmpeg` is its path, None without it; `opus`: wanted, else what browsers play stays as it came."""

    book: RecordingBook
    library: Library
    ffmpeg: str | None
    opus: bool

    async def run(self) -> None:
        """Encode for ever."""
        while True:
            for job in await self.book.jobs(Stage.ENCODE, 1):
                with suppress(JobLost):
                    await self._one(job)

    async def _one(self, job: RecordingJob) -> None:
        holding = asyncio.create_task(self._hold(job))
        try:
            await self.encode(job)
        except PermanentFailure as failure:
            await self.book.failed(job, str(failure), None)
        except TemporaryFailure as failure:
            again = _PAUSES_S[job.failures] if job.failures < len(_PAUSES_S) else None
            await self.book.failed(job, str(failure), again)
        except OSError as failure:
            await self.book.later(job, 30.0, f"the storage cannot be used: {failure.strerror or failure}")
        finally:
            holding.cancel()
            await asyncio.wait([holding])

    async def _hold(self, job: RecordingJob) -> None:
        with suppress(JobLost):
            while True:
                await asyncio.sleep(HOLD_S)
                await self.book.hold(job)

    async def encode(self, job: RecordingJob) -> None:
        """Measure and encode the job's file. Raises `PermanentFailure`, `TemporaryFailure`, `OSError`."""
        original = job.original
        if original is None or not await asyncio.to_thread(self.library.has, original):
            raise PermanentFailure("its file is missing in the storage")
        source = self.library.place(original)
        if self.ffmpeg is None and original.ext not in _PLAIN:
            await self._unmeasured(job, original)
            return
        with self.library.draft() as folder:
            target = folder / ("played.ogg" if self.opus else "played.wav")
            wanted = self.ffmpeg is not None and (self.opus or original.ext not in CONTENT_TYPE)
            done = await encode(source, original.ext, original.size, target if wanted else None, self.ffmpeg)
            await self._keep(job, original, done, target)
        await self.book.ready(job, done.sound)

    async def _unmeasured(self, job: RecordingJob, original: Blob) -> None:
        if original.ext not in CONTENT_TYPE:
            raise PermanentFailure(f"a browser plays no .{original.ext}, and ffmpeg is not installed here")
        await self.book.refer(job, original)
        await self.book.ready(job, None)

    async def _keep(self, job: RecordingJob, original: Blob, done: Encoded, target: Path) -> None:
        if not done.made:
            if original.ext in CONTENT_TYPE:
                await self.book.refer(job, original)
                return
            target = target.with_suffix(".wav")
            await asyncio.to_thread(target.write_bytes, wav.EMPTY)
        sha256, size = await asyncio.to_thread(measured, target)
        played = Blob(sha256, target.suffix[1:], size)
        await self.book.refer(job, played)
        await asyncio.to_thread(self.library.keep, target, played)


@dataclass(frozen=True, slots=True)
class Cleaner:
    """Takes away bytes that no recording refers to, and what crashes left."""

    book: RecordingBook
    library: Library

    async def run(self) -> None:
        """Take away for ever."""
        while True:
            for unwanted in await self.book.unwanted(16):
                with suppress(JobLost):
                    await self.take_away(unwanted.blob)
                    await self.book.gone(unwanted)

    async def take_away(self, blob: Blob) -> None:
        """Set aside, asked again, and only then deleted: somebody may come to want them in between."""
        if await self.book.is_wanted(blob):
            await asyncio.to_thread(self.library.bring_back, blob)
            return
        await asyncio.to_thread(self.library.set_aside, blob)
        if await self.book.is_wanted(blob):
            await asyncio.to_thread(self.library.bring_back, blob)
        else:
            await asyncio.to_thread(self.library.discard, blob)

    async def sweep(self) -> None:
        """Take drafts of crashed runs away, for ever, once an hour."""
        while True:
            await asyncio.to_thread(self.library.sweep, _OLD_DRAFT_S, time.time())
            await asyncio.sleep(_SWEEP_EVERY_S)
