"""One holder at a time, a growing token, and nothing written under a lease that is lost."""

import asyncio

import pytest
from sqlalchemy import Connection

from gateway.store import leases
from gateway.store.engine import Store
from tests.store import notes


async def test_of_many_who_want_it_one_gets_the_lease(store: Store) -> None:
    outcomes = await asyncio.gather(
        *(store.write(leases.acquire, "ami:pbx1", f"node{n}") for n in range(20)),
    )
    assert len([lease for lease in outcomes if lease]) == 1


async def test_leases_of_different_names_do_not_touch_each_other(store: Store) -> None:
    assert await store.write(leases.acquire, "ami:pbx1", "node1")
    assert await store.write(leases.acquire, "ami:pbx2", "node2")


async def test_a_released_lease_is_had_at_once_and_with_a_greater_token(store: Store) -> None:
    first = await store.write(leases.acquire, "mail", "node1")
    assert first
    await store.write(leases.release, first)
    second = await store.write(leases.acquire, "mail", "node2")
    assert second
    assert second.token > first.token


async def test_releasing_late_does_not_take_the_lease_from_the_next_holder(store: Store) -> None:
    first = await store.write(leases.acquire, "mail", "node1", 0.0)
    second = await store.write(leases.acquire, "mail", "node2")
    assert first
    assert second
    await store.write(leases.release, first)
    assert await store.write(leases.acquire, "mail", "node3") is None
    assert await store.write(leases.renew, second)


async def test_a_holder_that_renews_keeps_it_beyond_its_first_time(store: Store) -> None:
    lease = await store.write(leases.acquire, "mail", "node1", 0.2)
    assert lease
    for _ in range(4):
        await asyncio.sleep(0.1)
        assert await store.write(leases.renew, lease, 0.2)
        assert await store.write(leases.acquire, "mail", "node2") is None


async def test_a_frozen_holder_is_replaced_after_its_time_learns_it_and_writes_nothing(store: Store) -> None:
    await store.write(notes.create)
    frozen = await store.write(leases.acquire, "mail", "node1", 0.2)
    assert frozen

    def under(tx: Connection, lease: leases.Lease, key: str) -> None:
        notes.add(tx, key)
        leases.fenced(tx, lease.name, lease.token)

    await store.write(under, frozen, "while it holds")
    taken = None
    async with asyncio.timeout(5):
        while taken is None:  # as its contenders do
            await asyncio.sleep(0.05)
            taken = await store.write(leases.acquire, "mail", "node2", 0.2)

    assert not await store.write(leases.renew, frozen)
    with pytest.raises(leases.LeaseLost):
        await store.write(under, frozen, "on waking")
    await store.write(under, taken, "by the next")
    assert await store.read(notes.keys) == {"while it holds", "by the next"}


async def test_a_lapsed_lease_that_nobody_took_can_still_be_renewed(store: Store) -> None:
    lease = await store.write(leases.acquire, "mail", "node1", 0.0)
    assert lease
    assert await store.write(leases.renew, lease)
    assert await store.write(leases.acquire, "mail", "node2") is None


async def test_a_lease_that_never_was_fences_everything_out(store: Store) -> None:
    with pytest.raises(leases.LeaseLost):
        await store.write(leases.fenced, "nobody's", 1)
