"""The event socket: everybody hears what is his, in order and without a gap, and nothing else."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from sqlalchemy import Connection

from gateway import metrics
from gateway.app import Service
from gateway.domain.facts import Fact
from gateway.services import people, tokens
from gateway.services.intake import VoiceIntake
from gateway.services.views.events import EVENTS
from gateway.store import facts
from gateway.web import hub as hub_module
from tests.journeys.clients import Client, Events
from tests.journeys.conftest import PASSWORD, on_both
from tests.journeys.test_every_route import ringing

Person = Callable[[str], Awaitable[Client]]
Program = Callable[..., Awaitable[Client]]


@pytest.fixture
async def anna_at_101(person: Person) -> Client:
    """Anna of the north, signed in at the phone 101."""
    anna = await person("anna")
    assert (await anna.put("/operators/me/endpoint", {"pbx": "pbx1", "extension": "101"})).status == 200
    return anna


@on_both
async def test_the_first_frame_is_the_whole_state_as_one_may_see_it(
    service: Service, anna_at_101: Client, person: Person
) -> None:
    events = ringing("1763974800.1", "401", "101")
    await VoiceIntake(service.store).calls_happened(events)
    hello = (await (await anna_at_101.events()).next())["data"]
    assert hello["me"] == (await anna_at_101.get("/me")).body
    assert [c["id"] for c in hello["calls"]] == [events[0].call.id]
    assert [(c["state"], c["offered_to"]) for c in hello["contacts"]] == [("offered", [anna_at_101.me["id"]])]
    assert [(q["name"], q["waiting"]) for q in hello["queues"]] == [("north", 1)]
    assert {o["login"] for o in hello["operators"]} == {"anna", "olga"}
    other = (await (await (await person("boris")).events()).next())["data"]
    assert (other["calls"], other["contacts"]) == ([], [])
    assert {o["login"] for o in other["operators"]} == {"boris", "pavel"}


@on_both
async def test_a_ringing_phone_pops_for_its_operator_and_for_nobody_else(
    service: Service, anna_at_101: Client, person: Person
) -> None:
    desks = {login: await (await person(login)).events() for login in ("olga", "boris", "admin")}
    anna = await anna_at_101.events("card.opened")
    for desk in (anna, *desks.values()):
        await desk.next("hello")
    await VoiceIntake(service.store).calls_happened(ringing("1763974800.1", "401", "101"))
    pop = (await anna.next())["data"]
    assert pop["created"] is True
    assert pop["card"]["identities"][0]["value"] == "+79991234567"
    assert (await anna_at_101.get(f"/cards/{pop['card']['id']}")).body == pop["card"]
    await _end(service)
    for login, desk in desks.items():
        types = await _types_until_end(desk)
        assert "card.opened" not in types, login
        assert ("contact.offered" in types) == (login != "boris"), login
        assert ("call.ringing" in types) == (login != "boris"), login


async def _end(service: Service) -> None:
    """Something that everybody is told."""
    await service.store.write(lambda tx: facts.append(tx, [Fact("the.end", b"{}")]))


async def _types_until_end(desk: Events) -> list[str]:
    found: list[str] = []
    while (frame := await desk.next())["type"] != "the.end":
        if frame["type"] != "queue.updated":  # comes by the clock; has a test of its own
            found.append(frame["type"])
    return found


async def test_teams_do_not_hear_each_other(service: Service, person: Person) -> None:
    anna, boris = await person("anna"), await person("boris")
    desk = await boris.events()
    await desk.next("hello")
    card = await anna.made("/cards", {"name": "Nina", "identities": [{"kind": "email", "value": "n@x.org"}]})
    await anna.post(f"/cards/{card['id']}/notes", {"text": "secret"})
    await anna.made(f"/cards/{card['id']}/leads", {})
    await anna.put("/operators/me/presence", {"state": "available"})
    await _end(service)
    assert await _types_until_end(desk) == []


async def test_an_operator_does_not_hear_of_his_colleagues_contacts(
    service: Service, anna_at_101: Client, person: Person, program: Program
) -> None:
    admin = await person("admin")
    made = {"login": "vera", "name": "Vera", "teams": ["north"], "password": PASSWORD}
    await admin.made("/operators", made)
    vera = await person("vera")
    colleague, leader = await vera.events("contact.*,the.end"), await (await person("olga")).events()
    await colleague.next("hello")
    await leader.next("hello")
    await VoiceIntake(service.store).calls_happened(ringing("1763974800.1", "401", "101"))
    await _end(service)
    assert await _types_until_end(colleague) == []
    assert "contact.offered" in await _types_until_end(leader)


async def test_only_the_wanted_types_are_sent_and_every_frame_is_described(person: Person) -> None:
    anna = await person("anna")
    desk = await anna.events("presence.*")
    await desk.next("hello")
    await anna.made("/cards", {"name": "Nina"})
    await anna.put("/operators/me/presence", {"state": "paused", "reason": "tea"})
    frame = await desk.next()
    assert frame["type"] == "presence.changed"
    assert frame["data"]["presence"]["reason"] == "tea"
    assert frame["at"].endswith("Z")
    assert {"hello", "presence.changed"} <= EVENTS.keys()
    for wrong in ("CALL", "call.", "call.*.x", ""):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await anna.events(f"{wrong},")
        assert refused.value.status == 422


@on_both
async def test_who_joins_in_the_midst_of_it_misses_nothing(service: Service, person: Person) -> None:
    olga = await person("olga")
    intake = VoiceIntake(service.store)
    stories = [ringing(f"1763974800.{n}", "401", "101") for n in range(60)]
    expected = {story[0].call.id for story in stories}
    done = asyncio.Event()

    async def calls() -> None:
        for story in stories:
            await intake.calls_happened(story)
        done.set()
        await _end(service)

    async def desk(delay: int) -> set[str]:
        for _ in range(delay):
            await asyncio.sleep(0)
        events = await olga.events()
        seen = {call["id"] for call in (await events.next("hello"))["data"]["calls"]}
        while (frame := await events.next())["type"] != "the.end":
            if frame["type"].startswith("call."):
                seen.add(frame["data"]["call"]["id"])
        return seen

    async with asyncio.TaskGroup() as group:
        desks = [group.create_task(desk(n * 40)) for n in range(12)]
        group.create_task(calls())
    for seen in desks:
        assert seen.result() == expected


@on_both
async def test_rights_change_at_once_on_an_open_socket(service: Service, person: Person) -> None:
    admin, anna, boris = await person("admin"), await person("anna"), await person("boris")
    desk = await anna.events()
    assert [q["name"] for q in (await desk.next("hello"))["data"]["queues"]] == ["north"]
    await admin.patch(f"/operators/{anna.me['id']}", {"teams": ["south"]})
    moved = (await desk.next("hello"))["data"]
    assert moved["me"]["teams"] == ["south"]
    assert [q["name"] for q in moved["queues"]] == ["south"]
    olga = await person("olga")
    await olga.made("/cards", {"name": "Nina"})
    card = await boris.made("/cards", {"name": "Yuri"})
    assert (await desk.next("card.updated"))["data"]["id"] == card["id"]


async def test_what_does_not_touch_ones_rights_brings_no_second_hello(person: Person) -> None:
    admin, anna = await person("admin"), await person("anna")
    desk = await anna.events("operator.*")
    await desk.next("hello")
    await admin.patch(f"/operators/{anna.me['id']}", {"name": "Anna A."})
    assert (await desk.next())["type"] == "operator.updated"
    await admin.patch(f"/operators/{anna.me['id']}", {"name": "Anna B."})
    frame = await desk.next()
    assert (frame["type"], frame["data"]["name"]) == ("operator.updated", "Anna B.")


@on_both
async def test_signing_out_and_being_dismissed_close_the_socket(person: Person) -> None:
    admin, anna, boris, olga = [await person(login) for login in ("admin", "anna", "boris", "olga")]
    here, other = await anna.events(), await (await person("anna")).events()
    await here.next("hello")
    await other.next("hello")
    await anna.delete("/session")
    assert await here.closed() == 4001
    dismissed, reset = await boris.events(), await olga.events()
    await dismissed.next("hello")
    await reset.next("hello")
    await admin.patch(f"/operators/{boris.me['id']}", {"active": False})
    await admin.patch(f"/operators/{olga.me['id']}", {"password": "another one entirely"})
    assert await dismissed.closed() == 4001
    assert await reset.closed() == 4001
    assert not other.ws.closed


async def test_a_session_that_ended_without_a_word_closes_at_the_next_look(
    service: Service, person: Person, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "CHECK_EACH", 1)
    script = await program("admin")
    desk = await script.events()
    assert (await desk.next("hello"))["data"]["me"]["name"] == "script"
    await tokens.revoke(service.store, people.CONSOLE, "script")
    assert await desk.closed() == 4001


async def test_strangers_and_other_sites_get_no_socket(
    person: Person, program: Program, visitor: Callable[[], Client]
) -> None:
    anna, narrow = await person("anna"), await program("admin", "cards:read")
    for client, headers, status in (
        (visitor(), {}, 401),
        (anna, {"Origin": "https://evil.example"}, 403),
        (anna, {"Origin": "null"}, 403),
        (narrow, {}, 403),
    ):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.events(headers=headers)
        assert refused.value.status == status
    desk = await anna.events(headers={"Origin": anna.service.address})
    assert (await desk.next())["type"] == "hello"
    scoped = await program("admin", "events:read")
    assert (await (await scoped.events()).next())["type"] == "hello"


async def test_a_desk_that_does_not_read_is_cut_and_holds_up_nobody(service: Service, person: Person) -> None:
    slow, quick = [await (await person(login)).events("large.*") for login in ("anna", "olga")]
    await slow.next("hello")
    await quick.next("hello")
    large = json.dumps({"text": "x" * 20_000}).encode()

    def tell(tx: Connection) -> None:
        facts.append(tx, [Fact("large.one", large) for _ in range(20)])

    cut_before, rounds = _cut(), 0
    while _cut() == cut_before:
        rounds += 1
        assert rounds < 500, "the slow desk was never cut"
        await service.store.write(tell)
        for _ in range(20):
            assert (await quick.next())["type"] == "large.one"
    assert await slow.closed() == 4008
    await service.store.write(tell)
    assert (await quick.next())["type"] == "large.one"


def _cut() -> float | None:
    return metrics.REGISTRY.get_sample_value("perezvon_desk_slow_closed_total")


async def test_the_figures_of_a_queue_are_told_as_they_change(
    service: Service, anna_at_101: Client, person: Person
) -> None:
    leader = await (await person("olga")).events("queue.updated")
    stranger = await (await person("boris")).events("queue.updated,the.end")
    await leader.next("hello")
    await stranger.next("hello")
    await VoiceIntake(service.store).calls_happened(ringing("1763974800.1", "401", "101"))
    while (told := (await leader.next())["data"])["waiting"] != 1:
        pass
    assert told["name"] == "north"
    assert told["longest_since"] is not None
    assert told["today"] == {"contacts": 1, "answered": 0, "abandoned": 0, "wait_s": None}


async def test_a_drain_tells_every_desk_when_to_come_back(service: Service, person: Person) -> None:
    desks = [await (await person(login)).events("call.*") for login in ("anna", "boris")]
    for desk in desks:
        await desk.next("hello")
    draining = asyncio.create_task(service.hub.drain())
    for desk in desks:
        message = await desk.ws.receive(timeout=5)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 1012)
        assert message.extra is not None
        assert 0 <= json.loads(message.extra)["retry_in_s"] <= hub_module.SPREAD_S
    await draining
    assert len(service.hub) == 0
