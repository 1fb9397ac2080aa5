"""The two ports of a connector, kept in memory: what it told of calls, and what it told of itself."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from gateway.domain.calls import Call, CallEvent, CallEventType, CallState, advance
from gateway.domain.ports import LinkState


@dataclass
class Books:
    """An intake in memory: the domain's own `advance`, and a condition to wait on."""

    calls: dict[str, Call] = field(default_factory=dict)
    events: list[CallEvent] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    away: asyncio.Event | None = None
    """While set and not yet happened, the database is away."""
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def live_calls(self, pbx: str) -> Sequence[Call]:
        return [call for call in self.calls.values() if call.pbx == pbx and call.state is not CallState.ENDED]

    async def calls_happened(self, events: Sequence[CallEvent]) -> None:
        if self.away is not None:
            await self.away.wait()
        async with self.changed:
            for event in events:
                self.calls[event.call.id] = advance(self.calls.get(event.call.id), event)
            self.events += events
            self.changed.notify_all()

    async def calls_with(self, pbx: str, channels: Collection[str]) -> Sequence[Call]:
        wanted = set(channels)
        return [
            call
            for call in self.calls.values()
            if call.pbx == pbx and not wanted.isdisjoint((call.linkedid, *call.legs))
        ]

    async def calls_found(self, pbx: str, events: Sequence[CallEvent], place: str) -> None:
        await self.calls_happened(events)
        self.places[pbx] = place

    async def records_place(self, pbx: str) -> str | None:
        return self.places.get(pbx)

    async def until(self, holds: Callable[["Books"], bool]) -> None:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: holds(self))

    def of(self, kind: CallEventType) -> list[CallEvent]:
        return [event for event in self.events if event.type is kind]

    @property
    def ended(self) -> list[Call]:
        return [call for call in self.calls.values() if call.state is CallState.ENDED]


@dataclass
class Lights:
    """What the connector reported of its link."""

    told: list[tuple[LinkState, str, str, float | None]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(
        self, state: LinkState, detail: str = "", *, remedy: str = "", clock_offset_s: float | None = None
    ) -> None:
        self.told.append((state, detail, remedy, clock_offset_s))
        self.changed.set()

    async def until(self, state: LinkState) -> tuple[LinkState, str, str, float | None]:
        async with asyncio.timeout(10):
            while not self.told or self.told[-1][0] is not state:
                self.changed.clear()
                await self.changed.wait()
        return self.told[-1]
