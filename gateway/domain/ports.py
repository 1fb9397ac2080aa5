"""What lies below the services calls up through these; gateway.app hands the implementations in."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from gateway.domain.calls import Call, CallEvent


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
