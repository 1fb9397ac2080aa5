"""Facts are read in commit order, none missed, none twice."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.util import await_only

from gateway.domain.facts import Fact
from gateway.domain.ids import new_id
from gateway.store import facts
from gateway.store.engine import Store
from gateway.store.tables_core import facts as table
from tests.store.engines import on_postgresql


async def test_a_fact_comes_back_as_it_was_appended(store: Store) -> None:
    start = await store.read(facts.now)
    told = [
        Fact("call.started", b'{"call":{"n":1}}', new_id(), ("a", "b"), True, new_id()),
        Fact("card.updated", '{"имя":"Ёж"}'.encode()),
    ]
    await store.write(facts.append, told)

    back = await store.read(facts.read_after, start, 10)
    assert [one.fact for one in back] == told
    assert abs(back[0].at - datetime.now(UTC)) < timedelta(seconds=10)


async def test_reading_goes_on_after_any_fact_and_obeys_the_limit(store: Store) -> None:
    start = await store.read(facts.now)
    for number in range(7):
        await store.write(facts.append, [Fact(f"n{number}", b"{}"), Fact(f"m{number}", b"{}")])

    seen = []
    place = start
    while batch := await store.read(facts.read_after, place, 3):
        assert len(batch) <= 3
        seen += [one.fact.type for one in batch]
        place = facts.Position.parse(batch[-1].position)
    assert seen == [f"{letter}{number}" for number in range(7) for letter in "nm"]


async def test_a_unit_that_fails_tells_no_fact(store: Store) -> None:
    start = await store.read(facts.now)

    def fail(tx: Connection) -> None:
        facts.append(tx, [Fact("never", b"{}")])
        raise ValueError

    with pytest.raises(ValueError):
        await store.write(fail)
    await store.write(facts.append, [Fact("after", b"{}")])
    assert [one.fact.type for one in await store.read(facts.read_after, start, 10)] == ["after"]


async def test_eight_writers_and_a_reader_beside_them_miss_and_repeat_nothing(store: Store) -> None:
    place = await store.read(facts.now)
    seen: list[tuple[int, int]] = []
    writing = True

    async def write(writer: int) -> None:
        for number in range(120):
            await store.write(facts.append, [Fact(f"{writer}.{number}", b"{}")])

    async def follow() -> None:
        nonlocal place
        while True:
            last_round = not writing
            batch = await store.read(facts.read_after, place, 50)
            for one in batch:
                writer, _, number = one.fact.type.partition(".")
                seen.append((int(writer), int(number)))
            if batch:
                place = facts.Position.parse(batch[-1].position)
            elif last_round:
                return

    following = asyncio.create_task(follow())
    await asyncio.gather(*(write(writer) for writer in range(8)))
    writing = False
    await following

    assert len(seen) == len(set(seen)) == 960
    for writer in range(8):
        assert [number for who, number in seen if who == writer] == list(range(120))


@on_postgresql
async def test_facts_of_a_transaction_still_running_are_waited_for_not_skipped(store: Store) -> None:
    start = await store.read(facts.now)

    begun, go_on = asyncio.Event(), asyncio.Event()

    def slowly(tx: Connection) -> None:
        facts.append(tx, [Fact("slow", b"{}")])
        begun.set()
        await_only(go_on.wait())

    slow = asyncio.create_task(store.write(slowly))
    await begun.wait()
    await store.write(facts.append, [Fact("quick", b"{}")])
    assert await store.read(facts.read_after, start, 10) == []
    go_on.set()
    await slow
    assert {one.fact.type for one in await store.read(facts.read_after, start, 10)} == {"slow", "quick"}


@on_postgresql
async def test_a_place_in_another_history_is_refused(store: Store) -> None:
    here = await store.read(facts.now)
    elsewhere = facts.Position(here.timeline + 1, here.x, here.id)
    with pytest.raises(facts.HistoryChanged):
        await store.read(facts.read_after, elsewhere, 10)


async def test_old_facts_are_pruned_in_portions_and_their_numbers_never_come_back(store: Store) -> None:
    await store.write(facts.append, [Fact(f"n{n}", b"{}") for n in range(12)])
    start = await store.read(facts.now)
    soon = datetime.now(UTC) + timedelta(minutes=1)
    assert await store.write(facts.prune, soon, 5) == 5
    assert await store.write(facts.prune, soon, 100) == 7
    assert await store.read(lambda tx: tx.scalar(select(func.count()).select_from(table))) == 0

    await store.write(facts.append, [Fact("new", b"{}")])
    assert [one.fact.type for one in await store.read(facts.read_after, start, 10)] == ["new"]


@pytest.mark.parametrize("text", ["", "1-2", "a-b-c", "1-2-3-4"])
def test_a_position_that_is_none_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        facts.Position.parse(text)


def test_a_position_survives_being_written_down() -> None:
    assert facts.Position.parse(str(facts.Position(1, 2, 3))) == facts.Position(1, 2, 3)
