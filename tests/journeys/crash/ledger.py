"""What must be in the books when all is in, and the reader that follows the facts meanwhile."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from config.settings import Settings
from gateway.domain.facts import CommittedFact
from gateway.feed import Feed
from gateway.services import installation, people
from gateway.services.people_input import EndpointFields, OperatorCreate
from gateway.store import facts
from gateway.store.engine import Store
from gateway.store.tables import calls, cards, contacts, identities, leads, timeline
from tests.journeys.crash import source

Told = tuple[str, str]
"""Type of a fact, and whom it is about: the id of a call, or the caller's number."""


async def furnish(store: Store) -> None:
    """An operator sits at the phone that rings."""
    await store.write(installation.prepare, Settings())
    phone = EndpointFields(pbx=source.PBX, extension=source.EXTENSION)
    body = OperatorCreate(
        login="anna", name="Anna", role="operator", endpoints=[phone], password="a good one"
    )
    await people.add_operator(store, body)


def expected_facts(count: int) -> Counter[Told]:
    """Each fact that `count` contacts make, once."""
    told: Counter[Told] = Counter()
    known: set[str] = set()
    for order in range(count):
        contact = source.contact(order)
        call = contact.rings.call.id
        if contact.number not in known:
            known.add(contact.number)
            told.update([("card.updated", contact.number), ("lead.updated", contact.number)])
        told.update(
            (what, call) for what in ("call.ringing", "timeline.added", "contact.offered", "card.opened")
        )
        if contact.gives_up is not None:
            told.update((what, call) for what in ("call.ended", "contact.abandoned"))
    return told


class Follower:
    """Reads the facts from where it was, whatever happens to those who write them."""

    def __init__(self, store: Store, start: str) -> None:
        self.seen: list[CommittedFact] = []
        self._store = store
        self._position = start
        self._more = asyncio.Event()

    @contextlib.asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follow on from the kept place as long as the context lasts."""
        feed = Feed(self._store, poll_s=0.1)
        feed.observe("follower", self._saw)
        task = asyncio.create_task(feed.run(self._position))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _saw(self, batch: Sequence[CommittedFact]) -> None:
        self.seen += batch
        self._position = batch[-1].position
        self._more.set()

    async def until(self, count: int) -> None:
        """Return when so many were seen."""
        while len(self.seen) < count:
            self._more.clear()
            await self._more.wait()


async def check(store: Store, follower: Follower, start: facts.Position, count: int) -> None:
    """Everything is in the books once, and the follower heard of everything once, in the order of commits."""
    assert await store.read(_doubled_or_lost, count) == {}
    stored = await store.read(facts.read_after, start, 10_000_000)
    numbers = await store.read(_numbers)
    told = Counter(_about(one, numbers) for one in stored)
    wanted = expected_facts(count)
    assert told == wanted, f"missing {wanted - told}, too many {told - wanted}"
    async with follower.following(), asyncio.timeout(20):
        await follower.until(len(stored))
    assert [one.position for one in follower.seen] == [one.position for one in stored]
    if store.dialect == "sqlite":
        assert await store.read(lambda tx: tx.exec_driver_sql("pragma integrity_check").scalar()) == "ok"


def _doubled_or_lost(tx: Connection, count: int) -> dict[str, tuple[int, int]]:
    """Of each kind of row that is not there in the right number: how many there are and should be."""
    all_contacts = [source.contact(order) for order in range(count)]
    callers = len({one.number for one in all_contacts})
    ended = sum(one.gives_up is not None for one in all_contacts)
    rows = {
        "cards": (_count(tx, cards.c.id), callers),
        "numbers": (_count(tx, identities.c.value), callers),
        "leads": (_count(tx, leads.c.id), callers),
        "cards with a lead": (_count(tx, leads.c.card_id.distinct()), callers),
        "calls": (_count(tx, calls.c.id), count),
        "ended calls": (_count(tx, calls.c.id, calls.c.state == "ended"), ended),
        "contacts": (_count(tx, contacts.c.call_id.distinct()), count),
        "abandoned contacts": (_count(tx, contacts.c.id, contacts.c.state == "abandoned"), ended),
        "calls on timelines": (_count(tx, timeline.c.ref_id.distinct()), count),
        "entries of timelines": (_count(tx, timeline.c.id), count + callers),
    }
    return {what: found for what, found in rows.items() if found[0] != found[1]}


def _count(tx: Connection, column: Any, *conditions: Any) -> int:
    return tx.scalar(select(func.count(column)).where(*conditions)) or 0


def _numbers(tx: Connection) -> dict[str, str]:
    return {row.card_id: row.value for row in tx.execute(select(identities.c.card_id, identities.c.value))}


def _about(one: CommittedFact, numbers: dict[str, str]) -> Told:
    data = msgspec.json.decode(one.fact.data)
    match one.fact.type.partition("."):
        case ("call", _, _):
            about = data["call"]["id"]
        case ("contact", _, _):
            about = data["contact"]["call_id"]
        case ("timeline", _, _):
            about = data["entry"]["call"]["id"]
        case (_, _, "opened"):
            about = data["call"]["id"]
        case _:
            about = numbers[one.fact.card_id or ""]
    return one.fact.type, about
