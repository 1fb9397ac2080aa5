"""Threads, messages and their files."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Row

from gateway.services.views.common import PersonRef, View, at, at_or_none

ThreadStateName = Literal["open", "pending", "closed"]
ChannelName = Literal["voice", "email", "chat", "callback"]
StatusName = Literal["received", "queued", "sending", "sent", "delivered", "read", "failed", "unknown"]
KindName = Literal[
    "text", "image", "voice", "audio", "video", "file", "sticker", "location", "contact", "service", "unknown"
]


class Client(View, frozen=True):
    """Who the client is in this channel."""

    kind: str
    value: str
    name: str


class Author(View, frozen=True):
    """Who wrote; `id` of an operator, null for the client and for what came by another way than the desk."""

    kind: Literal["client", "operator", "system"]
    id: str | None
    name: str


class Attachment(View, frozen=True):
    """A file. `pending`: on its way here; `refused`: too large or not allowed; `gone`: not to be had."""

    id: str
    name: str
    mime: str
    size: int | None
    state: Literal["pending", "ready", "refused", "gone"]
    url: str | None
    error: str | None

    @classmethod
    def of(cls, row: Row[Any]) -> "Attachment":
        """From a row of `attachments`."""
        return cls(
            id=row.id,
            name=row.name,
            mime=row.mime,
            size=row.size,
            state=row.state,
            url=f"/api/v1/attachments/{row.id}" if row.state == "ready" else None,
            error=row.error,
        )


class Reaction(View, frozen=True):
    """One person's reaction as it stands."""

    by: str
    reaction: str
    at: str


class Recipient(View, frozen=True):
    """What became of a message at one address."""

    address: str
    status: StatusName
    error: str | None = None


class Revision(View, frozen=True):
    """What a message said before it was changed."""

    at: str
    author: Author
    text: str
    html: str | None


class Message(View, frozen=True, rename={"from_": "from"}):
    """An entry of a thread. `unknown`: the other side may or may not have taken it; a person decides whether
    to send again. `seq` grows along the conversation as messages were stored; null until it is sent off."""

    id: str
    thread_id: str
    direction: Literal["in", "out"]
    kind: KindName
    at: str
    seq: int | None
    author: Author
    text: str
    html: str | None
    subject: str | None
    from_: str | None
    to: Sequence[str]
    cc: Sequence[str]
    bcc: Sequence[str]
    attachments: Sequence[Attachment]
    reply_to: str | None
    reactions: Sequence[Reaction]
    revisions: int
    edited_at: str | None
    deleted_at: str | None
    send_at: str | None
    status: StatusName
    recipients: Sequence[Recipient]
    attempts: int
    error: str | None
    external_id: str | None
    client_id: str | None

    @classmethod
    def of(cls, row: Any, attachments: Sequence[Row[Any]]) -> "Message":
        """From a row of `messages` and its files. What was taken back is shown without what it said."""
        addresses: Mapping[str, Any] = row.addresses
        gone = row.deleted_at is not None
        return cls(
            id=row.id,
            thread_id=row.thread_id,
            direction=row.direction,
            kind=row.kind,
            at=at(row.at),
            seq=row.seq,
            author=Author(**row.author),
            text="" if gone else row.text,
            html=None if gone else row.html,
            subject=row.subject,
            from_=addresses.get("from"),
            to=addresses.get("to", ()),
            cc=addresses.get("cc", ()),
            bcc=addresses.get("bcc", ()),
            attachments=[] if gone else [Attachment.of(one) for one in attachments],
            reply_to=row.reply_to,
            reactions=[Reaction(**one) for one in row.reactions],
            revisions=row.revisions,
            edited_at=at_or_none(row.edited_at),
            deleted_at=at_or_none(row.deleted_at),
            send_at=at_or_none(row.send_at),
            status=row.status,
            recipients=[Recipient(**one) for one in row.recipients],
            attempts=row.attempts,
            error=row.error,
            external_id=row.external_id,
            client_id=row.client_id,
        )


class Thread(View, frozen=True):
    """One conversation. `pending`: we wait for the client.

    `unread` counts for the one who asks; in an event told to many it is what its assignee has not read, or
    everything from the client since our last answer where nobody has it. `inbound` is how many messages the
    client wrote in all.
    """

    id: str
    version: int
    channel: ChannelName
    connector: str
    key: str
    card_id: str | None
    client: Client
    subject: str | None
    state: ThreadStateName
    assignee: PersonRef | None
    queue: str | None
    preview: str
    preview_direction: Literal["in", "out"] | None
    messages: int
    inbound: int
    unread: int
    last_message_at: str
    last_inbound_at: str | None
    client_read_at: str | None
    due_at: str | None
    snoozed_until: str | None
    created_at: str
    closed_at: str | None

    @classmethod
    def of(cls, row: Row[Any], queue: str | None, assignee: PersonRef | None, unread: int) -> "Thread":
        """From a row of `threads`."""
        return cls(
            id=row.id,
            version=row.version,
            channel=row.channel,
            connector=row.connector,
            key=row.thread_key,
            card_id=row.card_id,
            client=Client(**row.client),
            subject=row.subject,
            state=row.state,
            assignee=assignee,
            queue=queue,
            preview=row.preview,
            preview_direction=row.preview_direction,
            messages=row.messages,
            inbound=row.inbound,
            unread=unread,
            last_message_at=at(row.last_message_at),
            last_inbound_at=at_or_none(row.last_inbound_at),
            client_read_at=at_or_none(row.client_read_at),
            due_at=at_or_none(row.due_at),
            snoozed_until=at_or_none(row.snoozed_until),
            created_at=at(row.created_at),
            closed_at=at_or_none(row.closed_at),
        )


class ThreadChanged(View, frozen=True):
    """Data of `thread.updated`; `message` is the one that changed it, where one did."""

    message: Message | None
    thread: Thread


class MessageChanged(View, frozen=True):
    """Data of the `message.*` events."""

    message: Message
    thread: Thread


class ThreadPresence(View, frozen=True):
    """Data of `thread.presence`: somebody looks at the thread or writes in it, for some seconds from now."""

    thread_id: str
    connector: str
    key: str
    what: Literal["typing", "viewing"]
    by: Author
    for_s: float
