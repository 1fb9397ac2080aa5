"""The service's side of the port `ChatBook`: what a connector may read of its own conversations."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, func, select

from config.hours import parse_hours
from gateway.domain.connecting import ChatEntry, ChatFile, Staff, StoredFile
from gateway.domain.ids import is_id
from gateway.domain.messages import MessageKind, MessageStatus
from gateway.domain.people import Presence
from gateway.services import file_keeping, places
from gateway.services.places import Place
from gateway.store import threads as store
from gateway.store.engine import Store
from gateway.store.tables import operator_teams, operators, queues
from gateway.store.tables_conversations import attachments, messages, threads
from recordings.library import Library
from routing.hours import Hours, is_open


class StoredChats:
    """What the connector `name` may read."""

    def __init__(self, store_: Store, library: Library, name: str) -> None:
        self._store = store_
        self._library = library
        self._name = name

    async def history(
        self, thread_key: str, *, after: int | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[ChatEntry]:
        """Up to `limit` messages, oldest first."""
        return await self._store.read(_history, self._name, thread_key, after, before, min(limit, 200))

    async def file(self, thread_key: str, file_id: str) -> StoredFile | None:
        """A file of this very conversation that is ready."""
        row = await self._store.read(_file, self._name, thread_key, file_id) if is_id(file_id) else None
        if row is None:
            return None
        return StoredFile(self._library.place(file_keeping.blob_of(row)), row.name, row.mime, row.size)

    async def staff(self) -> Staff:
        """Who is there now."""
        return await self._store.read(_staff, self._name)


def _history(
    tx: Connection, name: str, thread_key: str, after: int | None, before: int | None, limit: int
) -> list[ChatEntry]:
    mine = (
        select(messages)
        .join(threads, threads.c.id == messages.c.thread_id)
        .where(threads.c.connector == name, threads.c.thread_key == thread_key)
        .where(messages.c.seq.is_not(None))
    )
    if before is not None:
        mine = mine.where(messages.c.seq < before)
    if after is not None:
        rows = tx.execute(mine.where(messages.c.seq > after).order_by(messages.c.seq).limit(limit)).all()
    else:
        rows = list(reversed(tx.execute(mine.order_by(messages.c.seq.desc()).limit(limit)).all()))
    files = store.files_of(tx, [row.id for row in rows])
    return [_entry(row, files.get(row.id, ())) for row in rows]


def _entry(row: Row[Any], files: Sequence[Row[Any]]) -> ChatEntry:
    gone = row.deleted_at is not None
    return ChatEntry(
        id=row.id,
        seq=row.seq,
        outgoing=row.direction == "out",
        at=row.at,
        author=row.author["name"],
        text="" if gone else row.text,
        kind=MessageKind(row.kind),
        status=MessageStatus(row.status),
        client_id=row.client_id,
        reply_to=row.reply_to,
        files=() if gone else tuple(_file_of(one) for one in files),
        edited=row.edited_at is not None,
        deleted=gone,
    )


def _file_of(row: Row[Any]) -> ChatFile:
    return ChatFile(row.id, row.name, row.mime, row.size, row.state == "ready")


def _file(tx: Connection, name: str, thread_key: str, file_id: str) -> Row[Any] | None:
    mine = (
        select(attachments)
        .join(messages, messages.c.id == attachments.c.message_id)
        .join(threads, threads.c.id == messages.c.thread_id)
        .where(attachments.c.id == file_id, attachments.c.state == "ready")
        .where(threads.c.connector == name, threads.c.thread_key == thread_key)
        .where(messages.c.deleted_at.is_(None), messages.c.seq.is_not(None))
    )
    return tx.execute(mine).one_or_none()


def _staff(tx: Connection, name: str) -> Staff:
    place = places.of(tx, name)
    there = (
        select(func.count(operators.c.id))
        .join(operator_teams, operator_teams.c.operator_id == operators.c.id)
        .where(operator_teams.c.team_id == place.team_id, operators.c.active)
        .where(operators.c.presence == Presence.AVAILABLE.value)
    )
    return Staff(open=_is_open(tx, place), available=tx.scalar(there) or 0)


def _is_open(tx: Connection, place: Place) -> bool:
    row = tx.execute(select(queues).where(queues.c.id == place.queue_id)).one_or_none()
    if row is None:
        return True
    hours = Hours(parse_hours(row.hours or ""), ZoneInfo(row.timezone or "UTC"))
    return is_open(hours, datetime.now(UTC))
