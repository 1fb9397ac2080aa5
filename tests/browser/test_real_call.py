"""A phone call to a real Asterisk, seen at the desk."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import expect

from config.settings import Storage
from gateway import app
from gateway.app import Service
from gateway.demo import sample
from tests.browser.conftest import OpenDesk
from tests.browser.relay import Relay
from tests.lab.asterisk.config import FULL
from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.pbx import Pbx
from tests.lab.asterisk.phones import phones
from tests.lab.asterisk.scenario import Answer, Caller, HangUp, Ring, Talk
from tests.lab.conftest import pbx
from tests.lab.office import attached, settings_for

__all__ = ["pbx"]


@pytest.fixture
async def service(built_desk: None, pbx: Pbx, relay: Relay, tmp_path: Path) -> AsyncIterator[Service]:
    """The service with the people and clients of the demonstration, attached to the real PBX."""
    settings = settings_for(pbx, f"sqlite+aiosqlite:///{tmp_path}/perezvon.db")
    public = f"http://127.0.0.1:{relay.port}"
    settings = replace(
        settings,
        server=replace(settings.server, public_url=public),
        storage=Storage(url=f"file://{tmp_path}/files"),
    )
    async with app.running(settings) as running:
        relay.target = int(running.address.rstrip("/").rpartition(":")[2])
        await sample.fill(running.store, settings.locale.country)
        await attached(running)
        yield running


async def test_a_call_to_a_real_asterisk_pops_a_new_lead_before_the_answer(
    open_desk: OpenDesk, pbx: Pbx
) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    async with phones(pbx) as street, pbx.session(FULL) as ami:
        # It rings until somebody who sees the card picks it up.
        await street.rings("101", Ring())
        await street.client_dials(did("101"), Caller("79990001122", "Новый клиент"), cancel_after_s=30)
        await expect(desk.tiles.get_by_text("+7 999 000-11-22")).to_be_visible()
        await expect(desk.tiles.get_by_text("Входящий")).to_be_visible()
        await expect(desk.tiles.get_by_text("1 заявка")).to_be_visible()
        card = desk.page.get_by_role("complementary", name="Карточка клиента")
        await expect(card.get_by_text("новая")).to_be_visible()
        assert [event for event in ami.events if event.get("Event") == "BridgeEnter"] == []
        await ami.command("channel request hangup all")
        await expect(desk.tiles.get_by_text(re.compile("Пропущен|Завершён"))).to_be_visible()


async def test_a_call_is_answered_and_over_on_the_desk_as_on_the_phone(open_desk: OpenDesk, pbx: Pbx) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    async with phones(pbx) as street:
        await street.rings("101", Ring(1), Answer(), Talk())
        await street.client_dials(did("101"), Caller("79265550142"), Talk(2), HangUp())
        await expect(desk.tiles.get_by_text("Мария Кузнецова")).to_be_visible()
        await expect(desk.tiles.get_by_text("Разговор")).to_be_visible()
        await expect(desk.tiles.get_by_text("Завершён")).to_be_visible()
