"""What several commands begin with: the configuration read, the database opened for a moment."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from config import log
from config.secret import secrets_in
from config.settings import Settings
from connectors import registry
from gateway.domain.errors import NeedsAdministrator
from gateway.store import migrate
from gateway.store.engine import Store, open_store

T = TypeVar("T")


def settings(path: Path | None) -> Settings:
    """The configuration, with logging set up by it. Raises `ConfigError`."""
    found = registry.load_settings(path, os.environ)
    log.set_up(found.log, secrets_in(found))
    return found


def with_store(path: Path | None, work: Callable[[Settings, Store], Awaitable[T]]) -> T:
    """Run `work` on the configured database, beside a running service if there is one.

    Raises `NeedsAdministrator` when the schema is not this version's.
    """
    found = settings(path)

    async def opened() -> T:
        store = await open_store(found.database.url.reveal())
        try:
            state = await migrate.state(store)
            if not state.up_to_date:
                raise NeedsAdministrator(
                    f"the database's schema is {state.current or 'empty'}, this version needs {state.head}",
                    remedy="run `perezvon migrate` first",
                )
            return await work(found, store)
        finally:
            await store.close()

    return asyncio.run(opened())
