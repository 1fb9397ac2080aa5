"""Work rows are claimed by one at a time, in order within a key, and never by a claimant given up."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, select

from gateway.store import work
from gateway.store.engine import Store
from gateway.store.tables_core import work as table
from tests.store import notes


async def payloads(store: Store, kind: str = "mail", limit: int = 10) -> list[str]:
    return [one.payload for one in await store.write(work.claim, kind, limit=limit)]


async def claim_one(store: Store, ttl_s: float = 60.0) -> work.Claim:
    (one,) = await store.write(work.claim, "mail", ttl_s=ttl_s)
    return one


async def test_what_is_put_is_claimed_once_and_oldest_first(store: Store) -> None:
    for number in range(3):
        await store.write(work.put, "mail", f"m{number}")
    await store.write(work.put, "other", "not asked for")
    assert await payloads(store, limit=2) == ["m0", "m1"]
    assert await payloads(store) == ["m2"]
    assert await payloads(store) == []


async def test_work_due_later_waits_for_its_time(store: Store) -> None:
    later = datetime.now(UTC) + timedelta(hours=1)
    await store.write(work.put, "mail", "later", due_at=later)
    assert await payloads(store) == []
    assert await store.read(work.next_due, "mail") == later
    await store.write(work.put, "mail", "now")
    assert await payloads(store) == ["now"]


async def test_rows_of_one_key_are_given_out_one_after_the_other(store: Store) -> None:
    for key in ("a", "b"):
        for number in range(3):
            await store.write(work.put, "mail", f"{key}{number}", key=key)
    first = await store.write(work.claim, "mail", limit=10)
    assert [one.payload for one in first] == ["a0", "b0"]
    assert await payloads(store) == []
    await store.write(work.done, first[0])
    assert await payloads(store) == ["a1"]


async def test_a_row_to_be_tried_again_holds_back_the_younger_ones_of_its_key(store: Store) -> None:
    await store.write(work.put, "mail", "first", key="k")
    await store.write(work.put, "mail", "second", key="k")
    held = await claim_one(store)
    await store.write(work.retry_at, held, datetime.now(UTC) + timedelta(hours=1), "refused for now")
    assert await payloads(store) == []


async def test_poison_is_set_aside_blocks_nothing_and_can_be_tried_again(store: Store) -> None:
    await store.write(work.put, "mail", "bad", key="k")
    await store.write(work.put, "mail", "good", key="k")
    held = await claim_one(store)
    await store.write(work.poison, held, "cannot be read")
    await store.write(work.done, await claim_one(store))

    (aside,) = await store.read(work.poisoned, "mail")
    assert (aside.payload, aside.error, aside.attempts) == ("bad", "cannot be read", 1)
    assert await store.write(work.replay, aside.id)
    assert not await store.write(work.replay, aside.id)
    assert await payloads(store) == ["bad"]


async def test_thousands_behind_a_row_that_is_stuck_cost_a_claim_nothing(store: Store) -> None:
    def put_all(tx: Connection) -> None:
        head = work.put(tx, "mail", "first", key="stuck")
        row = tx.execute(select(table).where(table.c.id == head)).one()._asdict()
        del row["id"]
        tx.execute(insert(table), [row | {"head": False} for _ in range(3000)])

    await store.write(put_all)
    await store.write(work.retry_at, await claim_one(store), datetime.now(UTC) + timedelta(hours=1), "down")
    await store.write(work.put, "mail", "free")
    if store.dialect == "postgresql":
        await store.write(lambda tx: tx.exec_driver_sql("analyze work") and None)

    def plan(tx: Connection) -> str:
        explain = "explain query plan" if tx.dialect.name == "sqlite" else "explain"
        heads = "kind = 'mail' and head and state = 'waiting'"
        query = f"{explain} select id from work where {heads} order by due_at, id limit 9"
        return str(tx.exec_driver_sql(query).all())

    assert "ix_work_due" in await store.read(plan)
    assert await payloads(store) == ["free"]


async def test_puts_of_one_key_at_once_have_one_head(store: Store) -> None:
    await asyncio.gather(*(store.write(work.put, "mail", str(n), key="k") for n in range(20)))
    done: list[str] = []
    while held := await store.write(work.claim, "mail", limit=5):
        (one,) = held
        done.append(one.payload)
        await asyncio.gather(store.write(work.done, one), store.write(work.put, "late", "x", key="k"))
    assert sorted(done, key=int) == [str(n) for n in range(20)]


async def test_attempts_are_counted_and_the_error_of_the_last_is_kept(store: Store) -> None:
    await store.write(work.put, "mail", "m")
    for attempt in (1, 2, 3):
        held = await claim_one(store)
        assert held.attempts == attempt
        await store.write(work.retry_at, held, datetime.now(UTC) - timedelta(seconds=1), "busy")
    assert (await claim_one(store)).attempts == 4


async def test_a_claim_that_lapsed_goes_to_another_and_the_first_can_do_nothing_more(store: Store) -> None:
    await store.write(notes.create)
    await store.write(work.put, "mail", "m")
    frozen = await claim_one(store, ttl_s=0.0)
    second = await claim_one(store)
    assert (second.id, second.attempts) == (frozen.id, 2)

    def finish(tx: Connection, held: work.Claim, key: str) -> None:
        notes.add(tx, key)
        work.done(tx, held)

    now = datetime.now(UTC)
    for stale in (
        store.write(finish, frozen, "by the frozen"),
        store.write(work.retry_at, frozen, now, ""),
        store.write(work.poison, frozen, ""),
        store.write(work.extend, frozen),
    ):
        with pytest.raises(work.ClaimLost):
            await stale
    await store.write(finish, second, "by the second")
    assert await store.read(notes.keys) == {"by the second"}
    with pytest.raises(work.ClaimLost):
        await store.write(work.done, second)


async def test_a_claim_that_is_extended_is_kept(store: Store) -> None:
    await store.write(work.put, "mail", "m")
    held = await claim_one(store, ttl_s=0.0)
    await store.write(work.extend, held)
    assert await payloads(store) == []
    await store.write(work.done, held)


async def test_many_claimants_at_once_do_every_row_exactly_once_and_each_key_in_order(store: Store) -> None:
    def put_all(tx: Connection) -> None:
        for number in range(120):
            work.put(tx, "mail", str(number), key=f"k{number % 7}" if number % 3 else None)

    await store.write(put_all)
    finished: list[str] = []

    async def claimant() -> None:
        while len(finished) < 120:
            for held in await store.write(work.claim, "mail", limit=4):
                finished.append(held.payload)
                await store.write(work.done, held)

    async with asyncio.timeout(60):
        await asyncio.gather(*(claimant() for _ in range(6)))
    assert Counter(finished) == Counter(str(number) for number in range(120))
    for key in range(7):
        of_key = [int(one) for one in finished if int(one) % 3 and int(one) % 7 == key]
        assert of_key == sorted(of_key)


async def test_putting_and_finishing_wake_the_loops(store: Store) -> None:
    woken = asyncio.Event()
    store.on_commit(woken.set)
    for verb in ("put", "done"):
        woken.clear()
        if verb == "put":
            await store.write(work.put, "mail", "m")
        else:
            await store.write(work.done, await claim_one(store))
        await asyncio.wait_for(woken.wait(), 5)


async def test_a_row_put_while_the_last_of_its_key_is_being_finished_is_not_forgotten(store: Store) -> None:
    for round_ in range(30):
        await store.write(work.put, "mail", f"first{round_}", key="k")
        first = await claim_one(store)
        await asyncio.gather(
            store.write(work.done, first), store.write(work.put, "mail", f"second{round_}", key="k")
        )
        second = await claim_one(store)
        assert second.payload == f"second{round_}"
        await store.write(work.done, second)


async def test_what_is_replayed_waits_behind_the_younger_ones_of_its_key(store: Store) -> None:
    for name in ("bad", "second", "third"):
        await store.write(work.put, "mail", name, key="k")
    await store.write(work.poison, await claim_one(store), "cannot be read")
    (aside,) = await store.read(work.poisoned, "mail")
    await store.write(work.replay, aside.id)
    order = []
    while held := await store.write(work.claim, "mail", limit=5):
        (one,) = held
        order.append(one.payload)
        await store.write(work.done, one)
    assert order == ["second", "third", "bad"]


async def test_a_row_set_aside_from_the_start_is_listed_and_holds_nobody_back(store: Store) -> None:
    await store.write(work.set_aside, "mail", "unreadable", "no such encoding", key="k")
    await store.write(work.put, "mail", "good", key="k")
    assert await payloads(store) == ["good"]
    assert [one.error for one in await store.read(work.poisoned, "mail")] == ["no such encoding"]


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    script=st.lists(
        st.tuples(st.sampled_from(["put", "claim", "done", "retry", "poison", "lapse"]), st.integers(0, 2)),
        max_size=25,
    )
)
async def test_whatever_happens_a_younger_row_of_a_key_is_never_held_beside_an_older(
    store: Store, script: list[tuple[str, int]]
) -> None:
    await store.write(lambda tx: tx.exec_driver_sql("delete from work") and None)
    waiting: dict[int, list[int]] = {0: [], 1: [], 2: []}
    held: list[work.Claim] = []
    for step, number in script:
        if step == "put":
            waiting[number].append(await store.write(work.put, "mail", "", key=str(number)))
        elif step in ("claim", "lapse"):
            taken = await store.write(
                work.claim, "mail", limit=number + 1, ttl_s=60 if step == "claim" else 0
            )
            for one in taken:
                assert one.id == waiting[int(one.key or "")][0]
            held = [one for one in held if one.id not in {other.id for other in taken}] + taken
        elif held:
            one = held.pop(number % len(held))
            if step == "retry":
                await store.write(work.retry_at, one, datetime.now(UTC) - timedelta(seconds=1), "")
            else:
                await store.write(work.done if step == "done" else work.poison, *_arguments(step, one))
                waiting[int(one.key or "")].remove(one.id)


def _arguments(step: str, one: work.Claim) -> tuple[work.Claim] | tuple[work.Claim, str]:
    return (one,) if step == "done" else (one, "bad")
