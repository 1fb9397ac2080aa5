"""The feed tells every observer every fact, in order, and survives what it meets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import pytest

from gateway.domain.facts import CommittedFact, Fact
from gateway.feed import Feed
from gateway.store import facts
from gateway.store.engine import Store, open_store
from tests.store.engines import on_postgresql


class Seen:
    """An observer that remembers, and can be waited for."""

    def __init__(self) -> None:
        self.types: list[str] = []
        self._changed = asyncio.Event()

    def __call__(self, batch: Sequence[CommittedFact]) -> None:
        self.types += [one.fact.type for one in batch]
        self._changed.set()

    async def until(self, count: int) -> list[str]:
        async with asyncio.timeout(10):
            while len(self.types) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.types


@contextlib.asynccontextmanager
async def running(feed: Feed, start: str | None = None) -> AsyncIterator[None]:
    task = asyncio.create_task(feed.run(start))
    await asyncio.wait_for(feed.ready.wait(), 10)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def tell(store: Store, *types: str) -> None:
    for one in types:
        await store.write(facts.append, [Fact(one, b"{}")])


async def test_observers_hear_what_happens_from_now_on_at_once_and_in_order(store: Store) -> None:
    await tell(store, "before")
    feed, seen = Feed(store, poll_s=3600), Seen()
    feed.observe("seen", seen)
    async with running(feed):
        await tell(store, *(f"n{n}" for n in range(50)))
        assert await seen.until(50) == [f"n{n}" for n in range(50)]


async def test_a_run_from_a_position_tells_what_happened_since(store: Store) -> None:
    first, second = Seen(), Seen()
    feed = Feed(store)
    feed.observe("seen", first)
    async with running(feed):
        await tell(store, "a")
        await first.until(1)
    await tell(store, "b", "c")
    later = Feed(store)
    later.observe("seen", second)
    async with running(later, feed.position):
        assert await second.until(2) == ["b", "c"]


async def test_a_feed_that_is_run_again_goes_on_where_it_was(store: Store) -> None:
    feed, seen = Feed(store), Seen()
    feed.observe("seen", seen)
    async with running(feed):
        await tell(store, "a")
        await seen.until(1)
    await tell(store, "while away")
    async with running(feed):
        assert await seen.until(2) == ["a", "while away"]


async def test_an_observer_that_raises_is_named_in_the_log_and_disturbs_nobody(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Sequence[CommittedFact]) -> None:
        raise LookupError("oops")

    feed, seen = Feed(store), Seen()
    feed.observe("the broken one", broken)
    feed.observe("seen", seen)
    async with running(feed):
        await tell(store, "a", "b")
        assert await seen.until(2) == ["a", "b"]
    assert "observer the broken one failed" in caplog.text


async def test_an_observer_taken_away_hears_nothing_more(store: Store) -> None:
    feed, kept, gone = Feed(store), Seen(), Seen()
    feed.observe("kept", kept)
    remove = feed.observe("gone", gone)
    async with running(feed):
        await tell(store, "a")
        await kept.until(1)
        remove()
        await tell(store, "b")
        await kept.until(2)
    assert gone.types == ["a"]


async def test_what_another_process_commits_is_heard_without_any_hint(store: Store) -> None:
    other = await open_store(store.url)
    feed, seen = Feed(store, poll_s=0.05), Seen()
    feed.observe("seen", seen)
    async with running(feed):
        await tell(other, "from elsewhere")
        assert await seen.until(1) == ["from elsewhere"]
    await other.close()


@on_postgresql
async def test_another_node_is_heard_by_its_hint_long_before_the_poll(store: Store) -> None:
    other = await open_store(store.url)
    feed, seen = Feed(store, poll_s=3600), Seen()
    feed.observe("seen", seen)
    async with running(feed):
        await tell(other, "from elsewhere")
        assert await seen.until(1) == ["from elsewhere"]
    await other.close()


@on_postgresql
async def test_after_another_server_took_over_the_gap_is_told_and_the_feed_goes_on(store: Store) -> None:
    here = await store.read(facts.now)
    elsewhere = str(facts.Position(here.timeline + 1, here.x + 1_000_000, 0))
    feed, seen, gap = Feed(store, poll_s=0.05), Seen(), asyncio.Event()
    feed.observe("seen", seen, on_gap=gap.set)
    async with running(feed, elsewhere):
        await asyncio.wait_for(gap.wait(), 10)
        await tell(store, "new life")
        assert await seen.until(1) == ["new life"]
