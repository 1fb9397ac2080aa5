"""What a connector of messages is made with, and what it must be: the kit of docs/connectors.md."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from gateway.domain.messages import MessageKind, MessageStatus
from gateway.domain.ports import LinkReport, MessageIntake, Sender, Translator


@dataclass(frozen=True, slots=True)
class Face:
    """One address of a connector's HTTP face, below /hooks/NAME or /chat/NAME.

    `handler` takes an aiohttp request; what it raises of our errors is answered as problem+json. It is
    mounted on every node, also while the connector itself does not run. WebSockets are method GET.
    """

    method: str
    path: str
    handler: Callable[[Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class ChatFile:
    """A file of a message as the client is shown it; bytes are there when it is `ready`."""

    id: str
    name: str
    mime: str
    size: int | None
    ready: bool


@dataclass(frozen=True, slots=True)
class ChatEntry:
    """A message as the client himself is shown it. `seq` grows by one along the conversation, closed threads
    included; times UTC. A deleted one has no text and no files."""

    id: str
    seq: int
    outgoing: bool
    at: datetime
    author: str
    """Name of the operator, or of the client."""
    text: str
    kind: MessageKind
    status: MessageStatus
    client_id: str | None = None
    reply_to: str | None = None
    files: tuple[ChatFile, ...] = ()
    edited: bool = False
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that lies on this machine."""

    path: Path
    name: str
    mime: str
    size: int


@dataclass(frozen=True, slots=True)
class Staff:
    """Whether anybody is there: opening hours of the connector's queue now, operators who take contacts."""

    open: bool
    available: int


class ChatBook(Protocol):
    """What a connector may read of its own conversations. All raise `StoreUnavailable`."""

    async def history(
        self, thread_key: str, *, after: int | None = None, before: int | None = None, limit: int = 50
    ) -> Sequence[ChatEntry]:
        """Up to `limit` messages, oldest first: those after the `seq`, or the newest before it.

        What waits to be sent (scheduled, or not yet handed to the sender) is not among them.
        """
        ...

    async def file(self, thread_key: str, file_id: str) -> StoredFile | None:
        """A file of this very conversation that is ready."""
        ...

    async def staff(self) -> Staff:
        """Who is there now."""
        ...


@dataclass(frozen=True, slots=True)
class Hint:
    """Something was committed in a conversation: `message` (came, went out, was edited, deleted, changed its
    state) or `typing` (an operator writes). Only a hint: the book is the truth."""

    thread_key: str
    what: str
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a connector is made with. `country`: of numbers without a country code; `public_url()`: how the
    outside reaches us (scheme, host, port); `client_address(request)`: whose request to a face it is, behind
    trusted proxies too."""

    intake: MessageIntake
    book: ChatBook
    report: LinkReport
    country: str
    public_url: Callable[[], str]
    language: str
    client_address: Callable[[Any], str]


class MessageConnector(Protocol):
    """One attachment to a channel of messages. Made once on every node; `run` runs on one of them."""

    @property
    def translate(self) -> Translator:
        """What its raw updates mean."""
        ...

    @property
    def sender(self) -> Sender:
        """Its outgoing side; used only while `run` runs, on the node where it runs."""
        ...

    @property
    def faces(self) -> Sequence[Face]:
        """Its HTTP face; empty where it has none."""
        ...

    def hint(self, hint: Hint) -> None:
        """Called on every node after commits that concern its conversations; neither blocks nor raises."""
        ...

    async def run(self) -> None:
        """Serve until that is over; never returns normally. As `Connector.run`."""
        ...
