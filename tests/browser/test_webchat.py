"""A visitor's windows in Chromium, the operator by the API: cut lines, reloads, offline writing, two tabs."""

import gzip
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import jwt
import pytest
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

from config.secret import Secret
from config.settings import Database, Queue, QueueChannel, Server, Settings, Storage
from gateway import app
from gateway.app import Service
from gateway.demo import sample, shop
from gateway.web.desk import STATIC
from tests.browser.conftest import PHONE, WIDE
from tests.browser.relay import Relay
from tests.journeys.clients import Client

LARGEST = 25 * 1024
AXE = Path(__file__).parents[2] / "desk" / "node_modules" / "axe-core" / "axe.min.js"


SECRET = "a secret of at least thirty-two characters"
HOSTILE = """* { font-size: 40px !important; display: block !important; position: static !important;
  color: red !important; letter-spacing: 9px; }
div { width: 3px; transform: scale(2) } :root { --accent: red }"""


@dataclass
class Elsewhere:
    """Somebody's own site on another origin, with a strict policy and styles that would spoil everything."""

    origin: str = ""
    perezvon: str = ""
    identity: str = ""

    async def page(self, _: web.Request) -> web.Response:
        own = f"{self.perezvon} {self.perezvon.replace('http', 'ws')}"
        policy = f"default-src 'none'; style-src 'self'; script-src {self.perezvon}; connect-src {own}"
        script = f'<script async src="{self.perezvon}/widget.js" data-identity="{self.identity}"></script>'
        text = f'<!doctype html><html lang="en"><link rel="stylesheet" href="/style.css"><p>Shop</p>{script}'
        headers = {"Content-Security-Policy": policy}
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def style(self, _: web.Request) -> web.Response:
        return web.Response(text=HOSTILE, content_type="text/css")


