"""Long work on the database apart from the store: a connection of its own, in a thread of its own.

Migrations, backups and restores take minutes and touch files; neither the writer nor the event loop may wait.
"""

import asyncio
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, create_engine, make_url
from sqlalchemy.pool import NullPool

from gateway.domain.errors import StoreUnavailable
from gateway.store import sqlite_files
from gateway.store.sqlite import sqlite_path

P = ParamSpec("P")
T = TypeVar("T")


async def apart(
    url: str,
    read_only: bool,
    work: Callable[Concatenate[Connection, P], T],
    *args: P.args,
    **kw: P.kwargs,
) -> T:
    """Run `work` in one transaction there and return after the commit; `read_only` sees one snapshot.

    On SQLite foreign keys are not enforced meanwhile, because Alembic rebuilds tables, but checked before the
    commit. Raises StoreUnavailable, or what `work` raises after everything is rolled back.
    """

    def unit(tx: Connection) -> T:
        return work(tx, *args, **kw)

    if make_url(url).get_backend_name() == "sqlite":
        return await asyncio.to_thread(_sqlite, url, read_only, unit)
    return await asyncio.to_thread(lambda: asyncio.run(_postgres(url, read_only, unit)))


def _sqlite(url: str, read_only: bool, unit: Callable[[Connection], T]) -> T:
    path = sqlite_path(url)
    sqlite_files.prepare(path)
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite_files.connect(path, read_only=read_only, busy_timeout_s=5.0),
        poolclass=NullPool,
    )
    try:
        with engine.connect() as tx:
            tx.exec_driver_sql("pragma foreign_keys = off")
            tx.rollback()
            tx.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
            result = unit(tx)
            if not read_only and (broken := tx.exec_driver_sql("pragma foreign_key_check").fetchall()):
                raise RuntimeError(f"rows would point nowhere: {broken[:5]}")
            tx.commit()
            return result
    except Exception as error:
        if shown := sqlite_files.unavailable(error):
            raise shown from error
        raise


async def _postgres(url: str, read_only: bool, unit: Callable[[Connection], T]) -> T:
    from gateway.store.postgres import make_engine
    from gateway.store.postgres_errors import unavailable

    engine = make_engine(url, poolclass=NullPool)
    if read_only:
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    try:
        async with engine.begin() as tx:
            return await tx.run_sync(unit)
    except StoreUnavailable:
        raise
    except Exception as error:
        if shown := unavailable(error):
            raise shown from error
        raise
    finally:
        await engine.dispose()
