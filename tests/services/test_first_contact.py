"""Who calls becomes a card and a lead, once, whatever happens at the same time."""

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select

from gateway.domain.calls import Call, CallEvent, CallEventType, CallState, Direction, Party
from gateway.domain.ids import call_id
from gateway.services import calls, cards, contacts
from gateway.services import leads as leads_service
from gateway.services.calls import CallFilters
from gateway.services.contacts import ContactFilters
from gateway.services.search import Filters
from gateway.store.tables import cards as cards_table
from gateway.store.tables import leads, timeline
from tests.services.conftest import COUNTRY, START, Office

Story = Callable[..., list[CallEvent]]


async def _count(office: Office, table: Any) -> int:
    return await office.store.read(lambda tx: tx.scalar(select(func.count()).select_from(table)) or 0)


async def test_sixty_simultaneous_first_contacts_make_one_card_and_one_lead(
    office: Office, ringing: Story
) -> None:
    await asyncio.gather(*(office.intake.calls_happened(ringing(n)) for n in range(60)))
    assert await _count(office, cards_table) == 1
    assert await _count(office, leads) == 1
    page = await calls.list_calls(office.store, office.actors["admin"], CallFilters(), 200, None)
    assert len(page.items) == 60
    assert len({call.card_id for call in page.items}) == 1


async def test_an_unknown_caller_pops_a_new_lead_to_those_whose_phones_ring(
    office: Office, ringing: Story
) -> None:
    await office.intake.calls_happened(
        ringing(1, name="Иван <b>\r\nПетров", rings=("101", "102"), ends=False)
    )
    (pop,) = await office.facts("card.opened")
    assert pop.private
    assert set(pop.operators) == {office.actors["anna"].id, office.actors["boris"].id}
    (data,) = await office.told("card.opened")
    assert data["created"] is True
    assert data["because"] == "call"
    assert data["card"]["name"] == "Иван <b> Петров"
    assert data["card"]["leads"][0]["status"] == "new"
    assert data["card"]["leads"][0]["source"] == {
        "connector": "pbx1",
        "channel": "voice",
        "did": "+74951000400",
        "campaign": None,
    }
    assert data["call"]["state"] == "ringing"
    assert data["contact"]["state"] == "offered"
    assert set(data["contact"]["offered_to"]) == set(pop.operators)


async def test_the_same_number_later_pops_the_same_card_and_no_second_lead(
    office: Office, ringing: Story
) -> None:
    await office.intake.calls_happened(ringing(1))
    await office.intake.calls_happened(ringing(2, ends=False))
    first, second = await office.told("card.opened")
    assert first["card"]["id"] == second["card"]["id"]
    assert (first["created"], second["created"]) == (True, False)
    # The last contact is the one before this call, not the call itself.
    assert first["card"]["last_contact_at"] is None
    (ended,) = await office.told("call.ended")
    assert second["card"]["last_contact_at"] == ended["call"]["ended_at"]
    assert await _count(office, leads) == 1


async def test_a_lead_that_was_rejected_opens_anew_when_the_card_calls_again(
    office: Office, ringing: Story
) -> None:
    await office.intake.calls_happened(ringing(1))
    (lead,) = (
        await leads_service.list_leads(
            office.store, office.actors["anna"], leads_service.LeadFilters(), 50, None
        )
    ).items
    await leads_service.reject(office.store, office.actors["anna"], lead.id, "wrong number")
    await office.intake.calls_happened(ringing(2))
    found = await leads_service.list_leads(
        office.store, office.actors["anna"], leads_service.LeadFilters(), 50, None
    )
    assert [one.status for one in found.items] == ["new", "rejected"]


async def test_a_client_who_calls_gets_no_lead(office: Office, ringing: Story) -> None:
    await office.intake.calls_happened(ringing(1))
    (lead,) = (
        await leads_service.list_leads(
            office.store, office.actors["anna"], leads_service.LeadFilters(), 50, None
        )
    ).items
    await leads_service.convert(office.store, office.actors["anna"], lead.id)
    await office.intake.calls_happened(ringing(2))
    assert await _count(office, leads) == 1
    (card,) = (await cards.list_cards(office.store, office.actors["anna"], Filters(), 50, None)).items
    assert card.kind == "client"


