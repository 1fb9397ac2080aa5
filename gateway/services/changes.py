"""What happens to messages afterwards: edits, deletions, reactions, receipts, each with its history."""

from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from gateway.domain.facts import Fact
from gateway.domain.ids import new_id
from gateway.domain.messages import (
    InboundDeletion,
    InboundEdit,
    InboundReaction,
    InboundReceipt,
    MessageStatus,
    preview,
)
from gateway.services import parked, publish, thread_views
from gateway.services.parked import Change
from gateway.services.views.common import at
from gateway.services.views.threads import Message
from gateway.store import facts
from gateway.store import threads as store
from gateway.store.tables import timeline
from gateway.store.tables_conversations import (
    attachments,
    message_reactions,
    message_revisions,
    messages,
    threads,
)

_RANK = {MessageStatus.SENT: 1, MessageStatus.FAILED: 2, MessageStatus.DELIVERED: 3, MessageStatus.READ: 4}
_SENT_OFF = (MessageStatus.SENDING, MessageStatus.UNKNOWN, *_RANK)


def take(tx: Connection, connector: str, change: Change, now: datetime) -> None:
    """Apply the change, or keep it until its message is here."""
    named = change.external_ids if isinstance(change, InboundDeletion) else (change.external_id,)
    for external_id in named:
        message = _held(tx, connector, external_id)
        if message is None:
            one = change
            if isinstance(change, InboundDeletion):
                one = InboundDeletion((external_id,), change.thread_key, change.at)
            parked.park(tx, connector, external_id, one, now)
        else:
            facts.append(tx, apply(tx, message, change))


def _held(tx: Connection, connector: str, external_id: str) -> Row[Any] | None:
    """The message, its thread held."""
    found = store.by_external(tx, connector, external_id)
    if found is None:
        return None
    store.locked(tx, found.thread_id)
    return tx.execute(select(messages).where(messages.c.id == found.id)).one_or_none()


def apply_parked(tx: Connection, message: Row[Any]) -> list[Fact]:
    """Apply what waited for this message; its thread is held."""
    told: list[Fact] = []
    for change in parked.fetch(tx, message):
        fresh = tx.execute(select(messages).where(messages.c.id == message.id)).one()
        told += apply(tx, fresh, change)
    return told


def apply(tx: Connection, message: Row[Any], change: Change) -> list[Fact]:
    """The change takes effect on the message; its thread is held."""
    match change:
        case InboundEdit():
            return edited(tx, message, change.text, change.html, change.at, message.author)
        case InboundDeletion():
            return deleted(tx, message, change.at, message.author)
        case InboundReaction():
            return _reacted(tx, message, change)
        case InboundReceipt():
            return _receipt(tx, message, change)


def edited(
    tx: Connection, message: Row[Any], text: str, html: str | None, when: datetime, author: Any
) -> list[Fact]:
    """It says something else now; what it said is kept. An edit older than the last changes nothing."""
    if message.deleted_at is not None or (message.edited_at is not None and when <= message.edited_at):
        return []
    if (message.text, message.html) == (text, html):
        return []
    _remember(tx, message, when, author)
    row = _change(tx, message, text=text, html=html, edited_at=when, revisions=message.revisions + 1)
    _say(tx, row, preview(text))
    return _told(tx, "message.edited", row)


def deleted(tx: Connection, message: Row[Any], when: datetime, author: Any) -> list[Fact]:
    """It was taken back; what it said is kept for those who may look."""
    if message.deleted_at is not None:
        return []
    _remember(tx, message, when, author)
    row = _change(tx, message, deleted_at=when)
    _say(tx, row, "")
    return _told(tx, "message.deleted", row)


