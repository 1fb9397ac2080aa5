"""The connector on a real Asterisk: login, rights, snapshots of live calls, kills, reloads, forged events."""

import asyncio
from dataclasses import replace

import pytest

from connectors.asterisk.actions import core_settings, core_show_channels, status
from connectors.asterisk.ami import Wanted, connect
from connectors.asterisk.connector import check
from gateway.domain.calls import CallEventType, CallState, Disposition
from gateway.domain.errors import NeedsAdministrator, PermanentFailure, TemporaryFailure
from tests.fakes.books import Books
from tests.lab.asterisk.config import FULL, NARROW, POOR
from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.pbx import Pbx, kill, start
from tests.lab.asterisk.phones import phones
from tests.lab.asterisk.scenario import Answer, Caller, HangUp, Ring, Talk
from tests.lab.following import following, now, settings_to

CLIENT = "79161234567"


async def test_login_uptime_clock_and_actions_with_the_documented_user(pbx: Pbx) -> None:
    async with connect(settings_to(pbx), Wanted(), clock=now) as link:
        assert link.version.partition(".")[0].isdigit()
        assert await link.uptime_s() is not None
        assert link.clock_offset_s == pytest.approx(0, abs=0.1)
        assert "AsteriskVersion" in await link.action(core_settings())
        assert await link.list_action(core_show_channels()) == []
        with pytest.raises(PermanentFailure, match="No such channel"):
            await link.list_action(status("1.1"))
    assert await check(settings_to(pbx)) == []


async def test_a_wrong_password_needs_the_administrator(pbx: Pbx) -> None:
    with pytest.raises(NeedsAdministrator, match="Authentication failed"):
        async with connect(settings_to(pbx, secret="wrong"), Wanted(), clock=now):
            pass
    (problem,) = await check(settings_to(pbx, replace(NARROW, name="nobody")))
    assert "[nobody]" in problem


async def test_missing_rights_are_named(pbx: Pbx) -> None:
    problems = await check(settings_to(pbx, POOR))
    assert [problem.partition(":")[0] for problem in problems] == [
        "the PBX denies CoreShowChannels",
        "the PBX does not tell us about its restarts",
    ]


async def test_a_channel_is_found_by_its_uniqueid_until_it_has_hung_up(pbx: Pbx) -> None:
    wanted = Wanted(frozenset({"Hangup"}))
    async with (
        phones(pbx) as street,
        pbx.session(FULL) as full,
        connect(settings_to(pbx), wanted, clock=now) as link,
    ):
        await street.rings("101", Answer(), Talk())
        client = await street.client_dials(did("101"), Caller(CLIENT), Talk(1), HangUp())
        uniqueid = (await full.event("Newchannel"))["Uniqueid"]
        (row,) = await link.list_action(status(uniqueid))
        assert (row["Uniqueid"], row["DNID"]) == (uniqueid, did("101"))
        hung_up: set[str] = set()
        while uniqueid not in hung_up:
            for arrival in await link.take(256, wait_s=1):
                for event in arrival.events:
                    hung_up.add(str(event["Uniqueid"]))
                    with pytest.raises(PermanentFailure):
                        await link.list_action(status(str(event["Uniqueid"])))
        await client.done()


async def test_a_call_is_followed_from_ringing_to_its_end(pbx: Pbx) -> None:
    books = Books()
    async with phones(pbx) as street, following(pbx, books):
        await street.rings("101", Ring(0.5), Answer(), Talk())
        client = await street.client_dials(did("101"), Caller(CLIENT, "Иван Петров-Ёлкин"), Talk(1), HangUp())
        await books.until(lambda books: bool(books.of(CallEventType.RINGING)))
        (call,) = books.calls.values()
        assert (call.from_.number, call.from_.name, call.answered_at) == (
            "+79161234567",
            "Иван Петров-Ёлкин",
            None,
        )
        assert abs((now() - call.started_at).total_seconds()) < 2
        await client.done()
        await books.until(lambda books: len(books.ended) == 1)
    (call,) = books.calls.values()
    assert call.disposition is Disposition.ANSWERED
    assert call.talk_s == pytest.approx(1, abs=0.5)
    assert call.estimated == ()


