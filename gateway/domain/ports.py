"""What lies below the services calls up through these; gateway.app hands the implementations in."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from gateway.domain.calls import Call, CallEvent
from gateway.domain.identities import Identity
from gateway.domain.messages import ChannelTraits, Delivered, Inbound, OutgoingMessage, RawUpdate
from gateway.domain.recordings import Blob, FileStamp, RecordingJob, Sound, SpoolFile, Stage, Unwanted


class LinkState(StrEnum):
    """How a connector stands with its outside system."""

    CONNECTING = "connecting"
    UP = "up"
    DOWN = "down"
    NEEDS_ADMINISTRATOR = "needs_administrator"


class Intake(Protocol):
    """What a connector tells the service."""

    async def live_calls(self, pbx: str) -> Sequence[Call]:
        """Calls of this PBX that the books hold as not ended; a fresh tracker starts from them."""
        ...

    async def calls_happened(self, events: Sequence[CallEvent]) -> None:
        """Record the events, in this order; returns after they are durable.

        Holds the events while the database is away and goes on when it is back; a single event that cannot
        be stored is logged, kept as poison and passed over.
        """
        ...

    async def calls_with(self, pbx: str, channels: Collection[str]) -> Sequence[Call]:
        """Calls of this PBX in the books, live or over, that have one of these channels (Uniqueids)."""
        ...

    async def calls_found(self, pbx: str, events: Sequence[CallEvent], place: str) -> None:
        """Record calls that the PBX's records tell of, and how far its records have been dealt with, in one
        transaction; returns when it is durable. Held and passed over as above.
        """
        ...

    async def records_place(self, pbx: str) -> str | None:
        """How far this PBX's records have been dealt with; None before the first time."""
        ...


class MessageIntake(Protocol):
    """What a connector of messages tells the service."""

    async def store_raw(self, updates: Sequence[RawUpdate], checkpoint: str | None = None) -> int:
        """Make the updates durable, those not known yet, and the checkpoint with them; how many were new.

        Acknowledge outside only after it returned. Raises `StoreUnavailable`.
        """
        ...

    async def checkpoint(self) -> str | None:
        """The checkpoint stored last for this connector; None at the first start."""
        ...

    async def keep_file(self, chunks: AsyncIterator[bytes], name: str, largest: int) -> str:
        """Store a file that a message will bring; what to give as `InboundAttachment.reference`.

        Bytes that no message brings within a day are taken away. Raises `Invalid` for more than `largest`
        bytes.
        """
        ...

    async def typing(self, thread_key: str) -> None:
        """The client is typing: told to the desks, at most once in some seconds."""
        ...


class Translator(Protocol):
    """Pure: what a raw update means. An update that means nothing to people gives nothing."""

    def __call__(self, body: bytes, received_at: datetime) -> Sequence[Inbound]:
        """Raises anything for an update that it cannot read: the update is then set aside, replayable."""
        ...


class Sender(Protocol):
    """The outgoing side of a connector. Never waits to retry."""

    @property
    def traits(self) -> ChannelTraits:
        """What the channel can do; the same as long as the connector lives."""
        ...

    async def send(self, message: OutgoingMessage) -> Delivered:
        """Deliver once.

        Raises `TemporaryFailure` (surely not taken), `PermanentFailure`, `Unreachable`, `OutcomeUnknown` (the
        answer was lost), `NeedsAdministrator`.
        """
        ...

    async def fetch(self, reference: str, into: Path, largest: int) -> None:
        """Download the file of an attachment, at most `largest` bytes; same failures."""
        ...

    async def typing(self, thread_key: str) -> None:
        """Show the client that somebody writes, where the channel can; failures are of no interest."""
        ...

    def thread_key(self, to: Identity) -> str:
        """The conversation with somebody to whom we write first (`traits.first_contact`)."""
        ...


class LinkReport(Protocol):
    """How a connector tells how it stands; plain call, never blocks or raises."""

    def __call__(
        self, state: LinkState, detail: str = "", *, remedy: str = "", clock_offset_s: float | None = None
    ) -> None: ...


class Connector(Protocol):
    """One attachment to the outside."""

    async def run(self) -> None:
        """Connect and serve until that is over; never returns normally.

        Raises `TemporaryFailure`, `PermanentFailure`, `NeedsAdministrator`; whoever runs it waits and runs it
        again, it never does so itself.
        """
        ...


class RecordingBook(Protocol):
    """Where those who fetch and encode recordings learn what is to be done, and write down what they did.

    Whatever is written for a job counts only as long as the job is theirs: else `JobLost`. All raise
    `StoreUnavailable`.
    """

    async def scanned_to(self, pbx: str) -> int | None:
        """How far the PBX's folder has been looked through (ns, the file system's clock); None: never."""
        ...

    async def found(self, pbx: str, files: Sequence[SpoolFile], scanned_to_ns: int) -> None:
        """Make recordings of the files that are not known yet, and keep the place."""
        ...

    async def jobs(self, stage: Stage, limit: int) -> Sequence[RecordingJob]:
        """Up to `limit` jobs that are due, for some 20 s each; waits until there is one."""
        ...

    async def hold(self, job: RecordingJob) -> None:
        """Keep the job for another 20 s."""
        ...

    async def looked(self, job: RecordingJob, stamp: FileStamp, again_in_s: float) -> None:
        """The file looked so, and is to be looked at again."""
        ...

    async def later(self, job: RecordingJob, again_in_s: float, why: str) -> None:
        """It cannot be done now; `why` is shown meanwhile. Does not count as a failure."""
        ...

    async def refer(self, job: RecordingJob, blob: Blob) -> None:
        """The recording's bytes will be these: committed before they are put into the library."""
        ...

    async def collected(self, job: RecordingJob) -> None:
        """The file's bytes are in the library."""
        ...

    async def ready(self, job: RecordingJob, sound: Sound | None) -> None:
        """The bytes to play are in the library; None where the sound could not be measured."""
        ...

    async def failed(self, job: RecordingJob, error: str, again_in_s: float | None) -> None:
        """An attempt failed; None gives the recording up: a person may have it tried again."""
        ...

    async def unwanted(self, limit: int) -> Sequence[Unwanted]:
        """Bytes that may have to go; waits until there are some."""
        ...

    async def is_wanted(self, blob: Blob) -> bool:
        """Whether a recording refers to the bytes."""
        ...

    async def gone(self, unwanted: Unwanted) -> None:
        """The bytes were taken away, or are wanted after all."""
        ...


class Clock(Protocol):
    """The time now, UTC."""

    def __call__(self) -> datetime: ...
