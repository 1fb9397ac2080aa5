"""What operators write: appended as queued and put in the outbox in one transaction, sent afterwards."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection, Row, delete, select, update

from gateway.domain.errors import Conflict, FieldError, Invalid
from gateway.domain.facts import Fact
from gateway.domain.identities import Identity, normalise
from gateway.domain.ids import is_id, new_id
from gateway.domain.messages import MessageStatus, ThreadState
from gateway.domain.names import clean
from gateway.domain.people import Actor, Role
from gateway.domain.ports import Sender
from gateway.services import (
    assigning,
    changes,
    channel_traits,
    entering,
    outbox,
    places,
    scope,
    thread_views,
)
from gateway.services.views.common import Body
from gateway.services.views.threads import Message
from gateway.store import cards as card_store
from gateway.store import facts, work
from gateway.store import threads as store
from gateway.store.engine import Store
from gateway.store.tables import identities
from gateway.store.tables_conversations import attachments, drafts, messages, threads

Text = Annotated[str, msgspec.Meta(max_length=100_000)]
Address = Annotated[str, msgspec.Meta(max_length=320)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Addresses = Annotated[list[Address], msgspec.Meta(max_length=100)]


class NewMessage(Body, frozen=True):
    """What to send. `client_id`: the writer's own id of it: the same again is the same message. `send_at`:
    not before; until then it can be taken back."""

    text: Text = ""
    html: Text | None = None
    subject: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    to: Addresses = msgspec.field(default_factory=list)
    cc: Addresses = msgspec.field(default_factory=list)
    bcc: Addresses = msgspec.field(default_factory=list)
    attachments: Annotated[list[str], msgspec.Meta(max_length=50)] = msgspec.field(default_factory=list)
    reply_to: str | None = None
    send_at: Moment | None = None
    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None


class NewThread(Body, frozen=True):
    """A first message to a client. `to`: one of the card's addresses, in any spelling."""

    connector: str
    to: Address
    text: Text = ""
    subject: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    html: Text | None = None
    attachments: Annotated[list[str], msgspec.Meta(max_length=50)] = msgspec.field(default_factory=list)
    client_id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None


class MessageFields(Body, frozen=True):
    """What a message says from now on."""

    text: Text
    html: Text | None = None


async def send_reply(store_: Store, actor: Actor, thread_id: str, body: NewMessage) -> Message:
    """Append the message and have it sent. Raises `NotFound`, `Conflict`, `Invalid`."""
    return await store_.write(_send_reply, actor, thread_id, body)


def _send_reply(tx: Connection, actor: Actor, thread_id: str, body: NewMessage) -> Message:
    now = datetime.now(UTC)
    seen = scope.thread_for(tx, actor, thread_id)
    traits = channel_traits.of(tx, seen.connector)
    files = _files(tx, actor, body.attachments)
    channel_traits.judge(traits, body, files)
    if seen.card_id is not None:
        card_store.touch(tx, seen.card_id, now)
    thread = store.locked(tx, thread_id)
    if (known := _known(tx, thread, body.client_id)) is not None:
        return thread_views.message_view(tx, known)
    _refuse_unreachable(tx, thread)
    _refuse_replaced(tx, thread)
    row, told = append(tx, actor, thread, body, files, now)
    facts.append(tx, told)
    return thread_views.message_view(tx, row)


def append(
    tx: Connection, actor: Actor, thread: Row[Any], body: NewMessage, files: list[Row[Any]], now: datetime
) -> tuple[Row[Any], list[Fact]]:
    """Put the message into the thread, which is held, and into the outbox; the row and what is to be told."""
    scheduled = body.send_at is not None and body.send_at > now
    row = store.add_message(tx, _row(tx, actor, thread, body, now, scheduled=scheduled))
    assert row is not None, "its own id was looked for while the thread is held"
    for place, file in enumerate(files):
        mine = update(attachments).where(attachments.c.id == file.id)
        tx.execute(mine.values(message_id=row.id, place=place))
    _forget_draft(tx, actor, thread.id)
    if scheduled:
        work.put(tx, outbox.LATER, row.id, key=row.id, due_at=body.send_at)
        return row, [thread_views.told(tx, "message.sent", row, thread)]
    told = assigning.answered(tx, thread, actor, now)
    thread = store.locked(tx, thread.id)
    told += entering.enter(tx, thread, row, "message.sent", entering.team_of_card(tx, thread.card_id))
    outbox.put(tx, row)
    return row, told


def _row(
    tx: Connection, actor: Actor, thread: Row[Any], body: NewMessage, now: datetime, *, scheduled: bool
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "thread_id": thread.id,
        "connector": thread.connector,
        "external_id": None,
        "client_id": body.client_id,
        "direction": "out",
        "kind": "text",
        "at": now,
        "received_at": now,
        "sequence": 0,
        "author": {"kind": "operator", "id": actor.operator_id, "name": actor.name},
        "text": body.text,
        "html": body.html,
        "subject": body.subject,
        "addresses": {"from": None, "to": body.to, "cc": body.cc, "bcc": body.bcc},
        "reply_to": _replied_to(tx, thread, body.reply_to),
        "reactions": [],
        "revisions": 0,
        "send_at": body.send_at if scheduled else None,
        "status": MessageStatus.QUEUED.value,
        "recipients": [],
        "attempts": 0,
    }


