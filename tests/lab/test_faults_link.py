"""The link to a real Asterisk dies in every phase of a call, or we do: each call comes out right even so."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest

from gateway.domain.ports import LinkState
from tests.browser.relay import Relay
from tests.lab.asterisk.config import FULL
from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.pbx import Pbx
from tests.lab.asterisk.phones import phones
from tests.lab.asterisk.scenario import Answer, Caller, Ring, Talk
from tests.lab.conftest import on_both
from tests.lab.every_phase import OUTCOMES, EveryPhase, all_over, in_phases
from tests.lab.office import Office, attached, office, settings_for
from tests.lab.service_connectors import NOTHING, Connectors, connectors
from tests.lab.stories.stage import Stage
from tests.lab.stories.truth import differences

__all__ = ["connectors"]

CLIENT = "79161234567"


@pytest.fixture
async def wire(pbx: Pbx) -> AsyncIterator[Relay]:
    """The wire between service and PBX."""
    async with Relay() as relay:
        relay.target = pbx.ports.ami
        yield relay


async def outcomes_differ(at: Office) -> list[str]:
    """Wait for the end of every call; what of the books is not as it should be."""
    await at.stand(all_over)
    found = {c["to" if c["direction"] == "out" else "from"]["raw"]: c for c in await at.calls()}
    return differences(OUTCOMES, found)


async def test_the_link_is_cut_in_every_phase_of_a_call(
    pbx: Pbx, url: str, wire: Relay, connectors: Connectors
) -> None:
    async with office(pbx, url, settings_for(pbx, url, port=wire.port)) as at:
        story = EveryPhase(Stage(pbx, at.phones, at.ami))
        await story.begin()
        await at.stand(in_phases)
        await wire.cut()
        await attached(at.service, LinkState.DOWN)
        await story.in_between()
        wire.mend()
        await attached(at.service)
        await story.finish()
        assert await outcomes_differ(at) == []
        assert len(await at.calls()) == len(OUTCOMES)
        assert connectors.leftovers() == NOTHING


@on_both
async def test_the_service_is_restarted_in_every_phase_of_a_call(
    pbx: Pbx, url: str, connectors: Connectors
) -> None:
    async with phones(pbx) as street, pbx.session(FULL) as ami:
        story = EveryPhase(Stage(pbx, street, ami))
        async with office(pbx, url) as at:
            await story.begin()
            await at.stand(in_phases)
        await story.in_between()
        async with office(pbx, url, hires=False) as at:
            await story.finish()
            assert await outcomes_differ(at) == []
            assert len(await at.calls()) == len(OUTCOMES)
            assert connectors.leftovers() == NOTHING


async def test_a_half_open_link_is_noticed_and_the_call_goes_on(
    pbx: Pbx, url: str, wire: Relay, connectors: Connectors
) -> None:
    async with office(pbx, url, settings_for(pbx, url, port=wire.port)) as at:
        await at.phones.rings("101", Ring(0.5), Answer(), Talk())
        await at.phones.client_dials(did("101"), Caller(CLIENT), Talk())
        await at.told("call.answered")
        wire.stall()
        # No side says that anything is wrong; only that nothing comes any more tells it.
        await attached(at.service, LinkState.DOWN)
        (link,) = at.service.links().values()
        assert "does not answer" in link.detail
        wire.mend()
        await attached(at.service)
        await at.ami.command("channel request hangup all")
        (call,) = await at.over(1)
        assert (call["disposition"], call["estimated"]) == ("answered", ["talk_s"])
        ended = datetime.fromisoformat(call["ended_at"]) - datetime.fromisoformat(call["answered_at"])
        assert differences(ended.total_seconds(), call["talk_s"]) == []
        assert connectors.leftovers() == NOTHING


async def test_a_call_that_began_while_the_link_was_away_is_taken_up_and_pops(
    pbx: Pbx, url: str, wire: Relay, connectors: Connectors
) -> None:
    async with office(pbx, url, settings_for(pbx, url, port=wire.port)) as at:
        await wire.cut()
        await attached(at.service, LinkState.DOWN)
        await at.phones.rings("101", Ring())
        await at.phones.client_dials(did("101"), Caller(CLIENT), Talk())
        await Stage(pbx, at.phones, at.ami).ringing("101")
        wire.mend()
        pop: Any = (await at.desks["anna"].next("card.opened"))["data"]
        assert (pop["created"], pop["call"]["state"], pop["call"]["did"]) == (
            True,
            "ringing",
            f"+{did('101')}",
        )
        await at.ami.command("channel request hangup all")
        (call,) = await at.over(1)
        assert (call["from"]["number"], call["rang"]) == (f"+{CLIENT}", ["101"])
        assert connectors.leftovers() == NOTHING
