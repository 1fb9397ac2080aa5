"""A visitor of a site and an operator talk through the running service."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import aiohttp
import jwt
import pytest

from config.secret import Secret
from config.settings import Queue, QueueChannel, Settings
from connectors.registry import EMBEDDED
from connectors.webchat.settings import WebchatSettings
from gateway.app import Service
from tests.journeys.chatting import SITE, Visitor
from tests.journeys.clients import Client
from tests.journeys.conftest import on_both

Person = Callable[[str], Awaitable[Client]]
SECRET = "a secret of at least thirty-two characters"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    site = WebchatSettings(
        kind="webchat",
        name="site",
        queue="north",
        allowed_origins=(SITE,),
        identity_secret=Secret(SECRET),
        largest_file_mb=0.1,
    )
    north = Queue(name="north", team="north", channels=(QueueChannel.VOICE, QueueChannel.CHAT))
    return replace(settings, connectors=(site,), queues=(north, *settings.queues[1:]))


@pytest.fixture
async def browsers(service: Service) -> AsyncIterator[Callable[[], Visitor]]:
    """Makes visitors' browsers."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as http:
        yield lambda: Visitor(service, http)


@pytest.fixture
async def anna(person: Person) -> Client:
    """At work."""
    client = await person("anna")
    assert (await client.put("/operators/me/presence", {"state": "available"})).status == 200
    return client


def identity(**claims: Any) -> str:
    return jwt.encode({"sub": "17", "exp": int(time.time()) + 300} | claims, SECRET, algorithm="HS256")


@on_both
async def test_a_visitor_and_an_operator_talk(
    anna: Client, person: Person, browsers: Callable[[], Visitor]
) -> None:
    boris = await person("boris")
    await boris.put("/operators/me/presence", {"state": "available"})
    desk, foreign = await anna.events(), await boris.events()
    await desk.next("hello")
    await foreign.next("hello")
    visitor = await browsers().come()
    window = await visitor.window()
    page = f"{SITE}/?utm_source=ya&utm_campaign=may"
    said = {"id": str(uuid4()), "text": "Есть в наличии?", "page": page, "told": {"name": "Нина"}}
    assert (await visitor.ask("POST", "/messages", json=said)).status == 202
    assert (await visitor.ask("POST", "/messages", json=said)).status == 202
    pop = (await desk.next("card.opened"))["data"]
    assert (pop["because"], pop["created"], pop["card"]["name"]) == ("message", True, "Нина")
    (lead,) = pop["card"]["leads"]
    assert (lead["status"], lead["source"]["connector"], lead["source"]["campaign"]) == (
        "new",
        "site",
        "ya / may",
    )
    contact, thread = pop["contact"]["id"], pop["thread"]["id"]
    assert (await anna.post(f"/contacts/{contact}/accept")).body["state"] == "assigned"
    await anna.post(f"/threads/{thread}/typing", {})
    await window.heard("typing")
    sent = await anna.post(f"/threads/{thread}/messages", {"text": "Да, десять штук"})
    assert sent.status == 202, sent.body
    items = await visitor.until(window, "Да, десять штук")
    assert [(one["seq"], one["outgoing"], one["text"]) for one in items] == [
        (1, False, "Есть в наличии?"),
        (2, True, "Да, десять штук"),
    ]
    assert (items[0]["client_id"], items[1]["author"]) == (said["id"], "Anna")
    # Its state goes on meanwhile: sending, sent.
    assert [one["id"] for one in await visitor.history("?after=1")] == [items[1]["id"]]
    await window.socket.send_json({"type": "typing"})
    seen = (await desk.next("thread.presence"))["data"]
    while seen["by"]["kind"] != "client":
        seen = (await desk.next("thread.presence"))["data"]
    await visitor.ask("POST", "/read", json={"message": items[1]["id"]})
    while (await desk.next("message.status"))["data"]["message"]["status"] != "read":
        pass
    # Nothing of it was told to the other team.
    await boris.put("/operators/me/presence", {"state": "paused"})
    while (frame := await foreign.next())["type"] != "presence.changed":
        assert not frame["type"].startswith(("message.", "thread.", "contact.", "card."))


