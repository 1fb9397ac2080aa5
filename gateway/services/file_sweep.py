"""Uploads that no message brought are taken away after a day, and their bytes where nobody else has them."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection, delete, select

from gateway.domain.recordings import Blob
from gateway.services import file_keeping
from gateway.store.engine import Store
from gateway.store.tables_conversations import attachments
from gateway.supervise import until_stored
from recordings.library import Library

KEPT = timedelta(days=1)
EVERY_S = 600.0
_AT_ONCE = 200
_NAME = "the sweeping of files"


async def run(store: Store, library: Library) -> None:
    """For ever, each ten minutes."""
    while True:
        while await sweep(store, library, datetime.now(UTC) - KEPT) == _AT_ONCE:
            pass
        await asyncio.sleep(EVERY_S)


async def sweep(store: Store, library: Library, before: datetime) -> int:
    """Take away some uploads older than `before`; how many."""
    gone = await until_stored(_NAME, partial(store.write, _forget, before))
    for sha256 in {one for one in gone if one is not None}:
        blob = Blob(sha256, file_keeping.EXT, 0)
        await asyncio.to_thread(library.set_aside, blob)
        # Whoever refers to the bytes says so before he stores them: who came meanwhile is seen here.
        wanted = await until_stored(_NAME, partial(store.read, _is_wanted, sha256))
        await asyncio.to_thread(library.bring_back if wanted else library.discard, blob)
    return len(gone)


def _forget(tx: Connection, before: datetime) -> list[str | None]:
    old = select(attachments.c.id).where(
        attachments.c.message_id.is_(None), attachments.c.created_at < before
    )
    some = old.order_by(attachments.c.id).limit(_AT_ONCE)
    gone = delete(attachments).where(attachments.c.id.in_(some)).returning(attachments.c.sha256)
    return list(tx.scalars(gone))


def _is_wanted(tx: Connection, sha256: str) -> bool:
    return tx.scalar(select(attachments.c.id).where(attachments.c.sha256 == sha256).limit(1)) is not None
