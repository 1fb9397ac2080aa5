"""Files of messages on behalf of people: uploaded for a message to be written, looked at."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import Connection, select

from gateway.domain import media
from gateway.domain.errors import Conflict, Invalid
from gateway.domain.people import Actor, Role
from gateway.domain.recordings import Blob
from gateway.services import file_keeping, scope
from gateway.services.file_keeping import Draft
from gateway.services.views.threads import Attachment
from gateway.store.engine import Store
from gateway.store.tables_conversations import attachments, messages
from recordings.library import Library

CHUNK = 1 << 18


class Part(Protocol):
    """One part of a form, as it arrives."""

    @property
    def name(self) -> str | None: ...

    @property
    def filename(self) -> str | None: ...

    @property
    def headers(self) -> Any: ...

    async def read_chunk(self, size: int = ...) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Served:
    """A file to be sent to a browser. `shown`: it may be shown in place, otherwise only saved."""

    blob: Blob
    name: str
    mime: str
    shown: bool


async def upload(
    store: Store, actor: Actor, library: Library, next_part: Callable[[], Awaitable[Any]], largest: int
) -> Attachment:
    """Take the field `file` of a form in, for a message to be written. Raises `Invalid`, `TooLarge`."""
    part: Part | None = await next_part()
    if part is None or part.name != "file":
        raise Invalid.one("file", "is required, and the only field")
    draft = Draft(part.filename or "file", part.headers.get("Content-Type", ""), uploaded_by=actor.id)
    kept = await file_keeping.keep(store, library, _chunks(part), draft, largest)
    if await next_part() is not None:
        raise Invalid.one("file", "one file in a request")
    return await store.read(_view, kept)


async def _chunks(part: Part) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(CHUNK):
        yield chunk


def _view(tx: Connection, attachment_id: str) -> Attachment:
    return Attachment.of(tx.execute(select(attachments).where(attachments.c.id == attachment_id)).one())


async def serve(store: Store, actor: Actor, attachment_id: str) -> Served:
    """The file. Raises `NotFound`; `Conflict` as long as its bytes are not here, or will never be."""
    return await store.read(_serve, actor, attachment_id)


def _serve(tx: Connection, actor: Actor, attachment_id: str) -> Served:
    row = scope.attachment_for(tx, actor, attachment_id)
    if row.message_id is not None:
        of = select(messages.c.deleted_at).where(messages.c.id == row.message_id)
        if tx.scalar(of) is not None:
            scope.require(actor, Role.SUPERVISOR)
    if row.state != "ready":
        raise Conflict(f"this file is {row.state}: {row.error or 'it is on its way'}")
    return Served(file_keeping.blob_of(row), row.name, row.mime, row.mime in media.SHOWN)
