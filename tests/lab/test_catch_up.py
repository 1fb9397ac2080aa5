"""Calls that pass on a real Asterisk while nobody of ours listens are in the books afterwards, once each."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from connectors.asterisk.connector import check
from gateway.domain.ports import LinkState
from tests.browser.relay import Relay
from tests.lab.asterisk.config import FULL
from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.pbx import Pbx
from tests.lab.asterisk.phones import Phones, phones
from tests.lab.asterisk.scenario import Answer, Caller, HangUp, Refuse, Ring, Talk
from tests.lab.conftest import on_both
from tests.lab.following import settings_to
from tests.lab.office import Office, attached, office, settings_for
from tests.lab.stories.stage import Stage
from tests.lab.stories.truth import differences
from tests.lab.test_administrators import DEPLOY, booted_with

BEFORE, LIVE, ANSWERED = "79161230001", "79161230002", "79161230003"
BUSY, DECLINED, GAVE_UP, WAITED, CALLED = (
    "79161230004", "79161230005", "79161230006", "79161230007", "79161230008",
)  # fmt: skip
TRUTH: Mapping[str, Any] = {
    BEFORE: {"disposition": "answered", "talk_s": 1.0, "estimated": []},
    LIVE: {"disposition": "answered", "operator": {"extension": "102"}, "hangup_by": "caller"},
    ANSWERED: {"disposition": "answered", "operator": {"extension": "103"}, "talk_s": 2.0, "wait_s": 1.0},
    BUSY: {"disposition": "busy", "rang": []},
    DECLINED: {"disposition": "declined", "rang": ["105"]},
    GAVE_UP: {"disposition": "abandoned", "wait_s": 2.0, "hangup_by": "caller"},
    WAITED: {"disposition": "abandoned", "queue": "sales"},
    CALLED: {"disposition": "answered", "direction": "out", "talk_s": 1.0},
}
RECORDS = ("cdr", "cel", "queue_log")


def records_of(pbx: Pbx, *sources: str) -> Mapping[str, Any]:
    files = {"cdr": pbx.cdr, "cel": pbx.cel, "queue_log": pbx.queue_log}
    return {source: str(files[source]) for source in sources}


@pytest.fixture
async def wire(pbx: Pbx) -> AsyncIterator[Relay]:
    """The wire between service and PBX."""
    async with Relay() as relay:
        relay.target = pbx.ports.ami
        yield relay


async def seen(street: Phones) -> None:
    """Two calls that are seen: one to its end, one until it talks."""
    await street.rings("101", Ring(0.5), Answer(), Talk())
    await street.rings("102", Ring(0.5), Answer(), Talk())
    client = await street.client_dials(did("101"), Caller(BEFORE), Talk(1), HangUp())
    await client.done()
    await street.client_dials(did("102"), Caller(LIVE), Talk(4), HangUp())


async def unseen(stage: Stage) -> None:
    """What passes while nobody listens; over when it returns."""
    street = stage.phones
    await street.rings("103", Ring(1), Answer(), Talk())
    await street.rings("104", Refuse(486))
    await street.rings("105", Ring(1), Refuse(603))
    await street.rings("106", Ring())
    await street.client_rings(Ring(1), Answer(), Talk(1), HangUp())
    clients = [
        await street.client_dials(did("103"), Caller(ANSWERED), Talk(2), HangUp()),
        await street.client_dials(did("104"), Caller(BUSY)),
        await street.client_dials(did("105"), Caller(DECLINED)),
        await street.client_dials(did("106"), Caller(GAVE_UP), cancel_after_s=2),
        await street.client_dials(did("401"), Caller(WAITED), Talk(2), HangUp()),
        await street.dials("108", CALLED, Talk()),
    ]
    await asyncio.gather(*(client.done() for client in clients))
    await stage.ami.idle()


async def books(at: Office, count: int) -> Mapping[str, Any]:
    """The calls by the client's number, once so many are over."""
    calls: list[Any] = []
    try:
        async with asyncio.timeout(20):
            while len([call for call in calls if call["state"] == "ended"]) < count:
                if calls:
                    await at.until(lambda frame: frame["type"] == "call.ended")
                calls = await at.calls()
    except TimeoutError as late:
        late.add_note(str([(call["from"]["raw"], call["state"], call["disposition"]) for call in calls]))
        raise
    assert len(calls) == count
    return {call["to" if call["direction"] == "out" else "from"]["raw"]: call for call in calls}


