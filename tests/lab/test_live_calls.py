"""Calls on a real Asterisk come out at the API as the contract has them, and pop for whoever is rung."""

from datetime import UTC, datetime, timedelta
from typing import Any

from gateway.domain.calls import CallEventType
from tests.fakes.books import Books, Lights
from tests.lab.asterisk.dialplan import SHORT_RING_S, did
from tests.lab.asterisk.pbx import Pbx
from tests.lab.asterisk.phones import phones
from tests.lab.asterisk.scenario import Answer, Caller, HangUp, Refuse, Ring, Talk
from tests.lab.conftest import on_both
from tests.lab.following import following
from tests.lab.office import PHONES, Office, office
from tests.lab.stories.truth import differences

CLIENT = "79161234567"
ANOTHER = "79265550142"


def by(login: str, at: Office) -> dict[str, Any]:
    """The operator as calls name him."""
    return {"id": at.staff[login].me["id"], "name": login.title(), "extension": PHONES[login]}


def seconds(call: Any, field: str, since: datetime) -> float:
    """When that was, in seconds after `since`."""
    return (datetime.fromisoformat(call[field]) - since).total_seconds()


@on_both
async def test_a_direct_call_is_told_in_full_and_pops_a_new_lead_before_it_is_answered(
    pbx: Pbx, url: str
) -> None:
    async with office(pbx, url) as at:
        await at.phones.rings("101", Ring(1), Answer(), Talk())
        began = datetime.now(UTC)
        await at.phones.client_dials(did("101"), Caller(CLIENT, "Иван"), Talk(2), HangUp())
        pop = (await at.desks["anna"].next("card.opened"))["data"]
        assert (pop["call"]["state"], pop["call"]["answered_at"]) == ("ringing", None)
        assert (pop["created"], pop["because"], pop["contact"]["state"]) == (True, "call", "offered")
        (call,) = await at.over(1)
        assert await at.popped() == {}
        card = await at.card(call["card_id"])
        operator = by("anna", at)
    assert call.keys() - {"version"} == {
        "id", "pbx", "linkedid", "direction", "state", "disposition", "from", "to", "did", "queue", "card_id",
        "operator", "rang", "started_at", "answered_at", "ended_at", "hangup_by", "hangup_cause", "wait_s",
        "talk_s", "hold_s", "segments", "transfers", "recordings", "estimated", "note",
    }  # fmt: skip
    (segment,) = call["segments"]
    wanted = {
        "pbx": "pbx1", "direction": "in", "state": "ended", "disposition": "answered",
        "from": {"number": f"+{CLIENT}", "raw": CLIENT, "name": "Иван"},
        "to": {"number": "+74951000101", "raw": "74951000101", "name": None}, "did": "+74951000101",
        "queue": None, "card_id": pop["card"]["id"], "operator": operator, "rang": ["101"],
        "hangup_by": "caller", "hangup_cause": 16, "wait_s": 1.0, "talk_s": 2.0, "hold_s": 0.0,
        "segments": [{"operator": operator, "extension": "101", "ring_s": 1.0, "talk_s": 2.0, "hold_s": 0.0}],
        "transfers": [], "estimated": [], "note": None,
    }  # fmt: skip
    assert differences(wanted, call) == []
    assert differences(0.0, seconds(call, "started_at", began)) == []
    assert differences(1.0, seconds(call, "answered_at", began)) == []
    assert differences(3.0, seconds(call, "ended_at", began)) == []
    assert differences(0.0, seconds(segment, "to", datetime.fromisoformat(call["ended_at"]))) == []
    assert (card["kind"], card["identities"][0]["value"]) == ("lead", f"+{CLIENT}")
    (lead,) = card["leads"]
    assert lead["status"] == "new"
    assert lead["source"] == {
        "connector": "pbx1", "channel": "voice", "did": "+74951000101", "campaign": None,
    }  # fmt: skip


