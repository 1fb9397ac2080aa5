"""What lies below the services calls up through these; gateway.app hands the implementations in."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from gateway.domain.calls import Call, CallEvent
from gateway.domain.messages import ChannelTraits, Delivered, Inbound, OutgoingMessage, RawUpdate


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

    async def typing(self, thread_key: str) -> None:
        """The client is typing: shown for some seconds, never stored."""
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
        """What the channel can do."""
        ...

    async def send(self, message: OutgoingMessage) -> Delivered:
        """Deliver once.

        Raises `TemporaryFailure` (surely not taken), `PermanentFailure`, `Unreachable`, `OutcomeUnknown` (the
        answer was lost), `NeedsAdministrator`.
        """
        ...

    async def fetch(self, reference: str, into: Path) -> None:
        """Download the file of an attachment; same failures."""
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


class Clock(Protocol):
    """The time now, UTC."""

    def __call__(self) -> datetime: ...
