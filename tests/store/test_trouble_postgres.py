"""PostgreSQL when it is away, killed, or cannot: unavailable in words, and it heals alone."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from gateway.domain.errors import StoreUnavailable
from gateway.domain.facts import Fact
from gateway.feed import Feed
from gateway.store import facts
from gateway.store.engine import Store, open_store
from gateway.store.migrate import migrate
from gateway.store.postgres_errors import ConnectionLost
from gateway.supervise import until_stored
from tests.lab.postgres import PostgresServer, running
from tests.store import notes
from tests.store.engines import on_postgresql
from tests.store.test_feed import Seen
from tests.store.test_feed import running as following

CUT_LISTENERS = """
select count(pg_terminate_backend(pid)) from pg_stat_activity
where query ilike '%listen%' and pid <> pg_backend_pid()
"""


@pytest.fixture
def mortal(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """A server of the test's own, to be killed."""
    with running() as server:
        yield server


async def test_a_killed_server_is_unavailable_and_its_return_is_enough(mortal: PostgresServer) -> None:
    store = await open_store(mortal.url())
    await store.write(notes.create)
    acknowledged: set[str] = set()
    outages = 0
    writing = True

    async def write(writer: int) -> None:
        nonlocal outages
        number = 0
        while writing:
            key = f"{writer}.{number}"
            try:
                await store.write(notes.add, key)
            except StoreUnavailable:
                outages += 1
                await asyncio.sleep(0.05)
            else:
                acknowledged.add(key)
            number += 1

    writers = [asyncio.create_task(write(writer)) for writer in range(8)]
    await asyncio.sleep(0.3)
    await asyncio.to_thread(mortal.kill)
    with pytest.raises(StoreUnavailable):
        await store.read(notes.count)
    before = len(acknowledged)
    await asyncio.to_thread(mortal.start)
    await asyncio.sleep(0.5)
    writing = False
    await asyncio.gather(*writers)

    assert outages
    assert len(acknowledged) > before > 0
    assert acknowledged <= await store.read(notes.keys)
    await store.close()


async def test_after_a_restart_that_nobody_noticed_the_first_unit_succeeds(mortal: PostgresServer) -> None:
    store = await open_store(mortal.url())
    await store.write(notes.create)
    await asyncio.gather(*(store.write(notes.add, f"n{n}") for n in range(20)))
    await asyncio.to_thread(mortal.kill)
    await asyncio.to_thread(mortal.start)
    await asyncio.sleep(0.05)  # the loop hears that its connections are closed
    await store.write(notes.add, "after")
    assert await store.read(notes.count) == 21
    await store.close()


async def test_a_server_that_does_not_answer_is_given_up_in_time_and_heals_when_it_does(
    mortal: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.postgres.UNIT_S", 0.5)
    store = await open_store(mortal.url())
    await store.write(notes.create)
    await asyncio.gather(*(store.write(notes.add, f"n{n}") for n in range(10)))
    mortal.freeze()
    try:
        async with asyncio.timeout(20):
            outcomes = await asyncio.gather(
                *(store.write(notes.add, f"frozen{n}") for n in range(20)), return_exceptions=True
            )
    finally:
        mortal.thaw()
    assert {type(one) for one in outcomes} <= {ConnectionLost, StoreUnavailable}
    await until_stored("a writer", lambda: store.write(notes.add, "after"))
    assert "after" in await store.read(notes.keys)
    await store.close()


async def test_the_feed_goes_on_after_a_restart_and_misses_nothing(mortal: PostgresServer) -> None:
    await migrate(mortal.url())
    store = await open_store(mortal.url())
    feed, seen = Feed(store, poll_s=0.1), Seen()
    feed.observe("seen", seen)
    async with following(feed):
        await store.write(facts.append, [Fact("before", b"{}")])
        await seen.until(1)
        await asyncio.to_thread(mortal.kill)
        holding = asyncio.create_task(
            until_stored("a loop", lambda: store.write(facts.append, [Fact("held back", b"{}")]))
        )
        await asyncio.sleep(0.2)
        await asyncio.to_thread(mortal.start)
        await holding
        assert await seen.until(2) == ["before", "held back"]
    await store.close()


async def test_a_server_that_is_away_at_the_start_does_not_keep_the_store_from_opening(
    mortal: PostgresServer,
) -> None:
    await asyncio.to_thread(mortal.stop)
    store = await open_store(mortal.url())
    for work in (store.write, store.read):
        with pytest.raises(StoreUnavailable, match=r"refused|reached"):
            await work(notes.count)
    with pytest.raises(StoreUnavailable):
        await migrate(mortal.url())
    await asyncio.to_thread(mortal.start)
    await store.write(notes.create)
    await store.close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("postgres@", "nobody_known@"), "nobody_known"),
        (("/postgres", "/no_such_database"), "no_such_database"),
    ],
)
async def test_a_wrong_name_is_told_by_the_server(
    postgres: PostgresServer, change: tuple[str, str], says: str
) -> None:
    store = await open_store(postgres.url().replace(*change))
    with pytest.raises(StoreUnavailable, match=says):
        await store.read(notes.count)
    await store.close()


@on_postgresql
async def test_a_deadlock_is_unavailable_for_one_and_done_by_the_other(store: Store) -> None:
    await store.write(notes.create)
    await store.write(notes.add, "a")
    await store.write(notes.add, "b")

    def cross(tx: Connection, first: str, second: str) -> None:
        for key in (first, second):
            tx.execute(text("update notes set number = number + 1 where key = :key"), {"key": key})
            tx.execute(text("select pg_sleep(0.3)"))

    outcomes = await asyncio.gather(
        store.write(cross, "a", "b"), store.write(cross, "b", "a"), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in outcomes) == ["NoneType", "StoreUnavailable"]
    total = await store.read(lambda tx: tx.scalar(text("select sum(number) from notes")))
    assert total == 2


@on_postgresql
async def test_a_plan_made_stale_by_a_change_of_schema_heals_at_once(store: Store) -> None:
    await store.write(notes.create)
    await store.write(notes.add, "a")
    for _ in range(3):
        await store.read(lambda tx: tx.execute(text("select * from notes")).all())
    await store.write(lambda tx: tx.execute(text("alter table notes add column extra integer")) and None)
    rows = await until_stored(
        "a reader", lambda: store.read(lambda tx: tx.execute(text("select * from notes")).all())
    )
    assert len(rows[0]) == 6


@on_postgresql
async def test_cutting_the_listener_off_costs_hints_and_nothing_else(
    store: Store, postgres: PostgresServer
) -> None:
    other = await open_store(store.url)
    feed, seen = Feed(other, poll_s=0.1), Seen()
    feed.observe("seen", seen)
    async with following(feed):
        await asyncio.to_thread(postgres.sql, CUT_LISTENERS)
        began = time.monotonic()
        await store.write(facts.append, [Fact("unhinted", b"{}")])
        assert await seen.until(1) == ["unhinted"]
        assert time.monotonic() - began < 5
    await other.close()
