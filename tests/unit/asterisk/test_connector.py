"""The connector over a real socket: from the PBX's stream to calls in the books, through every fault."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from config.secret import Secret
from connectors.asterisk.ami import Timing
from connectors.asterisk.connector import AsteriskConnector, check
from connectors.asterisk.settings import AsteriskSettings
from gateway.demo.ami_server import AmiServer
from gateway.demo.ami_session import AmiUser
from gateway.demo.playback import Cast, Recorded, Timed, load_file, rewrite
from gateway.domain.calls import CallEventType, CallState, Direction, Disposition
from gateway.domain.errors import NeedsAdministrator, TemporaryFailure
from gateway.domain.ids import call_id
from gateway.domain.ports import LinkState
from tests.fakes.books import Books, Lights

ROOT = Path(__file__).parents[3]
DIRECT = load_file(ROOT / "gateway/demo/streams/direct.ami")
QUEUE = load_file(ROOT / "gateway/demo/streams/queue-of-three.ami")
SettingsTo = Callable[..., AsteriskSettings]


@dataclass
class Run:
    """One run of a connector under way."""

    books: Books
    lights: Lights
    task: "asyncio.Task[None]"


Runner = Callable[..., AbstractAsyncContextManager[Run]]


@pytest.fixture
def following(settings_to: SettingsTo, timing: Timing) -> Runner:
    @asynccontextmanager
    async def run(
        server: AmiServer,
        books: Books | None = None,
        patience: Timing = timing,
        *,
        wait: bool = True,
        **changes: object,
    ) -> AsyncIterator[Run]:
        lights, books = Lights(), books or Books()
        connector = AsteriskConnector(settings_to(server, **changes), books, lights, timing=patience)
        task = asyncio.create_task(connector.run())
        try:
            if wait:
                await lights.until(LinkState.UP)
            yield Run(books, lights, task)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return run


def played(
    recorded: Sequence[Recorded],
    server: AmiServer,
    *,
    until: str | None = None,
    number: str | None = None,
    name: str | None = None,
) -> list[Timed]:
    """The recording as it would have ended just now, or only up to the first event of that name."""
    length = recorded[-1].at - recorded[0].at
    events = rewrite(recorded, server.numbering, time.time() - length, cast=Cast(number, name))
    if until is None:
        return events
    stop = next(n for n, event in enumerate(events) if event.headers[0][1] == until)
    return events[: stop + 1]


def rest(events: Iterable[Timed], known: Sequence[Timed]) -> list[Timed]:
    return list(events)[len(known) :]


async def test_a_played_call_reaches_the_books_with_its_story(pbx: AmiServer, following: Runner) -> None:
    async with following(pbx) as run:
        await pbx.play(played(QUEUE, pbx, number="79990001122", name="Анна «Ёж» 🙂"), paced=False)
        await run.books.until(lambda books: len(books.ended) == 1)
    (call,) = run.books.calls.values()
    assert (call.direction, call.disposition, call.queue) == (Direction.IN, Disposition.ANSWERED, "400")
    assert (call.from_.number, call.from_.name) == ("+79990001122", "Анна «Ёж» 🙂")
    assert call.extension == "102"
    assert call.talk_s == pytest.approx(6, abs=0.5)
    assert [event.extension for event in run.books.of(CallEventType.RINGING)] == ["101", "102", "103"]


async def test_a_call_is_told_as_ringing_before_it_is_answered(pbx: AmiServer, following: Runner) -> None:
    events = played(DIRECT, pbx)
    ringing = next(
        n
        for n, e in enumerate(events)
        if ("Event", "Newstate") in e.headers and ("ChannelState", "5") in e.headers
    )
    async with following(pbx) as run:
        await pbx.play(events[: ringing + 1], paced=False)
        await run.books.until(lambda books: bool(books.of(CallEventType.RINGING)))
        (call,) = run.books.calls.values()
        assert (call.state, call.ringing, call.answered_at) == (CallState.RINGING, ("101",), None)


async def test_the_link_is_reported_up_with_the_clock_offset(following: Runner) -> None:
    user = AmiUser("perezvon", "right")
    async with AmiServer(user, clock=lambda: time.time() - 30) as behind, following(behind) as run:
        assert [light[0] for light in run.lights.told] == [LinkState.CONNECTING, LinkState.UP]
        assert run.lights.told[-1][3] == pytest.approx(-30, abs=0.3)


async def test_times_are_corrected_by_the_clock_offset(following: Runner) -> None:
    user = AmiUser("perezvon", "right")
    async with AmiServer(user, clock=lambda: time.time() + 600) as ahead, following(ahead) as run:
        events = rewrite(DIRECT, ahead.numbering, time.time() + 600)
        await ahead.play(events[:3], paced=False)
        await run.books.until(lambda books: bool(books.calls))
        (call,) = run.books.calls.values()
        assert abs((datetime.now(UTC) - call.started_at).total_seconds()) < 2


async def test_a_cut_raises_a_temporary_failure_and_the_next_run_goes_on_with_the_same_call(
    pbx: AmiServer, following: Runner
) -> None:
    events = played(DIRECT, pbx)
    first = [event for event in events if event.at <= events[-1].at - 5]
    books = Books()
    async with following(pbx, books) as run:
        await pbx.play(first, paced=False)
        await books.until(lambda books: bool(books.of(CallEventType.ANSWERED)))
        pbx.cut()
        with pytest.raises(TemporaryFailure):
            await run.task
    assert len(await books.live_calls("pbx1")) == 1
    async with following(pbx, books):
        await pbx.play(rest(events, first), paced=False)
        await books.until(lambda books: len(books.ended) == 1)
    (call,) = books.calls.values()
    assert call.disposition is Disposition.ANSWERED
    assert call.talk_s == pytest.approx(6, abs=1)


async def test_a_call_that_was_answered_in_the_gap_is_answered_after_it(
    pbx: AmiServer, following: Runner
) -> None:
    events = played(DIRECT, pbx)
    ringing = played(DIRECT, pbx, until="DialBegin")
    books = Books()
    async with following(pbx, books):
        await pbx.play(events[: len(ringing)], paced=False)
        await books.until(lambda books: bool(books.calls))
    talking = [event for event in events if event.at <= events[-1].at - 2]
    await pbx.play(rest(talking, ringing), paced=False)
    async with following(pbx, books):
        await books.until(lambda books: bool(books.of(CallEventType.ANSWERED)))
        (call,) = books.calls.values()
        assert call.state is CallState.TALKING
        assert call.extension == "101"
        assert "answered_at" in call.estimated


async def test_a_call_that_ended_in_the_gap_is_ended_and_marked_as_inferred(
    pbx: AmiServer, following: Runner
) -> None:
    events = played(DIRECT, pbx)
    books = Books()
    async with following(pbx, books):
        await pbx.play(events[:-12], paced=False)
        await books.until(lambda books: bool(books.calls))
    await pbx.play(events[-12:], paced=False)
    async with following(pbx, books):
        await books.until(lambda books: len(books.ended) == 1)
    (call,) = books.calls.values()
    assert "ended_at" in call.estimated


async def test_a_call_that_began_in_the_gap_appears(pbx: AmiServer, following: Runner) -> None:
    await pbx.play(played(QUEUE, pbx, until="QueueCallerJoin"), paced=False)
    async with following(pbx) as run:
        await run.books.until(lambda books: bool(books.calls))
        (call,) = run.books.calls.values()
        assert (call.state, call.queue, call.from_.number) == (CallState.QUEUED, "400", "+79161234567")


async def test_a_killed_pbx_leaves_no_live_call_and_no_end_after_its_new_boot(
    pbx: AmiServer, following: Runner
) -> None:
    books = Books()
    async with following(pbx, books) as run:
        await pbx.play(played(DIRECT, pbx)[:-12], paced=False)
        await books.until(lambda books: bool(books.of(CallEventType.ANSWERED)))
        pbx.restart()
        with pytest.raises(TemporaryFailure):
            await run.task
    booted = datetime.fromtimestamp(pbx.pbx.booted_at, UTC)
    async with following(pbx, books):
        await books.until(lambda books: len(books.ended) == 1)
    (call,) = books.calls.values()
    assert call.disposition is Disposition.ANSWERED
    assert call.ended_at is not None
    assert abs(call.ended_at - booted) <= timedelta(seconds=1.5)


async def test_a_pbx_stopped_in_order_ends_its_calls_by_itself(pbx: AmiServer, following: Runner) -> None:
    async with following(pbx) as run:
        await pbx.play(played(DIRECT, pbx)[:-12], paced=False)
        pbx.restart(graceful=True)
        with pytest.raises(TemporaryFailure, match="closed the connection"):
            await run.task
        assert len(run.books.ended) == 1


async def test_a_new_link_to_a_pbx_that_did_not_restart_flushes_nothing(
    pbx: AmiServer, following: Runner
) -> None:
    books = Books()
    for _ in range(3):
        async with following(pbx, books) as run:
            if not books.calls:
                await pbx.play(played(DIRECT, pbx)[:-12], paced=False)
                await books.until(lambda books: bool(books.of(CallEventType.ANSWERED)))
            pbx.cut()
            with pytest.raises(TemporaryFailure):
                await run.task
    assert len(await books.live_calls("pbx1")) == 1
    assert books.ended == []


async def test_reading_goes_on_while_the_database_is_away(pbx: AmiServer, following: Runner) -> None:
    books = Books(away=asyncio.Event())
    async with following(pbx, books) as run:
        for number in range(20):
            await pbx.play(played(DIRECT, pbx, number=f"799900011{number:02d}"), paced=False)
        assert all(light[0] is not LinkState.DOWN for light in run.lights.told)
        assert not books.events
        assert books.away is not None
        books.away.set()
        await books.until(lambda books: len(books.ended) == 20)
    assert {call.from_.number for call in books.calls.values()} == {f"+799900011{n:02d}" for n in range(20)}


async def test_a_thousand_live_calls_are_all_restored(pbx: AmiServer, following: Runner) -> None:
    books = Books()
    waiting = played(QUEUE, pbx, until="QueueCallerJoin")
    talking = played(DIRECT, pbx)[:-12]
    direct, queue = DIRECT[: len(talking)], QUEUE[: len(waiting)]
    for number in range(500):
        for recorded in (direct, queue):
            for event in rewrite(
                recorded, pbx.numbering, time.time() - 7, cast=Cast(number=f"7999000{number:04d}")
            ):
                pbx.emit(event.headers)
    async with following(pbx, books):
        await books.until(lambda books: len(books.calls) == 1000)
        states = [call.state for call in books.calls.values()]
    assert states.count(CallState.TALKING) == 500
    assert states.count(CallState.QUEUED) == 500
    assert books.ended == []
    fresh = Books()
    async with following(pbx, fresh):
        await fresh.until(lambda books: len(books.calls) == 1000)
    assert set(fresh.calls) == set(books.calls)


async def test_two_pbxs_with_the_same_uniqueids_do_not_mix(pbx: AmiServer, following: Runner) -> None:
    books = Books()
    other = AmiServer(AmiUser("perezvon", "right"))
    async with other, following(pbx, books), following(other, books, name="pbx2"):
        await asyncio.gather(
            pbx.play(played(DIRECT, pbx, number="79990000001"), paced=False),
            other.play(played(DIRECT, other, number="79990000002"), paced=False),
        )
        await books.until(lambda books: len(books.ended) == 2)
    assert {(call.pbx, call.from_.number) for call in books.calls.values()} == {
        ("pbx1", "+79990000001"),
        ("pbx2", "+79990000002"),
    }
    first, second = books.calls.values()
    assert first.linkedid.partition(".")[2] == second.linkedid.partition(".")[2]
    assert call_id("pbx1", first.linkedid) != call_id("pbx2", first.linkedid)


async def test_a_forged_hangup_of_a_stranger_does_not_end_the_call(pbx: AmiServer, following: Runner) -> None:
    async with following(pbx) as run:
        await pbx.play(played(DIRECT, pbx)[:-12], paced=False)
        await run.books.until(lambda books: bool(books.of(CallEventType.ANSWERED)))
        for uniqueid in tuple(pbx.pbx.channels):
            pbx.inject(
                f"Event: Hangup\r\nPrivilege: call,all\r\nUniqueid: {uniqueid}\r\nCause: 16\r\n\r\n".encode()
            )
        await pbx.play(played(DIRECT, pbx, number="79990000002")[:2], paced=False)
        await run.books.until(lambda books: len(books.calls) == 2)
        await asyncio.sleep(0.1)
        assert run.books.ended == []
        assert not run.task.done()


async def test_wrong_credentials_stop_the_run_with_a_remedy(pbx: AmiServer, following: Runner) -> None:
    async with following(pbx, wait=False, secret=Secret("wrong")) as run:
        with pytest.raises(NeedsAdministrator) as refusal:
            await run.task
        assert "manager.conf" in refusal.value.remedy
        assert [light[0] for light in run.lights.told] == [LinkState.CONNECTING]


async def test_without_write_rights_calls_are_followed_and_the_line_to_add_is_named(
    pbx: AmiServer, following: Runner
) -> None:
    async with following(pbx, wait=False, username="no-write") as run:
        _, detail, remedy, _ = await run.lights.until(LinkState.NEEDS_ADMINISTRATOR)
        assert "denies CoreShowChannels" in detail
        assert "write = reporting" in remedy
        await pbx.play(played(DIRECT, pbx), paced=False)
        await run.books.until(lambda books: len(books.ended) == 1)


async def test_calls_that_pass_unseen_for_want_of_class_call_are_noticed(
    pbx: AmiServer, following: Runner
) -> None:
    async with following(pbx, username="no-call") as run:
        await pbx.play(played(DIRECT, pbx)[:-12], paced=False)
        _, detail, remedy, _ = await run.lights.until(LinkState.NEEDS_ADMINISTRATOR)
        assert detail == "calls pass on the PBX unseen"
        assert "read = system,call,agent" in remedy
        assert not run.books.calls


async def test_without_read_class_system_the_line_to_add_is_named(pbx: AmiServer, following: Runner) -> None:
    async with following(pbx, wait=False, username="no-system") as run:
        _, detail, remedy, _ = await run.lights.until(LinkState.NEEDS_ADMINISTRATOR)
        assert "restarts" in detail
        assert "add `system` to `read`" in remedy


async def test_a_pbx_that_is_still_booting_is_up_as_soon_as_it_says_so(
    pbx: AmiServer, following: Runner
) -> None:
    pbx.faults.booting = True
    async with following(pbx, wait=False) as run:
        await run.lights.until(LinkState.NEEDS_ADMINISTRATOR)
        pbx.finish_boot()
        await run.lights.until(LinkState.UP)


async def test_forged_events_are_shown_to_the_administrator_and_logged_once(
    pbx: AmiServer, following: Runner, caplog: pytest.LogCaptureFixture
) -> None:
    async with following(pbx) as run:
        await pbx.play(played(DIRECT, pbx)[:-12], paced=False)
        for _ in range(50):
            pbx.inject(b"Event: Hangup\r\nUniqueid: 1.1\r\nEvent: Hangup\r\nUniqueid: 2.2\r\n\r\n")
        await run.lights.until(LinkState.NEEDS_ADMINISTRATOR)
        await pbx.play(played(DIRECT, pbx, number="79990000002"), paced=False)
        await run.books.until(lambda books: len(books.ended) == 1)
    assert "refuse those at the trunk" in run.lights.told[-1][2]
    assert caplog.text.count("forged events") == 1


async def test_a_quiet_pbx_is_not_suspected(pbx: AmiServer, following: Runner) -> None:
    async with following(pbx, username="no-call") as run:
        await asyncio.sleep(0.3)
        assert run.lights.told[-1][0] is LinkState.UP
        assert any(action["Action"] == "CoreShowChannels" for action in list(pbx.heard_actions)[3:])


async def test_check_finds_nothing_wrong_with_the_documented_user(
    pbx: AmiServer, settings_to: SettingsTo, timing: Timing
) -> None:
    assert await check(settings_to(pbx), timing=timing) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"username": "no-write"}, ["denies CoreShowChannels", "write = reporting"]),
        ({"username": "no-system"}, ["does not tell us about its restarts", "add `system` to `read`"]),
        ({"secret": Secret("wrong")}, ["refuses user 'perezvon'", "[perezvon]"]),
        ({"port": 1}, ["127.0.0.1:1 cannot be reached"]),
    ],
)
async def test_check_says_what_is_wrong_and_how_to_mend_it(
    pbx: AmiServer, settings_to: SettingsTo, timing: Timing, changes: dict[str, object], said: list[str]
) -> None:
    (problem,) = await check(settings_to(pbx, **changes), timing=timing)
    assert [part for part in said if part not in problem] == []


async def test_check_warns_of_clocks_that_run_apart(settings_to: SettingsTo, timing: Timing) -> None:
    async with AmiServer(AmiUser("perezvon", "right"), clock=lambda: time.time() - 60) as late:
        (problem,) = await check(settings_to(late), timing=timing)
    assert "60 s behind ours" in problem


async def test_a_silent_pbx_ends_the_run(pbx: AmiServer, following: Runner, timing: Timing) -> None:
    async with following(pbx, patience=replace(timing, ping_timeout_s=0.1)) as run:
        pbx.faults.silent = True
        with pytest.raises(TemporaryFailure, match="does not answer"):
            await run.task
