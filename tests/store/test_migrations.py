"""From nothing to the newest schema on both engines, and what is refused on the way."""

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from gateway.domain.errors import NeedsAdministrator
from gateway.store import migrate as migrations
from gateway.store.apart import apart
from gateway.store.engine import open_store
from gateway.store.migrate import head, migrate, state, upgrade
from gateway.store.migrations.options import METADATA, OPTIONS
from gateway.store.sqlite import sqlite_path
from tests.store.regenerate import fingerprint


def differences(tx: Connection) -> list[object]:
    options = {key: value for key, value in OPTIONS.items() if key != "target_metadata"}
    return list(compare_metadata(MigrationContext.configure(tx, opts=options), METADATA))


async def test_from_nothing_to_the_newest_schema_equals_the_tables(empty_url: str) -> None:
    done = await migrate(empty_url)

    assert (done.before, done.after, done.backup) == (None, head(), None)
    assert await apart(empty_url, True, differences) == []


async def test_the_initial_revision_is_that_of_the_tables_of_today() -> None:
    assert fingerprint() == head()


async def test_migrating_again_does_nothing(url: str) -> None:
    assert await migrate(url) == migrations.Migrated(head(), head(), None)


async def test_the_state_tells_a_database_without_schema_from_one_that_is_up_to_date(empty_url: str) -> None:
    store = await open_store(empty_url)
    assert (await state(store)).current is None
    await migrate(empty_url)
    assert (await state(store)).up_to_date
    await store.close()


async def test_a_schema_newer_than_the_code_is_refused_and_left_alone(url: str) -> None:
    store = await open_store(url)
    await store.write(
        lambda tx: tx.execute(text("update alembic_version set version_num = 'future'")) and None
    )
    with pytest.raises(NeedsAdministrator, match="newer than this version") as refused:
        await migrate(url)
    assert "restore the backup" in refused.value.remedy
    assert (await state(store)).current == "future"
    await store.close()


async def test_a_database_with_other_tables_is_refused(empty_url: str) -> None:
    store = await open_store(empty_url)
    await store.write(lambda tx: tx.execute(text("create table other (id integer)")) and None)
    with pytest.raises(NeedsAdministrator, match="not Perezvon's: other"):
        await migrate(empty_url)
    await store.close()


async def test_a_migration_that_fails_leaves_nothing_behind(empty_url: str) -> None:
    def upgrade_and_fail(tx: Connection) -> None:
        upgrade(tx)
        tx.execute(text("create table half_done (id integer primary key)"))
        tx.execute(text("insert into no_such_table values (1)"))

    with pytest.raises(Exception, match="no_such_table"):
        await apart(empty_url, False, upgrade_and_fail)

    assert await apart(empty_url, True, lambda tx: tx.dialect.get_table_names(tx)) == []


async def test_sqlite_is_copied_before_an_upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'perezvon.db'}"
    await migrate(url)
    store = await open_store(url)
    await store.write(lambda tx: tx.execute(text("insert into installation values ('a', 'b', 1)")) and None)
    monkeypatch.setattr(migrations, "head", lambda: "the_next")

    done = await migrate(url)

    await store.close()
    assert done.backup is not None
    assert done.backup.stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(done.backup) as copy:
        assert copy.execute("select value from installation").fetchall() == [("b",)]
    copy.close()
    assert sqlite_path(url).stat().st_mode & 0o777 == 0o600
