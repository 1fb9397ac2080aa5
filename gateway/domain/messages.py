"""Messages as they cross the border: what a connector makes of an update, and what it is asked to send.

A connector stores the raw update first (`Intake.store_raw`); its translator, a pure function, makes `Inbound`
things of it afterwards. Times are UTC.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.domain.identities import Identity


class MessageStatus(StrEnum):
    """Where a message stands. `unknown`: the other side may or may not have taken it; a person decides."""

    RECEIVED = "received"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNKNOWN = "unknown"


class ThreadState(StrEnum):
    """`pending`: we wait for the client."""

    OPEN = "open"
    PENDING = "pending"
    CLOSED = "closed"


class MessageKind(StrEnum):
    """What a message is besides its text; what the connector does not know is `unknown` and shown as such."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    AUDIO = "audio"
    VIDEO = "video"
    FILE = "file"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    SERVICE = "service"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RawUpdate:
    """One update as it came. `external_id` is unique within the connector; `lane`: updates of one lane are
    worked on in their order, those of different lanes side by side."""

    external_id: str
    lane: str
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Correspondent:
    """The client: his identity in this connector, the name shown, and other addresses of his.

    `vouched`: those that the channel itself answers for (a phone shared by its owner, what the site's own
    server signed). `told`: what he says of himself, so that it may be somebody else's.
    """

    identity: Identity
    name: str = ""
    vouched: tuple[Identity, ...] = ()
    told: tuple[Identity, ...] = ()


@dataclass(frozen=True, slots=True)
class InboundAttachment:
    """A file of a message. Sizes in bytes.

    `reference` is what the connector needs to fetch it later, or what `MessageIntake.keep_file` gave for
    bytes that are here already.
    """

    reference: str
    name: str = ""
    mime: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a conversation began: page, campaign (UTM), deep-link payload."""

    page: str | None = None
    referrer: str | None = None
    campaign: str | None = None
    payload: str | None = None


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message from the client, or (`outgoing`) one that we sent by another way (the messenger's own app).

    `thread_key` names the conversation within the connector; `author` is the client, also of one that went
    out. `sequence` orders messages of one second. `client_id`: the id that the writer's own program gave it,
    for who reads it back there.
    """

    external_id: str
    thread_key: str
    author: Correspondent
    at: datetime
    text: str = ""
    html: str | None = None
    subject: str | None = None
    kind: MessageKind = MessageKind.TEXT
    attachments: tuple[InboundAttachment, ...] = ()
    reply_to: str | None = None
    sequence: int = 0
    origin: Origin = Origin()
    outgoing: bool = False
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class InboundEdit:
    """The author changed a message (`external_id` of the message)."""

    external_id: str
    thread_key: str
    at: datetime
    text: str
    html: str | None = None


@dataclass(frozen=True, slots=True)
class InboundDeletion:
    """The author took messages back."""

    external_ids: tuple[str, ...]
    thread_key: str
    at: datetime


@dataclass(frozen=True, slots=True)
class InboundReaction:
    """The reactions of one person to a message from now on; empty: taken back."""

    external_id: str
    thread_key: str
    at: datetime
    by: str
    reactions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InboundReceipt:
    """What became of messages that we sent: `delivered`, `read` or `failed`. With `up_to`, all before too."""

    external_id: str
    thread_key: str
    at: datetime
    status: MessageStatus
    error: str | None = None
    up_to: bool = False


@dataclass(frozen=True, slots=True)
class InboundReachability:
    """The client blocked us, or can be reached again."""

    identity: Identity
    at: datetime
    reachable: bool
    reason: str = ""


Inbound = (
    InboundMessage | InboundEdit | InboundDeletion | InboundReaction | InboundReceipt | InboundReachability
)


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file to send: its bytes lie at `path` on this machine."""

    id: str
    path: str
    name: str
    mime: str
    size: int


class OutgoingVerb(StrEnum):
    """What is to be done at the other side."""

    SEND = "send"
    EDIT = "edit"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class OutgoingMessage:
    """What a connector is asked to deliver, once.

    `message_id` is ours and the same in every attempt: a channel with idempotency keys uses it.
    `external_id`: of the message to edit or delete; `reply_to`: of the one replied to.
    """

    message_id: str
    thread_key: str
    attempt: int
    verb: OutgoingVerb = OutgoingVerb.SEND
    text: str = ""
    html: str | None = None
    subject: str | None = None
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: str | None = None
    external_id: str | None = None
    files: tuple[OutgoingFile, ...] = ()
    author: str = ""
    """Name of the operator who wrote it."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The other side took it. `recipients`: address → error, where some were refused."""

    external_id: str | None
    at: datetime
    recipients: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChannelTraits:
    """What a channel can do; the desk shows no button for what it cannot."""

    edit: bool = False
    delete: bool = False
    reply: bool = False
    html: bool = False
    subject: bool = False
    attachments: bool = True
    typing: bool = False
    longest_text: int = 4096
    largest_file: int = 20 * 1024 * 1024
    files_per_message: int = 10
    first_contact: bool = False
    """Whether we may write to somebody who never wrote to us."""
    identity: str = "other"
    """Kind of the identities that this channel reaches."""
    idempotent: bool = False
    """Whether the other side takes the same `message_id` once: what got no answer is then sent again."""
    per_second: float = 30.0
    """Messages a second that the other side bears, of the whole connector."""
    thread_gap_s: float = 0.0
    """Seconds between two messages of one conversation."""


def preview(text: str, attachments: Sequence[str] = ()) -> str:
    """One line for a list: the text's beginning, else the names of the files."""
    line = " ".join(text.split())
    return (line or ", ".join(attachments))[:200]
