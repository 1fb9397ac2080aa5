"""Files of messages: stored once, named safely, typed by content, never dangerous to look at."""

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from gateway.domain import media
from gateway.domain.errors import (
    Conflict,
    Invalid,
    NotFound,
    PermanentFailure,
    TemporaryFailure,
    Unreachable,
)
from gateway.domain.identities import Identity
from gateway.domain.messages import ChannelTraits, Delivered, InboundAttachment, MessageKind, OutgoingMessage
from gateway.domain.recordings import Blob
from gateway.services import attachments, file_sweep, replies
from gateway.services.fetching import Fetching
from gateway.services.replies import NewMessage
from gateway.store.tables_conversations import attachments as table
from gateway.store.tables_conversations import messages, threads
from tests.services.conftest import Office
from tests.services.talk import NAME, Talk, attach, available, says

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
LARGEST = 1000


class Shelf:
    """The other side: what it gives for a reference."""

    def __init__(self) -> None:
        self.traits = ChannelTraits(largest_file=LARGEST)
        self.files: dict[str, bytes | Exception] = {}

    async def fetch(self, reference: str, into: Path, largest: int) -> None:
        found = self.files[reference]
        if isinstance(found, Exception):
            raise found
        into.write_bytes(found)  # noqa: ASYNC240

    async def send(self, message: OutgoingMessage) -> Delivered:
        raise PermanentFailure("not asked for")

    async def typing(self, thread_key: str) -> None: ...

    def thread_key(self, to: Identity) -> str:
        return to.value


@pytest.fixture
async def talk(office: Office, tmp_path: Path) -> Talk:
    await available(office.store, "anna")
    return await attach(office.store, tmp_path)


async def rows(office: Office) -> list[Any]:
    return await office.store.read(lambda tx: list(tx.execute(select(table).order_by(table.c.id)).all()))


async def fetch(talk: Talk, shelf: Shelf) -> None:
    fetching = Fetching(talk.store, talk.library, NAME, shelf, LARGEST)
    while await fetching.step():
        pass


def brings(*files: InboundAttachment, **more: Any) -> Any:
    return says("вот", kind=MessageKind.FILE, attachments=files, **more)


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_a_file_is_fetched_measured_and_told(office: Office, talk: Talk) -> None:
    shelf = Shelf()
    shelf.files["r1"] = PNG
    await talk.comes(brings(InboundAttachment("r1", "фото.html", "text/html", len(PNG))))
    await fetch(talk, shelf)
    (row,) = await rows(office)
    assert (row.state, row.mime, row.size) == ("ready", "image/png", len(PNG))
    assert row.sha256 == hashlib.sha256(PNG).hexdigest()
    assert talk.library.place(Blob(row.sha256, "bin", row.size)).read_bytes() == PNG
    (told,) = await office.told("message.updated")
    assert told["message"]["attachments"][0]["url"] == f"/api/v1/attachments/{row.id}"
    served = await attachments.serve(office.store, office.actors["anna"], row.id)
    assert (served.shown, served.mime) == (True, "image/png")
    with pytest.raises(NotFound):
        await attachments.serve(office.store, office.actors["clara"], row.id)


@pytest.mark.parametrize(
    ("given_size", "answer", "state"),
    [
        (LARGEST + 1, b"never asked for", "refused"),
        (None, b"x" * (LARGEST + 1), "refused"),
        (None, PermanentFailure("no such host"), "refused"),
        (None, Unreachable("deleted there"), "gone"),
    ],
)
async def test_what_cannot_be_had_leaves_a_word_in_its_place(
    office: Office, talk: Talk, given_size: int | None, answer: bytes | Exception, state: str
) -> None:
    shelf = Shelf()
    shelf.files["r1"] = answer
    await talk.comes(brings(InboundAttachment("r1", "film.mp4", "", given_size)))
    await fetch(talk, shelf)
    (row,) = await rows(office)
    assert row.state == state
    assert row.error
    with pytest.raises(Conflict):
        await attachments.serve(office.store, office.actors["anna"], row.id)


async def test_a_busy_other_side_is_asked_again_later(office: Office, talk: Talk) -> None:
    shelf = Shelf()
    shelf.files["r1"] = TemporaryFailure("busy")
    await talk.comes(brings(InboundAttachment("r1", "a.png")))
    await fetch(talk, shelf)
    (row,) = await rows(office)
    assert row.state == "pending"