async def test_a_queued_call_pops_at_the_three_desks_whose_phones_ring(pbx: Pbx, url: str) -> None:
    async with office(pbx, url) as at:
        for extension in ("101", "103"):
            await at.phones.rings(extension, Ring())
        await at.phones.rings("102", Ring(1), Answer(), Talk(1), HangUp())
        await at.phones.client_dials(did("400"), Caller(CLIENT), Talk())
        (call,) = await at.over(1)
        pops = await at.popped()
        operator = by("boris", at)
    wanted = {
        "direction": "in", "disposition": "answered", "queue": "support", "operator": operator,
        "wait_s": 1.0, "talk_s": 1.0, "hangup_by": "callee", "estimated": [],
        "segments": [{"operator": operator, "extension": "102", "ring_s": 1.0, "talk_s": 1.0}],
    }  # fmt: skip
    assert differences(wanted, call) == []
    assert sorted(call["rang"]) == ["101", "102", "103"]
    assert {login: len(found) for login, found in pops.items()} == {"anna": 1, "boris": 1, "clara": 1}
    assert {pop["call"]["answered_at"] for found in pops.values() for pop in found} == {None}
    assert {pop["card"]["id"] for found in pops.values() for pop in found} == {call["card_id"]}


async def test_busy(pbx: Pbx, url: str) -> None:
    async with office(pbx, url) as at:
        await at.phones.rings("101", Refuse(486))
        await at.phones.client_dials(did("101"), Caller(CLIENT))
        (call,) = await at.over(1)
        assert await at.popped() == {}
    assert differences(nobody("busy", rang=[], hangup_by="callee"), call) == []


async def test_nobody_picks_up_and_the_pbx_gives_up(pbx: Pbx, url: str) -> None:
    async with office(pbx, url) as at:
        await at.phones.rings("101", Ring())
        await at.phones.client_dials(did("901"), Caller(CLIENT))
        (call,) = await at.over(1)
        assert set(await at.popped()) == {"anna"}
    wanted = nobody("no_answer", rang=["101"], hangup_by="system") | {"wait_s": float(SHORT_RING_S)}
    assert differences(wanted, call) == []


async def test_declined(pbx: Pbx, url: str) -> None:
    async with office(pbx, url) as at:
        await at.phones.rings("101", Ring(0.5), Refuse(603))
        await at.phones.client_dials(did("101"), Caller(CLIENT))
        (call,) = await at.over(1)
        assert set(await at.popped()) == {"anna"}
    assert differences(nobody("declined", rang=["101"], hangup_by="callee"), call) == []


async def test_abandoned_in_the_queue(pbx: Pbx, url: str) -> None:
    async with office(pbx, url) as at:
        for extension in ("101", "102"):
            await at.phones.rings(extension, Ring())
        await at.phones.client_dials(did("402"), Caller(CLIENT), Talk(2), HangUp())
        (call,) = await at.over(1)
        assert set(await at.popped()) == {"anna", "boris"}
        (contact,) = (await at.staff["olga"].get("/contacts")).body["items"]
    wanted = nobody("abandoned", rang=call["rang"], hangup_by="caller") | {"queue": "sales", "wait_s": 2.0}
    assert differences(wanted, call) == []
    assert sorted(call["rang"]) == ["101", "102"]
    assert (contact["state"], contact["call_id"]) == ("abandoned", call["id"])


async def test_a_call_between_colleagues_makes_no_card_and_no_contact(pbx: Pbx, url: str) -> None:
    async with office(pbx, url) as at:
        await at.phones.rings("102", Ring(0.5), Answer(), Talk())
        await at.phones.dials("101", "102", Talk(1), HangUp())
        (call,) = await at.over(1)
        pops = await at.popped()
        contacts = (await at.staff["olga"].get("/contacts")).body["items"]
        caller = by("anna", at)
    wanted = {
        "direction": "internal", "disposition": "answered", "from": {"number": None, "raw": "101"},
        "to": {"number": None, "raw": "102"}, "did": None, "queue": None, "card_id": None,
        "operator": caller, "rang": ["102"], "wait_s": 0.5, "talk_s": 1.0, "hangup_by": "caller",
    }  # fmt: skip
    assert differences(wanted, call) == []
    assert contacts == []
    assert {login: [pop["card"] for pop in found] for login, found in pops.items()} == {"boris": [None]}


