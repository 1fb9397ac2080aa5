"""Files of incoming messages are fetched in the background, into the library, within limits."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, select, update

from gateway.domain import media
from gateway.domain.errors import NeedsAdministrator, PermanentFailure, TemporaryFailure, Unreachable
from gateway.domain.ports import Sender
from gateway.domain.recordings import Blob
from gateway.services import file_intake, file_keeping, thread_views
from gateway.store import facts, work
from gateway.store import threads as store
from gateway.store.engine import Store
from gateway.store.tables_conversations import attachments, messages
from gateway.store.work import Claim, ClaimLost
from gateway.supervise import until_stored
from recordings.library import Library, measured

log = logging.getLogger(__name__)

AT_ONCE = 4
POLL_S = 1.0
FETCH_S = 600.0
ATTEMPTS = 8
"""After so many, with pauses growing from 2 s to 10 minutes, a file is gone."""
_LONGEST_PAUSE_S = 600.0
_NAME = "the fetching of files"


class Fetching:
    """Fetches the files of the connector `name`; none larger than `largest` bytes."""

    def __init__(self, store_: Store, library: Library, name: str, sender: Sender, largest: int) -> None:
        self._store = store_
        self._library = library
        self._kind = file_intake.work_kind(name)
        self._sender = sender
        self._largest = min(largest, sender.traits.largest_file)
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """For ever; nobody else fetches for this connector meanwhile."""
        await until_stored(_NAME, partial(self._store.write, work.release_all, self._kind))
        stop = self._store.on_commit(self._wake.set)
        try:
            while True:
                self._wake.clear()
                if not await self.step():
                    await self._woken()
        finally:
            stop()

    async def _woken(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
        except TimeoutError:
            return

    async def step(self) -> bool:
        """Fetch what is due now; whether there was anything."""
        claim = partial(work.claim, kind=self._kind, limit=AT_ONCE, ttl_s=2 * FETCH_S)
        claims = await until_stored(_NAME, partial(self._store.write, claim))
        async with asyncio.TaskGroup() as group:
            for one in claims:
                group.create_task(self._fetch(one))
        return bool(claims)

    async def _fetch(self, claim: Claim) -> None:
        row = await until_stored(_NAME, partial(self._store.read, _row, claim.payload))
        try:
            if row is None or row.state != "pending":
                await self._settled(claim, {})
            elif row.size is not None and row.size > self._largest:
                await self._settled(claim, _refused(f"larger than {self._largest / 1_000_000:g} MB"))
            else:
                await self._try(claim, row)
        except ClaimLost:
            log.info("a file was taken away while it was fetched", extra={"action": "claim_lost"})

    async def _try(self, claim: Claim, row: Row[Any]) -> None:
        with self._library.draft() as folder:
            try:
                async with asyncio.timeout(FETCH_S):
                    await self._sender.fetch(row.reference, folder / "file", self._largest)
                await self._take(claim, row, folder / "file")
            except Unreachable as failure:
                await self._settled(claim, {"state": "gone", "error": str(failure)})
            except PermanentFailure as failure:
                await self._settled(claim, _refused(str(failure)))
            except (TemporaryFailure, NeedsAdministrator, TimeoutError, OSError) as failure:
                await self._later(claim, str(failure) or type(failure).__name__)
            except ClaimLost:
                raise
            except Exception as error:
                log.exception("a file could not be fetched", extra={"action": "fetch_failed"})
                await self._later(claim, f"{type(error).__name__}: {error}")

    async def _take(self, claim: Claim, row: Row[Any], file: Path) -> None:
        sha256, size = await asyncio.to_thread(measured, file)
        if size > self._largest:
            await self._settled(claim, _refused(f"larger than {self._largest / 1_000_000:g} MB"))
            return
        head = await asyncio.to_thread(_head, file)
        blob = Blob(sha256, file_keeping.EXT, size)
        known = {"sha256": sha256, "size": size, "mime": media.kind_of(head, row.mime)}
        # The reference is durable before the bytes are, the bytes before anybody is told.
        await until_stored(_NAME, partial(self._store.write, _refer, row.id, known))
        await asyncio.to_thread(self._library.keep, file, blob)
        await self._settled(claim, {"state": "ready", "error": None})

    async def _later(self, claim: Claim, why: str) -> None:
        if claim.attempts >= ATTEMPTS:
            await self._settled(claim, {"state": "gone", "error": why})
            return
        pause_s = min(2.0**claim.attempts, _LONGEST_PAUSE_S)
        due_at = datetime.now(UTC) + timedelta(seconds=pause_s)
        await until_stored(_NAME, partial(self._store.write, work.retry_at, claim, due_at, why))

    async def _settled(self, claim: Claim, values: dict[str, Any]) -> None:
        await until_stored(_NAME, partial(self._store.write, _settle, claim, values))


def _refused(why: str) -> dict[str, Any]:
    return {"state": "refused", "error": why}


def _head(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(media.HEAD)


def _row(tx: Connection, attachment_id: str) -> Row[Any] | None:
    return tx.execute(select(attachments).where(attachments.c.id == attachment_id)).one_or_none()


def _refer(tx: Connection, attachment_id: str, known: dict[str, Any]) -> None:
    tx.execute(update(attachments).where(attachments.c.id == attachment_id).values(**known))


def _settle(tx: Connection, claim: Claim, values: dict[str, Any]) -> None:
    work.done(tx, claim)
    row = _row(tx, claim.payload)
    if row is None or not values:
        return
    tx.execute(update(attachments).where(attachments.c.id == row.id).values(**values))
    message = tx.execute(select(messages).where(messages.c.id == row.message_id)).one_or_none()
    if message is not None:
        thread = store.locked(tx, message.thread_id)
        facts.append(tx, [thread_views.told(tx, "message.updated", message, thread)])
