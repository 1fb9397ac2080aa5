"""The desk loses its connection and its session, and is right again without a reload."""

import re

from playwright.async_api import expect

from gateway.app import Service
from gateway.demo.sample import PASSWORD
from gateway.services import sessions
from gateway.store.tables import operators
from tests.browser.conftest import OpenDesk
from tests.browser.relay import Relay
from tests.browser.stage import Stage


async def test_what_happened_while_the_wire_was_cut_is_there_once_it_is_mended(
    open_desk: OpenDesk, stage: Stage, relay: Relay
) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    await desk.open_client("Мария Кузнецова")
    first = await stage.ring("direct", number="79265550142")
    await expect(desk.tiles.get_by_text("Входящий")).to_be_visible()

    await relay.cut()
    await expect(desk.page.get_by_text(re.compile("Нет связи, показано на"))).to_be_visible(timeout=8_000)
    await desk.page.keyboard.press("n")
    await desk.page.keyboard.type("пока связи нет")
    await first.next_act()
    await first.next_act()
    await stage.ring("direct", number="79990001155")
    relay.mend()

    await expect(desk.tiles.get_by_text("+7 999 000-11-55")).to_be_visible(timeout=20_000)
    await expect(desk.page.get_by_text(re.compile("Нет связи"))).to_have_count(0)
    await expect(desk.page.get_by_role("article").filter(has_text="Входящий, отвечен")).to_have_count(1)
    await expect(desk.note).to_have_value("пока связи нет")


async def test_a_session_that_ended_asks_for_the_password_and_keeps_the_draft(
    open_desk: OpenDesk, service: Service
) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    await desk.open_client("Мария Кузнецова")
    await desk.page.keyboard.press("n")
    await desk.page.keyboard.type("черновик")

    def sign_out(tx: object) -> None:
        anna = tx.execute(operators.select().where(operators.c.login == "anna")).one()  # type: ignore[attr-defined]
        sessions.end_all(tx, anna.id)  # type: ignore[arg-type]

    await service.store.write(sign_out)
    await desk.page.keyboard.press("Control+Enter")
    await expect(desk.page.get_by_text("Сеанс закончился")).to_be_visible()
    await desk.page.keyboard.type("anna")
    await desk.page.keyboard.press("Tab")
    await desk.page.keyboard.type(PASSWORD)
    await desk.page.keyboard.press("Enter")
    await desk.page.get_by_role("button", name="Открыть без начала смены").click()
    await expect(desk.note).to_have_value("черновик")


async def test_a_wrong_password_says_what_to_do_and_selects_what_to_type_again(open_desk: OpenDesk) -> None:
    desk = await open_desk()
    await desk.page.goto(desk.address)
    await expect(desk.page.get_by_label("Логин")).to_be_focused()
    await desk.page.keyboard.type("anna")
    await desk.page.keyboard.press("Tab")
    await desk.page.keyboard.type("wrong")
    await desk.page.keyboard.press("Enter")
    await expect(desk.page.get_by_role("alert")).to_contain_text("Проверьте раскладку")
    await expect(desk.page.locator("#password")).to_be_focused()
