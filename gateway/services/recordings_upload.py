"""A recording comes by upload from a PBX whose folder we cannot see."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Row, select, update

from gateway.domain.errors import Conflict, FieldError, Invalid, Refused
from gateway.domain.ids import stable_id
from gateway.domain.people import Actor
from gateway.domain.recordings import (
    Blob,
    RecordingState,
    channel_number,
    file_name,
    moment_of,
    uniqueid_in,
)
from gateway.services import recordings_intake, recordings_rows
from gateway.services.recordings_told import tell
from gateway.services.views.recordings import Recording
from gateway.store.engine import Store
from gateway.store.tables import connectors, recordings
from recordings.formats import DEMUXER, extension_of
from recordings.library import Library

_LONGEST_TEXT = 1024
_TEXTS = ("pbx", "uniqueid", "linkedid")


class TooLarge(Invalid):
    """The file is larger than the settings allow."""


class Part(Protocol):
    """One part of a form, as it arrives."""

    @property
    def name(self) -> str | None: ...

    @property
    def filename(self) -> str | None: ...

    async def read_chunk(self, size: int = ...) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Sent:
    """An upload that is on our disk, in the making: what it says of itself, and its bytes."""

    pbx: str
    uniqueid: str
    name: str
    draft: Path
    blob: Blob


def may_upload(actor: Actor) -> None:
    """Programs with the scope may, and admins; raises `Refused`."""
    if not actor.sees_all and "recordings:write" not in actor.scopes:
        raise Refused("recordings are uploaded by a token with the scope recordings:write")


async def receive(next_part: Callable[[], Awaitable[Any]], folder: Path, largest: int) -> Sent:
    """Write the form's file to `folder` as it arrives. Raises `Invalid`, `TooLarge` (`largest` in bytes)."""
    texts: dict[str, str] = {}
    name, digest, size = "", hashlib.sha256(), 0
    while (part := await next_part()) is not None:
        if part.name in _TEXTS:
            texts[part.name] = await _text(part)
        elif part.name == "file" and not name:
            name = file_name((part.filename or "").replace("\\", "/"))
            size = await _file(part, folder / "upload", digest, largest)
        else:
            raise Invalid.one(part.name or "", "there is no such field, or it was sent twice")
    ext = extension_of(name)
    uniqueid = uniqueid_in(channel_number(texts.get("uniqueid") or texts.get("linkedid") or ""))
    errors = [FieldError("pbx", "is required")] if not texts.get("pbx") else []
    if uniqueid is None:
        errors.append(FieldError("uniqueid", "the Uniqueid of a channel, such as 1763974800.12, or linkedid"))
    if ext is None:
        errors.append(FieldError("file", f"a file named with one of {', '.join(sorted(DEMUXER))}"))
    if errors or uniqueid is None or ext is None:
        raise Invalid(errors)
    return Sent(texts["pbx"], uniqueid, name[-255:], folder / "upload", Blob(digest.hexdigest(), ext, size))


async def _text(part: Part) -> str:
    read = b""
    while chunk := await part.read_chunk(_LONGEST_TEXT):
        read += chunk
        if len(read) > _LONGEST_TEXT:
            raise Invalid.one(part.name or "", f"at most {_LONGEST_TEXT} bytes")
    try:
        text = read.decode().strip()
    except UnicodeDecodeError:
        raise Invalid.one(part.name or "", "is no UTF-8") from None
    if not text.isprintable():
        raise Invalid.one(part.name or "", "must not hold control characters")
    return text


async def _file(part: Part, target: Path, digest: Any, largest: int) -> int:
    size = 0
    with await asyncio.to_thread(target.open, "xb") as file:
        while chunk := await part.read_chunk(1 << 18):
            size += len(chunk)
            if size > largest:
                raise TooLarge([FieldError("file", f"at most {largest / 1_000_000:g} MB")])
            digest.update(chunk)
            await asyncio.to_thread(file.write, chunk)
    return size


async def take(store: Store, actor: Actor, library: Library, sent: Sent) -> Recording:
    """Make the upload a recording; the same bytes for the same call are the same one.

    Raises `Refused`, `Invalid` for a PBX that is none of ours.
    """
    may_upload(actor)
    recording_id = await store.write(_refer, sent)
    # The reference is durable before the bytes are, the bytes before anybody is told.
    await asyncio.to_thread(library.keep, sent.draft, sent.blob)
    return await store.write(_taken, recording_id)


def _refer(tx: Connection, sent: Sent) -> str:
    if tx.scalar(select(connectors.c.id).where(connectors.c.name == sent.pbx)) is None:
        raise Invalid.one("pbx", "the name of one of the connectors")
    recordings_intake.lock_name(tx, sent.pbx, sent.name)
    call_id = recordings_intake.call_with(tx, sent.pbx, sent.uniqueid)
    row = _known(tx, sent, call_id) or _new(tx, sent, call_id)
    if row.state == RecordingState.DELETED:
        raise Conflict("this recording was deleted here")
    if row.original_sha256 is None:
        blob = sent.blob
        refers = update(recordings).where(recordings.c.id == row.id)
        tx.execute(refers.values(original_sha256=blob.sha256, original_ext=blob.ext, original_size=blob.size))
    return str(row.id)


def _known(tx: Connection, sent: Sent, call_id: str | None) -> Row[Any] | None:
    """The recording that this upload is, or that waits for it."""
    same_bytes = select(recordings).where(
        recordings.c.pbx == sent.pbx,
        recordings.c.original_sha256 == sent.blob.sha256,
        recordings.c.uniqueid == sent.uniqueid,
    )
    row = tx.execute(same_bytes.order_by(recordings.c.id).limit(1)).one_or_none()
    if row is not None:
        return row
    for row in recordings_intake.named(tx, sent.pbx, sent.name):
        its = row.uniqueid == sent.uniqueid or (call_id is not None and row.call_id == call_id)
        if its and row.original_sha256 is None and row.state != RecordingState.DELETED:
            return row
    return None


def _new(tx: Connection, sent: Sent, call_id: str | None) -> Row[Any]:
    at = moment_of(sent.uniqueid)
    recording_id = stable_id(at, sent.pbx, sent.uniqueid, sent.blob.sha256)
    recordings_intake.insert_row(
        tx, recording_id, sent.pbx, sent.name, at, call_id=call_id, uniqueid=sent.uniqueid
    )
    recordings_intake.remember_talkers(tx, recording_id, call_id)
    return tx.execute(select(recordings).where(recordings.c.id == recording_id)).one()


def _taken(tx: Connection, recording_id: str) -> Recording:
    row = tx.execute(select(recordings).where(recordings.c.id == recording_id).with_for_update()).one()
    if row.state in (RecordingState.RECORDING, RecordingState.FAILED):
        recordings_intake.begin_encoding(tx, row)
        tell(tx, recording_id)
    return Recording.of(tx.execute(recordings_rows.query().where(recordings.c.id == recording_id)).one())