async def test_a_card_made_by_a_queued_call_is_of_the_queues_team(office: Office, ringing: Story) -> None:
    await office.intake.calls_happened(ringing(1, queue="400", rings=(), ends=False))
    (card,) = (await cards.list_cards(office.store, office.actors["anna"], Filters(), 50, None)).items
    assert card.team == "sellers"
    assert (await cards.list_cards(office.store, office.actors["clara"], Filters(), 50, None)).items == []
    (call,) = (await calls.list_calls(office.store, office.actors["olga"], CallFilters(), 50, None)).items
    assert call.queue == "sales"


async def test_a_hidden_caller_has_no_card_and_pops_all_the_same(office: Office, ringing: Story) -> None:
    await office.intake.calls_happened(ringing(1, caller=None, ends=False))
    (pop,) = await office.told("card.opened")
    assert pop["card"] is None
    assert await _count(office, cards_table) == 0


async def test_a_call_attached_by_hand_lies_on_that_card(office: Office, ringing: Story) -> None:
    anna = office.actors["anna"]
    card = await cards.create(office.store, anna, cards.NewCard(name="Пётр"), COUNTRY)
    await office.intake.calls_happened(ringing(1, caller=None))
    (call,) = (await calls.list_calls(office.store, office.actors["admin"], CallFilters(), 50, None)).items
    seen = await calls.change(
        office.store, office.actors["admin"], call.id, calls.CallFields(card_id=card.id), None
    )
    assert seen.card_id == card.id
    found = await office.store.read(
        lambda tx: tx.execute(select(timeline.c.card_id).where(timeline.c.ref_id == call.id)).all()
    )
    assert [row.card_id for row in found] == [card.id]


async def test_an_answered_call_leaves_its_contact_closed_and_an_unanswered_one_abandoned(
    office: Office, ringing: Story
) -> None:
    await office.intake.calls_happened([*ringing(1, answers="101"), *ringing(2)])
    page = await contacts.list_contacts(office.store, office.actors["olga"], ContactFilters(), 50, None)
    assert {contact.state for contact in page.items} == {"closed", "abandoned"}
    (closed,) = [contact for contact in page.items if contact.state == "closed"]
    assert closed.operator is not None
    assert closed.operator.name == "Anna"
    assert [c["contact"]["state"] for c in await office.told("contact.assigned")] == ["assigned"]


async def test_the_same_events_again_change_nothing(office: Office, ringing: Story) -> None:
    story = ringing(1, answers="101")
    await office.intake.calls_happened(story)
    before = await office.told("call.started", "call.ringing", "call.answered", "call.ended", "card.opened")
    await office.intake.calls_happened(story)
    after = await office.told("call.started", "call.ringing", "call.answered", "call.ended", "card.opened")
    assert before == after


async def test_who_holds_a_contact_sees_its_card_of_another_team_only_meanwhile(
    office: Office, ringing: Story
) -> None:
    clara = office.actors["clara"]
    from gateway.services import seats
    from gateway.services.people_input import EndpointFields

    await seats.sign_in_at(office.store, clara, clara.id, EndpointFields(pbx="pbx1", extension="103"))
    *start, end = ringing(1, queue="400", rings=("103",), answers="103")
    await office.intake.calls_happened(start)
    (card,) = (await cards.list_cards(office.store, clara, Filters(), 50, None)).items
    assert card.team == "sellers"
    await office.intake.calls_happened([end])
    assert (await cards.list_cards(office.store, clara, Filters(), 50, None)).items == []


async def test_an_outgoing_call_opens_the_clients_card_for_the_one_who_dials(office: Office) -> None:
    call = Call(
        id=call_id("pbx1", "1763974800.77"),
        pbx="pbx1",
        linkedid="1763974800.77",
        direction=Direction.OUT,
        state=CallState.RINGING,
        started_at=START,
        from_=Party(None, "101", None),
        to=Party("+79995550000", "89995550000", None),
    )
    await office.intake.calls_happened([CallEvent(CallEventType.STARTED, call, START)])
    (pop,) = await office.facts("card.opened")
    assert pop.operators == (office.actors["anna"].id,)
    (data,) = await office.told("card.opened")
    assert data["created"] is True
    assert data["contact"] is None
    page = await calls.list_calls(office.store, office.actors["anna"], CallFilters(), 50, None)
    assert [one.id for one in page.items] == [call.id]
