"""Finding one card among a million: by words, by fragments of numbers, by both ends of a name half typed.

`PEREZVON_BENCH_CARDS` (a million by default) is how many cards there are. Names are drawn from a few hundred
combinations, so that a name alone matches thousands of cards: the worst that an operator types.
"""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import Iterator, Sequence

from sqlalchemy import MetaData, Table

from bench import bulk, office, timeline
from bench.measure import Figure, machine, milliseconds
from gateway.domain.people import Actor
from gateway.services import cards, terms
from gateway.services.search import Filters
from gateway.store.engine import Store
from gateway.store.tables import card_terms
from gateway.store.tables import cards as cards_table
from tests.lab.postgres import running

NAME = "search"
TIMES = 200
FIRST = ("Иван", "Мария", "Сергей", "Ольга", "Elena", "John", "Тимур", "Анна", "Пётр", "Юлия")
LAST = (
    *("Орлов", "Петрова", "Сидоренко", "Кузнецова", "Smith", "Schmidt", "Ахметов", "Лебедева", "Морозов"),
    *("Волкова", "Соловьёв", "Васильева", "Зайцев", "Павлова", "Семёнов", "Голубева", "Виноградов"),
)
BASE = 79_000_000_000
STEP = 977
"""Numbers lie apart, so that fragments of them differ from the third digit on."""


def run() -> list[Figure]:
    """Both engines."""
    count = int(os.environ.get("PEREZVON_BENCH_CARDS", "1000000"))
    with office.folder() as where:
        return [machine(NAME, where), *(f for engine in office.ENGINES for f in _engine(engine, count))]


def _engine(engine: str, count: int) -> list[Figure]:
    with filled(engine, count) as (url, actor):
        return asyncio.run(_asked(engine, url, actor, count))


async def _asked(engine: str, url: str, actor: Actor, count: int) -> list[Figure]:
    chance = random.Random(1)
    numbers = [str(BASE + chance.randrange(count) * STEP) for _ in range(TIMES)]
    names = [f"{chance.choice(LAST)} {chance.choice(FIRST)}" for _ in range(TIMES)]
    asked = {
        "whole number": numbers,
        "last 7 digits": [number[-7:] for number in numbers],
        "last 4 digits": [number[-4:] for number in numbers],
        "3 digits": [number[-3:] for number in numbers],
        "name and surname": names,
        "surname half typed": [name[:4] for name in names],
        "nothing like it": [f"zzyzx{n}" for n in range(TIMES)],
    }
    async with office.opened(url) as store:
        return [
            milliseconds(NAME, f"{engine}, {count:,} cards: {what}", await _timed(store, actor, queries))
            for what, queries in asked.items()
        ]


async def _timed(store: Store, actor: Actor, queries: Sequence[str]) -> list[float]:
    taken = []
    for query in (*queries[:20], *queries):
        began = time.perf_counter()
        await cards.list_cards(store, actor, Filters(q=query), 20, None)
        taken.append(time.perf_counter() - began)
    return taken[20:]


@contextlib.contextmanager
def filled(engine: str, count: int) -> Iterator[tuple[str, Actor]]:
    """A database with so many cards of an operator's team."""
    with contextlib.ExitStack() as stack:
        target: bulk.Bulk
        if engine == "sqlite":
            path = stack.enter_context(office.folder()) / "perezvon.db"
            url, target = f"sqlite+aiosqlite:///{path}", bulk.SqliteBulk(path)
        else:
            server = stack.enter_context(running())
            name = stack.enter_context(server.database())
            url, target = server.url(name), bulk.PostgresBulk(server, name)
        operator = asyncio.run(timeline.furnished(url))
        _fill(target, count)
        yield url, operator


def _fill(target: bulk.Bulk, count: int) -> None:
    last, first = bulk.sql_text(LAST, "n"), bulk.sql_text(FIRST, f"n / {len(LAST)}")
    made = timeline.card_columns(target) | {"name": f"{last} || ' ' || {first}"}
    card_id = bulk.sql_id(target, bulk.CARD, "n")
    number = f"({BASE} + n * {STEP})"
    digits = f"cast({number} as text)"
    words = [*_terms(LAST, "n"), *_terms(FIRST, f"n / {len(LAST)}")]
    heap = Table("heap", MetaData())
    found = [f"'d:' || substr({digits}, {place})" for place in range(1, 10)] + words
    with bulk.without_indexes(target, cards_table, card_terms):
        target.run(
            bulk.insert(target, cards_table, count, made),
            "create table heap as select * from card_terms",
            *(bulk.insert(target, heap, count, {"term": term, "card_id": card_id}) for term in found),
            # Into the index in its own order: at random it would take an hour.
            "insert into card_terms (term, card_id) select term, card_id from heap order by term, card_id",
            "drop table heap",
        )


def _terms(names: Sequence[str], number: str) -> list[str]:
    """Expressions for the terms of a name: the word, and its stem where that is another."""
    word = [f"w:{terms.words(name)[0]}" for name in names]
    stem = [
        next(iter(terms.of_text([name]) - {plain}), f"{plain}.")
        for name, plain in zip(names, word, strict=True)
    ]
    return [bulk.sql_text(word, number), bulk.sql_text(stem, number)]