async def test_an_outgoing_call_makes_card_and_lead_and_pops_for_the_one_who_dials(
    pbx: Pbx, url: str
) -> None:
    async with office(pbx, url) as at:
        await at.phones.client_rings(Ring(0.5), Answer(), Talk(1), HangUp())
        await at.phones.dials("101", CLIENT, Talk())
        (call,) = await at.over(1)
        pops = await at.popped()
        card = await at.card(call["card_id"])
        operator = by("anna", at)
    wanted = {
        "direction": "out", "disposition": "answered", "from": {"number": None, "raw": "101"},
        "to": {"number": f"+{CLIENT}", "raw": CLIENT}, "did": None, "queue": None, "operator": operator,
        "rang": [f"+{CLIENT}"], "wait_s": 0.5, "talk_s": 1.0, "hangup_by": "callee", "estimated": [],
    }  # fmt: skip
    assert differences(wanted, call) == []
    assert {login: [pop["card"]["id"] for pop in found] for login, found in pops.items()} == {
        "anna": [card["id"]]
    }
    assert [lead["status"] for lead in card["leads"]] == ["new"]


@on_both
async def test_two_calls_at_once_from_one_number_are_two_calls_on_one_card(pbx: Pbx, url: str) -> None:
    async with office(pbx, url) as at:
        for extension in ("101", "102"):
            await at.phones.rings(extension, Ring(1), Answer(), Talk())
        for extension in ("101", "102"):
            await at.phones.client_dials(did(extension), Caller(CLIENT), Talk(1), HangUp())
        first, second = await at.over(2)
        pops = await at.popped()
        card = await at.card(first["card_id"])
    assert {call["did"]: call["rang"] for call in (first, second)} == {
        "+74951000101": ["101"],
        "+74951000102": ["102"],
    }
    assert [call["disposition"] for call in (first, second)] == ["answered", "answered"]
    assert first["card_id"] == second["card_id"]
    assert len(card["leads"]) == 1
    shown = {login: [pop["call"]["did"] for pop in found] for login, found in pops.items()}
    assert shown == {"anna": ["+74951000101"], "boris": ["+74951000102"]}


async def test_times_are_right_whatever_the_pbxs_clock_says(pbx: Pbx) -> None:
    ahead = timedelta(seconds=37)
    books = Books()
    lights = Lights()
    async with phones(pbx) as street, following(pbx, books, lights, clock=lambda: datetime.now(UTC) - ahead):
        await street.rings("101", Ring(0.5), Answer(), Talk())
        began = datetime.now(UTC) - ahead
        await street.client_dials(did("101"), Caller(CLIENT), Talk(1), HangUp())
        await books.until(lambda books: len(books.ended) == 1)
    (call,) = books.calls.values()
    (rings,) = books.of(CallEventType.RINGING)
    for at, after_s in (
        (call.started_at, 0.0),
        (rings.at, 0.0),
        (call.answered_at, 0.5),
        (call.ended_at, 1.5),
    ):
        assert at is not None
        assert differences(after_s, (at - began).total_seconds()) == []
    assert differences(1.0, call.talk_s) == []
    assert differences(37.0, lights.told[-1][3]) == []


def nobody(disposition: str, *, rang: list[str], hangup_by: str) -> dict[str, Any]:
    """What an incoming call holds in which nobody talked."""
    return {
        "direction": "in", "state": "ended", "disposition": disposition, "operator": None, "rang": rang,
        "answered_at": None, "talk_s": 0.0, "segments": [], "hangup_by": hangup_by, "estimated": [],
    }  # fmt: skip
