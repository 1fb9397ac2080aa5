"""Every screen is clean for axe-core, light and dark, wide and narrow, in both languages."""

import pytest
from playwright.async_api import expect

from tests.browser.axe import violations
from tests.browser.conftest import PHONE, WIDE, OpenDesk
from tests.browser.stage import Stage

SECTIONS = (
    "desk",
    "inbox",
    "clients",
    "leads",
    "tasks",
    "calls",
    "team",
    "settings/people",
    "settings/queues",
    "settings/connectors",
    "settings/audit",
)


@pytest.mark.parametrize(("size", "scheme", "language"), [(WIDE, "light", "ru"), (PHONE, "dark", "en")])
async def test_screens_are_accessible(
    open_desk: OpenDesk, stage: Stage, size: tuple[int, int], scheme: str, language: str
) -> None:
    desk = await open_desk(size, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    await desk.page.goto(desk.address)
    await expect(desk.page.locator("#login")).to_be_focused()
    assert await violations(desk) == []
    await desk.sign_in("admin")
    assert await violations(desk) == []
    await desk.page.get_by_role("button", name="Начать смену").click()
    await expect(desk.page.get_by_role("main")).to_be_visible()
    await desk.page.evaluate("language => localStorage.setItem('perezvon.language', language)", language)
    await desk.page.reload()
    await expect(desk.page.locator("html")).to_have_attribute("lang", language)
    for section in SECTIONS:
        await desk.go(section)
        await expect(desk.page.get_by_role("heading", level=1).first).to_be_visible()
        assert (section, await violations(desk)) == (section, [])


async def test_a_ringing_call_the_card_and_the_dialogs_are_accessible(
    open_desk: OpenDesk, stage: Stage
) -> None:
    desk = await open_desk(reduced_motion="reduce", bypass_csp=True)
    await desk.start_shift("anna")
    await stage.ring("direct", number="79265550142")
    await expect(desk.tiles.get_by_text("Мария Кузнецова")).to_be_visible()
    assert await violations(desk) == []
    await desk.page.keyboard.press("F2")
    await expect(desk.page.get_by_role("feed")).to_be_visible()
    assert await violations(desk) == []
    await desk.page.keyboard.press("Control+k")
    await expect(desk.page.get_by_role("dialog", name="Поиск и команды")).to_be_visible()
    assert await violations(desk) == []
    await desk.page.keyboard.press("Escape")
    await desk.page.keyboard.press("?")
    await expect(desk.page.get_by_role("dialog", name="Клавиши")).to_be_visible()
    assert await violations(desk) == []
