"""Pages of timelines as an operator asks for them, one card owning a tenth of all entries.

`PEREZVON_BENCH_ENTRIES` (a million by default) is how many entries there are; ten millions take some minutes.
"""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from bench import bulk, office
from bench.measure import Figure, machine, milliseconds
from gateway.domain.calls import Call, CallState, Direction, Disposition, Party
from gateway.domain.people import Actor
from gateway.services import timeline
from gateway.services.timeline import TimelineWindow
from gateway.store.engine import Store
from gateway.store.tables import calls, cards
from gateway.store.tables import timeline as timeline_table
from tests.lab.postgres import running

NAME = "timeline"
CARDS = 100_000
CALLS = 10_000
PAGE = 50
PAGES = 400
MOST_MS = {"sqlite": None, "postgresql": 20.0}


def run() -> list[Figure]:
    """Both engines."""
    entries = int(os.environ.get("PEREZVON_BENCH_ENTRIES", "1000000"))
    with office.folder() as where:
        return [machine(NAME, where), *(f for engine in office.ENGINES for f in _engine(engine, entries))]


def _engine(engine: str, entries: int) -> list[Figure]:
    with filled(engine, entries) as (url, actor):
        return asyncio.run(_pages(engine, url, actor, entries))


async def _pages(engine: str, url: str, actor: Actor, entries: int) -> list[Figure]:
    figures = []
    async with office.opened(url) as store:
        for depth in (0, 10, 50, 99):
            what = f"{engine}, {entries:,} entries, large card at {depth} %"
            taken = [await _timed(store, actor, *_place(entries, depth, turn)) for turn in range(-20, PAGES)]
            figures.append(milliseconds(NAME, what, taken[20:], MOST_MS[engine]))
        chance = random.Random(1)
        taken = [
            await _timed(store, actor, bulk.id_of(bulk.CARD, chance.randrange(1, CARDS)), None)
            for _ in range(PAGES)
        ]
        figures.append(
            milliseconds(NAME, f"{engine}, {entries:,} entries, any other card", taken, MOST_MS[engine])
        )
    return figures


def _place(entries: int, depth: int, turn: int) -> tuple[str, str | None]:
    """The large card, and the entry of it before which a page at `depth` percent begins."""
    number = (entries // 10 * (100 - depth) // 100 - abs(turn) * PAGE - 1) * 10
    before = bulk.id_of(bulk.ENTRY, max(number, 10 * PAGE)) if depth else None
    return bulk.id_of(bulk.CARD, 0), before


async def _timed(store: Store, actor: Actor, card_id: str, before: str | None) -> float:
    began = time.perf_counter()
    page = await timeline.page(store, actor, card_id, TimelineWindow(before=before), PAGE)
    taken = time.perf_counter() - began
    assert page.items
    return taken


@contextlib.contextmanager
def filled(engine: str, entries: int) -> Iterator[tuple[str, Actor]]:
    """A database with so many entries, and an operator who sees all cards of his team."""
    with contextlib.ExitStack() as stack:
        target: bulk.Bulk
        if engine == "sqlite":
            path = stack.enter_context(office.folder()) / "perezvon.db"
            url, target = f"sqlite+aiosqlite:///{path}", bulk.SqliteBulk(path)
        else:
            server = stack.enter_context(running())
            name = stack.enter_context(server.database())
            url, target = server.url(name), bulk.PostgresBulk(server, name)
        operator = asyncio.run(furnished(url))
        _fill(target, entries)
        yield url, operator


async def furnished(url: str) -> Actor:
    """An operator in an empty database."""
    async with office.opened(url) as store:
        return (await office.furnish(store, 1))[0]


def _fill(target: bulk.Bulk, entries: int) -> None:
    with bulk.without_indexes(target, timeline_table, cards, calls):
        target.run(
            bulk.insert(target, cards, CARDS, card_columns(target)),
            bulk.insert(target, calls, CALLS, _call_columns(target)),
            bulk.insert(target, timeline_table, entries, _entry_columns(target)),
        )


def card_columns(target: bulk.Bulk) -> dict[str, str]:
    """A card of the team `sellers`."""
    return {
        "id": bulk.sql_id(target, bulk.CARD, "n"),
        "version": "1",
        "kind": "'lead'",
        "type": "'person'",
        "name": "'Client ' || n",
        "priority": "0",
        "team_id": "(select id from teams where name = 'sellers')",
        "tags": "'[]'",
        "note": "''",
        "fields": "'{}'",
        "external": "'[]'",
        "created_at": bulk.sql_at(target, "n"),
        "updated_at": bulk.sql_at(target, "n"),
    }


def _call_columns(target: bulk.Bulk) -> dict[str, str]:
    at = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    party = Party("+79991234567", "89991234567", "Иван")
    call = Call(
        *("ID", "pbx1", "1763974800.1", Direction.IN, CallState.ENDED, at),
        from_=party,
        disposition=Disposition.ANSWERED,
        rang=("101",),
        extension="101",
        answered_at=at,
        ended_at=at,
    )
    yes, no = ("1", "0") if target.engine == "sqlite" else ("true", "false")
    return {
        "id": bulk.sql_id(target, bulk.CALL, "n"),
        "pbx": "'pbx1'",
        "state": "'ended'",
        "direction": "'in'",
        "started_at": bulk.sql_at(target, "n"),
        "card_id": bulk.sql_id(target, bulk.CARD, "n"),
        "card_by_hand": no,
        "team_id": "(select id from teams where name = 'sellers')",
        "call": f"'{msgspec.json.encode(call).decode()}'",
        "people": "'{}'",
        "popped": "'[]'",
        "opened": yes,
        "made_card": no,
        "version": "1",
    }


def _entry_columns(target: bulk.Bulk) -> dict[str, str]:
    note = '{"kind":"note","text":"Просил перезвонить после обеда","author":null}'
    happened = '{"type":"lead_opened","detail":{},"author":null}'
    card = f"(case when n % 10 = 0 then 0 else 1 + n % {CARDS - 1} end)"
    return {
        "id": bulk.sql_id(target, bulk.ENTRY, "n"),
        "card_id": bulk.sql_id(target, bulk.CARD, card),
        "at": bulk.sql_at(target, "n"),
        "kind": bulk.sql_text(("call", "note", "card_event"), "n"),
        "channel": "(case n % 3 when 0 then 'voice' end)",
        "direction": "(case n % 3 when 0 then 'in' end)",
        "summary": "'Иван Петров'",
        "ref_id": f"(case n % 3 when 0 then {bulk.sql_id(target, bulk.CALL, f'(n % {CALLS})')} end)",
        "data": bulk.sql_text(("{}", note, happened), "n"),
    }
