"""SQLite when it is locked, full, taken or misplaced: refused in words, nothing lost, and it heals alone."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.domain.errors import NeedsAdministrator, StoreUnavailable
from gateway.store.engine import open_store
from tests.lab.components import require
from tests.store import notes

HOLD_LOCK = """
import sqlite3, sys
tx = sqlite3.connect(sys.argv[1], isolation_level=None)
tx.execute("begin exclusive")
print("locked", flush=True)
sys.stdin.read()
"""


def url_of(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    if os.geteuid() != 0:
        require("mounting a small tmpfs needs root")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        require(f"a small tmpfs cannot be mounted: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


async def test_a_full_disk_is_unavailable_loses_nothing_acknowledged_and_heals(tiny_disk: Path) -> None:
    store = await open_store(url_of(tiny_disk / "perezvon.db"))
    await store.write(notes.create)
    (tiny_disk / "ballast").write_bytes(b"x" * 300_000)

    acknowledged: set[str] = set()

    async def fill_up() -> None:
        for number in range(20_000):
            await store.write(notes.add, f"{number:060d}")
            acknowledged.add(f"{number:060d}")

    with pytest.raises(StoreUnavailable, match=r"full|I/O"):
        await fill_up()
    assert await store.read(notes.keys) == acknowledged

    (tiny_disk / "ballast").unlink()
    outcomes = await asyncio.gather(*(store.write(notes.add, f"after{n}") for n in range(5)))
    assert outcomes == [None] * 5
    assert len(await store.read(notes.keys)) == len(acknowledged) + 5
    assert await store.read(lambda tx: tx.exec_driver_sql("pragma integrity_check").scalar()) == "ok"
    await store.close()


async def test_a_lock_held_by_another_process_is_unavailable_and_heals_when_it_lets_go(
    tmp_path: Path,
) -> None:
    path = tmp_path / "perezvon.db"
    store = await open_store(url_of(path), busy_timeout_s=0.05)
    await store.write(notes.create)
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD_LOCK, str(path)), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout
    assert await other.stdout.readline() == b"locked\n"

    with pytest.raises(StoreUnavailable, match="locked"):
        await store.write(notes.add, "while locked")
    failed = await asyncio.gather(
        *(store.write(notes.add, f"n{n}") for n in range(8)), return_exceptions=True
    )
    assert all(isinstance(one, StoreUnavailable) for one in failed)

    await other.communicate(b"")
    await store.write(notes.add, "after")
    assert await store.read(notes.keys) == {"after"}
    await store.close()


async def test_a_lock_that_is_let_go_in_time_is_only_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "perezvon.db"
    store = await open_store(url_of(path), busy_timeout_s=10)
    await store.write(notes.create)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    writing = asyncio.create_task(store.write(notes.add, "patient"))
    await asyncio.sleep(0.1)
    assert not writing.done()
    other.close()
    await writing
    await store.close()


async def test_a_second_service_on_the_same_file_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    path = tmp_path / "perezvon.db"
    first = await open_store(url_of(path), exclusive=True)
    with pytest.raises(NeedsAdministrator, match=f"process {os.getpid()}") as refused:
        await open_store(url_of(path), exclusive=True)
    assert "database.url" in refused.value.remedy
    command = await open_store(url_of(path))  # a command beside the service is welcome
    await command.close()
    await first.close()
    await (await open_store(url_of(path), exclusive=True)).close()


async def test_the_folder_and_the_files_are_for_their_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "var" / "deep" / "perezvon.db"
    store = await open_store(url_of(path), exclusive=True)
    await store.write(notes.create)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    assert len(list(path.parent.iterdir())) == 4
    await store.close()


async def test_a_place_that_cannot_be_written_needs_the_administrator(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NeedsAdministrator) as refused:
        await open_store(url_of(tmp_path / "file" / "perezvon.db"))
    assert "database.url" in refused.value.remedy


async def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "perezvon.db").write_bytes(b"GIF89a" * 1000)
    with pytest.raises(StoreUnavailable, match="not a database"):
        await open_store(url_of(tmp_path / "perezvon.db"))


@pytest.mark.parametrize(
    "url", ["sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:", "mysql+aiomysql://u@h/d"]
)
async def test_a_url_we_cannot_serve_needs_the_administrator(url: str) -> None:
    with pytest.raises(NeedsAdministrator) as refused:
        await open_store(url)
    assert "database.url" in refused.value.remedy


async def test_the_log_is_folded_into_the_file_while_nobody_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.sqlite_writer.IDLE_S", 0.05)
    path = tmp_path / "perezvon.db"
    store = await open_store(url_of(path))
    await store.write(notes.create)
    await store.write(notes.add, "a")
    log = path.with_name("perezvon.db-wal")
    async with asyncio.timeout(10):
        while log.stat().st_size:  # noqa: ASYNC110  (no event tells of it)
            await asyncio.sleep(0.02)
    await store.write(notes.add, "b")
    assert await store.read(notes.keys) == {"a", "b"}
    await store.close()


ADD_NOTE = """
import sqlite3, sys
tx = sqlite3.connect(sys.argv[1])
tx.execute("insert into notes (key) values ('theirs')")
tx.commit()
tx.close()
"""


async def test_a_second_opening_leaves_the_first_ones_locks_to_it(tmp_path: Path) -> None:
    """To close any descriptor of the file drops this process's locks (fcntl(2)): another process would take
    itself for the last one and throw the WAL away that this one goes on writing to."""
    path = tmp_path / "perezvon.db"
    store = await open_store(url_of(path))
    await store.write(notes.create)
    await (await open_store(url_of(path))).close()

    other = await asyncio.create_subprocess_exec(sys.executable, "-c", ADD_NOTE, path)
    assert await other.wait() == 0
    await store.write(notes.add, "ours")

    assert await store.read(notes.keys) == {"theirs", "ours"}
    await store.close()
    again = await open_store(url_of(path))
    assert await again.read(notes.keys) == {"theirs", "ours"}
    await again.close()


async def test_what_is_written_to_a_file_that_is_gone_is_not_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "perezvon.db"
    store = await open_store(url_of(path))
    await store.write(notes.create)
    aside = path.rename(tmp_path / "aside.db")
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            await store.write(notes.add, "lost")
    aside.rename(path)
    await store.write(notes.add, "kept")
    assert await store.read(notes.keys) == {"kept"}
    await store.close()
