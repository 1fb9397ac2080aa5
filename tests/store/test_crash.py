"""kill -9 of a writing process loses no acknowledged row, doubles none, and no row is without its fact."""

import asyncio
import os
import random
import signal
import subprocess
import sys

import pytest

from gateway.store import facts
from gateway.store.engine import Store, open_store
from tests.store import notes

WRITER = """
import asyncio, sys
from gateway.domain.facts import Fact
from gateway.store import facts
from gateway.store.engine import open_store
from tests.store import notes

def both(tx, key):
    if notes.add_once(tx, key):
        facts.append(tx, [Fact(key, b"{}")])

async def sender(store, number):
    for count in range(10**6):
        key = f"{sys.argv[2]}.{number}.{count}"
        await store.write(both, key)
        print(key, flush=True)

async def main():
    store = await open_store(sys.argv[1])
    await asyncio.gather(*(sender(store, number) for number in range(8)))

asyncio.run(main())
"""


async def write_and_die(url: str, life: int, acknowledgements: int) -> set[str]:
    """Let a process write until it has said so often that it did, kill it; the keys it acknowledged."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, url, str(life)),
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout
    acknowledged: set[str] = set()
    while len(acknowledged) < acknowledgements:
        line = await child.stdout.readline()
        assert line, "the writer ended by itself"
        acknowledged.add(line.decode().strip())
    child.send_signal(signal.SIGKILL)
    rest = await child.stdout.read()
    await child.wait()
    whole = rest.decode().rpartition("\n")[0]
    return acknowledged | set(whole.split())


async def every_row_has_its_fact(store: Store, start: facts.Position) -> None:
    """Returns when it is so; a server may need a moment to end the transactions of a dead client."""
    told: list[str] = []
    stored = {"unknown"}
    while sorted(told) != sorted(stored):
        stored = await store.read(notes.keys)
        told = [one.fact.type for one in await store.read(facts.read_after, start, 100_000)]


@pytest.mark.parametrize("kills", [3, pytest.param(15, marks=pytest.mark.long)])
async def test_killing_a_writing_process_loses_nothing_that_was_acknowledged(url: str, kills: int) -> None:
    seed = int(os.environ.get("PEREZVON_SEED", "20261124"))
    print(f"PEREZVON_SEED={seed}")
    chance = random.Random(seed)
    store = await open_store(url)
    await store.write(notes.create)
    start = await store.read(facts.now)
    acknowledged: set[str] = set()
    for life in range(kills):
        acknowledged |= await write_and_die(url, life, chance.randrange(1, 120))

    assert acknowledged
    assert acknowledged <= await store.read(notes.keys)
    await asyncio.wait_for(every_row_has_its_fact(store, start), 10)
    if store.dialect == "sqlite":
        assert await store.read(lambda tx: tx.exec_driver_sql("pragma integrity_check").scalar()) == "ok"
    await store.close()
