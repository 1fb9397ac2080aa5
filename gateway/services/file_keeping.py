"""Files of messages into the library: measured, named safely, typed by what they are.

The row that refers to the bytes is committed before they are put into the library, so that whoever takes
unused bytes away sees that they are wanted; a file is `ready` only once its bytes are there.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, update

from gateway.domain import media
from gateway.domain.errors import FieldError, Invalid
from gateway.domain.ids import new_id
from gateway.domain.recordings import Blob
from gateway.store.engine import Store
from gateway.store.tables_conversations import attachments
from recordings.library import Library

KEPT = "kept:"
"""Begins the reference of a file that is here already."""
EXT = "bin"
"""All files of messages have this suffix in the library: what they are stands in the row."""


class TooLarge(Invalid):
    """The file is larger than allowed."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A file that comes in: its name and declared type as they were told, and who brings it."""

    name: str
    mime: str = ""
    connector: str | None = None
    uploaded_by: str | None = None


def blob_of(row: Any) -> Blob:
    """The bytes of a row of `attachments`."""
    return Blob(row.sha256, EXT, row.size)


async def keep(
    store: Store, library: Library, chunks: AsyncIterator[bytes], draft: Draft, largest: int
) -> str:
    """Store what arrives; the id of its attachment. Raises `TooLarge` (`largest` in bytes), `Invalid`."""
    with library.draft() as folder:
        blob, head = await _written(chunks, folder / "file", largest)
        row = new_row(draft) | {
            "mime": media.kind_of(head, draft.mime),
            "size": blob.size,
            "sha256": blob.sha256,
        }
        await store.write(_add, row)
        await asyncio.to_thread(library.keep, folder / "file", blob)
    await store.write(_ready, row["id"])
    return str(row["id"])


def new_row(draft: Draft) -> dict[str, Any]:
    """The columns of a file whose bytes are not here."""
    return {
        "id": new_id(),
        "message_id": None,
        "uploaded_by": draft.uploaded_by,
        "connector": draft.connector,
        "reference": None,
        "name": media.safe_name(draft.name),
        "mime": media.UNKNOWN,
        "size": None,
        "sha256": None,
        "state": "pending",
        "error": None,
        "place": 0,
        "created_at": datetime.now(UTC),
    }


def _add(tx: Connection, row: dict[str, Any]) -> None:
    tx.execute(insert(attachments), row)


def _ready(tx: Connection, attachment_id: str) -> None:
    tx.execute(update(attachments).where(attachments.c.id == attachment_id).values(state="ready"))


async def _written(chunks: AsyncIterator[bytes], target: Path, largest: int) -> tuple[Blob, bytes]:
    digest, size, head = hashlib.sha256(), 0, b""
    with await asyncio.to_thread(target.open, "xb") as file:
        async for chunk in chunks:
            size += len(chunk)
            if size > largest:
                raise TooLarge([FieldError("file", f"at most {largest / 1_000_000:g} MB")])
            head = head if len(head) >= media.HEAD else head + chunk[: media.HEAD]
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
    if not size:
        raise Invalid.one("file", "is empty")
    return Blob(digest.hexdigest(), EXT, size), head[: media.HEAD]
