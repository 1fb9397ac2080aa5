"""Recordings at the desk: heard, gone about in, playing on while other cards are open."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from config.secret import Secret
from config.settings import Database, Server, Settings, Storage
from connectors.asterisk.settings import AsteriskSettings
from gateway import app
from gateway.app import Service
from gateway.demo import recorded, sample
from gateway.demo.sound import wav
from tests.browser.axe import violations
from tests.browser.conftest import PHONE, WIDE, OpenDesk
from tests.browser.desk import Desk
from tests.browser.relay import Relay
from tests.browser.stage import Stage

CLIENT = "Мария Кузнецова"


@pytest.fixture
async def service(built_desk: None, stage: Stage, relay: Relay, tmp_path: Path) -> AsyncIterator[Service]:
    """The demonstration's people, and yesterday's call with its recording."""
    spool = tmp_path / "monitor"
    spool.mkdir()
    pbx = AsteriskSettings(
        kind="asterisk",
        name="pbx1",
        port=stage.server.port,
        username="perezvon",
        secret=Secret("demo"),
        trunks=("PJSIP/trunk",),
        recordings_dir=str(spool),
    )
    settings = Settings(
        server=Server(port=0, metrics="", public_url=f"http://127.0.0.1:{relay.port}"),
        database=Database(url=Secret(f"sqlite+aiosqlite:///{tmp_path}/perezvon.db")),
        storage=Storage(url=f"file://{tmp_path}/files"),
        connectors=(pbx,),
    )
    async with app.running(settings) as running:
        relay.target = int(running.address.rstrip("/").rpartition(":")[2])
        await sample.fill(running.store, settings.locale.country)
        await recorded.add_yesterdays_call(running.store, spool)
        yield running


def strip(desk: Desk) -> Locator:
    """The call's entry on the card."""
    return desk.page.get_by_role("article").filter(has_text="Входящий, отвечен")


def mini(desk: Desk) -> Locator:
    """The player below everything."""
    return desk.page.get_by_role("region", name="Проигрыватель")


async def plays_beyond(desk: Desk, second: float) -> None:
    """Returns when the recording has come past that second."""
    now = mini(desk).get_by_role("slider")
    later = "|".join(str(n) for n in range(int(second) + 1, int(second) + 25))
    await expect(now).to_have_attribute("aria-valuenow", re.compile(rf"^({later})$"))


async def place(desk: Desk) -> float:
    """Where the recording is, in seconds."""
    return float(await mini(desk).get_by_role("slider").get_attribute("aria-valuenow") or 0)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
async def test_a_recording_plays_and_plays_on_when_another_card_is_opened(
    open_desk: OpenDesk, size: tuple[int, int]
) -> None:
    desk = await open_desk(size)
    await desk.start_shift("anna")
    await desk.open_client(CLIENT)
    await strip(desk).get_by_role("button", name="Слушать").click()
    await expect(strip(desk).get_by_role("slider")).to_be_visible()
    await plays_beyond(desk, 0)
    drawn = "c => c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some(v => v > 0)"
    assert await strip(desk).get_by_role("slider").evaluate(drawn)

    await desk.open_client("Сергей Лебедев")
    await expect(mini(desk)).to_contain_text(CLIENT)
    await plays_beyond(desk, await place(desk))
    width = await desk.page.evaluate("document.documentElement.scrollWidth")
    assert width <= size[0]
    await mini(desk).get_by_role("button", name="Пауза").click()
    await expect(mini(desk).get_by_role("button", name="Слушать")).to_be_visible()
    await mini(desk).get_by_role("button", name="Убрать запись").click()
    await expect(mini(desk)).to_have_count(0)


async def test_keys_and_the_pointer_go_about_in_the_recording(open_desk: OpenDesk) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    await desk.open_client(CLIENT)
    await strip(desk).get_by_role("button", name="Слушать").click()
    await plays_beyond(desk, 0)
    await desk.page.keyboard.press("p")
    await expect(mini(desk).get_by_role("button", name="Слушать")).to_be_visible()
    was = await place(desk)
    await desk.page.keyboard.press("ArrowRight")
    await desk.page.keyboard.press("ArrowRight")
    await expect(mini(desk).get_by_role("slider")).to_have_attribute("aria-valuenow", f"{was + 10:.0f}")
    await desk.page.keyboard.press("ArrowLeft")
    await expect(mini(desk).get_by_role("slider")).to_have_attribute("aria-valuenow", f"{was + 5:.0f}")
    # While somebody types, keys are letters.
    await desk.note.focus()
    await desk.page.keyboard.type("p")
    await desk.page.keyboard.press("ArrowLeft")
    await expect(desk.note).to_have_value("p")
    assert await place(desk) == pytest.approx(was + 5, abs=1)

    await strip(desk).get_by_label("Скорость").select_option("1.5")
    rate = await mini(desk).get_by_label("Скорость").input_value()
    assert rate == "1.5"
    box = await strip(desk).get_by_role("slider").bounding_box()
    assert box
    await desk.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 5)
    await expect(mini(desk).get_by_role("slider")).to_have_attribute("aria-valuenow", "12")


async def test_the_player_is_accessible(open_desk: OpenDesk) -> None:
    desk = await open_desk(PHONE, color_scheme="dark", reduced_motion="reduce", bypass_csp=True)
    await desk.start_shift("anna")
    await desk.open_client(CLIENT)
    await strip(desk).get_by_role("button", name="Слушать").click()
    await expect(mini(desk).get_by_role("slider")).to_be_visible()
    assert await violations(desk) == []


async def test_a_call_that_rings_stops_the_recording(open_desk: OpenDesk, stage: Stage) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    await desk.open_client(CLIENT)
    await strip(desk).get_by_role("button", name="Слушать").click()
    await expect(mini(desk).get_by_role("button", name="Пауза")).to_be_visible()
    await stage.ring("direct", number="79990001122")
    await expect(desk.tiles.get_by_text("Входящий")).to_be_visible()
    await expect(mini(desk).get_by_role("button", name="Слушать")).to_be_visible()


async def test_whoever_did_not_talk_is_told_that_he_may_not_listen(open_desk: OpenDesk) -> None:
    desk = await open_desk()
    await desk.start_shift("boris")
    await desk.open_client(CLIENT)
    await strip(desk).get_by_role("button", name="Слушать").click()
    await expect(strip(desk).get_by_role("alert")).to_contain_text("Слушать эту запись вам нельзя")


async def test_a_call_without_sound_says_so_in_words(
    open_desk: OpenDesk, service: Service, tmp_path: Path
) -> None:
    (next((tmp_path / "monitor").glob("*.wav"))).write_bytes(wav())
    desk = await open_desk()
    await desk.start_shift("olga")
    await desk.open_client(CLIENT)
    await expect(strip(desk).get_by_text("Записи нет: никто не говорил")).to_be_visible()
    await expect(strip(desk).get_by_role("button", name="Слушать")).to_have_count(0)