def _replied_to(tx: Connection, thread: Row[Any], message_id: str | None) -> str | None:
    if message_id is None:
        return None
    mine = (messages.c.id == message_id, messages.c.thread_id == thread.id)
    if not is_id(message_id) or tx.scalar(select(messages.c.id).where(*mine)) is None:
        raise Invalid.one("reply_to", "the id of a message of this thread")
    return message_id


def _known(tx: Connection, thread: Row[Any], client_id: str | None) -> Row[Any] | None:
    if client_id is None:
        return None
    mine = (messages.c.thread_id == thread.id, messages.c.client_id == client_id)
    return tx.execute(select(messages).where(*mine)).one_or_none()


def _files(tx: Connection, actor: Actor, ids: list[str]) -> list[Row[Any]]:
    found, errors = [], []
    for position, one in enumerate(ids):
        mine = (attachments.c.id == one, attachments.c.uploaded_by == actor.id)
        free = (attachments.c.message_id.is_(None), attachments.c.state == "ready")
        row = tx.execute(select(attachments).where(*mine, *free)).one_or_none() if is_id(one) else None
        if row is None or one in ids[:position]:
            told = "the id of a file that you uploaded and have not sent yet"
            errors.append(FieldError(f"attachments[{position}]", told))
        else:
            found.append(row)
    if errors:
        raise Invalid(errors)
    return found


def _refuse_unreachable(tx: Connection, thread: Row[Any]) -> None:
    mine = (identities.c.kind == thread.client["kind"], identities.c.value == thread.client["value"])
    for row in tx.execute(select(identities).where(*mine, card_store.KNOWN)):
        if row.blocked:
            raise Conflict("this client is blocked here: lift that on his card first")
        if row.undeliverable:
            raise Conflict("this client cannot be reached in this channel until he writes again")


def _refuse_replaced(tx: Connection, thread: Row[Any]) -> None:
    if thread.state != ThreadState.CLOSED:
        return
    newer = store.open_thread(tx, thread.connector, thread.thread_key)
    if newer is not None:
        raise Conflict(f"this thread is closed and the client has a newer one: write in {newer.id}")


def _forget_draft(tx: Connection, actor: Actor, thread_id: str) -> None:
    mine = (drafts.c.thread_id == thread_id, drafts.c.operator_id == actor.id, drafts.c.kind == "reply")
    tx.execute(delete(drafts).where(*mine))


async def begin(
    store_: Store, actor: Actor, card_id: str, body: NewThread, senders: Mapping[str, Sender], country: str
) -> Message:
    """Write to a client first. Raises `NotFound`, `Conflict`, `Invalid` naming what the channel cannot do."""
    sender = senders.get(body.connector)
    if sender is None:
        raise Invalid.one("connector", f"one of {', '.join(sorted(senders)) or 'none is attached'}")
    if not sender.traits.first_contact:
        raise Conflict("in this channel the client must write first")
    to = normalise(sender.traits.identity, body.to, country)
    return await store_.write(_begin, actor, card_id, body, to, sender.thread_key(to))


def _begin(
    tx: Connection, actor: Actor, card_id: str, body: NewThread, to: Identity, thread_key: str
) -> Message:
    now = datetime.now(UTC)
    card = scope.card_for(tx, actor, card_id, lock=True)
    first = NewMessage(
        text=body.text,
        html=body.html,
        subject=body.subject,
        attachments=body.attachments,
        client_id=body.client_id,
    )
    files = _files(tx, actor, body.attachments)
    channel_traits.judge(channel_traits.of(tx, body.connector), first, files)
    own = (identities.c.card_id == card_id, identities.c.kind == to.kind, identities.c.value == to.value)
    if tx.scalar(select(identities.c.id).where(*own)) is None:
        raise Invalid.one("to", "one of the card's addresses: put it on the card first")
    card_store.touch(tx, card_id, now)
    place = places.of(tx, body.connector)
    thread = store.open_thread(tx, body.connector, thread_key, lock=True)
    if thread is None:
        last = store.last_thread(tx, body.connector, thread_key)
        thread = store.add(tx, _new_thread(card, body, to, thread_key, place, now, last))
        assert thread is not None, "an open thread was looked for"
    elif not _is_seen(tx, actor, thread):
        raise Conflict("a colleague of another team talks with this client already")
    _refuse_unreachable(tx, thread)
    if (known := _known(tx, thread, body.client_id)) is not None:
        return thread_views.message_view(tx, known)
    row, told = append(tx, actor, thread, first, files, now)
    facts.append(tx, told)
    return thread_views.message_view(tx, row)


def _is_seen(tx: Connection, actor: Actor, thread: Row[Any]) -> bool:
    mine = select(threads.c.id).where(threads.c.id == thread.id, scope.threads(actor))
    return tx.scalar(mine) is not None


