"""A played call pops a card: who sees it, when, and what it does to somebody who is typing."""

import re

from playwright.async_api import expect

from tests.browser.conftest import OpenDesk
from tests.browser.stage import Stage


async def test_an_unknown_number_pops_a_new_lead_before_it_is_answered_and_typing_stays_untouched(
    open_desk: OpenDesk, stage: Stage
) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    await desk.open_client("Мария Кузнецова")
    await desk.page.keyboard.press("n")
    await desk.page.keyboard.type("Просит перезвонить завтра")
    for _ in range(6):
        await desk.page.keyboard.press("ArrowLeft")

    call = await stage.ring("direct", number="79990001122")

    await expect(desk.tiles.get_by_text("+7 999 000-11-22")).to_be_visible()
    await expect(desk.tiles.get_by_text("Входящий")).to_be_visible()
    await expect(desk.tiles.get_by_text("1 заявка")).to_be_visible()
    await expect(desk.note).to_be_focused()
    await desk.page.keyboard.press("F2")
    await desk.page.keyboard.type("после")
    await expect(desk.note).to_have_value("Просит перезвонить послезавтра")
    await expect(desk.page.get_by_role("heading", level=1, name="Мария Кузнецова")).to_be_visible()

    await call.next_act()
    await expect(desk.tiles.get_by_text("Разговор")).to_be_visible()
    await expect(desk.note).to_be_focused()

    await desk.page.keyboard.press("Escape")
    await desk.page.keyboard.press("F2")
    await expect(desk.page.get_by_role("heading", level=1, name="+7 999 000-11-22")).to_be_visible()
    card = desk.page.get_by_role("complementary", name="Карточка клиента")
    await expect(card.get_by_text("новая")).to_be_visible()
    await call.next_act()
    await expect(desk.tiles.get_by_text("Завершён")).to_be_visible()


async def test_the_same_number_in_another_spelling_pops_the_card_that_is_there(
    open_desk: OpenDesk, stage: Stage
) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    await stage.ring("direct", number="89265550142", name="не Мария")
    await expect(desk.tiles.get_by_text("Мария Кузнецова")).to_be_visible()
    card = desk.page.get_by_role("complementary", name="Карточка клиента")
    await expect(card.get_by_text("maria@example.org")).to_be_visible()


async def test_whoever_answered_is_named_on_the_other_screens_and_the_caller_is_announced_once(
    open_desk: OpenDesk, stage: Stage
) -> None:
    anna, boris = await open_desk(), await open_desk()
    await anna.start_shift("anna")
    await boris.start_shift("boris")
    call = await stage.ring("queue-of-three", number="79265550142")
    for desk in (anna, boris):
        await expect(desk.tiles.get_by_text("Мария Кузнецова")).to_be_visible()
        await expect(desk.tiles.get_by_text("очередь «sales»")).to_be_visible()
        await expect(desk.bar.get_by_role("alert")).to_have_text(
            "Входящий звонок: Мария Кузнецова, +7 926 555-01-42"
        )
    await call.next_act()
    await expect(boris.tiles.get_by_text("Разговор")).to_be_visible()
    await expect(anna.tiles.get_by_text("Принял(а) Борис Ковалёв")).to_be_visible()
    await expect(boris.page.get_by_role("heading", level=1, name="Мария Кузнецова")).to_be_visible()


async def test_a_missed_call_stays_until_somebody_has_looked_at_it(open_desk: OpenDesk, stage: Stage) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    call = await stage.ring("abandoned", number="79990001122")
    await expect(desk.tiles.get_by_text("Входящий")).to_be_visible()
    await call.next_act()
    await expect(desk.tiles.get_by_text("Пропущен вами")).to_be_visible()
    await desk.page.keyboard.press("F2")
    await expect(desk.page.get_by_text("Пропущенный: клиент не дождался")).to_be_visible()
    await expect(desk.tiles.get_by_text("Пропущен вами")).to_have_count(0)


