"""Keeps endless tasks alive: back-off with jitter, one log line per outage and one per recovery.

Together with the sending loop this is the only place that waits after a failure: everything else raises.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar

from gateway.domain.errors import NeedsAdministrator, PerezvonError, StoreUnavailable

log = logging.getLogger(__name__)

T = TypeVar("T")
Factory = Callable[[], Awaitable[object]]

FIRST_S = 0.5
LONGEST_S = 30.0
ADMINISTRATOR_S = 300.0
SETTLED_S = 30.0


class Backoff:
    """Growing pauses with jitter: 0.5 s doubling to 30 s, each shortened by up to half at random.

    The jitter keeps many nodes from coming back to a restarted server in one moment.
    """

    def __init__(self, first_s: float = FIRST_S, longest_s: float = LONGEST_S) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    def pause(self) -> float:
        """Seconds to wait now."""
        ceiling = self._next_s
        self._next_s = min(ceiling * 2, self._longest_s)
        return ceiling * random.uniform(0.5, 1.0)  # noqa: S311  (spreads load, guards nothing)

    def reset(self) -> None:
        """It works again: the next pause is the first."""
        self._next_s = self._first_s


class TaskState(StrEnum):
    """How a supervised task stands."""

    RUNNING = "running"
    WAITING = "waiting"
    NEEDS_ADMINISTRATOR = "needs_administrator"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """For /readyz: `detail` and `remedy` are of the last failure and empty while all is well."""

    state: TaskState
    since: datetime
    detail: str = ""
    remedy: str = ""
    failures: int = 0


class Supervisor:
    """Runs endless tasks by name. `add` any time; `stop` cancels them all and waits for them."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._status: dict[str, TaskStatus] = {}

    def add(self, name: str, factory: Factory, *, settled_s: float = SETTLED_S) -> None:
        """Run `factory()` for ever under `name`, making it anew after each failure.

        An outage is over when a new run has lasted `settled_s` seconds, or when the task says so by
        `recovered`. A task that returns is at fault like one that raises.
        """
        if name in self._tasks:
            raise ValueError(f"a task named {name} is already supervised")
        self._set(name, TaskState.RUNNING)
        self._tasks[name] = asyncio.create_task(self._keep(name, factory, settled_s), name=name)

    async def remove(self, name: str) -> None:
        """Stop one task and forget it; nothing for a name unknown."""
        if task := self._tasks.pop(name, None):
            await _end([task])
            del self._status[name]

    async def stop(self) -> None:
        """Cancel every task, the last added first, and wait until they have cleaned up."""
        tasks = list(reversed(self._tasks.values()))
        self._tasks.clear()
        await _end(tasks)
        for name in self._status:
            self._set(name, TaskState.STOPPED)

    def states(self) -> Mapping[str, TaskStatus]:
        """Each task's status now."""
        return dict(self._status)

    def recovered(self, name: str) -> None:
        """The task `name` reports that it works; ends an outage before it has lasted `settled_s`."""
        status = self._status.get(name)
        if status is not None and status.failures:
            log.info("%s works again", name, extra={"action": "task_recovered", "task": name})
            self._set(name, TaskState.RUNNING)

    def _set(
        self, name: str, state: TaskState, detail: str = "", remedy: str = "", failures: int = 0
    ) -> None:
        self._status[name] = TaskStatus(state, datetime.now(UTC), detail, remedy, failures)

    async def _keep(self, name: str, factory: Factory, settled_s: float) -> None:
        backoff = Backoff()
        loop = asyncio.get_running_loop()

        def settled() -> None:
            backoff.reset()
            self.recovered(name)

        while True:
            timer = loop.call_later(settled_s, settled)
            try:
                await factory()
                failure: Exception = RuntimeError("the task ended, though it is meant to run for ever")
            except Exception as error:
                failure = error
            finally:
                timer.cancel()
            if _is_to_end():
                raise asyncio.CancelledError from failure
            if not self._status[name].failures:
                backoff.reset()
            pause = ADMINISTRATOR_S if isinstance(failure, NeedsAdministrator) else backoff.pause()
            self._failed(name, failure, pause)
            await asyncio.sleep(pause)

    def _failed(self, name: str, failure: Exception, pause_s: float) -> None:
        before = self._status[name]
        detail = str(failure) or type(failure).__name__
        remedy = failure.remedy if isinstance(failure, NeedsAdministrator) else ""
        state = TaskState.NEEDS_ADMINISTRATOR if remedy else TaskState.WAITING
        told = {"action": "task_failed", "task": name, "remedy": remedy, "retry_in_s": round(pause_s, 1)}
        expected = isinstance(failure, PerezvonError | OSError)
        if before.failures and (before.remedy == remedy):
            log.debug("%s still fails: %s", name, detail, extra=told)
        elif remedy:
            log.error("%s needs the administrator: %s. %s", name, detail, remedy, extra=told)
        elif expected:
            log.warning("%s is down, retrying: %s", name, detail, extra=told)
        else:
            log.error("%s failed, retrying: %s", name, detail, extra=told, exc_info=failure)
        self._set(name, state, detail, remedy, before.failures + 1)


_waiting: Counter[str] = Counter()
"""Name → how many wait for the store now."""


async def until_stored(name: str, attempt: Callable[[], Awaitable[T]]) -> T:
    """Await `attempt()` again and again while the store is away; its result once it is back.

    For a loop that must hold its item meanwhile. One log line at the outage, one at the recovery, however
    many wait under the same name; anything but StoreUnavailable is raised at once.
    """
    backoff = Backoff(first_s=0.1, longest_s=2.0)
    down = False
    try:
        while True:
            try:
                result = await attempt()
            except StoreUnavailable as error:
                if not down and not _waiting[name]:
                    log.warning("%s waits for the database: %s", name, error, extra={"action": "store_down"})
                _waiting[name] += not down
                down = True
                await asyncio.sleep(backoff.pause())
            else:
                if down and _waiting[name] == 1:
                    log.info("%s goes on: the database is back", name, extra={"action": "store_back"})
                return result
    finally:
        _waiting[name] -= down


def _is_to_end() -> bool:
    """Whether this task was cancelled: a task group that fails in that moment tells of its failure alone."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            log.error("a task failed while stopping", exc_info=outcome, extra={"action": "stop_failed"})