async def test_what_was_written_while_away_comes_once_and_in_order(
    anna: Client, browsers: Callable[[], Visitor]
) -> None:
    visitor = await browsers().come()
    written = [{"id": str(uuid4()), "text": f"{number}"} for number in range(12)]
    for one in (*written[:5], *written):
        assert (await visitor.ask("POST", "/messages", json=one)).status == 202
    items = await visitor.until(await visitor.window(), "11")
    assert [one["text"] for one in items] == [one["text"] for one in written]
    assert [one["seq"] for one in items] == list(range(1, 13))


async def test_nobody_reads_a_conversation_without_its_token(
    anna: Client, browsers: Callable[[], Visitor]
) -> None:
    one = await browsers().come()
    await one.say("тайна")
    items = await one.until(await one.window(), "тайна")
    other = await browsers().come()
    assert await other.history() == []
    thread = (await anna.get("/threads")).body["items"][0]
    for guess in ("", "v." + "A" * 43, thread["id"], items[0]["id"]):
        stranger = replace(other, token=guess)
        answer = await stranger.ask("GET", "/messages")
        assert answer.status == 401 or answer.body["items"] == []
    socket = await other.http.ws_connect(f"{other.root}/socket")
    await socket.send_json({"type": "hello", "token": "guessed"})
    assert (await socket.receive()).data == 4001


async def test_other_sites_are_refused_and_allowed_ones_read_even_refusals(
    service: Service, browsers: Callable[[], Visitor]
) -> None:
    visitor = browsers()
    preflight = await visitor.http.options(f"{visitor.root}/messages", headers={"Origin": SITE})
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == SITE
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"].lower()
    refused = await visitor.ask("GET", "/messages")
    assert (refused.status, refused.headers["Access-Control-Allow-Origin"]) == (401, SITE)
    for origin in ("https://evil.example", "null", SITE.replace("https", "http")):
        stranger = replace(visitor, origin=origin)
        assert (await stranger.ask("GET", "/config")).status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await stranger.http.ws_connect(f"{stranger.root}/socket", headers={"Origin": origin})
    own = replace(visitor, origin=service.address)
    assert (await own.ask("GET", "/config")).body["online"] is False


async def test_whom_the_site_signed_comes_to_his_card_with_his_history_in_every_browser(
    anna: Client, browsers: Callable[[], Visitor]
) -> None:
    body = {"name": "Пётр", "identities": [{"kind": "email", "value": "petr@example.org"}]}
    card = await anna.made("/cards", body)
    desk = await anna.events()
    await desk.next("hello")
    home = await browsers().come(identity(email="petr@example.org", name="Пётр"))
    await home.say("Это я")
    assert (await desk.next("card.opened"))["data"]["card"]["id"] == card["id"]
    phone = await browsers().come(identity())
    assert [one["text"] for one in await phone.until(await phone.window(), "Это я")] == ["Это я"]
    forged = jwt.encode({"sub": "17", "exp": int(time.time()) + 60}, "x" * 40, algorithm="HS256")
    answer = await browsers().ask("POST", "/session", json={"identity": forged})
    assert answer.status == 401


async def test_files_go_both_ways_and_too_large_ones_are_refused(
    anna: Client, browsers: Callable[[], Visitor]
) -> None:
    visitor = await browsers().come()
    named = {"X-File-Name": "%D1%84%D0%BE%D1%82%D0%BE.txt", "Content-Type": "application/octet-stream"}
    kept = await visitor.ask("POST", "/files", data=b"a photograph", headers=named)
    assert kept.status == 201, kept.body
    await visitor.say("", files=[kept.body["file"]])
    items = await visitor.history()
    window = await visitor.window()
    while not items:
        await window.heard("message")
        items = await visitor.history()
    (file,) = items[0]["files"]
    assert (file["name"], file["ready"]) == ("фото.txt", True)
    async with visitor.http.get(f"{visitor.root}/files/{file['id']}", headers=visitor.headers()) as got:
        assert await got.read() == b"a photograph"
        assert got.headers["Content-Disposition"] == "attachment"
        assert got.headers["Access-Control-Allow-Origin"] == SITE
    other = await browsers().come()
    assert (await other.ask("GET", f"/files/{file['id']}")).status == 404
    large = await visitor.ask("POST", "/files", data=b"x" * 100_001, headers=named)
    assert large.status == 422


