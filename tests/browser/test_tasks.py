"""Tasks: made on a card, on the screen at their time, done from there; overdue ones before the supervisor."""

from datetime import UTC, datetime, timedelta

from playwright.async_api import expect
from sqlalchemy import Connection, select

from gateway.app import Service
from gateway.services import tasks
from gateway.store.tables import cards, operators
from gateway.store.tables_conversations import tasks as tasks_table
from tests.browser.conftest import PHONE, OpenDesk


async def test_a_task_is_made_on_the_card_listed_and_done(open_desk: OpenDesk) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    await desk.open_client("Мария Кузнецова")
    await desk.page.get_by_role("button", name="Новая задача").click()
    await desk.page.keyboard.type("Отправить договор")
    await desk.page.get_by_role("button", name="Утром в 10:00").click()
    await desk.page.get_by_role("button", name="Создать").click()
    card = desk.page.get_by_role("complementary", name="Карточка клиента")
    await expect(card.get_by_text("Отправить договор")).to_be_visible()
    await expect(desk.page.get_by_role("feed").get_by_text("Отправить договор")).to_be_visible()
    await desk.go("tasks")
    await expect(desk.rows).to_have_count(1)
    await desk.rows.click()
    await card.get_by_role("button", name="Готово: Отправить договор").click()
    await expect(desk.page.get_by_role("feed").get_by_text("Задача выполнена")).to_be_visible()
    await desk.page.mouse.move(700, 10)
    await expect(desk.page.get_by_text("Задач нет")).to_be_visible()


async def test_at_its_time_a_task_is_on_the_screen_with_the_way_to_the_client(
    open_desk: OpenDesk, service: Service
) -> None:
    anna, olga = await open_desk(), await open_desk(size=PHONE)
    await anna.start_shift("anna")
    await olga.start_shift("olga")
    await anna.open_client("Мария Кузнецова")
    await anna.note.click()
    await anna.page.keyboard.type("Обещала ")
    await service.store.write(_due_soon)
    reminder = anna.page.get_by_role("article").filter(has_text="Перезвонить о цене")
    await expect(reminder.get_by_role("link", name="Позвонить")).to_have_attribute("href", "tel:+79161234567")
    await anna.page.keyboard.type("подумать")
    await expect(anna.note).to_have_value("Обещала подумать")

    await olga.go("team")
    overdue = olga.page.get_by_role("region", name="Просроченные")
    await expect(overdue.get_by_text("Перезвонить о цене")).to_be_visible()
    await reminder.get_by_role("button", name="Готово").click()
    await expect(reminder).to_have_count(0)
    await expect(overdue).to_have_count(0)
    state = await service.store.read(lambda tx: tx.scalar(select(tasks_table.c.state)))
    assert state == "done"


def _due_soon(tx: Connection) -> None:
    card = tx.execute(select(cards).where(cards.c.name == "Иван Петров")).one()
    tasks.add(
        tx,
        card.id,
        card.team_id,
        text="Перезвонить о цене",
        action="call",
        due_at=datetime.now(UTC) + timedelta(milliseconds=200),
        assignee_id=tx.scalar(select(operators.c.id).where(operators.c.login == "anna")),
        lead_id=None,
        made_by=tasks.BY_PERSON,
        author_id=None,
    )
