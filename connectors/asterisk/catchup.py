"""Calls that passed while the link or we were down, found in what the PBX writes down itself.

Records are read in order of time, put together by call, and told once everything about a call has come. A
call that is alive on the PBX is left alone, one that the books hold as over is not changed, one that they
hold as alive although it is gone is ended with the records' values; the rest is new. How far the records have
been dealt with is stored with the calls they told of.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Protocol

from connectors.asterisk.records import calls_in
from connectors.asterisk.records_groups import Group, Place, Pool
from connectors.asterisk.records_rows import Record
from gateway.domain.calls import Call, CallEvent, CallEventType, CallState, PbxRules, completed
from gateway.domain.errors import NeedsAdministrator
from gateway.domain.ports import Clock, Intake

log = logging.getLogger(__name__)

AT_ONCE = 20
"""Calls stored in one transaction."""
MOST_RECORDS = 200_000
"""Records held in memory; beyond them what is oldest is judged as it stands."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for records, in seconds."""

    poll_s: float = 10.0
    """Between two looks at the sources while nothing is missing."""
    hurry_s: float = 0.25
    """The same while an ended call waits for its records."""
    held_s: float = 5.0
    """How long such a call waits; then it is told with what had to be inferred."""
    settle_s: float = 1.0
    """How long nothing more of a call must have come before it is judged."""
    stale_s: float = 60.0
    """The same for one of which CEL tells no end, and for lines of the queue's log alone."""


class Source(Protocol):
    """One source of records."""

    name: str
    at_end: bool
    """Whether everything has been read that was there at the last look."""

    @property
    def reached(self) -> float:
        """The time of the latest record read, by the PBX's clock."""
        ...

    async def read(self) -> Sequence[tuple[Place, Record]]:
        """The next records; raises NeedsAdministrator where it cannot be read."""
        ...

    def marked(self, first_needed: Place | None) -> dict[str, Any] | None:
        """The place to go on from after a restart."""
        ...

    def problem(self) -> NeedsAdministrator | None:
        """What a person must mend, as far as reading shows it."""
        ...

    async def close(self) -> None: ...


Opener = Callable[[dict[str, Any], float], Awaitable[Sequence[Source]]]
"""Opens the sources: from the marks stored, and the time before which nothing is looked at."""


