"""A real Asterisk dies, restarts or reloads under calls: each ends in the books, nothing stays behind."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway.domain.ports import LinkState
from tests.lab.asterisk.config import FULL
from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.pbx import Pbx, kill, start, stop
from tests.lab.asterisk.phones import phones
from tests.lab.asterisk.scenario import Answer, Caller, HangUp, Ring, Talk
from tests.lab.office import Office, attached, office
from tests.lab.service_connectors import NOTHING, Connectors, connectors
from tests.lab.stories.truth import differences

__all__ = ["connectors"]

TALKING, RINGING, WAITING, NEXT = "79161230001", "79161230002", "79161230003", "79161230004"
UNSEEN = {"ended_at", "hangup_by", "hangup_cause"}


async def three_calls(at: Office) -> None:
    """One talks, one rings, one waits in a queue, and the books know it."""
    await at.phones.rings("101", Answer(), Talk())
    await at.phones.rings("102", Ring())
    for caller, number in ((TALKING, "101"), (RINGING, "102"), (WAITING, "403")):
        await at.phones.client_dials(did(number), Caller(caller), Talk())
    states = {TALKING: "talking", RINGING: "ringing", WAITING: "queued"}
    await at.stand(lambda calls: {number: call["state"] for number, call in calls.items()} == states)


def three_are_over(calls: Any) -> bool:
    return [calls[number]["state"] for number in (TALKING, RINGING, WAITING)] == ["ended"] * 3


async def test_a_killed_pbx_ends_its_calls_and_the_next_ones_are_calls_of_their_own(
    pbx: Pbx, url: str, connectors: Connectors
) -> None:
    async with office(pbx, url) as at:
        await three_calls(at)
        killed = datetime.now(UTC)
        await kill(pbx)
        await attached(at.service, LinkState.DOWN)
        await at.phones.clear()
        again = await start(pbx.root, pbx.run_dir, pbx.ports)
        try:
            await attached(at.service)
            calls = await at.stand(three_are_over)
            # The new PBX gives the same names to its channels, and counts from 0 again.
            async with phones(again) as street, again.session(FULL) as ami:
                await street.rings("101", Ring(0.5), Answer(), Talk())
                await street.client_dials(did("101"), Caller(NEXT), Talk(0.5), HangUp())
                born = await ami.event("Newchannel")
                await at.told("call.ended")
            assert born["Channel"] == "PJSIP/trunk-00000000"
            assert connectors.leftovers() == NOTHING
        finally:
            await stop(again)
        last = (await at.calls())[-1]
    dispositions = {number: calls[number]["disposition"] for number in (TALKING, RINGING, WAITING)}
    assert dispositions == {TALKING: "answered", RINGING: "abandoned", WAITING: "abandoned"}
    for call in calls.values():
        assert set(call["estimated"]) >= UNSEEN
        # Somewhere between its death and its being up again.
        late = (datetime.fromisoformat(call["ended_at"]) - killed).total_seconds()
        assert -1.5 < late < 10
    assert (
        differences({"from": {"raw": NEXT}, "disposition": "answered", "talk_s": 0.5, "estimated": []}, last)
        == []
    )


@pytest.mark.parametrize("command", ["core restart now", "core stop now"])
async def test_a_pbx_that_says_goodbye_ends_its_calls_at_once(
    pbx: Pbx, url: str, connectors: Connectors, command: str
) -> None:
    async with office(pbx, url) as at:
        await three_calls(at)
        await at.ami.command(command)
        calls = await at.stand(three_are_over)
        again = pbx
        if command == "core stop now":
            await pbx.process.wait()
            again = await start(pbx.root, pbx.run_dir, pbx.ports)
        try:
            await attached(at.service)
            assert connectors.leftovers() == NOTHING
        finally:
            # One that restarted itself heeds no SIGTERM.
            await kill(again)
    dispositions = {number: calls[number]["disposition"] for number in (TALKING, RINGING, WAITING)}
    assert dispositions == {TALKING: "answered", RINGING: "failed", WAITING: "failed"}
    assert [call["hangup_by"] for call in calls.values()] == ["system"] * 3
    assert [call["estimated"] for call in calls.values()] == [[]] * 3


@pytest.mark.parametrize("command", ["core reload", "manager reload", "dialplan reload"])
async def test_a_reload_disturbs_no_call(pbx: Pbx, url: str, connectors: Connectors, command: str) -> None:
    async with office(pbx, url) as at:
        await at.phones.rings("101", Ring(1), Answer(), Talk())
        await at.phones.client_dials(did("101"), Caller(TALKING), Talk(0.5), HangUp())
        await at.told("call.ringing")
        await at.ami.command(command)
        (call,) = await at.over(1)
        assert [one.following for one in connectors.made] == [connectors.made[0].following]
        assert connectors.leftovers() == NOTHING
    wanted = {"disposition": "answered", "wait_s": 1.0, "talk_s": 0.5, "estimated": []}
    assert differences(wanted, call) == []
