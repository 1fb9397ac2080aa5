"""Threads and messages as the API shows them, loaded in a fixed number of queries however many they are."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.domain.facts import Fact
from gateway.services import publish
from gateway.services.views.common import PersonRef
from gateway.services.views.threads import Message, Thread
from gateway.store import threads as store
from gateway.store.tables_conversations import messages, threads

_shared = store.query()


def of(row: Row[Any]) -> Thread:
    """From a row of `store.query()`."""
    assignee = PersonRef(id=row.assignee_id, name=row.assignee_name) if row.assignee_id else None
    return Thread.of(row, row.queue_name, assignee, unread_of(row, row.read))


def unread_of(row: Row[Any], read: int | None) -> int:
    """How many of the client's messages are neither read nor answered."""
    unread: int = row.inbound - max(read or 0, row.answered)
    return max(0, unread)


def view(tx: Connection, thread_id: str, reader_id: str | None = None) -> Thread:
    """One thread as the reader sees it; without one as it is told to many."""
    query = store.query(reader_id) if reader_id else _shared
    return of(tx.execute(query.where(threads.c.id == thread_id)).one())


def message_views(tx: Connection, rows: Sequence[Row[Any]]) -> list[Message]:
    """From rows of `messages`, in their order."""
    files = store.files_of(tx, [row.id for row in rows])
    return [Message.of(row, files.get(row.id, ())) for row in rows]


def message_view(tx: Connection, row: Row[Any]) -> Message:
    """One message."""
    return message_views(tx, [row])[0]


def messages_by_id(tx: Connection, ids: Sequence[str]) -> Mapping[str, Message]:
    """Id → message, of those that exist."""
    if not ids:
        return {}
    rows = tx.execute(select(messages).where(messages.c.id.in_(ids))).all()
    return {one.id: one for one in message_views(tx, rows)}


def told(tx: Connection, event: str, message: Row[Any], thread: Row[Any]) -> Fact:
    """The fact that `event` happened to the message."""
    shown = message_view(tx, message)
    return publish.message_changed(event, shown, view(tx, thread.id), thread.team_id, involved(tx, thread))


def thread_told(tx: Connection, thread: Row[Any], also: Sequence[str] = ()) -> Fact:
    """The fact that the thread stands otherwise, told to `also` besides."""
    whom = tuple(dict.fromkeys((*involved(tx, thread), *also)))
    return publish.thread_updated(view(tx, thread.id), thread.team_id, whom)


def involved(tx: Connection, thread: Row[Any]) -> tuple[str, ...]:
    """Who is told of the thread whatever his team."""
    own = (thread.assignee_id,) if thread.assignee_id else ()
    return tuple(dict.fromkeys((*own, *store.holders(tx, thread.id))))
