"""Calls that turn out to be parts of one: told to the desks, and found under either id."""

from collections.abc import Callable
from dataclasses import replace

from gateway.domain.calls import CallEvent, CallEventType, CallState, Direction, Party
from gateway.services import calls
from gateway.services.calls import CallFilters
from tests.services.conftest import START, Office

Story = Callable[..., list[CallEvent]]


async def test_a_consultation_that_became_part_of_the_clients_call_is_over_on_every_desk(
    office: Office, ringing: Story
) -> None:
    client = ringing(1, answers="101", ends=False)[-1]
    consulting = replace(
        ringing(2, caller=None, rings=("102",), answers="102", ends=False)[-1].call,
        direction=Direction.INTERNAL, from_=Party(None, "101"), to=Party(None, "102"), did=None,
    )  # fmt: skip
    talk = CallEvent(CallEventType.ANSWERED, consulting, START, "102")
    joined = replace(client.call, extension="102", aliases=(consulting.id,))
    transferred = CallEvent(CallEventType.TRANSFERRED, joined, START)
    await office.intake.calls_happened([client, talk, transferred, transferred])

    (over,) = await office.told("call.ended")
    assert (over["call"]["id"], over["call"]["state"]) == (consulting.id, "ended")
    assert over["merged_into"] == client.call.id
    (fact,) = await office.facts("call.ended")
    assert office.actors["boris"].id in fact.operators
    admin = office.actors["admin"]
    assert (await calls.get(office.store, admin, consulting.id)).id == client.call.id
    page = await calls.list_calls(office.store, admin, CallFilters(), 50, None)
    assert [(call.id, call.state) for call in page.items] == [(client.call.id, "talking")]


async def test_what_is_told_late_of_a_part_brings_it_not_back(office: Office, ringing: Story) -> None:
    client, steps = ringing(1, answers="101", ends=False)[-1], ringing(2, answers="102", ends=False)
    part = steps[-1]
    joined = replace(client.call, aliases=(part.call.id,))
    late = replace(part.call, state=CallState.HELD)
    await office.intake.calls_happened([client, *steps, CallEvent(CallEventType.UPDATED, joined, START)])
    await office.intake.calls_happened([CallEvent(CallEventType.HELD, late, START)])

    assert [over["merged_into"] for over in await office.told("call.ended")] == [client.call.id]
    assert await office.told("call.held") == []
    contacts = await office.told("contact.closed")
    assert [contact["contact"]["call_id"] for contact in contacts] == [part.call.id]
