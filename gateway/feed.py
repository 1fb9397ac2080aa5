"""The feed: committed facts → observers (desk sockets, metrics, wake-ups of loops).

Facts are for observers alone: without any of them the data is right all the same.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import ParamSpec

from gateway import metrics
from gateway.domain.facts import CommittedFact
from gateway.store import facts
from gateway.store.contract import Store
from gateway.supervise import until_stored

log = logging.getLogger(__name__)

BATCH = 500
POLL_S = 1.0

P = ParamSpec("P")
Observer = Callable[[Sequence[CommittedFact]], None]


class Feed:
    """Follows the stream from the moment `run` begins. Observers are plain calls in the event loop.

    They must neither block nor raise; one that raises is logged by its name and the others go on. An `on_gap`
    is called when continuity is lost (a standby took over): whoever built a state from facts must build it
    anew. `ready` is set once facts are followed: nothing committed later is missed.
    """

    def __init__(self, store: Store, *, poll_s: float = POLL_S) -> None:
        self._store = store
        self._poll_s = poll_s
        self._observers: dict[str, Observer] = {}
        self._gaps: dict[str, Callable[[], None]] = {}
        self._wake = asyncio.Event()
        self._at: facts.Position | None = None
        self.ready = asyncio.Event()

    def observe(
        self, name: str, observer: Observer, *, on_gap: Callable[[], None] | None = None
    ) -> Callable[[], None]:
        """Add an observer; the returned function takes it away again."""
        if name in self._observers:
            raise ValueError(f"an observer named {name} is already there")
        self._observers[name] = observer
        if on_gap is not None:
            self._gaps[name] = on_gap

        def remove() -> None:
            self._observers.pop(name, None)
            self._gaps.pop(name, None)

        return remove

    @property
    def position(self) -> str | None:
        """How far the observers have been told; None before the start."""
        return None if self._at is None else str(self._at)

    async def run(self, start: str | None = None) -> None:
        """Follow for ever, from `start` or else from where a former run was or from now."""
        stop_hints = self._store.on_commit(self._wake.set)
        try:
            if start is not None:
                self._at = facts.Position.parse(start)
            if self._at is None:
                self._at = await until_stored("the feed", lambda: self._store.read(facts.now))
            self.ready.set()
            while True:
                await self._catch_up()
                await self._woken()
        finally:
            stop_hints()

    async def _catch_up(self) -> None:
        """Tell everything that is committed by now."""
        while True:
            self._wake.clear()
            batch = await until_stored("the feed", self._next)
            if batch:
                metrics.facts_lag_seconds.set((datetime.now(UTC) - batch[-1].at).total_seconds())
                self._at = facts.Position.parse(batch[-1].position)
                for name, observer in tuple(self._observers.items()):
                    _tell(name, observer, batch)
            if len(batch) < BATCH:
                return

    async def _next(self) -> list[CommittedFact]:
        assert self._at is not None
        try:
            return await self._store.read(facts.read_after, self._at, BATCH)
        except facts.HistoryChanged:
            self._at = await self._store.read(facts.now)
            log.warning("another database server took over", extra={"action": "feed_gap"})
            for name, gap in tuple(self._gaps.items()):
                _tell(name, gap)
            return []

    async def _woken(self) -> None:
        try:
            async with asyncio.timeout(self._poll_s):
                await self._wake.wait()
        except TimeoutError:
            return


def _tell(name: str, call: Callable[P, None], *args: P.args, **kw: P.kwargs) -> None:
    try:
        call(*args, **kw)
    except Exception:
        log.exception("observer %s failed", name, extra={"action": "observer_failed", "observer": name})