async def test_a_call_going_on_is_in_the_bar_again_after_a_reload(open_desk: OpenDesk, stage: Stage) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    call = await stage.ring("direct", number="79265550142")
    await call.next_act()
    await expect(desk.tiles.get_by_text("Разговор")).to_be_visible()
    await desk.page.reload()
    await expect(desk.tiles.get_by_text("Разговор")).to_be_visible()
    await expect(desk.tiles.get_by_text("Мария Кузнецова")).to_be_visible()


async def test_names_sent_by_callers_are_shown_as_text(open_desk: OpenDesk, stage: Stage) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    name = "<img src=x onerror=alert(1)>'; DROP TABLE cards;-- 🙂"
    await stage.ring("direct", number="79990001133", name=name)
    await expect(desk.tiles.get_by_text(name)).to_be_visible()
    assert await desk.page.locator("img[src=x]").count() == 0


async def test_the_bar_moves_nothing_when_a_call_comes(open_desk: OpenDesk, stage: Stage) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    await desk.open_client("Мария Кузнецова")
    heading = desk.page.get_by_role("heading", level=1, name="Мария Кузнецова")
    before = await heading.bounding_box()
    await stage.ring("direct", number="79990001144")
    await expect(desk.tiles.get_by_text("+7 999 000-11-44")).to_be_visible()
    assert await heading.bounding_box() == before


async def test_one_of_several_tabs_rings_until_the_call_is_answered(
    open_desk: OpenDesk, stage: Stage
) -> None:
    desk = await open_desk()
    await desk.start_shift("anna")
    other = await desk.page.context.new_page()
    await other.goto(desk.address)
    await expect(other.get_by_role("main")).to_be_visible()
    call = await stage.ring("direct", number="79265550142")
    for page in (desk.page, other):
        await expect(page).to_have_title(re.compile("☎"))
    locks = """async () => {
        const all = await navigator.locks.query();
        const ours = list => list.filter(lock => lock.name.startsWith('perezvon.ring')).length;
        return [ours(all.held), ours(all.pending)];
    }"""
    assert await other.evaluate(locks) == [1, 1]
    await call.next_act()
    for page in (desk.page, other):
        await expect(page).not_to_have_title(re.compile("☎"))
    assert await other.evaluate(locks) == [0, 0]


async def test_a_hidden_tab_tells_by_a_desktop_notification_that_goes_away_with_the_ringing(
    open_desk: OpenDesk, stage: Stage
) -> None:
    desk = await open_desk(bypass_csp=True)
    await desk.page.add_init_script("""
        window.told = [];
        const Real = window.Notification;
        window.Notification = class extends Real {
            constructor(title, options) { super(title, options); window.told.push({title, ...options}); }
            close() { super.close(); window.told.push('closed'); }
        };
    """)
    await desk.start_shift("anna")
    await desk.page.evaluate("Object.defineProperty(document, 'hidden', {get: () => true})")
    call = await stage.ring("direct", number="79265550142")
    await desk.page.wait_for_function("window.told.length === 1")
    told = await desk.page.evaluate("window.told[0]")
    assert "Мария Кузнецова" in told["title"]
    assert told["requireInteraction"]
    await call.next_act()
    await desk.page.wait_for_function("window.told.includes('closed')")


async def test_whoever_signs_in_at_a_phone_gets_its_calls(open_desk: OpenDesk, stage: Stage) -> None:
    anna, olga = await open_desk(), await open_desk()
    await anna.start_shift("anna")
    await olga.sign_in("olga")
    await olga.page.get_by_label("Добавочный").fill("101")
    await expect(olga.page.get_by_text("Сейчас здесь Анна Смирнова")).to_be_visible()
    await olga.page.get_by_role("button", name="Войти на телефон").click()
    await expect(olga.page.get_by_text("Вы на телефоне 101@pbx1")).to_be_visible()
    await olga.page.get_by_role("button", name="Начать смену").click()
    await expect(anna.bar.get_by_text("Вы не вошли на телефон")).to_be_visible()
    await stage.ring("direct", number="79265550142")
    await expect(olga.tiles.get_by_text("Мария Кузнецова")).to_be_visible()
    await expect(anna.tiles).to_have_count(0)
