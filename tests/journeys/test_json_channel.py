"""An integrator's program and an operator talk through the running service, both ways signed."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web

from config.secret import Secret
from config.settings import Queue, QueueChannel, Settings
from connectors.json.settings import JsonSettings
from connectors.json.signing import HEADER, is_signed, signature
from gateway.app import Service
from tests.journeys.clients import Answer, Client
from tests.journeys.conftest import on_both

Person = Callable[[str], Awaitable[Client]]
SECRET = "a secret that nobody guesses"


@dataclass
class Integrator:
    """Somebody's program: a webhook that keeps what it is sent, and posts of its own."""

    port: int
    received: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)
    answers: list[int] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    async def hook(self, request: web.Request) -> web.Response:
        body = await request.read()
        assert is_signed(SECRET, request.headers[HEADER], body, time.time())
        status = self.answers.pop(0) if self.answers else 200
        if status == 200:
            self.received.put_nowait(json.loads(body))
        return web.json_response({}, status=status)

    async def file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["name"]])

    async def next(self) -> Any:
        return await asyncio.wait_for(self.received.get(), 10)


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        found: int = free.getsockname()[1]
    return found


@pytest.fixture
def settings(settings: Settings, port: int) -> Settings:
    shop = JsonSettings(
        kind="json",
        name="shop",
        queue="north",
        secret=Secret(SECRET),
        webhook=f"http://127.0.0.1:{port}/hook",
    )
    north = Queue(name="north", team="north", channels=(QueueChannel.VOICE, QueueChannel.CHAT))
    return replace(settings, connectors=(shop,), queues=(north, *settings.queues[1:]))


@pytest.fixture
async def integrator(port: int) -> AsyncIterator[Integrator]:
    made = Integrator(port)
    app = web.Application()
    app.router.add_post("/hook", made.hook)
    app.router.add_get("/files/{name}", made.file)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield made
    await runner.cleanup()


async def post(client: Client, *updates: Any, secret: str = SECRET, at: float | None = None) -> Answer:
    body = json.dumps(list(updates)).encode()
    headers = {
        HEADER: signature(secret, body, int(at or time.time())),
        "Content-Type": "application/json",
    }
    url = f"{client.service.address}/hooks/shop"
    async with client.http.post(url, data=body, headers=headers) as response:
        return Answer(response.status, await response.json(), response.headers)


def message(number: str, text: str, **more: Any) -> Any:
    who = {"id": "42", "name": "Нина", "phone": "8 999 123-45-67"}
    return {"type": "message", "id": number, "chat": "c42", "from": who, "text": text} | more


@pytest.fixture
async def anna(person: Person) -> Client:
    """At work."""
    client = await person("anna")
    assert (await client.put("/operators/me/presence", {"state": "available"})).status == 200
    return client


@on_both
async def test_a_program_and_an_operator_talk(
    anna: Client, person: Person, visitor: Callable[[], Client], integrator: Integrator
) -> None:
    boris = await person("boris")
    await boris.put("/operators/me/presence", {"state": "available"})
    desk, foreign = await anna.events(), await boris.events("card.opened,message.*")
    await desk.next("hello")
    await foreign.next("hello")
    outside = visitor()
    answer = await post(outside, message("m1", "Где мой заказ?"))
    assert (answer.status, answer.body) == (202, {"received": 1, "stored": 1})
    pop = (await desk.next("card.opened"))["data"]
    assert pop["card"]["name"] == "Нина"
    assert {"kind": "phone", "value": "+79991234567"} in [
        {k: one[k] for k in ("kind", "value")} for one in pop["card"]["identities"]
    ]
    assert (await post(outside, message("m1", "Где мой заказ?"))).body["stored"] == 0
    contact, thread = pop["contact"]["id"], pop["thread"]["id"]
    assert (await anna.post(f"/contacts/{contact}/accept")).body["state"] == "assigned"
    sent = await anna.post(f"/threads/{thread}/messages", {"text": "Едет к вам", "client_id": "1"})
    assert (sent.status, sent.body["status"]) == (202, "queued")
    told = await integrator.next()
    assert (told["type"], told["chat"], told["text"]) == ("message", "c42", "Едет к вам")
    while (await desk.next("message.status"))["data"]["message"]["status"] != "sent":
        pass
    receipt = {"type": "receipt", "chat": "c42", "message": told["id"], "status": "read"}
    await post(outside, receipt)
    assert (await desk.next("message.status"))["data"]["message"]["status"] == "read"
    page = (await anna.get(f"/threads/{thread}/messages")).body["items"]
    assert [(one["direction"], one["text"]) for one in page] == [
        ("in", "Где мой заказ?"),
        ("out", "Едет к вам"),
    ]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await foreign.next("card.opened", "message.received")


