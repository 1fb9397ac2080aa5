"""The intake, the database or the disk dies amid 2,000 contacts: nothing lost, doubled or untold."""

import asyncio
import logging
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.domain.facts import Fact
from gateway.services.intake import VoiceIntake
from gateway.store import facts
from gateway.store.engine import Store, open_store
from gateway.store.migrate import migrate
from gateway.supervise import until_stored
from tests.journeys.crash import source
from tests.journeys.crash.ledger import Follower, check, furnish
from tests.lab.components import require
from tests.lab.postgres import PostgresServer, running

CONTACTS = 2000
BATCHES = len(list(source.batches(CONTACTS)))


@pytest.fixture
def chance() -> random.Random:
    """The moments of a run; its seed is printed when the test fails."""
    seed = int(os.environ.get("PEREZVON_SEED") or random.randrange(10**6) if _long() else 20261124)
    print(f"PEREZVON_SEED={seed}")
    return random.Random(seed)


def _long() -> bool:
    return bool(os.environ.get("PEREZVON_LONG"))


class Life:
    """One life of the process that takes contacts in, from the batch `first` on."""

    def __init__(self, url: str, contacts: int, first: int) -> None:
        self.acknowledged = first
        self._arguments = (url, str(contacts), str(first))

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.journeys.crash.child", *self._arguments),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    async def until(self, batch: int) -> None:
        """Return when that batch is acknowledged."""
        while self.acknowledged < batch:
            assert await self._hear(), "the intake ended by itself"

    async def _hear(self) -> bool:
        assert self.process.stdout
        line = await self.process.stdout.readline()
        if line.endswith(b"\n"):
            self.acknowledged = int(line)
        return bool(line)

    async def end(self) -> None:
        """kill -9, and what it said before."""
        self.process.kill()
        while await self._hear():
            pass
        await self.process.wait()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize("kills", [3, pytest.param(15, marks=pytest.mark.long)])
async def test_killing_the_intake_at_random_moments_loses_doubles_and_hides_nothing(
    url: str, kills: int, chance: random.Random
) -> None:
    store = await open_store(url)
    await furnish(store)
    start = await store.read(facts.now)
    follower = Follower(store, str(start))
    acknowledged = 0
    for moment in sorted(chance.sample(range(1, BATCHES), kills)):
        life = Life(url, CONTACTS, acknowledged)
        async with follower.following():
            await life.start()
            await life.until(max(moment, acknowledged))
            await asyncio.sleep(chance.uniform(0, 0.1))
            await life.end()
        acknowledged = life.acknowledged
    async with follower.following():
        await _finish(url, CONTACTS, acknowledged)
    await check(store, follower, start, CONTACTS)
    await store.close()


async def _finish(url: str, contacts: int, acknowledged: int) -> None:
    life = Life(url, contacts, acknowledged)
    await life.start()
    await life.until(len(list(source.batches(contacts))))
    assert await life.process.wait() == 0


@pytest.mark.parametrize("kills", [2, pytest.param(15, marks=pytest.mark.long)])
async def test_killing_postgresql_during_the_intake_only_makes_it_wait(
    postgres: PostgresServer, kills: int, chance: random.Random
) -> None:
    contacts = 100 * kills
    with running() as mortal:
        await migrate(mortal.url())
        store = await open_store(mortal.url())
        await furnish(store)
        start = await store.read(facts.now)
        follower = Follower(store, str(start))
        last = len(list(source.batches(contacts)))
        life = Life(mortal.url(), contacts, 0)
        async with follower.following():
            await life.start()
            for moment in sorted(chance.sample(range(last), kills)):
                await life.until(moment)
                await asyncio.sleep(chance.uniform(0, 0.1))
                await asyncio.to_thread(mortal.kill)
                await asyncio.sleep(chance.uniform(0, 0.3))
                await asyncio.to_thread(mortal.start)
            await life.until(last)
            assert await life.process.wait() == 0
        await check(store, follower, start, contacts)
        await store.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MB."""
    if os.geteuid() != 0:
        require("mounting a small tmpfs needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(disk)]
    mounted = subprocess.run(mount, capture_output=True, text=True, check=False)
    if mounted.returncode:
        require(f"a small tmpfs cannot be mounted: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


async def test_a_place_kept_from_before_a_crash_of_postgresql_misses_nothing_of_after() -> None:
    with running() as mortal:
        await migrate(mortal.url())
        store = await open_store(mortal.url())
        # A transaction that writes nothing: after the crash its number is given again.
        await store.write(lambda tx: tx.execute(text("select pg_current_xact_id()")).all())
        place = await store.read(facts.now)
        await asyncio.to_thread(mortal.kill)
        await asyncio.to_thread(mortal.start)
        await until_stored("a test", lambda: store.write(facts.append, [Fact("after", b"{}")]))
        seen = await store.read(facts.read_after, place, 10)
        assert [one.fact.type for one in seen] == ["after"]
        await store.close()


class Told(logging.Handler):
    """Sets `down` when the intake says that it waits for the database, and keeps what it says of that."""

    def __init__(self) -> None:
        super().__init__()
        self.down = asyncio.Event()
        self.actions: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        action: str = getattr(record, "action", "")
        if action in ("store_down", "store_back") and "intake" in record.getMessage():
            self.actions.append(action)
            self.down.set()


async def test_a_full_disk_holds_the_intake_until_there_is_room_again(small_disk: Path) -> None:
    contacts = 200
    url = f"sqlite+aiosqlite:///{small_disk / 'perezvon.db'}"
    await migrate(url)
    store = await open_store(url)
    await furnish(store)
    start = await store.read(facts.now)
    follower = Follower(store, str(start))
    _fill(small_disk, leave=500_000)
    heard, log = Told(), logging.getLogger("gateway.supervise")
    log.addHandler(heard)
    log.setLevel(logging.INFO)
    try:
        async with follower.following(), asyncio.timeout(60):
            taking_in = asyncio.create_task(_take_in(store, contacts))
            await heard.down.wait()
            assert not taking_in.done()
            (small_disk / "ballast").unlink()
            await taking_in
    finally:
        log.removeHandler(heard)
        log.setLevel(logging.NOTSET)
    assert heard.actions == ["store_down", "store_back"]
    await check(store, follower, start, contacts)
    await store.close()


async def _take_in(store: Store, contacts: int) -> None:
    for batch in source.batches(contacts):
        await VoiceIntake(store).calls_happened(batch)


def _fill(disk: Path, leave: int) -> None:
    free = os.statvfs(disk)
    with (disk / "ballast").open("wb") as ballast:
        ballast.write(b"x" * max(0, free.f_bavail * free.f_frsize - leave))
