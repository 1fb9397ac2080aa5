"""What happens to messages afterwards is applied with its history, also when it comes too early."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from gateway.domain.errors import Conflict, NotFound
from gateway.domain.identities import Identity
from gateway.domain.messages import (
    Correspondent,
    InboundDeletion,
    InboundEdit,
    InboundReachability,
    InboundReaction,
)
from gateway.services import cards, merge, poison, suggestions, threads, timeline
from gateway.services.poison import PoisonList
from gateway.services.suggestions import SuggestionList
from gateway.services.timeline import TimelineWindow
from gateway.services.views.threads import Message
from gateway.store.tables import cards as cards_table
from gateway.store.tables import identities
from gateway.store.tables_conversations import message_reactions, messages, parked
from gateway.store.tables_conversations import threads as threads_table
from tests.services.conftest import Office
from tests.services.talk import START, Talk, attach, available, says


@pytest.fixture
async def talk(office: Office, tmp_path: Path) -> Talk:
    await available(office.store, "anna")
    return await attach(office.store, tmp_path)


def later(minutes: float) -> Any:
    return START + timedelta(minutes=minutes)


async def the_thread(office: Office) -> str:
    return str(await office.store.read(lambda tx: tx.scalar(select(threads_table.c.id))))


async def said(office: Office) -> list[Message]:
    page = await threads.page(
        office.store, office.actors["anna"], await the_thread(office), threads.Window(), 50
    )
    return page.items


async def count(office: Office, table: Any) -> int:
    return await office.store.read(lambda tx: tx.scalar(select(func.count()).select_from(table)) or 0)


async def test_an_edit_keeps_what_was_said_before(office: Office, talk: Talk) -> None:
    await talk.comes(says("превет", external_id="m1"))
    await talk.comes(InboundEdit("m1", "ivan", later(60), "привет"))
    await talk.comes(InboundEdit("m1", "ivan", later(61), "привет!"))
    (one,) = await said(office)
    assert (one.text, one.revisions) == ("привет!", 2)
    kept = await threads.revisions(office.store, office.actors["anna"], one.id)
    assert [revision.text for revision in kept.items] == ["превет", "привет"]
    view = await threads.get(office.store, office.actors["anna"], one.thread_id)
    assert view.preview == "привет!"
    assert len(await office.told("message.edited")) == 2


async def test_an_older_edit_that_comes_late_changes_nothing(office: Office, talk: Talk) -> None:
    await talk.comes(says("раз", external_id="m1"))
    await talk.comes(InboundEdit("m1", "ivan", later(61), "новее"))
    await talk.comes(InboundEdit("m1", "ivan", later(60), "старее"))
    assert [one.text for one in await said(office)] == ["новее"]


async def test_what_the_client_took_back_is_shown_as_taken_back_and_kept_for_supervisors(
    office: Office, talk: Talk
) -> None:
    await talk.comes(says("лишнее", external_id="m1"))
    await talk.comes(InboundDeletion(("m1",), "ivan", later(60)))
    (one,) = await said(office)
    assert (one.text, one.deleted_at is not None) == ("", True)
    kept = await threads.revisions(office.store, office.actors["olga"], one.id)
    assert [revision.text for revision in kept.items] == ["лишнее"]
    (told,) = await office.told("message.deleted")
    assert "лишнее" not in str(told)


async def test_reactions_stand_as_they_are_now_with_their_history(office: Office, talk: Talk) -> None:
    await talk.comes(says("раз", external_id="m1"))
    for reactions in (("👍",), ("❤", "👍"), ()):
        await talk.comes(InboundReaction("m1", "ivan", later(60), "ivan", reactions))
    await talk.comes(InboundReaction("m1", "ivan", later(60), "petr", ("🔥",)))
    (one,) = await said(office)
    assert [(r.by, r.reaction) for r in one.reactions] == [("petr", "🔥")]
    assert await count(office, message_reactions) == 4


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_comes_before_its_message_waits_for_it(office: Office, talk: Talk, seed: int) -> None:
    updates: list[Any] = [
        says("первое", external_id="m1"),
        says("ответ", external_id="m2", reply_to="m1"),
        InboundEdit("m1", "ivan", later(60), "исправлено"),
        InboundReaction("m1", "ivan", later(61), "ivan", ("👍",)),
        InboundDeletion(("m3", "m4"), "ivan", later(62)),
        says("лишнее", external_id="m3"),
    ]
    random.Random(seed).shuffle(updates)
    for one in updates:
        await talk.comes(one)
    found = {one.external_id: one for one in await said(office)}
    assert found["m1"].text == "исправлено"
    assert [r.reaction for r in found["m1"].reactions] == ["👍"]
    assert found["m2"].reply_to == found["m1"].id
    assert found["m3"].deleted_at is not None
    assert await count(office, parked) == 1  # of m4, which never came


async def test_late_messages_stand_where_they_belong(office: Office, talk: Talk) -> None:
    third = says("3", at=later(3))
    for one in (
        third,
        says("1", at=later(1)),
        says("2b", at=later(2), sequence=2),
        says("2a", at=later(2), sequence=1),
    ):
        await talk.comes(one)
    assert [one.text for one in await said(office)] == ["1", "2a", "2b", "3"]
    view = await threads.get(office.store, office.actors["anna"], await the_thread(office))
    assert (view.preview, view.messages) == ("3", 4)


async def test_pages_of_a_thread_meet_without_gap_or_overlap(office: Office, talk: Talk) -> None:
    for number in range(25):
        await talk.arrives(says(f"{number}", at=later(number // 4), sequence=number))
    await talk.settle()
    thread, anna = await the_thread(office), office.actors["anna"]
    backwards: list[str] = []
    window = threads.Window()
    while True:
        page = await threads.page(office.store, anna, thread, window, 4)
        backwards = [one.text for one in page.items] + backwards
        if page.next_cursor is None:
            break
        window = threads.Window(before=page.next_cursor)
    assert backwards == [f"{number}" for number in range(25)]
    forwards: list[str] = []
    first = (await threads.page(office.store, anna, thread, threads.Window(), 200)).items[0].id
    window = threads.Window(after=first)
    while True:
        page = await threads.page(office.store, anna, thread, window, 4)
        forwards += [one.text for one in page.items]
        if page.next_cursor is None:
            break
        window = threads.Window(after=page.next_cursor)
    assert forwards == [f"{number}" for number in range(1, 25)]


async def test_a_client_who_left_is_marked_and_one_who_came_back_is_not(office: Office, talk: Talk) -> None:
    await talk.comes(says("раз"))
    who = Identity("other", "talk:ivan")
    marked = select(identities.c.undeliverable)
    await talk.comes(InboundReachability(who, later(60), reachable=False))
    assert await office.store.read(lambda tx: tx.scalar(marked)) is True
    await talk.comes(InboundReachability(who, later(61), reachable=True))
    assert await office.store.read(lambda tx: tx.scalar(marked)) is False


async def test_poison_is_listed_and_replayed_once_its_fault_is_mended(office: Office, talk: Talk) -> None:
    await talk.arrives(says("раз"))
    readable = dict(talk.items)
    talk.items.clear()
    await talk.settle()
    admin = office.actors["admin"]
    (one,) = (await poison.list_poison(office.store, admin, PoisonList())).items
    talk.items.update(readable)
    await poison.replay(office.store, admin, one.id)
    await talk.settle()
    assert [message.text for message in await said(office)] == ["раз"]
    assert (await poison.list_poison(office.store, admin, PoisonList())).items == []
    with pytest.raises(NotFound):
        await poison.replay(office.store, admin, one.id)


async def two_of_one_person(talk: Talk) -> None:
    phone = Identity("phone", "+79991234567")
    known = Correspondent(Identity("other", "talk:a"), "A", vouched=(phone,))
    await talk.comes(says("я", author=known))
    await talk.comes(says("и я", who="b", author=Correspondent(Identity("other", "talk:b"), "B")))
    again = Correspondent(Identity("other", "talk:b"), "B", vouched=(phone,))
    await talk.comes(says("мой номер", who="b", author=again))


async def test_accepting_a_suggestion_merges_with_all_conversations_and_can_be_undone(
    office: Office, talk: Talk
) -> None:
    await two_of_one_person(talk)
    anna = office.actors["anna"]
    (one,) = (await suggestions.list_suggestions(office.store, anna, SuggestionList())).items
    assert {one.card.name, one.other.name} == {"A", "B"}
    card = await suggestions.accept(office.store, anna, one.id)
    page = await timeline.page(office.store, anna, card.id, TimelineWindow(kind="message"), 50)
    assert sorted(entry.summary for entry in page.items) == ["и я", "мой номер", "я"]
    with pytest.raises(Conflict):
        await suggestions.accept(office.store, anna, one.id)
    apart = await merge.unmerge(office.store, anna, card.id)
    page = await timeline.page(office.store, anna, apart.id, TimelineWindow(kind="message"), 50)
    assert sorted(entry.summary for entry in page.items) == ["и я", "мой номер"]


async def test_a_dismissed_suggestion_is_not_made_again(office: Office, talk: Talk) -> None:
    await two_of_one_person(talk)
    anna = office.actors["anna"]
    (one,) = (await suggestions.list_suggestions(office.store, anna, SuggestionList())).items
    await suggestions.dismiss(office.store, anna, one.id)
    await two_of_one_person(talk)
    assert (await suggestions.list_suggestions(office.store, anna, SuggestionList())).items == []


async def test_a_deleted_card_leaves_its_conversation_which_finds_a_new_one(
    office: Office, talk: Talk
) -> None:
    await talk.comes(says("раз"))
    card_id = str(await office.store.read(lambda tx: tx.scalar(select(cards_table.c.id))))
    await cards.remove(office.store, office.actors["olga"], card_id)
    await talk.comes(says("два"))
    view = await threads.get(office.store, office.actors["anna"], await the_thread(office))
    assert view.card_id not in (None, card_id)
    assert await count(office, messages) == 2
