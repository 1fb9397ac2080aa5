"""A talk on a real Asterisk is heard at the desk afterwards, and it is the caller who is heard."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.async_api import Response, expect

from config.settings import Storage
from gateway import app
from gateway.app import Service
from gateway.demo import sample
from tests.browser.conftest import OpenDesk
from tests.browser.relay import Relay
from tests.browser.test_player import mini, plays_beyond
from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.pbx import Pbx
from tests.lab.asterisk.phones import phones
from tests.lab.asterisk.scenario import Answer, Caller, HangUp, Speak, Talk
from tests.lab.conftest import pbx
from tests.lab.office import attached, settings_for
from tests.lab.test_recordings import CLIENT, decoded, heard, share

__all__ = ["pbx"]


@pytest.fixture
async def service(built_desk: None, pbx: Pbx, relay: Relay, tmp_path: Path) -> AsyncIterator[Service]:
    """The service with the people and clients of the demonstration, attached to the real PBX."""
    url = f"sqlite+aiosqlite:///{tmp_path}/perezvon.db"
    settings = settings_for(pbx, url, recordings_dir=str(pbx.recordings))
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


async def test_the_caller_of_a_real_call_is_heard_at_the_desk(open_desk: OpenDesk, pbx: Pbx) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    async with phones(pbx) as street:
        await street.rings("101", Answer(), Talk())
        talk = (Caller("79265550142"), Speak(CLIENT), Talk(3), HangUp())
        await street.client_dials(did("101"), *talk)
        await expect(desk.tiles.get_by_text("Завершён")).to_be_visible(timeout=15_000)
    # The call has opened its card, and the card stays.
    await expect(desk.page.get_by_role("heading", level=1, name="Мария Кузнецова")).to_be_visible()
    listen = desk.page.get_by_role("button", name="Слушать")
    await expect(listen).to_be_visible(timeout=15_000)
    served: asyncio.Queue[Response] = asyncio.Queue(maxsize=100)
    desk.page.on("response", lambda answer: served.put_nowait(answer) if "/audio" in answer.url else None)
    await listen.click()
    await plays_beyond(desk, 0)
    await expect(mini(desk)).to_contain_text("Мария Кузнецова")
    url = (await served.get()).url
    answer = await desk.page.request.get(url)
    assert share(heard(await decoded(await answer.body())), CLIENT) > 0.6