async def test_a_file_that_the_connector_stored_itself_belongs_to_its_message_alone(
    office: Office, talk: Talk
) -> None:
    kept = await talk.intake.keep_file(chunks(PNG[:10], PNG[10:]), "photo.png", LARGEST)
    await talk.comes(brings(InboundAttachment(kept)))
    await talk.comes(brings(InboundAttachment(kept), who="a thief"))
    (row,) = await rows(office)
    assert (row.state, row.mime) == ("ready", "image/png")
    first = await office.store.read(lambda tx: tx.scalar(select(messages.c.id).order_by(messages.c.id)))
    assert row.message_id == first
    with pytest.raises(Invalid):
        await talk.intake.keep_file(chunks(b"x" * (LARGEST + 1)), "large", LARGEST)


async def test_an_upload_is_sent_once_by_whoever_uploaded_it(office: Office, talk: Talk) -> None:
    await talk.comes(says("вопрос"))
    thread = await office.store.read(lambda tx: tx.scalar(select(threads.c.id)))
    assert thread is not None
    anna, olga = office.actors["anna"], office.actors["olga"]
    part = Part(b"%PDF-1.4 price list", "цены\u202e fdp.exe")
    form = iter([part, None])
    made = await attachments.upload(office.store, anna, talk.library, lambda: _next(form), LARGEST)
    assert (made.mime, made.name) == ("application/pdf", "цены fdp.exe")
    with pytest.raises(NotFound):
        await attachments.serve(office.store, olga, made.id)
    body = NewMessage(text="вот цены", attachments=[made.id])
    with pytest.raises(Invalid):
        await replies.send_reply(office.store, olga, thread, body)
    sent = await replies.send_reply(office.store, anna, thread, body)
    assert [one.name for one in sent.attachments] == ["цены fdp.exe"]
    with pytest.raises(Invalid):
        await replies.send_reply(office.store, anna, thread, body)
    assert (await attachments.serve(office.store, olga, made.id)).name == "цены fdp.exe"


class Part:
    """A part of a form."""

    def __init__(self, data: bytes, filename: str) -> None:
        self.name = "file"
        self.filename = filename
        self.headers: dict[str, str] = {}
        self._data = [data, b""]

    async def read_chunk(self, size: int = 0) -> bytes:
        return self._data.pop(0)


async def _next(form: Any) -> Any:
    return next(form)


async def test_uploads_that_nobody_sent_go_and_shared_bytes_stay(office: Office, talk: Talk) -> None:
    kept = await talk.intake.keep_file(chunks(PNG), "a.png", LARGEST)
    await talk.intake.keep_file(chunks(PNG), "again.png", LARGEST)
    await talk.intake.keep_file(chunks(b"only here"), "b.txt", LARGEST)
    await talk.comes(brings(InboundAttachment(kept)))
    soon = datetime.now(UTC) + timedelta(minutes=1)
    assert await file_sweep.sweep(office.store, talk.library, soon) == 2
    (row,) = await rows(office)
    assert talk.library.place(Blob(row.sha256, "bin", row.size)).read_bytes() == PNG
    alone = Blob(hashlib.sha256(b"only here").hexdigest(), "bin", 9)
    assert not talk.library.has(alone)


@pytest.mark.parametrize(
    ("head", "declared", "found"),
    [
        (b"<svg onload=alert(1)>", "image/svg+xml", "text/plain"),
        (b"<!doctype html><script>", "image/png", "text/plain"),
        (b"\xff\xd8\xff\xe0", "text/html", "image/jpeg"),
        (b"PK\x03\x04", "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"),
        (b"PK\x03\x04", "text/html", "application/zip"),
        (b"MZ\x90\0", "image/png", "application/octet-stream"),
        ("привет".encode()[:-1], "", "text/plain"),
    ],
)
def test_a_file_is_what_its_bytes_say(head: bytes, declared: str, found: str) -> None:
    assert media.kind_of(head, declared) == found


@given(st.text(max_size=400))
def test_no_name_means_anything_to_a_shell_a_file_system_or_a_header(raw: str) -> None:
    name = media.safe_name(raw)
    assert 0 < len(name) <= 150
    assert name.isprintable()
    assert not set(name) & set('\\/:*?"<>|\r\n\0')
    assert not name.startswith(".")
    assert media.safe_name(name) == name
