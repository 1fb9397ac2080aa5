"""The inbox: who is offered a conversation, who gets it, and what is written surviving whatever happens."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from config.secret import Secret
from config.settings import Database, Queue, Server, Settings, Storage
from connectors.json.settings import JsonSettings
from gateway import app
from gateway.app import Service
from gateway.demo import sample
from tests.browser.axe import violations
from tests.browser.conftest import PHONE, WIDE, OpenDesk
from tests.browser.desk import Desk
from tests.browser.relay import Relay
from tests.browser.shop import SECRET, Shop


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """The client's side."""
    made = Shop()
    runner = await made.start()
    yield made
    await runner.cleanup()


@pytest.fixture
async def service(built_desk: None, relay: Relay, shop: Shop, tmp_path: Path) -> AsyncIterator[Service]:
    """The service with the people of the demonstration and the shop's channel."""
    channel = JsonSettings(
        kind="json",
        name="shop",
        queue="sales",
        secret=Secret(SECRET),
        webhook=f"http://127.0.0.1:{shop.port}/",
        idempotent=True,
    )
    settings = Settings(
        server=Server(port=0, metrics="", public_url=f"http://127.0.0.1:{relay.port}"),
        database=Database(url=Secret(f"sqlite+aiosqlite:///{tmp_path}/perezvon.db")),
        storage=Storage(url=f"file://{tmp_path}/files"),
        connectors=(channel,),
        queues=(Queue(name="sales"), Queue(name="support")),
    )
    async with app.running(settings) as running:
        relay.target = int(running.address.rstrip("/").rpartition(":")[2])
        shop.service = running.address
        await sample.fill(running.store, settings.locale.country)
        yield running


def offers(desk: Desk) -> Locator:
    """The conversations offered in this window."""
    return desk.page.get_by_role("status", name="Пишут клиенты").get_by_role("article")


def log(desk: Desk) -> Locator:
    """The messages of the open conversation."""
    return desk.page.get_by_role("log", name="Переписка")


def field(desk: Desk) -> Locator:
    """Where the reply is written."""
    return desk.page.get_by_role("textbox", name="Ответ клиенту")


async def accepted(desk: Desk, shop: Shop, *texts: str) -> None:
    """A client writes and the operator takes it."""
    said = texts or ("Есть ли доставка?",)
    await shop.writes("chat", *said)
    await expect(offers(desk)).to_contain_text(said[-1])
    await desk.page.get_by_role("button", name="Взять").click()
    await expect(field(desk)).to_be_visible()


async def test_a_first_message_pops_for_whoever_is_available_and_one_of_two_gets_it(
    open_desk: OpenDesk, shop: Shop
) -> None:
    anna, boris, clara = await open_desk(), await open_desk(), await open_desk()
    await anna.start_shift("anna")
    await boris.start_shift("boris")
    await clara.sign_in("clara")
    await clara.page.get_by_role("button", name="Открыть без начала смены").click()
    await shop.writes("chat", "Есть ли доставка?")
    for desk in (anna, boris):
        await expect(offers(desk)).to_contain_text("Есть ли доставка?")
    await expect(offers(clara)).to_have_count(0)
    buttons = [desk.page.get_by_role("button", name="Взять") for desk in (anna, boris)]
    await asyncio.gather(*(button.click(no_wait_after=True) for button in buttons))
    opening = {asyncio.create_task(log(desk).wait_for()): desk for desk in (anna, boris)}
    done, others = await asyncio.wait(opening, return_when=asyncio.FIRST_COMPLETED)
    winners = [opening[one] for one in done]
    assert len(winners) == 1
    loser = boris if winners[0] is anna else anna
    await expect(offers(loser)).to_have_count(0, timeout=10_000)
    await expect(log(winners[0])).to_contain_text("Есть ли доставка?")
    assert await log(loser).count() == 0
    for one in others:
        one.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def test_a_reply_goes_out_once_and_its_state_is_seen(open_desk: OpenDesk, shop: Shop) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    await accepted(desk, shop)
    await expect(field(desk)).to_be_focused()
    await desk.page.keyboard.type("Да, завтра")
    await desk.page.keyboard.press("Control+Enter")
    await expect(field(desk)).to_have_value("")
    sent = log(desk).get_by_role("article").filter(has_text="Да, завтра")
    await expect(sent.get_by_text("отправлено", exact=True)).to_be_attached()
    reply = await asyncio.wait_for(shop.replies.get(), 10)
    assert reply["text"] == "Да, завтра"
    await expect(log(desk).get_by_role("article")).to_have_count(2)
    assert shop.replies.empty()