async def test_a_flood_is_slowed_on_http_and_in_frames(browsers: Callable[[], Visitor]) -> None:
    visitor = await browsers().come()
    answers = [(await visitor.say("x")).status for _ in range(25)]
    assert answers[:20] == [202] * 20
    assert 429 in answers
    window = await visitor.window()
    for _ in range(40):
        await window.socket.send_json({"type": "ping"})
    closed = None
    while closed is None:
        heard = await window.socket.receive()
        closed = heard.data if heard.type is aiohttp.WSMsgType.CLOSE else None
    assert closed == 4029


async def test_a_sites_form_is_a_lead_and_a_robots_is_not(
    anna: Client, browsers: Callable[[], Visitor]
) -> None:
    visitor = browsers()
    url = f"{visitor.service.address}/hooks/site/form"
    desk = await anna.events()
    await desk.next("hello")
    wanted = {"name": "Вера", "phone": "8 999 765-43-21", "text": "Посчитайте", "call_me_back": "on"}
    robot = await visitor.http.post(url, data=wanted | {"website": "x"}, headers={"Origin": SITE})
    assert robot.status == 202
    assert (await anna.get("/leads")).body["items"] == []
    referer = {"Origin": SITE, "Referer": f"{SITE}/prices"}
    assert (await visitor.http.post(url, data=wanted, headers=referer)).status == 202
    pop = (await desk.next("card.opened"))["data"]
    assert (pop["card"]["name"], pop["card"]["identities"][0]["value"]) == ("Вера", "+79997654321")
    assert pop["card"]["leads"][0]["source"]["connector"] == "site"
    bad = await visitor.http.post(url, json={"name": "?"}, headers={"Origin": SITE})
    assert (bad.status, (await bad.json())["errors"][0]["field"]) == (422, "phone")
    foreign = await visitor.http.post(url, data=wanted, headers={"Origin": "https://evil.example"})
    assert foreign.status == 403


async def test_broken_frames_and_bodies_harm_nobody(browsers: Callable[[], Visitor]) -> None:
    visitor = await browsers().come()
    for body in (b"", b"[]", b"{", b"\xff", json.dumps({"id": "1234-5678"}).encode()):
        assert (await visitor.ask("POST", "/messages", data=body)).status == 422
    window = await visitor.window()
    for frame in ("", "[]", "{", '{"type": 5}'):
        await window.socket.send_str(frame)
    await window.socket.send_json({"type": "ping"})
    await window.heard("pong")
    assert (await visitor.ask("GET", "/messages?after=x")).status == 422


class TestEmbedded:
    """A service without any configuration."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, connectors=(EMBEDDED,), queues=())

    async def test_a_visitor_is_offered_to_whoever_is_there(
        self, person: Person, service: Service, browsers: Callable[[], Visitor]
    ) -> None:
        admin = await person("admin")
        assert (await admin.put("/operators/me/presence", {"state": "available"})).status == 200
        desk = await admin.events()
        await desk.next("hello")
        visitor = await replace(browsers(), origin=service.address).come()
        assert (await visitor.ask("GET", "/config")).body["online"] is True
        await visitor.say("Есть кто?")
        pop = (await desk.next("card.opened"))["data"]
        thread = pop["thread"]["id"]
        assert (await admin.post(f"/threads/{thread}/messages", {"text": "Да"})).status == 202
        await visitor.until(await visitor.window(), "Да")