@pytest.fixture
async def elsewhere(relay: Relay) -> AsyncIterator[Elsewhere]:
    """The site."""
    site = Elsewhere(perezvon=f"http://127.0.0.1:{relay.port}")
    pages = web.Application()
    pages.router.add_get("/", site.page)
    pages.router.add_get("/style.css", site.style)
    runner = web.AppRunner(pages, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield site
    await runner.cleanup()


@pytest.fixture
def ask(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """What visitors are asked for before their first message."""
    asked: tuple[str, ...] = getattr(request, "param", ())
    return asked


@pytest.fixture
async def service(
    built_desk: None, relay: Relay, elsewhere: Elsewhere, ask: tuple[str, ...], tmp_path: Path
) -> AsyncIterator[Service]:
    """The demonstration's people and shop, without calls."""
    chat = replace(shop.CHAT, ask=ask, allowed_origins=(elsewhere.origin,), identity_secret=Secret(SECRET))
    settings = Settings(
        server=Server(port=0, metrics="", public_url=f"http://127.0.0.1:{relay.port}"),
        database=Database(url=Secret(f"sqlite+aiosqlite:///{tmp_path}/perezvon.db")),
        storage=Storage(url=f"file://{tmp_path}/files"),
        connectors=(chat,),
        queues=(Queue(name="support", channels=(QueueChannel.VOICE, QueueChannel.CHAT)),),
    )
    async with app.running(settings, faces=shop.faces()) as running:
        relay.target = int(running.address.rstrip("/").rpartition(":")[2])
        await sample.fill(running.store, settings.locale.country)
        yield running


@pytest.fixture
async def anna(service: Service) -> AsyncIterator[Client]:
    """An operator at work."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        client = Client(service, http)
        assert (await client.sign_in("anna", sample.PASSWORD)).status == 200
        assert (await client.put("/operators/me/presence", {"state": "available"})).status == 200
        yield client


@dataclass
class Window:
    """One tab with the shop in it; `complaints` gathers what its console says."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        # A request that failed is told by the browser itself, whatever the page makes of it.
        expected = "Failed to load resource" in message.text or "WebSocket connection" in message.text
        if message.type in ("error", "warning") and not expected:
            self.complaints.append(message.text)

    @property
    def launcher(self) -> Locator:
        return self.page.locator("button.open")

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def texts(self) -> Locator:
        return self.log.locator(".body")

    async def open(self) -> None:
        await self.launcher.click()
        await expect(self.page.locator("textarea")).to_be_focused()

    async def say(self, text: str) -> None:
        await self.page.locator("textarea").fill(text)
        await self.page.keyboard.press("Enter")

    async def shows(self, *texts: str) -> None:
        await expect(self.texts).to_have_text([GREETING, *texts], timeout=20_000)


GREETING = "Здравствуйте! Чем можем помочь?"
Enter = Callable[..., Awaitable[Window]]


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A visitor's browser."""
    made = await browser.new_context(locale="ru-RU", viewport={"width": WIDE[0], "height": WIDE[1]})
    yield made
    await made.close()


@pytest.fixture
async def enter(context: BrowserContext, service: Service, relay: Relay) -> AsyncIterator[Enter]:
    """Opens tabs of the visitor; at the end no console may have complained."""
    windows: list[Window] = []

    async def come(query: str = "") -> Window:
        windows.append(Window(await context.new_page()))
        await windows[-1].page.goto(f"http://127.0.0.1:{relay.port}/demo/site{query}")
        await expect(windows[-1].page.locator("[data-perezvon]")).to_be_attached()
        return windows[-1]

    yield come
    for window in windows:
        assert window.complaints == []


async def the_thread(anna: Client) -> str:
    items = (await anna.get("/threads")).body["items"]
    assert len(items) == 1, items
    found: str = items[0]["id"]
    return found


async def answer(anna: Client, text: str) -> None:
    sent = await anna.post(f"/threads/{await the_thread(anna)}/messages", {"text": text})
    assert sent.status == 202, sent.body


async def written(anna: Client) -> list[str]:
    thread = await the_thread(anna)
    return [one["text"] for one in (await anna.get(f"/threads/{thread}/messages")).body["items"]]


def test_the_widget_is_small(built_desk: None) -> None:
    assert len(gzip.compress((STATIC / "widget.js").read_bytes())) <= LARGEST


async def test_a_visitor_and_an_operator_talk_and_a_reload_keeps_it(anna: Client, enter: Enter) -> None:
    window = await enter("?utm_source=ya")
    await window.open()
    await window.say("Есть иван-чай?")
    await expect(window.log.get_by_text("доставлено")).to_be_visible()
    await answer(anna, "Да, <b>сто</b> пачек")
    await window.shows("Есть иван-чай?", "Да, <b>сто</b> пачек")
    await window.page.reload()
    await window.shows("Есть иван-чай?", "Да, <b>сто</b> пачек")
    desk = await anna.events("message.status")
    await answer(anna, "Прочтите")
    while (await desk.next("message.status"))["data"]["message"]["status"] != "read":
        pass


async def test_what_is_written_offline_goes_when_the_net_is_back_even_after_a_reload(
    anna: Client, enter: Enter, context: BrowserContext, relay: Relay
) -> None:
    window = await enter()
    await window.open()
    await window.say("раз")
    await expect(window.log.get_by_text("доставлено")).to_be_visible()
    await context.set_offline(True)
    await window.say("два")
    await window.say("три")
    await expect(window.log.get_by_text("ждёт отправки")).to_have_count(2)
    await expect(window.page.get_by_text("Нет связи")).to_be_visible()
    await context.set_offline(False)
    await window.shows("раз", "два", "три")
    await expect(window.log.get_by_text("ждёт отправки")).to_have_count(0)
    await context.route("**/chat/site/messages", lambda route: route.abort())
    await window.say("четыре")
    await expect(window.log.get_by_text("ждёт отправки")).to_have_count(1)
    await context.unroute_all(behavior="wait")
    await window.page.reload()
    await window.shows("раз", "два", "три", "четыре")
    await expect(window.log.get_by_text("доставлено")).to_have_count(4)
    assert await written(anna) == ["раз", "два", "три", "четыре"]


async def test_a_cut_line_loses_and_doubles_nothing(anna: Client, enter: Enter, relay: Relay) -> None:
    window = await enter()
    await window.open()
    said = []
    for number in range(4):
        await window.say(f"вопрос {number}")
        said.append(f"вопрос {number}")
        await window.shows(*said)
        await expect(window.log.get_by_text("доставлено")).to_have_count(number + 1)
        await relay.cut()
        relay.mend()
        await answer(anna, f"ответ {number}")
        said.append(f"ответ {number}")
        await window.shows(*said)
    assert await written(anna) == said


async def test_two_tabs_of_one_visitor_show_one_conversation(anna: Client, enter: Enter) -> None:
    one = await enter()
    await one.open()
    await one.say("из первой")
    await expect(one.log.get_by_text("доставлено")).to_be_visible()
    two = await enter()
    await two.shows("из первой")
    await two.say("из второй")
    await one.shows("из первой", "из второй")
    await expect(one.log.get_by_text("доставлено")).to_have_count(2)
    await answer(anna, "вижу обе")
    for window in (one, two):
        await window.shows("из первой", "из второй", "вижу обе")


async def test_an_answer_to_a_closed_window_is_counted_on_the_button(anna: Client, enter: Enter) -> None:
    window = await enter()
    await window.open()
    await window.say("вопрос")
    await expect(window.log.get_by_text("доставлено")).to_be_visible()
    await window.page.keyboard.press("Escape")
    await expect(window.launcher).to_be_focused()
    await answer(anna, "раз")
    await answer(anna, "два")
    await expect(window.launcher).to_have_accessible_name("Открыть чат, 2 непрочитанных")
    await window.open()
    await window.shows("вопрос", "раз", "два")
    await window.page.keyboard.press("Escape")
    await expect(window.launcher).to_have_accessible_name("Открыть чат")


async def test_another_browser_sees_nothing_of_it(
    anna: Client, enter: Enter, browser: Browser, relay: Relay
) -> None:
    window = await enter()
    await window.open()
    await window.say("тайна")
    await expect(window.log.get_by_text("доставлено")).to_be_visible()
    other = await browser.new_context(locale="ru-RU")
    stranger = Window(await other.new_page())
    await stranger.page.goto(f"http://127.0.0.1:{relay.port}/demo/site")
    await stranger.open()
    await stranger.shows()
    await other.close()


async def test_typing_is_shown_and_files_arrive(anna: Client, enter: Enter, tmp_path: Path) -> None:
    window = await enter()
    await window.open()
    chosen = {"name": "чек.txt", "mimeType": "text/plain", "buffer": b"a receipt"}
    await window.page.locator("input[type=file]").set_input_files(chosen)  # type: ignore[arg-type]
    await expect(window.page.locator(".picked")).to_contain_text("чек.txt")
    await window.say("смотрите")
    await expect(window.log.get_by_role("button", name="Скачать: чек.txt")).to_be_visible()
    await anna.post(f"/threads/{await the_thread(anna)}/typing", {})
    await expect(window.page.get_by_text("Печатает…")).to_be_visible()
    async with window.page.expect_download() as download:
        await window.log.get_by_role("button", name="Скачать: чек.txt").click()
    received = tmp_path / "receipt"
    await (await download.value).save_as(received)
    assert received.read_bytes() == b"a receipt"


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("language", ["ru", "en"])
async def test_it_is_accessible_keeps_the_focus_and_leaks_no_styles(
    anna: Client, enter: Enter, size: tuple[int, int], language: str
) -> None:
    window = await enter(f"?lang={language}")
    page = window.page
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    before = await page.evaluate("getComputedStyle(document.querySelector('main button')).borderRadius")
    await window.open()
    await window.say("Ping")
    await expect(window.log.get_by_text("Ping")).to_be_visible()
    for _ in range(12):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.matches('[data-perezvon]')")
    after = await page.evaluate("getComputedStyle(document.querySelector('main button')).borderRadius")
    assert before == after
    await page.evaluate(AXE.read_text())
    found = await page.evaluate("axe.run('[data-perezvon]')")
    assert [(one["id"], [n["target"] for n in one["nodes"]]) for one in found["violations"]] == []


async def test_on_another_site_its_policy_and_styles_leave_the_chat_alone_and_its_clients_are_known(
    anna: Client, context: BrowserContext, elsewhere: Elsewhere
) -> None:
    body = {"name": "Пётр", "identities": [{"kind": "email", "value": "petr@example.org"}]}
    card = await anna.made("/cards", body)
    claims = {"sub": "17", "email": "petr@example.org", "exp": int(time.time()) + 300}
    elsewhere.identity = jwt.encode(claims, SECRET, algorithm="HS256")
    window = Window(await context.new_page())
    await window.page.goto(elsewhere.origin)
    await window.open()
    await window.say("It is me")
    await expect(window.log.get_by_text("delivered")).to_be_visible()
    assert (await anna.get("/threads")).body["items"][0]["card_id"] == card["id"]
    shown = await window.texts.last.evaluate(
        "one => { const s = getComputedStyle(one); return [s.fontSize, s.letterSpacing, s.color] }"
    )
    assert shown == ["15px", "normal", "rgb(255, 255, 255)"]
    box = await window.page.locator(".panel").bounding_box()
    assert box is not None
    assert (box["x"] + box["width"], box["width"]) == (WIDE[0] - 20, 372)
    # Signed out: nothing of his is left on the screen, and somebody else's conversation begins.
    await window.page.evaluate("Perezvon.identify(null)")
    await window.open()
    await expect(window.texts).to_have_text(["Hello! How can we help?"])
    assert window.complaints == []


@pytest.mark.parametrize("ask", [("name", "phone")], indirect=True)
async def test_what_is_asked_for_before_the_chat_is_given_once_and_only_a_candidate(
    anna: Client, enter: Enter
) -> None:
    window = await enter()
    await window.launcher.click()
    fields = window.page.locator(".fields input")
    await expect(fields.first).to_be_focused()
    await window.say("Без имени")
    await window.shows()
    await fields.first.fill("Нина")
    await fields.last.fill("8 999 123-45-67")
    await window.say("С именем")
    await expect(window.log.get_by_text("доставлено")).to_be_visible()
    thread = (await anna.get("/threads")).body["items"][0]
    card = (await anna.get(f"/cards/{thread['card_id']}")).body
    assert card["name"] == "Нина"
    phones = [(one["value"], one["level"]) for one in card["identities"] if one["kind"] == "phone"]
    assert phones in ([], [("+79991234567", "maybe")])
    await window.page.reload()
    await window.shows("С именем")
    await expect(fields).to_have_count(0)
