"""Endless tasks are kept alive: growing pauses, one line per outage and one per recovery (virtual time)."""

import asyncio
import logging

import pytest

from gateway.domain.errors import NeedsAdministrator, StoreUnavailable, TemporaryFailure
from gateway.supervise import Backoff, Supervisor, TaskState, until_stored

pytestmark = pytest.mark.looptime


class Task:
    """Fails as often as told, then runs for ever; knows when it was started."""

    def __init__(self, *failures: Exception | None, lasts_s: float = 0.0) -> None:
        self._failures = list(failures)
        self._lasts_s = lasts_s
        self.starts: list[float] = []
        self.cancelled = False

    async def __call__(self) -> None:
        self.starts.append(asyncio.get_running_loop().time())
        if not self._failures:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        await asyncio.sleep(self._lasts_s)
        failure = self._failures.pop(0)
        if failure is not None:
            raise failure

    @property
    def pauses(self) -> list[float]:
        return [
            later - earlier - self._lasts_s
            for earlier, later in zip(self.starts, self.starts[1:], strict=False)
        ]


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]


async def test_pauses_double_from_half_a_second_to_thirty_with_jitter() -> None:
    task = Task(*[TemporaryFailure("refused") for _ in range(10)])
    supervisor = Supervisor()
    supervisor.add("ami pbx1", task)
    await asyncio.sleep(300)
    ceilings = [0.5, 1, 2, 4, 8, 16, 30, 30, 30, 30]
    assert len(task.pauses) == 10
    for pause, ceiling in zip(task.pauses, ceilings, strict=True):
        assert ceiling / 2 - 0.01 <= pause <= ceiling + 0.01
    await supervisor.stop()


async def test_an_outage_is_one_line_and_its_end_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    supervisor = Supervisor()
    supervisor.add("mail", Task(*[TemporaryFailure(f"refused {n}") for n in range(6)]))
    await asyncio.sleep(120)
    assert lines(caplog) == ["mail is down, retrying: refused 0", "mail works again"]
    await supervisor.stop()


async def test_a_task_that_says_it_works_ends_the_outage_at_once_and_starts_pauses_anew() -> None:
    supervisor = Supervisor()
    starts: list[float] = []
    failures: list[int] = []

    async def task() -> None:
        starts.append(asyncio.get_running_loop().time())
        if len(starts) == 6:
            failures.append(supervisor.states()["mail"].failures)
            supervisor.recovered("mail")
            failures.append(supervisor.states()["mail"].failures)
        raise TemporaryFailure("refused")

    supervisor.add("mail", task)
    await asyncio.sleep(30)
    assert failures == [5, 0]
    assert starts[5] - starts[4] >= 4
    assert starts[6] - starts[5] <= 0.51
    await supervisor.stop()


async def test_a_failure_after_long_service_is_a_new_outage_with_a_short_pause(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    task = Task(*[TemporaryFailure("cut")] * 3, lasts_s=100)
    supervisor = Supervisor()
    supervisor.add("ami", task)
    await asyncio.sleep(500)
    assert all(pause <= 0.51 for pause in task.pauses)
    assert lines(caplog) == ["ami is down, retrying: cut", "ami works again"] * 3
    await supervisor.stop()


async def test_what_needs_the_administrator_is_tried_every_five_minutes_and_its_remedy_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    wrong = [NeedsAdministrator("login refused", remedy="set connectors.pbx1.secret") for _ in range(3)]
    task = Task(*wrong)
    supervisor = Supervisor()
    supervisor.add("pbx1", task)
    await asyncio.sleep(1)
    status = supervisor.states()["pbx1"]
    assert (status.state, status.detail, status.remedy) == (
        TaskState.NEEDS_ADMINISTRATOR,
        "login refused",
        "set connectors.pbx1.secret",
    )
    await asyncio.sleep(1000)
    assert task.pauses == pytest.approx([300, 300, 300])
    assert lines(caplog) == [
        "pbx1 needs the administrator: login refused. set connectors.pbx1.secret",
        "pbx1 works again",
    ]
    assert supervisor.states()["pbx1"].remedy == ""
    await supervisor.stop()


async def test_a_task_that_returns_though_endless_is_at_fault_and_started_again() -> None:
    task = Task(None)
    supervisor = Supervisor()
    supervisor.add("loop", task)
    await asyncio.sleep(0.1)
    assert "meant to run for ever" in supervisor.states()["loop"].detail
    await asyncio.sleep(1)
    assert len(task.starts) == 2
    await supervisor.stop()


async def test_a_bug_is_logged_with_its_traceback_and_hurts_no_other_task(
    caplog: pytest.LogCaptureFixture,
) -> None:
    good, bad = Task(), Task(ZeroDivisionError("oops"))
    supervisor = Supervisor()
    supervisor.add("good", good)
    supervisor.add("bad", bad)
    await asyncio.sleep(10)
    assert len(good.starts) == 1
    assert len(bad.starts) == 2
    assert "ZeroDivisionError: oops" in caplog.text
    await supervisor.stop()


async def test_stopping_cancels_the_running_and_the_waiting_and_says_so() -> None:
    running, waiting = Task(), Task(NeedsAdministrator("no", remedy="yes"))
    supervisor = Supervisor()
    supervisor.add("running", running)
    supervisor.add("waiting", waiting)
    await asyncio.sleep(1)
    await supervisor.stop()
    assert running.cancelled
    assert {status.state for status in supervisor.states().values()} == {TaskState.STOPPED}
    await asyncio.sleep(1000)
    assert len(waiting.starts) == 1


async def test_a_removed_task_is_cancelled_and_forgotten_and_its_name_is_free() -> None:
    first, second = Task(), Task()
    supervisor = Supervisor()
    supervisor.add("site", first)
    await asyncio.sleep(1)
    with pytest.raises(ValueError, match="already supervised"):
        supervisor.add("site", second)
    await supervisor.remove("site")
    assert first.cancelled
    assert supervisor.states() == {}
    supervisor.add("site", second)
    await asyncio.sleep(1)
    assert second.starts
    await supervisor.stop()


async def test_a_task_that_fails_in_the_moment_of_its_end_does_not_begin_again() -> None:
    supervisor = Supervisor()
    starts = 0

    async def fails_while_cancelled() -> None:
        nonlocal starts
        starts += 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise TemporaryFailure("lost at the same moment") from None

    supervisor.add("pbx", fails_while_cancelled)
    await asyncio.sleep(1)
    async with asyncio.timeout(5):
        await supervisor.remove("pbx")
    assert starts == 1
    assert supervisor.states() == {}


async def test_an_item_is_held_until_the_store_is_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    left = 20

    async def attempt() -> str:
        nonlocal left
        left -= 1
        if left:
            raise StoreUnavailable("gone")
        return "stored"

    began = asyncio.get_running_loop().time()
    assert await until_stored("intake", attempt) == "stored"
    assert 10 < asyncio.get_running_loop().time() - began < 40
    assert lines(caplog) == ["intake waits for the database: gone", "intake goes on: the database is back"]


async def test_anything_else_than_a_store_that_is_away_is_not_tried_again() -> None:
    async def attempt() -> None:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await until_stored("intake", attempt)


def test_no_pause_is_longer_than_the_longest_and_a_reset_begins_anew() -> None:
    backoff = Backoff(first_s=1, longest_s=5)
    assert max(backoff.pause() for _ in range(50)) <= 5
    backoff.reset()
    assert backoff.pause() <= 1
