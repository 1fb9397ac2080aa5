"""The service's side of the port `MessageIntake`: what comes becomes durable before it returns."""

import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Connection

from gateway.domain.messages import RawUpdate
from gateway.services import file_keeping, presence_told
from gateway.store import raw
from gateway.store.engine import Store
from recordings.library import Library

_TYPING_EVERY_S = 3.0
_MOST_TYPING = 10_000


class RawIntake:
    """What the connector `name` tells."""

    def __init__(self, store: Store, library: Library, name: str) -> None:
        self._store = store
        self._library = library
        self._name = name
        self._typed: dict[str, float] = {}

    async def store_raw(self, updates: Sequence[RawUpdate], checkpoint: str | None = None) -> int:
        """Store those not known yet, and the checkpoint, in one transaction; how many were new."""
        return await self._store.write(partial(_keep, name=self._name), updates, checkpoint)

    async def checkpoint(self) -> str | None:
        """The checkpoint stored last."""
        return await self._store.read(raw.checkpoint, self._name)

    async def keep_file(self, chunks: AsyncIterator[bytes], name: str, largest: int) -> str:
        """Store a file that a message will bring."""
        draft = file_keeping.Draft(name, connector=self._name)
        kept = await file_keeping.keep(self._store, self._library, chunks, draft, largest)
        return file_keeping.KEPT + kept

    async def typing(self, thread_key: str) -> None:
        """Tell that the client is typing, at most once in some seconds."""
        now = time.monotonic()
        if now - self._typed.get(thread_key, -_TYPING_EVERY_S) < _TYPING_EVERY_S:
            return
        if len(self._typed) >= _MOST_TYPING:
            self._typed.clear()
        self._typed[thread_key] = now
        await self._store.write(presence_told.client_types, self._name, thread_key)


def _keep(tx: Connection, updates: Sequence[RawUpdate], checkpoint: str | None, *, name: str) -> int:
    fresh = raw.put(tx, name, updates)
    if checkpoint is not None:
        raw.keep_checkpoint(tx, name, checkpoint, datetime.now(UTC))
    return fresh