def _new_thread(
    card: Row[Any],
    body: NewThread,
    to: Identity,
    thread_key: str,
    place: places.Place,
    now: datetime,
    last: Row[Any] | None,
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "channel": place.channel,
        "connector": body.connector,
        "thread_key": thread_key,
        "card_id": card.id,
        "client": {"kind": to.kind, "value": to.value, "name": clean(card.name)},
        "subject": body.subject,
        "state": ThreadState.PENDING.value,
        "queue_id": place.queue_id,
        "team_id": place.team_id if place.queue_id else card.team_id,
        "origin": {},
        "preview": "",
        "messages": 0,
        "inbound": 0,
        "answered": 0,
        "seq": last.seq if last is not None else 0,
        "last_message_at": now,
        "version": 1,
        "created_at": now,
    }


async def edit(store_: Store, actor: Actor, message_id: str, body: MessageFields) -> Message:
    """Change what one wrote, here and at the other side. Raises `Conflict` where the channel cannot."""
    return await store_.write(_edit, actor, message_id, body)


def _edit(tx: Connection, actor: Actor, message_id: str, body: MessageFields) -> Message:
    row = _own(tx, actor, message_id)
    traits = channel_traits.of(tx, row.connector)
    channel_traits.judge(traits, NewMessage(text=body.text, html=body.html), [])
    if row.status != MessageStatus.QUEUED:
        _refuse_unsent(row)
        if not traits.edit:
            raise Conflict("not_supported: this channel cannot change a message that was sent")
    author = {"kind": "operator", "id": actor.operator_id, "name": actor.name}
    told = changes.edited(tx, row, body.text, body.html, datetime.now(UTC), author)
    if told and row.status != MessageStatus.QUEUED:
        outbox.put(tx, row, "edit")
    facts.append(tx, told)
    return thread_views.messages_by_id(tx, [row.id])[row.id]


async def take_back(store_: Store, actor: Actor, message_id: str) -> None:
    """Take a message back: before it was sent as if it had never been, afterwards where the channel can."""
    await store_.write(_take_back, actor, message_id)


def _take_back(tx: Connection, actor: Actor, message_id: str) -> None:
    row = _own(tx, actor, message_id)
    if row.status == MessageStatus.QUEUED and not row.attempts:
        facts.append(tx, changes.withdrawn(tx, row))
        return
    if row.status == MessageStatus.QUEUED:
        _give_up(tx, row)
        return
    _refuse_unsent(row)
    if not channel_traits.of(tx, row.connector).delete:
        raise Conflict("not_supported: this channel cannot take back a message that was sent")
    author = {"kind": "operator", "id": actor.operator_id, "name": actor.name}
    told = changes.deleted(tx, row, datetime.now(UTC), author)
    if told:
        outbox.put(tx, row, "delete")
    facts.append(tx, told)


def _give_up(tx: Connection, row: Row[Any]) -> None:
    """It was tried before: what was tried stays in the books, and is not tried again."""
    mine = update(messages).where(messages.c.id == row.id)
    values = {"status": MessageStatus.FAILED.value, "error": "taken back while it waited to be tried again"}
    changed = tx.execute(mine.values(**values).returning(messages)).one()
    thread = store.locked(tx, row.thread_id)
    facts.append(tx, [thread_views.told(tx, "message.status", changed, thread)])


def _refuse_unsent(row: Row[Any]) -> None:
    if row.external_id is None or row.status in (MessageStatus.SENDING, MessageStatus.UNKNOWN):
        raise Conflict("it is not known yet whether the other side has this message")


async def retry(store_: Store, actor: Actor, message_id: str) -> Message:
    """Send what failed, or what nobody knows of, once more: a new attempt. Raises `Conflict`."""
    return await store_.write(_retry, actor, message_id)


def _retry(tx: Connection, actor: Actor, message_id: str) -> Message:
    row = _held(tx, actor, message_id)
    if row.status not in (MessageStatus.FAILED, MessageStatus.UNKNOWN):
        raise Conflict(f"this message is {row.status}: only what failed or is unknown is sent again")
    channel_traits.of(tx, row.connector)
    thread = store.locked(tx, row.thread_id)
    mine = update(messages).where(messages.c.id == row.id)
    values = {"status": MessageStatus.QUEUED.value, "error": None, "received_at": datetime.now(UTC)}
    row = tx.execute(mine.values(**values).returning(messages)).one()
    outbox.put(tx, row)
    facts.append(tx, [thread_views.told(tx, "message.status", row, thread)])
    return thread_views.message_view(tx, row)


def _held(tx: Connection, actor: Actor, message_id: str) -> Row[Any]:
    """The message, its thread held. Raises `Conflict` for what the client wrote."""
    seen = scope.message_for(tx, actor, message_id)
    store.locked(tx, seen.thread_id)
    row = tx.execute(select(messages).where(messages.c.id == message_id)).one()
    if row.direction != "out":
        raise Conflict("the client wrote this")
    return row


def _own(tx: Connection, actor: Actor, message_id: str) -> Row[Any]:
    """Of those his own; a supervisor's are everybody's. Raises `Refused`."""
    row = _held(tx, actor, message_id)
    if row.author.get("id") != actor.id:
        scope.require(actor, Role.SUPERVISOR)
    return row
