"""What a client writes becomes a card, a lead, a thread, a contact and a screen-pop, once."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from gateway.domain.identities import Identity
from gateway.domain.messages import Correspondent, InboundAttachment, MessageKind
from gateway.services import cards, timeline
from gateway.services.identities import NewIdentity
from gateway.services.search import Filters
from gateway.services.timeline import TimelineWindow
from gateway.store.tables import cards as cards_table
from gateway.store.tables import contacts, identities, leads
from gateway.store.tables_conversations import attachments, messages, raw_updates, suggestions, threads
from tests.services.conftest import COUNTRY, Office
from tests.services.talk import Talk, attach, available, says


@pytest.fixture
async def talk(office: Office, tmp_path: Path) -> Talk:
    """A channel into the queue of the sellers; Anna and Boris are available."""
    await available(office.store, "anna", "boris")
    return await attach(office.store, tmp_path)


async def rows(office: Office, table: Any) -> list[Any]:
    return await office.store.read(lambda tx: list(tx.execute(select(table).order_by(table.c.id)).all()))


async def count(office: Office, table: Any) -> int:
    return await office.store.read(lambda tx: tx.scalar(select(func.count()).select_from(table)) or 0)


async def test_a_first_message_pops_a_new_lead_to_the_available_operators_of_its_queue_alone(
    office: Office, talk: Talk
) -> None:
    await talk.comes(says("Здравствуйте, сколько стоит?", name="Иван <b>\nПетров"))
    (pop,) = await office.facts("card.opened")
    assert pop.private
    assert set(pop.operators) == {office.actors["anna"].id, office.actors["boris"].id}
    (data,) = await office.told("card.opened")
    assert (data["because"], data["created"]) == ("message", True)
    assert data["card"]["name"] == "Иван <b> Петров"
    assert data["card"]["leads"][0]["source"]["connector"] == "talk"
    assert data["thread"]["preview"] == "Здравствуйте, сколько стоит?"
    assert data["contact"]["state"] == "offered"
    (offered,) = await office.facts("contact.offered")
    assert set(offered.operators) == set(pop.operators)
    (card,) = await rows(office, cards_table)
    (thread,) = await rows(office, threads)
    assert (thread.card_id, thread.team_id) == (card.id, card.team_id)


async def test_the_next_message_adds_to_the_contact_and_pops_nothing(office: Office, talk: Talk) -> None:
    await talk.comes(says("раз"))
    await talk.comes(says("два"))
    assert await count(office, contacts) == 1
    assert await count(office, threads) == 1
    assert await count(office, leads) == 1
    assert len(await office.told("card.opened")) == 1
    received = await office.told("message.received")
    assert [one["message"]["text"] for one in received] == ["раз", "два"]
    assert [one["message"]["seq"] for one in received] == [1, 2]
    assert received[-1]["thread"]["unread"] == 2


async def test_the_same_update_again_changes_nothing(office: Office, talk: Talk) -> None:
    message = says("раз")
    await talk.comes(message, external_id="u1")
    await talk.comes(message, external_id="u1")
    await talk.comes(message, external_id="u2")
    assert await count(office, messages) == 1
    assert await count(office, raw_updates) == 2
    assert len(await office.told("message.received")) == 1


async def test_with_nobody_there_the_contact_stays_queued(office: Office, tmp_path: Path) -> None:
    talk = await attach(office.store, tmp_path)
    await talk.comes(says("есть кто?"))
    (contact,) = await rows(office, contacts)
    assert (contact.state, contact.offered_to) == ("queued", [])
    assert len(await office.told("contact.queued")) == 1
    assert await office.told("card.opened") == []


async def test_messages_lie_on_the_cards_timeline(office: Office, talk: Talk) -> None:
    await talk.comes(says("раз"))
    await talk.comes(says("", kind=MessageKind.UNKNOWN))
    (card,) = (await cards.list_cards(office.store, office.actors["anna"], Filters(), 50, None)).items
    page = await timeline.page(
        office.store, office.actors["anna"], card.id, TimelineWindow(kind="message"), 50
    )
    assert [one.summary for one in page.items] == ["[unknown]", "раз"]
    assert [one.message.kind for one in page.items if one.message] == ["unknown", "text"]


async def test_simultaneous_first_messages_of_one_client_in_two_chats_make_one_card_and_one_lead(
    office: Office, talk: Talk
) -> None:
    for number in range(30):
        await talk.arrives(says("я", thread_key=f"chat{number}"), lane=f"lane{number}")
    await talk.settle()
    assert (await count(office, cards_table), await count(office, leads)) == (1, 1)
    assert await count(office, threads) == 30


async def test_of_two_intakes_that_run_by_mistake_each_message_is_stored_once(
    office: Office, talk: Talk
) -> None:
    for number in range(40):
        await talk.arrives(says(f"{number}", who=f"chat{number % 4}"), lane=f"lane{number % 4}")
    await asyncio.gather(talk.settle(), talk.settle())
    assert await count(office, messages) == 40
    numbers = [(row.thread_id, row.seq) for row in await rows(office, messages)]
    assert len(set(numbers)) == 40


async def test_an_unreadable_update_is_set_aside_and_blocks_nothing(office: Office, talk: Talk) -> None:
    await talk.arrives(says("раз"))
    talk.items.clear()
    await talk.comes(says("два"))
    assert [row.state for row in await rows(office, raw_updates)] == ["poison", "done"]
    assert [row.text for row in await rows(office, messages)] == ["два"]


async def test_a_vouched_phone_of_a_known_client_brings_the_message_to_his_card(
    office: Office, talk: Talk
) -> None:
    anna = office.actors["anna"]
    phone = NewIdentity(kind="phone", value="+79991234567")
    known = await cards.create(office.store, anna, cards.NewCard(name="Пётр", identities=[phone]), COUNTRY)
    author = Correspondent(
        Identity("other", "talk:petr"), "Petr", vouched=(Identity("phone", "+79991234567"),)
    )
    await talk.comes(says("это я", author=author))
    (thread,) = await rows(office, threads)
    assert thread.card_id == known.id
    assert await count(office, suggestions) == 0


async def test_a_phone_that_he_merely_names_makes_a_suggestion_and_no_merge(
    office: Office, talk: Talk
) -> None:
    anna = office.actors["anna"]
    phone = NewIdentity(kind="phone", value="+79991234567")
    known = await cards.create(office.store, anna, cards.NewCard(name="Пётр", identities=[phone]), COUNTRY)
    author = Correspondent(Identity("other", "talk:x"), "X", told=(Identity("phone", "+79991234567"),))
    await talk.comes(says("я Пётр", author=author))
    (thread,) = await rows(office, threads)
    (suggested,) = await rows(office, suggestions)
    assert thread.card_id != known.id
    assert {suggested.card_id, suggested.other_id} == {known.id, thread.card_id}
    levels = {(row.card_id, row.level) for row in await rows(office, identities) if row.kind == "phone"}
    assert levels == {(known.id, "known"), (thread.card_id, "maybe")}


async def test_what_a_blocked_client_writes_is_kept_and_troubles_nobody(office: Office, talk: Talk) -> None:
    await talk.comes(says("раз"))
    blocked = identities.update().values(blocked=True)
    await office.store.write(lambda tx: tx.execute(blocked) and None)
    await talk.comes(says("спам"))
    assert [row.text for row in await rows(office, messages)] == ["раз", "спам"]
    assert len(await office.told("message.received")) == 1


async def test_a_file_waits_beside_its_message(office: Office, talk: Talk) -> None:
    file = InboundAttachment("https://x/secret-token", "../../etc/pass\u200bwd.png", "image/png", 12)
    await talk.comes(says("фото", kind=MessageKind.IMAGE, attachments=(file,)))
    (row,) = await rows(office, attachments)
    assert (row.name, row.state) == ("passwd.png", "pending")
    (told,) = await office.told("message.received")
    assert told["message"]["attachments"][0]["url"] is None
    assert "secret-token" not in str(told)
