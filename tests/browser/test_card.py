"""Working on a card: two people at once, notes, leads, long lists, a phone's screen."""

import asyncio
import re

from playwright.async_api import Route, expect

from gateway.app import Service
from gateway.domain.people import Actor, Role
from gateway.services import cards, timeline
from gateway.services.cards import NewCard
from gateway.services.timeline import NewNote
from tests.browser.conftest import PHONE, OpenDesk
from tests.browser.desk import Desk
from tests.browser.stage import Stage

SYSTEM = Actor("test", "Test", Role.ADMIN)


async def test_a_change_by_somebody_else_in_between_is_told_and_the_typed_text_stays(
    open_desk: OpenDesk,
) -> None:
    anna, olga = await open_desk(), await open_desk()
    for desk, login in ((anna, "anna"), (olga, "olga")):
        await desk.start_shift(login)
        await desk.open_client("Сергей Лебедев")
    await anna.page.get_by_role("button", name=re.compile("^Изменить: Имя")).click()
    await anna.page.keyboard.type("Сергей Павлович")

    first = iter([True])

    async def slow(route: Route) -> None:
        if route.request.method == "PATCH" and next(first, False):
            await _describe(olga, "Любит точность")
        await route.continue_()

    # Olga is faster by just so much that Anna's request already names the version before.
    await anna.page.route("**/api/v1/cards/*", slow)
    await anna.page.keyboard.press("Enter")
    await expect(anna.page.get_by_role("alert").filter(has_text="изменил это раньше вас")).to_be_visible()
    await expect(anna.page.get_by_text("Любит точность")).to_be_visible()
    name = anna.page.get_by_role("textbox", name="Имя", exact=True)
    await expect(name).to_have_value("Сергей Павлович")
    await expect(name).to_be_focused()

    await anna.page.keyboard.press("Enter")
    for desk in (anna, olga):
        await expect(desk.page.get_by_role("heading", level=1, name="Сергей Павлович")).to_be_visible()
        await expect(desk.page.get_by_text("Любит точность")).to_be_visible()


async def _describe(desk: Desk, text: str) -> None:
    await desk.page.get_by_role("button", name=re.compile("^Изменить: О клиенте")).click()
    await desk.page.keyboard.type(text)
    await desk.page.keyboard.press("Control+Enter")
    await expect(desk.page.get_by_role("button", name=re.compile(text))).to_be_visible()


async def test_a_note_added_with_the_keyboard_appears_for_everybody(open_desk: OpenDesk) -> None:
    anna, olga = await open_desk(), await open_desk()
    for desk, login in ((anna, "anna"), (olga, "olga")):
        await desk.start_shift(login)
        await desk.open_client("Тимур Ахметов")
    await anna.page.keyboard.press("n")
    await anna.page.keyboard.type("Ждёт счёт <b>до пятницы</b>")
    await anna.page.keyboard.press("Control+Enter")
    for desk in (anna, olga):
        await expect(
            desk.page.get_by_role("article").filter(has_text="Ждёт счёт <b>до пятницы</b>")
        ).to_have_count(1)
    await expect(anna.note).to_have_value("")


async def test_a_lead_is_taken_and_rejected_with_its_reason(open_desk: OpenDesk, stage: Stage) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    await stage.ring("direct", number="79990001166")
    await desk.page.keyboard.press("F2")
    card = desk.page.get_by_role("complementary", name="Карточка клиента")
    await card.get_by_role("button", name="В работу").click()
    await expect(card.get_by_text("в работе", exact=True)).to_be_visible()
    await card.get_by_role("button", name="Отказ").click()
    await desk.page.keyboard.type("дорого")
    await desk.page.keyboard.press("Enter")
    await expect(card.get_by_text("отказ", exact=True)).to_be_visible()
    await expect(card.get_by_text("дорого")).to_be_visible()


