"""What contract.Store promises of a unit of work, on both engines."""

import asyncio
import contextlib
import threading

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.util import await_only

from gateway.domain.errors import StoreUnavailable
from gateway.store.contract import announce
from gateway.store.engine import Store, open_store
from tests.store import notes
from tests.store.engines import on_postgresql


@pytest.fixture(autouse=True)
async def table(store: Store) -> None:
    await store.write(notes.create)


async def test_what_was_written_is_read(store: Store) -> None:
    await store.write(notes.add, "a", number=7)
    assert await store.read(notes.keys) == {"a"}


async def test_a_unit_that_raises_leaves_nothing_and_its_error_reaches_the_caller(store: Store) -> None:
    def half(tx: Connection) -> None:
        notes.add(tx, "half")
        raise LookupError("changed my mind")

    with pytest.raises(LookupError, match="changed my mind"):
        await store.write(half)
    assert await store.read(notes.count) == 0


async def test_one_unit_that_fails_among_thirty_two_at_once_hurts_no_neighbour(store: Store) -> None:
    def fail(tx: Connection, how: int) -> None:
        notes.add(tx, f"failing{how}")
        if how == 0:
            raise ValueError("mine alone")
        if how == 1:
            notes.add(tx, "good0")  # taken already or wanted by a neighbour
            notes.add(tx, "good0")
        with tx.begin_nested():
            notes.add(tx, "nested")
            raise StopIteration

    good = [store.write(notes.add, f"good{n}") for n in range(29)]
    bad = [store.write(fail, how) for how in range(3)]
    outcomes = await asyncio.gather(*good[:10], *bad, *good[10:], return_exceptions=True)

    failures = [outcome for outcome in outcomes if outcome is not None]
    assert sorted(type(failure).__name__ for failure in failures) == [
        "IntegrityError",
        "RuntimeError",
        "ValueError",
    ]
    assert await store.read(notes.keys) == {f"good{n}" for n in range(29)}


async def test_a_broken_deferred_constraint_fails_its_own_unit_only(store: Store) -> None:
    await store.write(
        lambda tx: (
            tx.execute(
                text(
                    "create table lines (id integer primary key,"
                    " note varchar(64) references notes (key) deferrable initially deferred)"
                )
            )
            and None
        )
    )

    def line(tx: Connection, number: int, note: str) -> None:
        tx.execute(text("insert into lines values (:number, :note)"), {"number": number, "note": note})

    await store.write(notes.add, "there")
    outcomes = await asyncio.gather(
        *(store.write(line, n, "missing" if n == 5 else "there") for n in range(20)), return_exceptions=True
    )

    assert [n for n, outcome in enumerate(outcomes) if outcome is not None] == [5]
    assert isinstance(outcomes[5], IntegrityError)
    assert await store.read(lambda tx: tx.scalar(text("select count(*) from lines"))) == 19


async def test_the_same_thing_inserted_by_many_at_once_is_stored_once(store: Store) -> None:
    fresh = await asyncio.gather(*(store.write(notes.add_once, f"k{n % 10}") for n in range(60)))
    assert sum(fresh) == 10
    assert await store.read(notes.count) == 10


async def test_a_reader_cannot_write(store: Store) -> None:
    with pytest.raises(Exception, match=r"read.?only"):
        await store.read(notes.add, "no")
    assert await store.read(notes.count) == 0
    await store.write(notes.add, "yes")


async def test_a_reader_sees_one_snapshot_whatever_is_committed_meanwhile(store: Store) -> None:
    loop = asyncio.get_running_loop()

    def write_meanwhile() -> None:
        if store.dialect == "sqlite":
            asyncio.run_coroutine_threadsafe(store.write(notes.add, "meanwhile"), loop).result(10)
        else:
            await_only(store.write(notes.add, "meanwhile"))

    def twice(tx: Connection) -> tuple[int, int]:
        before = notes.count(tx)
        write_meanwhile()
        return before, notes.count(tx)

    assert await store.read(twice) == (0, 0)
    assert await store.read(notes.count) == 1


async def test_a_cancelled_caller_leaves_a_store_that_works(store: Store) -> None:
    tasks = [asyncio.create_task(store.write(notes.add, f"n{n}")) for n in range(200)]
    await tasks[0]
    for task in tasks[1::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    done = {f"n{n}" for n, outcome in enumerate(outcomes) if outcome is None}
    assert len(done) >= 100
    assert done <= await store.read(notes.keys)
    await store.write(notes.add, "after")


async def test_more_units_than_may_wait_are_all_done_in_the_end(store: Store) -> None:
    await asyncio.gather(*(store.write(notes.add_once, f"k{n % 500}") for n in range(1500)))
    assert await store.read(notes.count) == 500


async def test_callbacks_hear_of_commits_that_announce_and_of_no_others(store: Store) -> None:
    heard = asyncio.Event()
    stop = store.on_commit(heard.set)

    def tell(tx: Connection, key: str) -> None:
        notes.add(tx, key)
        announce(tx)

    await store.write(notes.add, "silent")
    await store.write(notes.add, "silent too")
    with contextlib.suppress(IntegrityError):
        await store.write(lambda tx: tell(tx, "silent"))
    first_was_silent = (
        not heard.is_set() or store.dialect == "postgresql"
    )  # there the listener's start is heard
    await store.write(tell, "loud")
    await asyncio.wait_for(heard.wait(), 5)
    assert first_was_silent
    heard.clear()
    stop()
    await store.write(tell, "unheard")
    assert not heard.is_set()


async def test_a_callback_that_raises_is_logged_and_the_others_are_called(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    heard = asyncio.Event()
    store.on_commit([].pop)
    store.on_commit(heard.set)
    await store.write(announce)
    await asyncio.wait_for(heard.wait(), 5)
    assert "on_commit callback failed" in caplog.text


@on_postgresql
async def test_another_store_on_the_same_database_is_heard_on_postgresql(store: Store) -> None:
    other = await open_store(store.url)
    heard = asyncio.Event()
    stop = other.on_commit(heard.set)
    while not heard.is_set():  # its listener may still be connecting
        await store.write(announce)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(heard.wait(), 0.1)
    stop()
    await other.close()


async def test_closing_finishes_what_was_begun_and_refuses_what_comes_later(store: Store) -> None:
    writing = [asyncio.create_task(store.write(notes.add, f"n{n}")) for n in range(5)]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*writing) == [None] * 5
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.write(notes.add, "late")
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.read(notes.count)
    again = await open_store(store.url)
    assert await again.read(notes.count) == 5
    await again.close()
    ours = ("perezvon-reader", "perezvon-writer", "perezvon-postgres")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(ours)]
