"""The collector dies at any step and any moment: each recording is attached once, no byte is lost or left."""

import asyncio
import hashlib
import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Row, func, select

from gateway.demo.sound import tone, wav
from gateway.domain.calls import Call, CallEvent, CallEventType, CallState, Direction, Disposition
from gateway.domain.ids import call_id
from gateway.domain.recordings import Stage
from gateway.services import installation, recordings_book, recordings_steps
from gateway.services.intake import VoiceIntake
from gateway.services.recordings_book import StoredBook
from gateway.store.engine import Store, open_store
from gateway.store.tables import recordings
from gateway.store.tables_core import work
from recordings.collector import Collector, Patience, look_once
from recordings.encoder import Cleaner, Encoder
from recordings.encoding import ffmpeg
from recordings.library import Library
from recordings.spool import Spool, Watch
from tests.journeys.conftest import on_both
from tests.services.conftest import SETTINGS

CALLS = 24
FIRST = 1763974900
QUICK = Patience(still_s=0.0)


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    store = await open_store(url)
    try:
        yield store
    finally:
        await store.close()


async def happened(store: Store, spool: Path, count: int) -> None:
    """So many calls are over, and each has left a file that sounds like no other."""
    await store.write(installation.prepare, SETTINGS)
    at = datetime.now(UTC) - timedelta(minutes=1)
    for n in range(count):
        uniqueid = f"{FIRST}.{n}"
        call = Call(
            id=call_id("pbx1", uniqueid),
            pbx="pbx1",
            linkedid=uniqueid,
            direction=Direction.IN,
            state=CallState.ENDED,
            started_at=at,
            disposition=Disposition.ANSWERED,
            ended_at=at,
            legs=(uniqueid,),
        )
        await VoiceIntake(store).calls_happened([CallEvent(CallEventType.ENDED, call, at)])
        (spool / f"{uniqueid}.wav").write_bytes(wav(tone(300 + 10 * n, 0.3)))


def rows(tx: Connection) -> list[Row[Any]]:
    return list(tx.execute(select(recordings).order_by(recordings.c.id)).all())


def waiting(tx: Connection) -> int:
    return tx.scalar(select(func.count(work.c.id)).where(work.c.kind.like("recording%"))) or 0


def check(found: list[Row[Any]], files: Path, count: int) -> None:
    """Every call has its recording, once, and the library holds what is played and nothing else."""
    assert sorted(row.call_id for row in found) == sorted(
        call_id("pbx1", f"{FIRST}.{n}") for n in range(count)
    )
    assert {row.state for row in found} == {"ready"}
    stored = {path.name: path for path in (files / "files").rglob("*.*")}
    assert set(stored) == {f"{row.sha256}.{row.ext}" for row in found}
    for row in found:
        data = stored[f"{row.sha256}.{row.ext}"].read_bytes()
        assert (hashlib.sha256(data).hexdigest(), len(data)) == (row.sha256, row.size)
    assert list((files / "aside").glob("*")) == []


class Killed(BaseException):
    """The process is gone: nothing after this point has happened."""


class Mortal(StoredBook):
    """A book whose owner dies at one of its steps, before or after the step is committed."""

    def __init__(self, store: Store, step: str, *, after: bool) -> None:
        super().__init__(store)
        real: Callable[..., Awaitable[Any]] = getattr(self, step)

        async def dying(*args: Any) -> None:
            if after:
                await real(*args)
            raise Killed

        setattr(self, step, dying)


STEPS = ("found", "looked", "refer", "collected", "ready", "is_wanted", "gone")


@on_both
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_dying_at_any_step_leaves_a_recording_that_the_next_life_completes(
    url: str, after: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings_steps, "TTL_S", 0.05)
    monkeypatch.setattr(recordings_book, "_POLL_S", 0.05)
    spool, library = tmp_path / "monitor", Library(tmp_path / "files")
    spool.mkdir()
    async with opened(url) as store:
        await happened(store, spool, 1)
        for step in STEPS:
            lives = [
                asyncio.ensure_future(act) for act in acts(Mortal(store, step, after=after), library, spool)
            ]
            died, _ = await asyncio.wait(lives, return_when=asyncio.FIRST_EXCEPTION, timeout=10)
            for one in lives:
                one.cancel()
            ends = await asyncio.gather(*lives, return_exceptions=True)
            assert died, f"never came to {step}"
            assert any(isinstance(end, Killed) for end in ends)
        lives = [asyncio.ensure_future(act) for act in acts(StoredBook(store), library, spool)]
        await idle(store, 1)
        for one in lives:
            one.cancel()
        await asyncio.gather(*lives, return_exceptions=True)
        check(await store.read(rows), tmp_path / "files", 1)


async def idle(store: Store, count: int) -> None:
    """Wait until so many recordings are known and nothing is left to be done."""
    async with asyncio.timeout(60):
        while True:
            if len(await store.read(rows)) == count and not await store.read(waiting):
                return
            await asyncio.sleep(0.05)


def acts(book: StoredBook, library: Library, spool: Path) -> list[Coroutine[Any, Any, None]]:
    """What a life does, until it is stopped."""
    place = Spool(spool)
    collector = Collector(book, library, {"pbx1": place}, QUICK)
    encoder = Encoder(book, library, ffmpeg(), opus=True)

    async def collect() -> None:
        await look_once(book, "pbx1", Watch(place), everywhere=True)
        while True:
            for job in await book.jobs(Stage.COLLECT, 1):
                await collector.collect(job)

    async def encode() -> None:
        while True:
            for job in await book.jobs(Stage.ENCODE, 1):
                await encoder.encode(job)

    return [collect(), encode(), Cleaner(book, library).run()]


@on_both
@pytest.mark.timeout(180)
@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.long)])
async def test_killing_the_collector_at_random_moments_attaches_each_recording_once(
    url: str, kills: int, tmp_path: Path
) -> None:
    seed = int(os.environ.get("PEREZVON_SEED") or (20261124 if kills == 3 else random.randrange(10**6)))
    print(f"PEREZVON_SEED={seed}")
    chance = random.Random(seed)
    spool, files = tmp_path / "monitor", tmp_path / "files"
    spool.mkdir()
    async with opened(url) as store:
        await happened(store, spool, CALLS)
    for _ in range(kills):
        process = await life(url, spool, files)
        await asyncio.sleep(chance.uniform(0.1, 1.2))
        process.kill()
        await process.wait()
    process = await life(url, spool, files)
    async with opened(url) as store:
        await idle(store, CALLS)
        process.kill()
        await process.wait()
        check(await store.read(rows), files, CALLS)


async def life(url: str, spool: Path, files: Path) -> asyncio.subprocess.Process:
    """A process that has begun."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.journeys.crash.recorder", url, str(spool), str(files)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout
    assert await process.stdout.readline() == b"begun\n"
    return process