async def test_what_is_written_while_the_wire_is_cut_goes_out_when_it_is_whole(
    open_desk: OpenDesk, shop: Shop, relay: Relay
) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    await accepted(desk, shop)
    await relay.cut()
    await field(desk).click()
    await desk.page.keyboard.type("Первое")
    await desk.page.keyboard.press("Control+Enter")
    await desk.page.keyboard.type("Второе")
    await desk.page.keyboard.press("Control+Enter")
    await desk.page.keyboard.type("недописанное")
    await expect(log(desk).get_by_text("ждёт связи с сервисом")).to_have_count(2)
    await shop.writes("chat", "Алло?")
    relay.mend()
    await expect(log(desk).get_by_text("ждёт связи с сервисом")).to_have_count(0, timeout=20_000)
    await expect(log(desk)).to_contain_text("Алло?")
    assert [(await asyncio.wait_for(shop.replies.get(), 10))["text"] for _ in range(2)] == [
        "Первое",
        "Второе",
    ]
    await expect(field(desk)).to_have_value("недописанное")
    await desk.page.reload()
    await expect(field(desk)).to_have_value("недописанное")
    await expect(log(desk).get_by_role("article")).to_have_count(4)


async def test_a_long_conversation_opens_at_its_end_and_is_read_back_without_a_jump(
    open_desk: OpenDesk, shop: Shop
) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    await accepted(desk, shop, *(f"Строка {n}" for n in range(1, 91)))
    await expect(log(desk).get_by_text("Строка 90", exact=True)).to_be_in_viewport()
    await expect(log(desk).get_by_role("article")).to_have_count(50)
    place = "() => { const box = document.querySelector('[role=log]'); box.scrollTop = 10; }"
    await desk.page.evaluate(place)
    await expect(log(desk).get_by_role("article")).to_have_count(90)
    await expect(log(desk).get_by_text("Строка 41", exact=True)).to_be_in_viewport()
    await shop.writes("chat", "Новая строка")
    await desk.page.get_by_role("button", name="↓ 1 новое").click()
    await expect(log(desk).get_by_text("Новая строка")).to_be_in_viewport()


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
async def test_a_conversation_is_closed_and_opened_again(
    open_desk: OpenDesk, shop: Shop, size: tuple[int, int]
) -> None:
    desk = await open_desk(size)
    await desk.start_shift("anna")
    await accepted(desk, shop)
    await desk.page.get_by_role("button", name="Закрыть", exact=False).first.click()
    await expect(desk.page.get_by_text("Переписка закрыта: откройте её снова")).to_be_visible()
    await desk.page.get_by_role("button", name="Открыть снова").click()
    await expect(desk.page.get_by_text("Переписка закрыта: откройте её снова")).to_have_count(0)


@pytest.mark.parametrize(("size", "scheme"), [(WIDE, "light"), (PHONE, "dark")], ids=["wide", "phone"])
async def test_an_offer_and_a_conversation_are_accessible(
    open_desk: OpenDesk, shop: Shop, size: tuple[int, int], scheme: str
) -> None:
    desk = await open_desk(size, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    await desk.start_shift("anna")
    await accepted(desk, shop)
    await field(desk).click()
    await desk.page.keyboard.type("Да")
    await desk.page.keyboard.press("Control+Enter")
    await expect(log(desk).get_by_text("отправлено", exact=True)).to_be_attached()
    await shop.writes("other", "Здравствуйте")
    await expect(offers(desk)).to_have_count(1)
    assert await violations(desk) == []