@dataclass
class CatchUp:
    """The records of one PBX. `alive` says which of some channels the tracker follows now."""

    rules: PbxRules
    intake: Intake
    open: Opener
    alive: Callable[[Collection[str]], bool]
    offset_s: Callable[[], float]
    clock: Clock
    back_s: float
    patience: Patience = field(default_factory=Patience)
    problems: Sequence[NeedsAdministrator] = ()

    def __post_init__(self) -> None:
        self._pool = Pool()
        self._held: dict[str, tuple[CallEvent, float]] = {}
        self._wake = asyncio.Event()
        self._sources: Sequence[Source] = ()
        self._tells_hold = False
        self._stored = ""

    def hold(self, events: Sequence[CallEvent]) -> list[CallEvent]:
        """Keep back the ends of which something had to be inferred, until their records have come or the
        grace is over; the rest is given back, to be stored.
        """
        passed = []
        for event in events:
            if event.type is CallEventType.ENDED and not _WORTH_WAITING.isdisjoint(event.call.estimated):
                self._held[event.call.id] = event, _now() + self.patience.held_s
                self._wake.set()
            else:
                passed.append(event)
        return passed

    async def run(self) -> None:
        """Follow the sources; never returns. Raises what the intake raises."""
        place = await self.intake.records_place(self.rules.pbx)
        since = (self.clock() - timedelta(seconds=self.back_s)).timestamp()
        try:
            self._sources = await self.open(_marks(place), since)
            while True:
                await self._round()
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._pause_s()):
                        await self._wake.wait()
                self._wake.clear()
        finally:
            for source in self._sources:
                await source.close()

    def _pause_s(self) -> float:
        if self._held:
            return self.patience.hurry_s
        waiting = any((group.cdrs or group.cels) and not self.alive(group.channels()) for group in self._pool)
        return self.patience.settle_s if waiting else self.patience.poll_s

    async def _round(self) -> None:
        """Read what is there, tell what is complete, let go of what has waited long enough."""
        problems: dict[str, NeedsAdministrator] = {}
        reading = list(self._sources)
        while reading:
            # The one that lags behind first, so that a call's records come together.
            source = min(reading, key=lambda one: one.reached)
            try:
                self._add(source, await source.read())
            except NeedsAdministrator as failure:
                problems[source.name] = failure
                source.at_end = True
            if source.at_end:
                reading.remove(source)
            await self._tell()
        for source in self._sources:
            if source.name not in problems and (found := source.problem()) is not None:
                problems[source.name] = found
        self.problems = tuple(problems.values())
        await self._release()

    def _add(self, source: Source, records: Sequence[tuple[Place, Record]]) -> None:
        now = _now()
        for place, record in records:
            self._pool.add(record, source.name, place, now)
            self._tells_hold = self._tells_hold or getattr(record, "type", "") == "STREAM_BEGIN"

    # -- what is complete

    async def _tell(self) -> None:
        while groups := self._pool.take(self._is_complete, AT_ONCE):
            events = await self._events(groups)
            place = self._place()
            if events or place != self._stored:
                await self.intake.calls_found(self.rules.pbx, events, place)
                self._stored = place
            for event in events:
                self._held.pop(event.call.id, None)
        place = self._place()
        if place != self._stored and all(source.at_end for source in self._sources):
            await self.intake.calls_found(self.rules.pbx, (), place)
            self._stored = place

    def _is_complete(self, group: Group) -> bool:
        if self.alive(group.channels()):
            return False
        if self._pool.records >= MOST_RECORDS:
            return True
        later = group.last + _APART_S
        if not all(source.at_end or source.reached > later for source in self._sources):
            return False
        quiet = _now() - group.touched
        if group.is_over if group.cels else bool(group.cdrs):
            return quiet >= self.patience.settle_s or any(source.reached > later for source in self._sources)
        return quiet >= self.patience.stale_s

    async def _events(self, groups: Sequence[Group]) -> list[CallEvent]:
        found = [call for group in groups for call in self._calls(group)]
        channels = {channel for call in found for channel in (call.linkedid, *call.legs)}
        if not channels:
            return []
        books = await self.intake.calls_with(self.rules.pbx, sorted(channels))
        events = []
        for call in found:
            event = self._event(call, [one for one in books if _same(one, call)])
            if event is not None:
                events.append(event)
        return events

    def _calls(self, group: Group) -> list[Call]:
        try:
            return calls_in(group, self.rules, offset_s=self.offset_s(), tells_hold=self._tells_hold)
        except Exception:
            # Whatever stands in the records of one call, the others are told.
            log.exception(
                "the records of a call could not be read", extra={"channels": sorted(group.channels())[:5]}
            )
            return []

    def _event(self, call: Call, known: Sequence[Call]) -> CallEvent | None:
        """What the records have to tell of a call; None where the books know it to the end."""
        held = [event.call for event, _ in self._held.values() if _same(event.call, call)]
        live = [one for one in known if one.state is not CallState.ENDED]
        if known and not held and not live:
            return None
        if seen := sorted([*held, *live], key=lambda one: one.started_at):
            main = seen[0]
            others = {*call.aliases, *(one.id for one in seen)} - {main.id}
            call = replace(completed(main, call), aliases=tuple(sorted(others)))
        at = call.ended_at or self.clock()
        return CallEvent(CallEventType.ENDED, call, at, from_records=True)

    async def _release(self) -> None:
        due = [id_ for id_, (_, until) in self._held.items() if until <= _now()]
        events = [self._held[id_][0] for id_ in due]
        if events:
            await self.intake.calls_happened(events)
        for id_ in due:
            del self._held[id_]

    def _place(self) -> str:
        marks = {s.name: s.marked(self._pool.first_place(s.name)) for s in self._sources}
        return json.dumps({name: mark for name, mark in marks.items() if mark is not None})


_WORTH_WAITING = frozenset({"started_at", "answered_at", "ended_at", "talk_s", "disposition"})
_APART_S = 30.0
"""Records of one call stand at most so far apart in different sources once it is over."""


def _now() -> float:
    return asyncio.get_running_loop().time()


def _marks(place: str | None) -> dict[str, Any]:
    try:
        marks = json.loads(place) if place else {}
    except ValueError:
        return {}
    return marks if isinstance(marks, dict) else {}


def _same(one: Call, other: Call) -> bool:
    return not {one.linkedid, *one.legs}.isdisjoint((other.linkedid, *other.legs))
