"""A visitor in one window and operators in others really talk, whatever happens to the wire."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from config.secret import Secret
from config.settings import Database, Queue, QueueChannel, Server, Settings, Storage
from gateway import app
from gateway.app import Service
from gateway.demo import sample, shop
from tests.browser.conftest import OpenDesk
from tests.browser.relay import Relay
from tests.browser.test_inbox import field, log, offers
from tests.browser.test_webchat import Window


@pytest.fixture
async def service(built_desk: None, relay: Relay, tmp_path: Path) -> AsyncIterator[Service]:
    """The demonstration's people and shop, without calls."""
    settings = Settings(
        server=Server(port=0, metrics="", public_url=f"http://127.0.0.1:{relay.port}"),
        database=Database(url=Secret(f"sqlite+aiosqlite:///{tmp_path}/perezvon.db")),
        storage=Storage(url=f"file://{tmp_path}/files"),
        connectors=(replace(shop.CHAT, ask=()),),
        queues=(Queue(name="support", channels=(QueueChannel.VOICE, QueueChannel.CHAT)),),
    )
    async with app.running(settings, faces=shop.faces()) as running:
        relay.target = int(running.address.rstrip("/").rpartition(":")[2])
        await sample.fill(running.store, settings.locale.country)
        yield running


@pytest.fixture
async def visitor(browser: Browser, service: Service, relay: Relay) -> AsyncIterator[Window]:
    """A visitor with the chat open."""
    context = await browser.new_context(locale="ru-RU")
    window = Window(await context.new_page())
    await window.page.goto(f"http://127.0.0.1:{relay.port}/demo/site")
    await expect(window.page.locator("[data-perezvon]")).to_be_attached()
    await window.open()
    yield window
    await context.close()
    assert window.complaints == []


async def test_a_visitor_and_an_operator_talk_over_a_wire_that_is_cut(
    open_desk: OpenDesk, visitor: Window, relay: Relay
) -> None:
    anna, boris = await open_desk(), await open_desk()
    await anna.start_shift("anna")
    await boris.start_shift("boris")
    await visitor.say("Есть чай?")
    for desk in (anna, boris):
        await expect(offers(desk)).to_contain_text("Есть чай?")
    await anna.page.keyboard.press("F2")
    await expect(offers(boris)).to_contain_text("Отвечает")
    await expect(anna.page.get_by_role("complementary", name="Карточка клиента")).to_contain_text("новая")
    await expect(field(anna)).to_be_focused()
    await anna.page.keyboard.type("Да, сто пачек")
    await expect(visitor.page.get_by_text("Печатает…")).to_be_visible()
    await anna.page.keyboard.press("Control+Enter")
    await _shows(visitor, "Есть чай?", "Да, сто пачек")
    await relay.cut()
    await visitor.say("А кофе?")
    await visitor.say("Алло?")
    await expect(visitor.log.get_by_text("ждёт отправки")).to_have_count(2)
    relay.mend()
    said = ["Есть чай?", "Да, сто пачек", "А кофе?", "Алло?"]
    await _shows(visitor, *said)
    items = log(anna).get_by_role("article")
    await expect(items.last).to_contain_text("Алло?", timeout=20_000)
    await expect(items).to_contain_text(said)
    await visitor.page.reload()
    await _shows(visitor, *said)


async def _shows(visitor: Window, *said: str) -> None:
    """These texts alone, in this order, after whatever greets."""
    await expect(visitor.texts).to_have_text([re.compile("."), *said], timeout=20_000)
