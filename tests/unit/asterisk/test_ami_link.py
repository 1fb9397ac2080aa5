"""One AMI connection over a real socket, against everything that can happen to it."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from config.secret import Secret
from connectors.asterisk.actions import ami_value, core_show_channels, ping, queue_status, status
from connectors.asterisk.ami import Link, Timing, Wanted, connect
from connectors.asterisk.framing import Message
from connectors.asterisk.settings import AsteriskSettings
from gateway.demo.ami_server import AmiServer
from gateway.demo.ami_session import AmiUser
from gateway.domain.errors import Invalid, NeedsAdministrator, PermanentFailure, TemporaryFailure

SettingsTo = Callable[..., AsteriskSettings]
EVERYTHING = Wanted(
    frozenset({"Newchannel", "Newstate", "Hangup", "OriginateResponse", "FullyBooted", "QueueEntry"})
)
Opener = Callable[..., AbstractAsyncContextManager[Link]]


@pytest.fixture
def link_to(settings_to: SettingsTo, timing: Timing) -> Opener:
    @asynccontextmanager
    async def open_link(
        server: AmiServer, patience: Timing = timing, **changes: object
    ) -> AsyncIterator[Link]:
        settings = settings_to(server, **changes)
        async with connect(settings, EVERYTHING, clock=lambda: datetime.now(UTC), timing=patience) as link:
            yield link

    return open_link


async def take(link: Link, count: int) -> list[Message]:
    """The next `count` events but the greeting."""
    found: list[Message] = []
    async with asyncio.timeout(5):
        while len(found) < count:
            for arrival in await link.take(256, wait_s=1):
                found += [
                    event for event in arrival.events if event.get("Event", "FullyBooted") != "FullyBooted"
                ]
    return found


def channel(number: int, name: str = "Newchannel", **more: str) -> list[tuple[str, str]]:
    return [
        ("Event", name),
        ("Privilege", "call,all"),
        ("Channel", f"PJSIP/trunk-{number:08x}"),
        ("ChannelState", "4"),
        ("Uniqueid", f"1795491050.{number}"),
        ("Linkedid", f"1795491050.{number}"),
        *more.items(),
    ]


async def test_events_arrive_in_order_and_the_banner_and_uptime_are_known(
    pbx: AmiServer, link_to: Opener
) -> None:
    async with link_to(pbx) as link:
        for number in range(500):
            pbx.emit(channel(number))
        events = await take(link, 500)
        assert [event["Uniqueid"] for event in events] == [f"1795491050.{number}" for number in range(500)]
        assert link.version == "11.0.0"
        assert await link.uptime_s() == 0


async def test_names_survive_any_segmentation(pbx: AmiServer, link_to: Opener) -> None:
    async with link_to(pbx) as link:
        pbx.faults.segment = 7
        for number in range(20):
            pbx.emit(channel(number, CallerIDName="Иван Петров-Ёлкин 🙂"))
        assert {event["CallerIDName"] for event in await take(link, 20)} == {"Иван Петров-Ёлкин 🙂"}


async def test_a_duplicate_event_header_breaks_nothing_and_stays_visible(
    pbx: AmiServer, link_to: Opener
) -> None:
    async with link_to(pbx) as link:
        pbx.emit(
            [*channel(1), ("Event", "Hangup"), ("Uniqueid", "1.1"), ("ActionID", "x"), ("ActionID", "y")]
        )
        pbx.emit(channel(2))
        forged, honest = await take(link, 2)
        assert forged["Event"] == ["Newchannel", "Hangup"]
        assert forged["Uniqueid"] == ["1795491050.1", "1.1"]
        assert honest["Uniqueid"] == "1795491050.2"
        assert pbx.connections == 1


async def test_garbage_costs_only_itself(pbx: AmiServer, link_to: Opener) -> None:
    async with link_to(pbx) as link:
        pbx.inject(
            b"\x00\xff\xfe junk\r\n\r\n: \r\n\r\n\r\n\r\nResponse\r\n\r\n"
            b"Response: Follows\r\n--END COMMAND--\r\n\r\n"
        )
        pbx.emit(channel(1))
        assert [event["Uniqueid"] for event in await take(link, 1)] == ["1795491050.1"]
        assert (await link.action(ping()))["Ping"] == "Pong"


async def test_a_wrong_password_names_what_to_mend_and_is_tried_once(pbx: AmiServer, link_to: Opener) -> None:
    with pytest.raises(NeedsAdministrator, match="refuses user 'perezvon': Authentication failed") as refusal:
        async with link_to(pbx, secret=Secret("wrong")):
            pass
    assert "[perezvon]" in refusal.value.remedy
    assert "manager.conf" in refusal.value.remedy
    await asyncio.sleep(0.1)
    assert pbx.connections == 1


async def test_an_unknown_user_is_refused_alike(pbx: AmiServer, link_to: Opener) -> None:
    with pytest.raises(NeedsAdministrator):
        async with link_to(pbx, username="nobody"):
            pass


async def test_a_refused_connection_is_temporary(pbx: AmiServer, link_to: Opener) -> None:
    await pbx.refuse()
    with pytest.raises(TemporaryFailure, match=f"127.0.0.1:{pbx.port} cannot be reached"):
        async with link_to(pbx):
            pass
    await pbx.accept()
    async with link_to(pbx) as link:
        assert not link.lost.done()


async def test_a_peer_that_never_answers_the_login_is_given_up(
    pbx: AmiServer, link_to: Opener, timing: Timing
) -> None:
    pbx.faults.unanswered.add("login")
    with pytest.raises(TemporaryFailure, match="does not answer the login"):
        async with link_to(pbx, replace(timing, login_s=0.1)):
            pass


async def test_something_else_on_the_port_is_named(settings_to: SettingsTo, timing: Timing) -> None:
    left = asyncio.Event()

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()
        left.set()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        settings = settings_to(AmiServer(), port=port)
        with pytest.raises(NeedsAdministrator, match="no Asterisk manager: it says 'SSH-"):
            async with connect(
                settings, EVERYTHING, clock=lambda: datetime.now(UTC), timing=replace(timing, login_s=0.1)
            ):
                pass
        await left.wait()


async def test_a_half_open_link_is_found_by_its_unanswered_ping(
    pbx: AmiServer, link_to: Opener, timing: Timing
) -> None:
    async with link_to(pbx, replace(timing, ping_timeout_s=0.1)) as link:
        pbx.faults.silent = True
        began = time.monotonic()
        async with asyncio.timeout(5):
            reason = await link.lost
        assert "no answer to Ping" in reason
        assert time.monotonic() - began < 1


def test_by_default_a_half_open_link_is_found_within_ten_seconds() -> None:
    assert Timing().ping_every_s + Timing().ping_timeout_s <= 10


async def test_what_arrived_before_a_cut_is_delivered_and_then_the_loss(
    pbx: AmiServer, link_to: Opener
) -> None:
    async with link_to(pbx) as link:
        for number in range(3):
            pbx.emit(channel(number))
        await pbx.drained()
        await asyncio.sleep(0.01)
        pbx.cut()
        await link.lost
        assert len(await take(link, 3)) == 3
        with pytest.raises(TemporaryFailure, match="connection"):
            await link.take(256, wait_s=1)


async def test_an_event_cut_in_the_middle_is_not_delivered(
    pbx: AmiServer, link_to: Opener, timing: Timing
) -> None:
    async with link_to(pbx, replace(timing, ping_every_s=60)) as link:
        await pbx.drained()
        pbx.faults.bytes_left = 250
        for number in range(3):
            pbx.emit(channel(number))
        await link.lost
        assert [event["Uniqueid"] for event in await take(link, 1)] == ["1795491050.0"]
        with pytest.raises(TemporaryFailure, match="the PBX closed the connection"):
            await link.take(256, wait_s=1)


async def test_an_unanswered_action_times_out_and_is_never_sent_again(
    pbx: AmiServer, link_to: Opener
) -> None:
    pbx.faults.unanswered.add("coreshowchannels")
    async with link_to(pbx) as link:
        with pytest.raises(TemporaryFailure, match="no answer to CoreShowChannels within"):
            await link.list_action(core_show_channels(), timeout_s=0.05)
        assert not link.lost.done()
    async with link_to(pbx) as link:
        await link.uptime_s()
        await link.action(ping())
        await asyncio.sleep(0.05)
    assert {action["Action"] for action in pbx.heard_actions} == {"Ping"}


async def test_an_action_under_way_when_the_link_breaks_fails_at_once(
    pbx: AmiServer, link_to: Opener
) -> None:
    pbx.faults.unanswered.add("queuestatus")
    async with link_to(pbx) as link:
        asked = asyncio.create_task(link.list_action(queue_status(), timeout_s=60))
        await asyncio.sleep(0)
        pbx.cut()
        with pytest.raises(TemporaryFailure, match="connection"):
            await asked
        with pytest.raises(TemporaryFailure, match="connection"):
            await link.action(ping())
    assert pbx.connections == 1


async def test_an_answer_that_comes_too_late_harms_nothing(pbx: AmiServer, link_to: Opener) -> None:
    async with link_to(pbx) as link:
        pbx.faults.segment = 1
        pbx.emit(channel(1, CallerIDName="x" * 4000))
        with pytest.raises(TemporaryFailure):
            await link.list_action(queue_status(), timeout_s=0)
        pbx.faults.segment = None
        assert await link.list_action(queue_status()) == []
        assert len(await take(link, 1)) == 1


async def test_an_error_of_the_pbx_is_permanent_and_a_missing_right_needs_a_person(
    pbx: AmiServer, link_to: Opener
) -> None:
    async with link_to(pbx, username="no-write") as link:
        with pytest.raises(NeedsAdministrator, match="denies CoreShowChannels") as denied:
            await link.list_action(core_show_channels())
        assert "write = reporting" in denied.value.remedy
        assert await link.list_action(queue_status()) == []
    async with link_to(pbx) as link:
        with pytest.raises(PermanentFailure, match="No such channel"):
            await link.list_action(status("1.1"))


async def test_without_read_class_system_no_uptime_comes(pbx: AmiServer, link_to: Opener) -> None:
    async with link_to(pbx, username="no-system") as link:
        assert await link.uptime_s() is None


async def test_a_list_goes_to_who_asked_and_events_between_its_items_to_the_tracker(
    pbx: AmiServer, link_to: Opener
) -> None:
    for number in range(50):
        pbx.emit(channel(number))
    async with link_to(pbx) as link:
        asked = asyncio.create_task(link.list_action(core_show_channels()))
        await asyncio.sleep(0)
        pbx.emit(channel(50))
        rows = await asked
        assert [row["Uniqueid"] for row in rows][:50] == [f"1795491050.{number}" for number in range(50)]
        assert {row["Event"] for row in rows} == {"CoreShowChannel"}
        assert [event["Uniqueid"] for event in await take(link, 1)] == ["1795491050.50"]


async def test_an_event_that_bears_our_action_id_is_not_withheld_from_the_tracker(
    pbx: AmiServer, link_to: Opener
) -> None:
    pbx.faults.unanswered.add("queuestatus")
    async with link_to(pbx) as link:
        asked = asyncio.create_task(link.list_action(queue_status(), timeout_s=0.2))
        await asyncio.sleep(0)
        (action_id,) = (id for id, ours in link._wire.responses.items() if ours["Action"] == "QueueStatus")
        pbx.emit(
            [
                ("Event", "OriginateResponse"),
                ("Privilege", "call,all"),
                ("ActionID", action_id),
                ("Response", "Failure"),
            ]
        )
        assert (await take(link, 1))[0]["Event"] == "OriginateResponse"
        await asked


async def test_more_events_than_may_wait_end_the_link_with_the_reason(
    pbx: AmiServer, link_to: Opener, timing: Timing
) -> None:
    async with link_to(pbx, replace(timing, events_waiting=100)) as link:
        for number in range(300):
            pbx.emit(channel(number))
        assert "more than 100 events wait" in await link.lost
        assert sum(len(arrival.events) for arrival in await link.take(1000, wait_s=0)) == 100


async def test_the_offset_of_the_pbx_clock_is_measured(link_to: Opener) -> None:
    async with (
        AmiServer(AmiUser("perezvon", "right"), clock=lambda: time.time() + 90) as ahead,
        link_to(ahead) as link,
    ):
        assert link.clock_offset_s == pytest.approx(90, abs=0.2)


async def test_a_pbx_clock_that_is_set_is_noticed(link_to: Opener) -> None:
    ahead_s = 0.0
    server = AmiServer(AmiUser("perezvon", "right"), clock=lambda: time.time() + ahead_s)
    async with server, link_to(server) as link:
        assert link.clock_offset_s == pytest.approx(0, abs=0.2)
        ahead_s = 3600.0
        async with asyncio.timeout(5):
            while (link.clock_offset_s or 0) < 3000:
                await link.take(1, wait_s=0.02)


async def test_two_pbxs_at_once_do_not_mix(pbx: AmiServer, link_to: Opener) -> None:
    async with (
        AmiServer(AmiUser("perezvon", "right"), version="5.0.4") as other,
        link_to(pbx) as one,
        link_to(other) as two,
    ):
        for number in range(100):
            pbx.emit(channel(number))
            other.emit(channel(1000 + number))
        first, second = await asyncio.gather(take(one, 100), take(two, 100))
        assert [event["Uniqueid"] for event in first] == [f"1795491050.{n}" for n in range(100)]
        assert [event["Uniqueid"] for event in second] == [f"1795491050.{n}" for n in range(1000, 1100)]
        other.cut()
        await two.lost
        assert not one.lost.done()


@pytest.mark.parametrize("bad", ["a\r\nAction: Command", "a\nb", "a\rb", "\x00", "\x7f", "\x85"])
def test_a_line_break_never_gets_into_an_action(bad: str) -> None:
    with pytest.raises(Invalid, match="channel: control characters"):
        status(bad)
    assert ami_value("Иван 'x' \\\" 🙂") == "Иван 'x' \\\" 🙂"


async def test_a_line_break_in_the_configured_secret_is_refused_before_anything_is_sent(
    pbx: AmiServer, link_to: Opener
) -> None:
    with pytest.raises(Invalid, match="secret"):
        async with link_to(pbx, secret=Secret("right\r\nAction: Logoff")):
            pass
    assert pbx.connections == 0


async def test_the_secret_is_not_logged(
    pbx: AmiServer, link_to: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with link_to(pbx):
        pass
    with pytest.raises(NeedsAdministrator):
        async with link_to(pbx, secret=Secret("wrong-and-long")):
            pass
    assert "right" not in caplog.text
    assert "wrong-and-long" not in caplog.text