async def assert_told_afterwards(at: Office, client: str) -> Any:
    """A missed call found later has card, lead, timeline and contact as if it had been seen."""
    (call,) = [one for one in await at.calls() if one["from"]["raw"] == client]
    card = await at.card(call["card_id"])
    assert [lead["status"] for lead in card["leads"]] == ["new"]
    entries = (await at.staff["olga"].get(f"/cards/{call['card_id']}/timeline?limit=50")).body["items"]
    assert [one["call"]["id"] for one in entries if one["kind"] == "call"] == [call["id"]]
    contacts = (await at.staff["olga"].get("/contacts?limit=200")).body["items"]
    return [one["state"] for one in contacts if one["call_id"] == call["id"]]


async def test_calls_that_pass_while_the_link_is_cut_are_found_once_each(
    pbx: Pbx, url: str, wire: Relay
) -> None:
    settings = settings_for(pbx, url, port=wire.port, **records_of(pbx, *RECORDS))
    async with office(pbx, url, settings) as at:
        stage = Stage(pbx, at.phones, at.ami)
        await seen(at.phones)
        await at.stand(lambda calls: LIVE in calls and calls[LIVE]["state"] == "talking")
        await wire.cut()
        await attached(at.service, LinkState.DOWN)
        await unseen(stage)
        wire.mend()
        await attached(at.service)
        calls = await books(at, len(TRUTH))
        assert differences(TRUTH, calls) == []
        assert await assert_told_afterwards(at, WAITED) == ["abandoned"]
        assert await assert_told_afterwards(at, ANSWERED) == ["closed"]
        popped = {pop["call"]["from"]["raw"] for pops in (await at.popped()).values() for pop in pops}
        assert popped <= {BEFORE, LIVE}


async def down_meanwhile(pbx: Pbx, url: str) -> None:
    """The service is down while calls pass; it is started twice afterwards."""
    settings = settings_for(pbx, url, **records_of(pbx, *RECORDS))
    async with phones(pbx) as street, pbx.session(FULL) as ami:
        async with office(pbx, url, settings) as at:
            await seen(street)
            await at.stand(lambda calls: LIVE in calls and calls[LIVE]["state"] == "talking")
        await unseen(Stage(pbx, street, ami))
        for _ in range(2):
            async with office(pbx, url, settings, hires=False) as at:
                assert differences(TRUTH, await books(at, len(TRUTH))) == []


@on_both
async def test_calls_that_pass_while_we_are_down_are_found_once_each(pbx: Pbx, url: str) -> None:
    await down_meanwhile(pbx, url)


async def test_our_very_files_make_the_pbx_write_what_is_needed(url: str) -> None:
    files = {name: (DEPLOY / name).read_text() for name in ("cdr.conf", "cel.conf", "cel_custom.conf")}
    async with booted_with(files) as pbx:
        await down_meanwhile(pbx, url)
        assert await check(replace(settings_to(pbx), **records_of(pbx, *RECORDS))) == []


async def test_check_names_records_that_are_not_there(pbx: Pbx) -> None:
    missing = str(pbx.cdr.with_name("elsewhere.csv"))
    (problem,) = await check(replace(settings_to(pbx), cdr=missing))
    assert problem.startswith(f"cdr {missing} is not there")


async def test_call_detail_records_alone_say_what_they_cannot_know(pbx: Pbx, url: str) -> None:
    settings = settings_for(pbx, url, **records_of(pbx, "cdr"))
    async with phones(pbx) as street, pbx.session(FULL) as ami:
        async with office(pbx, url, settings) as at:
            await seen(street)
            await at.stand(lambda calls: LIVE in calls and calls[LIVE]["state"] == "talking")
        await unseen(Stage(pbx, street, ami))
        async with office(pbx, url, settings, hires=False) as at:
            calls = await books(at, len(TRUTH))
    assert calls[LIVE]["disposition"] == "answered"
    for client, wanted in TRUTH.items():
        known = {key: value for key, value in wanted.items() if key not in calls[client]["estimated"]}
        assert differences(known | {"estimated": calls[client]["estimated"]}, calls[client]) == []
    assert "disposition" in calls[DECLINED]["estimated"]
    assert "disposition" not in calls[ANSWERED]["estimated"]