def withdrawn(tx: Connection, message: Row[Any]) -> list[Fact]:
    """A message that was not sent goes away as if it had never been; its files can be sent with another."""
    thread = tx.execute(select(threads).where(threads.c.id == message.thread_id)).one()
    gone = {**message._mapping, "deleted_at": datetime.now(UTC)}
    tx.execute(delete(message_revisions).where(message_revisions.c.message_id == message.id))
    tx.execute(update(attachments).where(attachments.c.message_id == message.id).values(message_id=None))
    entered = tx.execute(delete(timeline).where(timeline.c.ref_id == message.id)).rowcount
    tx.execute(delete(messages).where(messages.c.id == message.id))
    if entered or message.send_at is None:
        thread = store.change(tx, thread.id, {"messages": thread.messages - 1, **_newest(tx, thread.id)})
    view, involved = thread_views.view(tx, thread.id), thread_views.involved(tx, thread)
    shown = Message.of(SimpleNamespace(**gone), ())
    return [publish.message_changed("message.deleted", shown, view, thread.team_id, involved)]


def _newest(tx: Connection, thread_id: str) -> dict[str, Any]:
    """What lists show of the thread, read from its newest message."""
    mine = (messages.c.thread_id == thread_id, messages.c.send_at.is_(None))
    newest = select(messages).where(*mine).order_by(messages.c.at.desc(), messages.c.sequence.desc()).limit(1)
    row = tx.execute(newest).one_or_none()
    if row is None:
        return {"preview": "", "preview_direction": None}
    return {"preview": preview(row.text), "preview_direction": row.direction, "last_message_at": row.at}


def _remember(tx: Connection, message: Row[Any], when: datetime, author: Any) -> None:
    row = {
        "id": new_id(),
        "message_id": message.id,
        "at": when,
        "author": author,
        "text": message.text,
        "html": message.html,
    }
    tx.execute(insert(message_revisions), row)


def _say(tx: Connection, message: Row[Any], line: str) -> None:
    """Lists and the timeline show what the message says now."""
    tx.execute(update(timeline).where(timeline.c.ref_id == message.id).values(summary=line))
    newest = threads.c.id == message.thread_id, threads.c.seq == message.seq
    tx.execute(update(threads).where(*newest).values(preview=line, version=threads.c.version + 1))


def _reacted(tx: Connection, message: Row[Any], change: InboundReaction) -> list[Fact]:
    now = [{"by": change.by, "reaction": one, "at": at(change.at)} for one in change.reactions]
    row = {
        "id": new_id(),
        "message_id": message.id,
        "at": change.at,
        "by": change.by,
        "reactions": list(change.reactions),
    }
    tx.execute(insert(message_reactions), row)
    others = [one for one in message.reactions if one["by"] != change.by]
    return _told(tx, "message.updated", _change(tx, message, reactions=[*others, *now]))


def _receipt(tx: Connection, message: Row[Any], receipt: InboundReceipt) -> list[Fact]:
    told: list[Fact] = []
    for one in _concerned(tx, message, receipt):
        if _RANK.get(receipt.status, 0) <= _RANK.get(MessageStatus(one.status), 0):
            continue
        row = _change(tx, one, status=receipt.status.value, error=receipt.error)
        told += _told(tx, "message.status", row)
    if told and receipt.status is MessageStatus.READ:
        read = update(threads).where(threads.c.id == message.thread_id)
        tx.execute(read.values(client_read_at=receipt.at))
    return told


def _concerned(tx: Connection, message: Row[Any], receipt: InboundReceipt) -> Sequence[Row[Any]]:
    if message.direction != "out":
        return []
    if not receipt.up_to or message.seq is None:
        return [message] if message.status in _SENT_OFF else []
    before = select(messages).where(
        messages.c.thread_id == message.thread_id,
        messages.c.direction == "out",
        messages.c.seq <= message.seq,
        messages.c.status.in_((MessageStatus.SENT.value, MessageStatus.DELIVERED.value)),
    )
    return tx.execute(before.order_by(messages.c.seq)).all()


def _change(tx: Connection, message: Row[Any], **values: Any) -> Row[Any]:
    mine = update(messages).where(messages.c.id == message.id)
    return tx.execute(mine.values(**values).returning(messages)).one()


def _told(tx: Connection, event: str, message: Row[Any]) -> list[Fact]:
    thread = tx.execute(select(threads).where(threads.c.id == message.thread_id)).one()
    return [thread_views.told(tx, event, message, thread)]