async def test_live_calls_are_taken_up_by_a_later_link(pbx: Pbx) -> None:
    books = Books()
    async with phones(pbx) as street, pbx.session(FULL) as full:
        await street.rings("101", Answer(), Talk())
        for phone in ("102", "103"):
            await street.rings(phone, Ring())
        talking = await street.client_dials(did("101"), Caller(CLIENT), Talk(), HangUp())
        waiting = await street.client_dials(did("400"), Caller("79265550142"), Talk(), HangUp())
        await full.event("QueueCallerJoin")
        await full.event("BridgeEnter")
        async with following(pbx, books):
            await books.until(lambda books: len(books.calls) == 2)
            states = {call.from_.number: call.state for call in books.calls.values()}
            assert states["+79161234567"] is CallState.TALKING
            assert states["+79265550142"] in (CallState.QUEUED, CallState.RINGING)
            assert {call.queue for call in books.calls.values()} == {None, "400"}
        async with following(pbx, books):
            assert len(books.calls) == 2
            for client in (talking, waiting):
                client.process.terminate()
            await full.command("channel request hangup all")
            await books.until(lambda books: len(books.ended) == 2)


async def test_a_killed_pbx_loses_the_link_and_its_calls_are_ended_after_its_restart(pbx: Pbx) -> None:
    books = Books()
    async with phones(pbx) as street:
        await street.rings("101", Answer(), Talk())
        await street.client_dials(did("101"), Caller(CLIENT), Talk(), HangUp())
        async with following(pbx, books) as run:
            await books.until(lambda books: bool(books.of(CallEventType.ANSWERED)))
            await kill(pbx)
            killed = now()
            with pytest.raises(TemporaryFailure):
                await run
        with pytest.raises(TemporaryFailure, match="cannot be reached"):
            async with connect(settings_to(pbx), Wanted(), clock=now):
                pass
    again = await start(pbx.root, pbx.run_dir, pbx.ports)
    try:
        async with following(again, books):
            await books.until(lambda books: len(books.ended) == 1)
    finally:
        await kill(again)
    (call,) = books.calls.values()
    assert call.disposition is Disposition.ANSWERED
    assert call.ended_at is not None
    assert abs((call.ended_at - killed).total_seconds()) < 10
    assert "ended_at" in call.estimated


async def test_a_reload_of_the_pbx_disturbs_nothing(pbx: Pbx) -> None:
    books = Books()
    async with phones(pbx) as street, pbx.session(FULL) as full, following(pbx, books) as run:
        await street.rings("101", Answer(), Talk())
        client = await street.client_dials(did("101"), Caller(CLIENT), Talk(2), HangUp())
        await books.until(lambda books: bool(books.of(CallEventType.ANSWERED)))
        await full.command("core reload")
        await full.event("Reload")
        await client.done()
        await books.until(lambda books: len(books.ended) == 1)
        assert not run.done()
    (call,) = books.calls.values()
    assert call.estimated == ()


async def test_a_caller_who_writes_into_ami_neither_cuts_the_link_nor_ends_another_call(pbx: Pbx) -> None:
    books = Books()
    async with phones(pbx) as street, pbx.session(FULL) as full, following(pbx, books) as run:
        await street.rings("101", Answer(), Talk())
        await street.client_dials(did("101"), Caller(CLIENT), Talk(), HangUp())
        await books.until(lambda books: bool(books.of(CallEventType.ANSWERED)))
        (victim,) = books.calls.values()
        born = await full.event("Newchannel", Uniqueid=victim.legs[0])
        # A caller's number is cut at 80 bytes.
        forged = f"\r\n\r\nEvent: Hangup\r\nUniqueid: {born['Uniqueid']}\r\nCause: 99\r\n\r\n"
        number = "7916" + "".join(f"%{byte:02x}" for byte in forged.encode())
        await street.rings("102", Answer(), Talk())
        attacker = await street.client_dials(did("102"), Caller(number), Talk(0.5), HangUp())
        await full.event("Hangup", Uniqueid=born["Uniqueid"], Cause="99")
        await attacker.done()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(2):
                await books.until(lambda books: books.calls[victim.id].state is CallState.ENDED)
        assert not run.done()
        await full.command(f"channel request hangup {born['Channel']}")
        await books.until(lambda books: books.calls[victim.id].state is CallState.ENDED)
    assert books.calls[victim.id].disposition is Disposition.ANSWERED
