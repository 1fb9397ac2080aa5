"""What people do with cards: find, change, merge and undo, bring in and take out."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.domain.calls import CallEvent
from gateway.domain.errors import Conflict, Invalid, NotFound, VersionConflict
from gateway.services import cards, identities, imports, leads, merge, timeline
from gateway.services.cards import CardFields, NewCard
from gateway.services.identities import NewIdentity
from gateway.services.search import Filters
from gateway.services.timeline import NewNote, TimelineWindow
from gateway.services.views.cards import Card
from tests.services.conftest import COUNTRY, Office

Story = Callable[..., list[CallEvent]]


async def _new(office: Office, name: str, *numbers: str, by: str = "anna", **fields: object) -> Card:
    body = NewCard(name=name, identities=[NewIdentity(kind="phone", value=n) for n in numbers], **fields)  # type: ignore[arg-type]
    return await cards.create(office.store, office.actors[by], body, COUNTRY)


async def _found(office: Office, q: str, by: str = "anna", **filters: str) -> list[str]:
    page = await cards.list_cards(office.store, office.actors[by], Filters(q=q, **filters), 50, None)
    return [card.name for card in page.items]


@pytest.mark.parametrize(
    "query",
    [
        "петров",
        "Петрова",
        "ПЕТ",
        "иван пет",
        "123-45",
        "1234567",
        "+7 916 123 45 67",
        "8 (916) 123-45-67",
        "916123",
        "t@x.ru",
    ],
)
async def test_a_card_is_found_by_words_and_by_fragments_of_its_number(office: Office, query: str) -> None:
    body = NewCard(
        name="Иван Петров",
        identities=[
            NewIdentity(kind="phone", value="8 916 123-45-67"),
            NewIdentity(kind="email", value="T@x.ru"),
        ],
    )
    await cards.create(office.store, office.actors["anna"], body, COUNTRY)
    await _new(office, "Мария Сидорова", "+74957654321")
    assert await _found(office, query) == ["Иван Петров"]


async def test_a_search_ends_where_ones_teams_end(office: Office) -> None:
    await _new(office, "Иван Петров", "+79161234567")
    assert await _found(office, "петров", by="clara") == []
    assert await _found(office, "916", by="clara") == []
    assert await _found(office, "916", by="olga") == ["Иван Петров"]


async def test_a_search_of_two_digits_says_what_is_missing(office: Office) -> None:
    with pytest.raises(Invalid, match="3 digits"):
        await _found(office, "+-")


async def test_cards_are_found_by_tag(office: Office) -> None:
    await _new(office, "А", tags=["VIP", "опт"])
    await _new(office, "Б", tags=["опт"])
    assert await _found(office, "", tag="vip") == ["А"]


async def test_pages_of_a_fragment_hold_every_card_once(office: Office) -> None:
    for n in range(7):
        await _new(office, f"card {n}", f"+7916000000{n}")
    seen: list[str] = []
    cursor = None
    while True:
        page = await cards.list_cards(office.store, office.actors["anna"], Filters(q="9160000"), 3, cursor)
        seen += [card.name for card in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert sorted(seen) == [f"card {n}" for n in range(7)]


@pytest.mark.parametrize("spelling", ["+79161234567", "8 (916) 123-45-67", "79161234567", "9161234567"])
async def test_a_number_in_any_spelling_leads_to_its_card(office: Office, spelling: str) -> None:
    card = await _new(office, "Иван", "+7 916 123 45 67")
    found = await cards.lookup(office.store, office.actors["anna"], "phone", spelling, COUNTRY)
    assert [c.id for c in found.items] == [card.id]


async def test_a_lookup_names_the_known_card_first_then_those_that_may_be_meant(office: Office) -> None:
    anna = office.actors["anna"]
    maybe = await _new(office, "Коллега")
    known = await _new(office, "Коммутатор", "+74957654321")
    body = NewIdentity(kind="phone", value="+74957654321", level="maybe")
    await identities.add_identity(office.store, anna, maybe.id, body, COUNTRY)
    found = await cards.lookup(office.store, anna, "phone", "84957654321", COUNTRY)
    assert [c.id for c in found.items] == [known.id, maybe.id]


async def test_a_number_that_belongs_to_another_card_is_refused_with_that_card_named(office: Office) -> None:
    first = await _new(office, "Первый", "+79161234567")
    with pytest.raises(Conflict, match=first.id):
        await _new(office, "Второй", "+79161234567")


async def test_who_edits_an_older_version_is_told(office: Office) -> None:
    card = await _new(office, "Иван")
    anna, boris = office.actors["anna"], office.actors["boris"]
    await cards.change(office.store, anna, card.id, CardFields(name="Иван П."), card.version)
    with pytest.raises(VersionConflict):
        await cards.change(office.store, boris, card.id, CardFields(note="late"), card.version)


async def test_a_card_of_another_team_cannot_be_read_or_changed(office: Office) -> None:
    card = await _new(office, "Иван")
    clara = office.actors["clara"]
    with pytest.raises(NotFound):
        await cards.get(office.store, clara, card.id)
    with pytest.raises(NotFound):
        await cards.change(office.store, clara, card.id, CardFields(name="x"), None)


async def test_a_merge_unites_and_its_undo_gives_back(office: Office, ringing: Story) -> None:
    anna = office.actors["anna"]
    await office.intake.calls_happened(ringing(1, caller="+79990000001", answers="101"))
    called = (await cards.lookup(office.store, anna, "phone", "+79990000001", COUNTRY)).items[0]
    kept = await _new(office, "Иван", "+79990000002", tags=["vip"], kind="client")
    await timeline.add_note(office.store, anna, called.id, NewNote(text="от звонка"))

    merged = await merge.merge(office.store, anna, kept.id, called.id)
    assert {i.value for i in merged.identities} == {"+79990000001", "+79990000002"}
    assert merged.kind == "client"
    assert len(merged.leads) == 1
    assert (await cards.get(office.store, anna, called.id)).id == kept.id
    entries = await timeline.page(office.store, anna, kept.id, TimelineWindow(), 50)
    assert {"call", "note", "card_event"} <= {entry.kind for entry in entries.items}

    again = await merge.unmerge(office.store, anna, kept.id)
    assert again.id == called.id
    assert {i.value for i in again.identities} == {"+79990000001"}
    assert len(again.leads) == 1
    alone = await cards.get(office.store, anna, kept.id)
    assert {i.value for i in alone.identities} == {"+79990000002"}
    assert alone.tags == ["vip"]
    assert {
        e.kind for e in (await timeline.page(office.store, anna, again.id, TimelineWindow(), 50)).items
    } >= {
        "call",
        "note",
    }
    with pytest.raises(Conflict):
        await merge.unmerge(office.store, anna, kept.id)


async def test_what_was_edited_after_a_merge_survives_its_undo(office: Office) -> None:
    anna = office.actors["anna"]
    kept, other = await _new(office, "Иван"), await _new(office, "Ваня", tags=["опт"])
    merged = await merge.merge(office.store, anna, kept.id, other.id)
    await cards.change(office.store, anna, kept.id, CardFields(name="Иван Иванович"), merged.version)
    await merge.unmerge(office.store, anna, kept.id)
    alone = await cards.get(office.store, anna, kept.id)
    assert (alone.name, alone.tags) == ("Иван Иванович", [])


async def test_the_timeline_pages_without_gap_or_double_while_notes_arrive(office: Office) -> None:
    anna = office.actors["anna"]
    card = await _new(office, "Иван")
    for n in range(10):
        await timeline.add_note(office.store, anna, card.id, NewNote(text=f"note {n}"))
    seen: list[str] = []
    window = TimelineWindow(kind="note")
    while True:
        page = await timeline.page(office.store, anna, card.id, window, 3)
        seen += [entry.summary for entry in page.items]
        await timeline.add_note(office.store, anna, card.id, NewNote(text="meanwhile"))
        if page.next_cursor is None:
            break
        window = TimelineWindow(kind="note", before=page.next_cursor)
    assert seen == [f"note {n}" for n in reversed(range(10))]


async def test_a_lead_that_is_closed_cannot_be_closed_again(office: Office) -> None:
    anna = office.actors["anna"]
    card = await _new(office, "Иван")
    lead = await leads.create(office.store, anna, card.id, leads.NewLead(note="хочет окна"))
    await leads.reject(office.store, anna, lead.id, "дорого")
    with pytest.raises(Conflict, match="rejected already"):
        await leads.convert(office.store, anna, lead.id)


CSV = """ФИО;Телефон;Телефон 2;E-mail;Комментарий;Скидка;Метки
Иван Петров;8 916 123-45-67;;ivan@example.org;звонить утром;10%;vip,опт
Мария;не номер;;;;;
;+7 495 765-43-21;+7 495 765-43-22;;;;
Повтор;79161234567;;;;;
"""


async def test_an_import_reports_every_line_and_is_undone_by_batch(office: Office) -> None:
    rehearsal = await imports.import_cards(office.store, Path("base.csv"), CSV, COUNTRY, dry_run=True)
    assert await _found(office, "иван", by="admin") == []
    report = await imports.import_cards(office.store, Path("base.csv"), CSV, COUNTRY, dry_run=False)
    for one in (rehearsal, report):
        assert [(line.line, line.outcome) for line in one.lines] == [
            (2, "created"),
            (3, "refused"),
            (4, "created"),
            (5, "known"),
        ]
    assert "phone" in report.lines[1].detail
    (card,) = (
        await cards.list_cards(office.store, office.actors["admin"], Filters(q="иван"), 50, None)
    ).items
    assert (card.kind, card.tags, card.fields) == ("client", ["vip", "опт"], {"Скидка": "10%"})
    again = await imports.import_cards(office.store, Path("base.csv"), CSV, COUNTRY, dry_run=False)
    assert again.count("created") == 0

    await cards.change(office.store, office.actors["admin"], card.id, CardFields(note="важный"), None)
    assert report.batch_id is not None
    assert await imports.undo(office.store, report.batch_id) == (1, 1)
    assert await _found(office, "иван", by="admin") == ["Иван Петров"]
    with pytest.raises(Conflict):
        await imports.undo(office.store, report.batch_id)


async def test_an_import_without_a_known_column_says_what_to_name(office: Office) -> None:
    with pytest.raises(Invalid, match="name the columns"):
        await imports.import_cards(office.store, Path("x.csv"), "a;b\n1;2\n", COUNTRY, dry_run=False)


async def test_a_deleted_card_leaves_its_calls_and_nothing_else(office: Office, ringing: Story) -> None:
    await office.intake.calls_happened(ringing(1))
    admin = office.actors["admin"]
    (card,) = (await cards.list_cards(office.store, admin, Filters(), 50, None)).items
    await cards.remove(office.store, admin, card.id)
    with pytest.raises(NotFound):
        await cards.get(office.store, admin, card.id)
    await office.intake.calls_happened(ringing(2))
    (fresh,) = (await cards.list_cards(office.store, admin, Filters(), 50, None)).items
    assert fresh.id != card.id
