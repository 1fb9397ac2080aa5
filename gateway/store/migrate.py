"""Bringing the schema to where this version's code expects it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, make_url, text

from gateway.domain.errors import NeedsAdministrator
from gateway.store import sqlite_files
from gateway.store.apart import apart
from gateway.store.contract import Store
from gateway.store.sqlite import sqlite_path

SCRIPTS = Path(__file__).parent / "migrations"
ADVISORY_LOCK = 0x70657265_7A766F6E


@dataclass(frozen=True, slots=True)
class SchemaState:
    """The revision the database is at (None: no schema yet) and the one this code wants."""

    current: str | None
    head: str

    @property
    def up_to_date(self) -> bool:
        return self.current == self.head


@dataclass(frozen=True, slots=True)
class Migrated:
    """What `migrate` did: `backup` is the copy made before, where there was anything to lose."""

    before: str | None
    after: str
    backup: Path | None


async def state(store: Store) -> SchemaState:
    """Where the schema of `store` stands."""
    return SchemaState(await store.read(current), head())


async def migrate(url: str, *, target: str = "head") -> Migrated:
    """Bring the database at `url` to the newest schema, in one transaction: all of it or nothing.

    SQLite: a copy is made beside the file first; hold the store exclusively meanwhile. PostgreSQL: nodes that
    start together wait for the one that migrates. NeedsAdministrator: the schema is newer than this code, or
    the database belongs to something else. StoreUnavailable: it cannot be reached or is full.
    """
    backup = None
    if make_url(url).get_backend_name() == "sqlite":
        backup = await apart(url, False, _copy_before, sqlite_path(url), target)
    before, after = await apart(url, False, _upgrade, target)
    return Migrated(before, after, backup)


def current(tx: Connection) -> str | None:
    """The revision of the schema, None where there is none yet."""
    return MigrationContext.configure(tx).get_current_revision()


def head() -> str:
    """The revision this code wants."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None
    return newest


def revisions() -> set[str]:
    """Every revision this code knows the way from."""
    return {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}


def upgrade(tx: Connection, target: str = "head") -> None:
    """Run the revisions that are missing up to `target`, in the transaction of `tx`."""
    _refuse_foreign(tx)
    command.upgrade(_config(tx), target)


def _upgrade(tx: Connection, target: str) -> tuple[str | None, str]:
    if tx.dialect.name == "postgresql":
        tx.execute(text("select pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
        tx.execute(text("set local lock_timeout = '3s'"))
    before = current(tx)
    upgrade(tx, target)
    after = current(tx)
    assert after is not None
    return before, after


def _copy_before(tx: Connection, path: Path, target: str) -> Path | None:
    before = current(tx)
    if before is None or before == (head() if target == "head" else target):
        return None
    _refuse_foreign(tx)
    copy = path.with_name(f"{path.name}.{before}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}.bak")
    sqlite_files.copy(path, copy)
    return copy


def _refuse_foreign(tx: Connection) -> None:
    """NeedsAdministrator when the schema is not one that this code knows how to lead on."""
    before = current(tx)
    if before is not None and before not in revisions():
        raise NeedsAdministrator(
            f"the database's schema ({before}) is newer than this version of Perezvon",
            remedy="run the newer version, or restore the backup made before its upgrade",
        )
    if before is None and (there := inspect(tx).get_table_names()):
        raise NeedsAdministrator(
            f"the database already holds tables that are not Perezvon's: {', '.join(sorted(there)[:5])}",
            remedy="give Perezvon a database of its own in database.url",
        )


def _config(tx: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = tx
    return config
