"""A backup made while the service writes is whole, and goes back into an empty place of either engine."""

import asyncio
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from gateway.domain.errors import NeedsAdministrator
from gateway.domain.facts import Fact
from gateway.domain.ids import new_id
from gateway.store import facts, tables, work
from gateway.store.backup import backup, restore
from gateway.store.engine import Store, open_store
from gateway.store.migrate import migrate, state
from gateway.store.rows import BATCH, kept
from gateway.store.schema import metadata
from tests.lab.postgres import PostgresServer
from tests.store.engines import on_sqlite

NOW = datetime(2026, 11, 24, 9, 15, 4, 120001, tzinfo=UTC)


def add_team(tx: Connection, name: str) -> str:
    team = new_id()
    tx.execute(insert(tables.teams).values(id=team, name=name, version=1, created_at=NOW))
    return team


def fill(tx: Connection) -> None:
    team = add_team(tx, 'main «ё» 😀 "quotes" \n line')
    batch = new_id()
    tx.execute(insert(tables.import_batches).values(id=batch, at=NOW, file="clients.csv", cards=BATCH + 7))
    cards = [
        {
            "id": new_id(),
            "version": 1,
            "kind": "lead",
            "type": "person",
            "name": f"Client {number}",
            "priority": 0,
            "team_id": team,
            "tags": ["vip"] if number % 2 else [],
            "note": "",
            "fields": {"n": number},
            "external": [],
            "batch_id": batch,
            "created_at": NOW,
            "updated_at": NOW,
        }
        for number in range(BATCH + 7)
    ]
    tx.execute(insert(tables.cards), cards)
    facts.append(tx, [Fact("card.updated", b"{}")])
    for number in range(3):
        work.put(tx, "mail", f"m{number}", key="k")


def everything(tx: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        one.name: sorted((tuple(row) for row in tx.execute(select(one))), key=repr) for one in kept(metadata)
    }


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database to restore into."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'other' / 'perezvon.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as name:
        yield server.url(name)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Stored files, one of them large."""
    root = tmp_path / "storage"
    (root / "ab").mkdir(parents=True)
    (root / "ab" / "abcd").write_bytes(bytes(range(256)) * 9000)
    (root / "note").write_bytes(b"")
    return root


async def test_a_backup_goes_back_into_either_engine_row_by_row_and_byte_by_byte(
    store: Store, elsewhere: str, files: Path, tmp_path: Path
) -> None:
    await store.write(fill)
    made = await backup(store.url, files, tmp_path / "backup")
    await restore(tmp_path / "backup", elsewhere, tmp_path / "restored")

    back = await open_store(elsewhere)
    assert (await state(back)).up_to_date
    assert await back.read(everything) == await store.read(everything)
    assert [one.payload for one in await back.write(work.claim, "mail", limit=5)] == ["m0"]
    newest = await back.write(work.put, "mail", "after")
    assert newest > 3
    await back.close()
    assert {one.path for one in made.files} == {"ab/abcd", "note"}
    for one in made.files:
        assert (tmp_path / "restored" / one.path).read_bytes() == (files / one.path).read_bytes()


async def test_a_backup_made_under_writing_is_one_moment(
    store: Store, elsewhere: str, tmp_path: Path
) -> None:
    stop = asyncio.Event()

    def pair(tx: Connection, number: int) -> None:
        team = add_team(tx, f"team {number}")
        tx.execute(insert(tables.skills).values(id=team, name=f"skill {number}", version=1, created_at=NOW))

    async def keep_writing() -> int:
        number = 0
        while not stop.is_set():
            await store.write(pair, number)
            number += 1
        return number

    writing = asyncio.create_task(keep_writing())
    await asyncio.sleep(0.2)
    await backup(store.url, None, tmp_path / "backup")
    stop.set()
    assert await writing
    await restore(tmp_path / "backup", elsewhere, None)
    back = await open_store(elsewhere)
    teams = await back.read(lambda tx: set(tx.scalars(select(tables.teams.c.id))))
    assert teams
    assert teams == await back.read(lambda tx: set(tx.scalars(select(tables.skills.c.id))))
    await back.close()


async def test_a_place_that_is_not_empty_is_refused_and_left_as_it_was(
    store: Store, files: Path, tmp_path: Path
) -> None:
    await store.write(fill)
    before = await store.read(everything)
    await backup(store.url, files, tmp_path / "backup")
    with pytest.raises(NeedsAdministrator, match="not empty"):
        await backup(store.url, files, tmp_path / "backup")
    with pytest.raises(NeedsAdministrator, match="storage is not empty"):
        await restore(tmp_path / "backup", store.url, files)
    with pytest.raises(NeedsAdministrator, match="the database is not empty"):
        await restore(tmp_path / "backup", store.url, tmp_path / "new")
    assert await store.read(everything) == before


def flip(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


@on_sqlite
@pytest.mark.parametrize(
    "damage",
    [
        lambda place: flip(place / "tables" / "cards.jsonl"),
        lambda place: flip(place / "files" / "ab" / "abcd"),
        lambda place: (place / "files" / "note").unlink(),
        lambda place: (place / "manifest.json").unlink(),
        lambda place: (place / "manifest.json").write_bytes(b"{}"),
        lambda place: (place / "manifest.json").write_text(
            (place / "manifest.json").read_text().replace("ab/abcd", "../../etc/passwd")
        ),
        lambda place: (place / "manifest.json").write_text(
            (place / "manifest.json").read_text().replace('"schema": "', '"schema": "f')
        ),
        lambda place: shutil.rmtree(place),
    ],
)
async def test_a_damaged_backup_is_refused_before_anything_is_written(
    store: Store, files: Path, tmp_path: Path, damage: Any
) -> None:
    await store.write(fill)
    await backup(store.url, files, tmp_path / "backup")
    damage(tmp_path / "backup")
    target = tmp_path / "new" / "perezvon.db"
    with pytest.raises(NeedsAdministrator):
        await restore(tmp_path / "backup", f"sqlite+aiosqlite:///{target}", tmp_path / "restored")
    assert not target.exists()
    assert not (tmp_path / "restored").exists()


async def test_a_database_below_the_storage_is_not_taken_for_a_stored_file(tmp_path: Path) -> None:
    root = tmp_path / "var"
    url = f"sqlite+aiosqlite:///{root / 'perezvon.db'}"
    store = await open_store(url, exclusive=True)
    await store.close()
    await migrate(url)
    (root / "recording").write_bytes(b"sound")
    made = await backup(url, root, root / "backups" / "today")
    assert [one.path for one in made.files] == ["recording"]


async def test_no_table_refers_to_itself_or_in_a_circle_so_rows_can_be_put_back_in_order() -> None:
    done: set[str] = set()
    for one in metadata.sorted_tables:
        for key in one.foreign_keys:
            assert key.column.table.name in done
        done.add(one.name)
