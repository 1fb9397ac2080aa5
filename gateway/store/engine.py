"""Opening the store; what it promises stands in contract.py."""

from typing import Any

from sqlalchemy import make_url

from gateway.domain.errors import NeedsAdministrator
from gateway.store.contract import Store, announce
from gateway.store.sqlite import open_sqlite

__all__ = ["Store", "announce", "open_store"]


async def open_store(url: str, *, exclusive: bool = False, **options: Any) -> Store:
    """Open the database at `url`: `sqlite+aiosqlite:///path` or `postgresql+asyncpg://...`.

    `exclusive` (SQLite): nobody else may have it open so; NeedsAdministrator says who has. PostgreSQL is not
    contacted here: a server that is away is StoreUnavailable at the first unit and heals by itself.
    `options` are those of `sqlite.open_sqlite` or `postgres.open_postgres`.
    """
    backend = make_url(url).get_backend_name()
    if backend == "sqlite":
        return await open_sqlite(url, exclusive=exclusive, **options)
    if backend == "postgresql":
        # Here, because the embedded default should not pay for a driver that it does not use.
        from gateway.store.postgres import open_postgres

        return await open_postgres(url, **options)
    raise NeedsAdministrator(
        f"no support for a database of kind {backend}",
        remedy="set database.url to sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER:PASSWORD@HOST/NAME",
    )