async def test_two_cards_are_merged_and_the_merge_is_undone(open_desk: OpenDesk) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    await desk.open_client("Иван Петров")
    await desk.page.get_by_role("button", name="Действия с карточкой").click()
    await desk.page.get_by_role("menuitem", name="Объединить с другой").click()
    await expect(desk.page.get_by_role("searchbox", name="Найдите вторую карточку")).to_be_focused()
    await desk.page.keyboard.type("Тимур")
    await desk.page.get_by_role("button", name=re.compile("Тимур Ахметов")).click()
    await desk.page.get_by_role("button", name="Объединить", exact=True).click()
    card = desk.page.get_by_role("complementary", name="Карточка клиента")
    await expect(card.get_by_text("+7 843 200-11-22")).to_be_visible()
    await desk.page.get_by_role("button", name="Вернуть").click()
    await expect(card.get_by_text("+7 843 200-11-22")).to_have_count(0)


async def test_a_long_list_keeps_few_rows_in_the_page_and_walks_by_j_in_a_russian_layout(
    open_desk: OpenDesk, service: Service
) -> None:
    made = [NewCard(name=f"Клиент {n:03}") for n in range(240)]
    await asyncio.gather(*(cards.create(service.store, SYSTEM, one, "RU") for one in made))
    desk = await open_desk()
    await desk.start_shift("anna")
    await desk.go("clients")
    await expect(desk.rows.first).to_be_visible()
    assert await desk.rows.count() <= 30

    press = """([code, key]) => document.body.dispatchEvent(
        new KeyboardEvent('keydown', {code, key, bubbles: true}))"""
    for _ in range(60):
        await desk.page.evaluate(press, ["KeyJ", "о"])
    # The second page was read on the way.
    await expect(desk.page.locator("[role=option].active")).to_have_attribute("aria-posinset", "60")
    assert await desk.rows.count() <= 30
    wanted = re.search(r"Клиент \d+", await desk.page.locator("[role=option].active").inner_text())
    assert wanted
    await desk.page.evaluate(press, ["Enter", "Enter"])
    heading = desk.page.get_by_role("heading", level=1, name=wanted[0])
    await expect(heading).to_be_visible()


async def test_a_timeline_is_read_page_by_page_and_new_entries_move_nothing_under_the_reader(
    open_desk: OpenDesk, service: Service
) -> None:
    made = await cards.create(service.store, SYSTEM, NewCard(name="Болтливый"), "RU")
    for n in range(130):
        await timeline.add_note(service.store, SYSTEM, made.id, NewNote(text=f"заметка {n:03}"))
    desk = await open_desk()
    await desk.start_shift("anna")
    await desk.open_client("Болтливый")
    feed = desk.page.get_by_role("feed")
    await expect(feed.get_by_text("заметка 129")).to_be_visible()
    oldest = feed.get_by_text("заметка 000")
    to_the_end = """feed => new Promise(drawn => {
        feed.scrollTo(0, feed.scrollHeight);
        requestAnimationFrame(() => requestAnimationFrame(drawn));
    })"""
    while not await oldest.is_visible():
        await feed.evaluate(to_the_end)
        assert await desk.page.get_by_role("article").count() <= 40
    await feed.evaluate(to_the_end)
    await expect(feed.get_by_text("Начало истории")).to_be_in_viewport()

    place = await oldest.bounding_box()
    await timeline.add_note(service.store, SYSTEM, made.id, NewNote(text="свежая"))
    await expect(desk.page.get_by_role("button", name="↑ 1 новая запись")).to_be_visible()
    assert await oldest.bounding_box() == place
    await desk.page.get_by_role("button", name="↑ 1 новая запись").click()
    await expect(feed.get_by_text("свежая")).to_be_in_viewport()


async def test_on_a_phone_one_pane_shows_at_a_time_and_the_call_is_on_top(
    open_desk: OpenDesk, stage: Stage
) -> None:
    desk = await open_desk(PHONE, has_touch=True)
    await desk.start_shift("anna")
    await stage.ring("direct", number="79265550142")
    await expect(desk.tiles.get_by_text("Мария Кузнецова")).to_be_in_viewport()
    await desk.bar.get_by_role("button", name="Открыть карточку").tap()
    await expect(desk.page.get_by_role("listbox")).to_be_hidden()
    await desk.page.get_by_role("button", name="Карточка", exact=True).tap()
    await expect(desk.page.get_by_text("maria@example.org")).to_be_in_viewport()
    await desk.page.get_by_role("button", name="Назад").tap()
    await expect(desk.page.get_by_role("listbox")).to_be_visible()
    width = await desk.page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE[0]
