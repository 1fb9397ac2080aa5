"""A waiting contact is offered to all who can take it, the first one has it, the others see who."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from gateway.domain.errors import Conflict, NotFound
from gateway.services import contact_verbs, contacts, leaving, seats, threads
from gateway.services.contact_verbs import Closing, Target, Until
from gateway.services.contacts import ContactFilters
from gateway.services.dispatcher import Dispatcher
from gateway.services.people_input import PresenceFields
from gateway.services.views.contacts import Contact
from gateway.store.tables import contacts as contacts_table
from gateway.store.tables import operators
from routing.broadcast import offer_to_all
from tests.services.conftest import Office
from tests.services.talk import Talk, attach, available, says


@pytest.fixture
async def talk(office: Office, tmp_path: Path) -> Talk:
    """A channel into the queue of the sellers; Anna and Boris are available."""
    await available(office.store, "anna", "boris")
    return await attach(office.store, tmp_path)


async def the_contact(office: Office) -> Contact:
    page = await contacts.list_contacts(office.store, office.actors["admin"], ContactFilters(), 1, None)
    return page.items[0]


async def follow(office: Office) -> None:
    await Dispatcher(office.store, offer_to_all).step()


async def be(office: Office, login: str, state: Any) -> None:
    actor = office.actors[login]
    await seats.set_presence(office.store, actor, actor.id, PresenceFields(state=state))


async def offered_to(office: Office) -> set[str]:
    names = {actor.id: name for name, actor in office.actors.items()}
    return {names[one] for one in (await the_contact(office)).offered_to}


async def test_of_all_who_accept_at_once_one_wins_and_the_others_are_told_who(
    office: Office, talk: Talk
) -> None:
    for number in range(10):
        await talk.comes(says("вопрос", who=f"c{number}"))
    await office.store.write(lambda tx: tx.execute(update(operators).values(capacity={"chat": 100})) and None)
    page = await contacts.list_contacts(office.store, office.actors["admin"], ContactFilters(), 50, None)
    for one in page.items:
        tries = [contact_verbs.accept(office.store, office.actors[n], one.id) for n in ("anna", "boris")]
        results = await asyncio.gather(*tries, return_exceptions=True)
        (won,) = [r for r in results if isinstance(r, Contact)]
        (lost,) = [r for r in results if isinstance(r, Conflict)]
        assert won.operator is not None
        assert won.operator.name in str(lost)
    assigned = await office.facts("contact.assigned")
    assert len(assigned) == 10
    both = {office.actors["anna"].id, office.actors["boris"].id}
    assert all(both <= set(fact.operators) for fact in assigned)


async def test_who_comes_is_offered_what_waits_and_who_goes_is_not(office: Office, tmp_path: Path) -> None:
    talk = await attach(office.store, tmp_path)
    await talk.comes(says("есть кто?"))
    await be(office, "anna", "available")
    await follow(office)
    assert await offered_to(office) == {"anna"}
    await be(office, "boris", "available")
    await follow(office)
    assert await offered_to(office) == {"anna", "boris"}
    pops = [fact.operators for fact in await office.facts("card.opened")]
    assert pops == [(office.actors["anna"].id,), (office.actors["boris"].id,)]
    for login in ("anna", "boris"):
        await be(office, login, "paused")
    await follow(office)
    assert (await the_contact(office)).state == "queued"
    assert len(await office.told("contact.expired")) == 1


async def test_declined_by_all_it_stays_queued_and_can_still_be_taken(office: Office, talk: Talk) -> None:
    await talk.comes(says("вопрос"))
    one = await the_contact(office)
    for login in ("anna", "boris"):
        await contact_verbs.decline(office.store, office.actors[login], one.id, offer_to_all)
    await follow(office)
    assert (await the_contact(office)).state == "queued"
    assert len(await office.told("card.opened")) == 1
    with pytest.raises(NotFound):
        await contact_verbs.take(office.store, office.actors["clara"], one.id)
    taken = await contact_verbs.take(office.store, office.actors["olga"], one.id)
    assert taken.state == "assigned"


async def test_nobody_holds_more_than_his_capacity(office: Office, talk: Talk) -> None:
    await be(office, "boris", "offline")
    mine = update(operators).where(operators.c.login == "anna").values(capacity={"chat": 2})
    await office.store.write(lambda tx: tx.execute(mine) and None)
    for number in range(3):
        await talk.comes(says("вопрос", who=f"c{number}"))
    anna = office.actors["anna"]
    page = await contacts.list_contacts(office.store, office.actors["admin"], ContactFilters(), 50, None)
    done = await asyncio.gather(
        *(contact_verbs.accept(office.store, anna, one.id) for one in page.items), return_exceptions=True
    )
    assert sum(isinstance(one, Contact) for one in done) == 2
    assert sum(isinstance(one, Conflict) for one in done) == 1
    await follow(office)
    waiting = await contacts.list_contacts(
        office.store, office.actors["admin"], ContactFilters(state="queued"), 50, None
    )
    assert len(waiting.items) == 1


async def test_a_closed_conversation_goes_on_with_whoever_had_it(office: Office, talk: Talk) -> None:
    await talk.comes(says("вопрос"))
    one = await the_contact(office)
    anna = office.actors["anna"]
    await contact_verbs.accept(office.store, anna, one.id)
    await contact_verbs.close(office.store, anna, one.id, Closing(outcome="sold", note="купил"))
    await talk.comes(says("ещё вопрос"))
    again = await the_contact(office)
    assert again.thread_id != one.thread_id
    assert await offered_to(office) == {"anna"}
    await contact_verbs.decline(office.store, anna, again.id, offer_to_all)
    assert await offered_to(office) == {"boris"}


async def test_a_contact_goes_to_a_colleague_or_back_to_a_queue(office: Office, talk: Talk) -> None:
    await talk.comes(says("вопрос"))
    one = await the_contact(office)
    anna, boris = office.actors["anna"], office.actors["boris"]
    await contact_verbs.accept(office.store, anna, one.id)
    given = await contact_verbs.transfer(
        office.store, anna, one.id, Target(operator_id=boris.id), offer_to_all
    )
    assert given.operator is not None
    assert (given.state, given.operator.id) == ("assigned", boris.id)
    assert (await office.facts("card.opened"))[-1].operators == (boris.id,)
    assert one.thread_id is not None
    view = await threads.get(office.store, boris, one.thread_id)
    assert view.assignee is not None
    assert view.assignee.id == boris.id
    back = await contact_verbs.transfer(office.store, boris, one.id, Target(queue="sales"), offer_to_all)
    assert back.state == "offered"
    assert await offered_to(office) == {"anna", "boris"}


async def test_what_was_put_off_comes_back_in_its_time_to_whoever_put_it_off(
    office: Office, talk: Talk
) -> None:
    await talk.comes(says("вопрос"))
    one = await the_contact(office)
    anna = office.actors["anna"]
    await contact_verbs.accept(office.store, anna, one.id)
    until = Until(until=datetime.now(UTC) + timedelta(hours=1))
    assert (await contact_verbs.defer(office.store, anna, one.id, until)).state == "deferred"
    await follow(office)
    assert (await the_contact(office)).state == "deferred"
    due = update(contacts_table).values(due_at=datetime.now(UTC) - timedelta(seconds=1))
    await office.store.write(lambda tx: tx.execute(due) and None)
    await follow(office)
    assert await offered_to(office) == {"anna"}


async def test_the_client_who_writes_brings_back_what_was_put_off(office: Office, talk: Talk) -> None:
    await talk.comes(says("вопрос"))
    one = await the_contact(office)
    anna = office.actors["anna"]
    await contact_verbs.accept(office.store, anna, one.id)
    until = Until(until=datetime.now(UTC) + timedelta(hours=1))
    await contact_verbs.defer(office.store, anna, one.id, until)
    await talk.comes(says("ну что?"))
    assert await offered_to(office) == {"anna"}


async def test_what_a_leaver_held_goes_to_his_heir(office: Office, talk: Talk) -> None:
    await talk.comes(says("вопрос"))
    one = await the_contact(office)
    anna, boris = office.actors["anna"], office.actors["boris"]
    await contact_verbs.accept(office.store, anna, one.id)

    def work(tx: Any) -> None:
        row = tx.execute(select(operators).where(operators.c.id == anna.id)).one()
        leaving.leave(tx, office.actors["admin"], row, boris.id, None)
        tx.execute(update(operators).where(operators.c.id == anna.id).values(active=False))

    await office.store.write(work)
    await follow(office)
    assert await offered_to(office) == {"boris"}


async def test_people_of_other_teams_see_neither_contact_nor_thread(office: Office, talk: Talk) -> None:
    await talk.comes(says("вопрос"))
    one = await the_contact(office)
    assert one.thread_id is not None
    with pytest.raises(NotFound):
        await threads.get(office.store, office.actors["clara"], one.thread_id)
    page = await threads.list_threads(office.store, office.actors["clara"], threads.ThreadFilters(), 50, None)
    assert page.items == []