async def test_a_forged_old_or_broken_update_is_refused_and_nothing_stored(
    anna: Client, visitor: Callable[[], Client], integrator: Integrator
) -> None:
    outside = visitor()
    assert (await post(outside, message("m1", "x"), secret="another secret, a wrong one")).status == 403
    assert (await post(outside, message("m1", "x"), at=time.time() - 400)).status == 403
    assert (await post(outside, {"type": "message"})).status == 422
    assert (await anna.get("/threads")).body["items"] == []


async def test_an_update_that_means_nothing_is_set_aside_listed_and_replayed(
    person: Person, visitor: Callable[[], Client], integrator: Integrator
) -> None:
    admin, outside = await person("admin"), visitor()
    desk = await admin.events("message.*")
    await desk.next("hello")
    await post(outside, {"type": "message", "id": "bad", "chat": "c1"}, message("m2", "цел"))
    await desk.next("message.received")
    (one,) = (await admin.get("/poison")).body["items"]
    assert (one["what"], one["about"]) == ("update", "shop")
    assert "KeyError" in one["error"]
    assert (await admin.post(f"/poison/{one['id']}/replay")).status == 204
    assert (await admin.post("/poison/update-999/replay")).status == 404


async def test_a_receiver_that_fails_leaves_the_message_unknown_and_a_person_sends_it_again(
    anna: Client, visitor: Callable[[], Client], integrator: Integrator
) -> None:
    desk = await anna.events()
    await desk.next("hello")
    await post(visitor(), message("m1", "вопрос"))
    thread = (await desk.next("card.opened"))["data"]["thread"]["id"]
    integrator.answers = [500]
    sent = (await anna.post(f"/threads/{thread}/messages", {"text": "ответ"})).body["id"]
    states: list[str] = []
    while states[-1:] != ["unknown"]:
        states.append((await desk.next("message.status"))["data"]["message"]["status"])
    again = await anna.post(f"/messages/{sent}/retry")
    assert again.body["status"] == "queued"
    told = await integrator.next()
    assert (told["id"], told["attempt"]) == (sent, 2)


async def test_the_operator_writes_first_to_an_address_of_the_card(
    anna: Client, visitor: Callable[[], Client], integrator: Integrator
) -> None:
    card = await anna.made("/cards", {"name": "Пётр", "identities": [{"kind": "other", "value": "shop:77"}]})
    body = {"connector": "shop", "to": "shop:77", "text": "Добрый день"}
    begun = await anna.post(f"/cards/{card['id']}/threads", body)
    assert begun.status == 202
    assert (await integrator.next())["chat"] == "77"
    entries = (await anna.get(f"/cards/{card['id']}/timeline?kind=message")).body["items"]
    assert [one["message"]["text"] for one in entries] == ["Добрый день"]


async def test_two_windows_of_one_person_agree_on_what_is_read_and_drafted(
    anna: Client, visitor: Callable[[], Client], integrator: Integrator
) -> None:
    desk = await anna.events()
    await desk.next("hello")
    await post(visitor(), message("m1", "раз"), message("m2", "два"))
    thread = (await desk.next("card.opened"))["data"]["thread"]["id"]
    while (await desk.next("message.received"))["data"]["message"]["text"] != "два":
        pass
    assert (await anna.get(f"/threads/{thread}")).body["unread"] == 2
    assert (await anna.post(f"/threads/{thread}/read", {"inbound": 1})).body["unread"] == 1
    assert (await anna.post(f"/threads/{thread}/read", {})).body["unread"] == 0
    await anna.post(f"/threads/{thread}/draft", {"text": "черновик"})
    assert (await anna.get(f"/threads/{thread}/draft")).body["text"] == "черновик"
    await anna.post(f"/threads/{thread}/messages", {"text": "ответ"})
    assert (await anna.get(f"/threads/{thread}/draft")).body["text"] == ""
    assert (await anna.get("/threads/counts")).body == {"mine": 0, "unassigned": 0, "all": 0}


async def test_typing_is_shown_both_ways(
    anna: Client, person: Person, visitor: Callable[[], Client], integrator: Integrator
) -> None:
    olga = await person("olga")
    desk = await olga.events()
    await desk.next("hello")
    outside = visitor()
    await post(outside, message("m1", "раз"))
    received = await desk.next("message.received")
    thread = received["data"]["thread"]["id"]
    await post(outside, {"type": "typing", "chat": "c42"})
    seen = (await desk.next("thread.presence"))["data"]
    assert (seen["what"], seen["by"]["kind"], seen["by"]["name"]) == ("typing", "client", "Нина")
    assert (await anna.post(f"/threads/{thread}/typing", {})).status == 204
    assert (await desk.next("thread.presence"))["data"]["by"]["name"] == "Anna"
    assert (await integrator.next())["type"] == "typing"


async def test_a_stopped_service_goes_on_where_it_was(service: Service, integrator: Integrator) -> None:
    names = set(service.supervisor.states())
    assert {"message intake", "dispatcher", "connector shop"} <= names
