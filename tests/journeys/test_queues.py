"""Live figures of queues: who waits, who serves, how today went, on both databases."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from config.settings import Queue, QueueChannel, ServiceLevel, Settings
from gateway.app import Service
from gateway.domain.calls import CallEvent, CallEventType, CallState, Disposition
from gateway.services.intake import VoiceIntake
from gateway.store.tables import contacts
from tests.journeys.clients import Client
from tests.journeys.conftest import on_both
from tests.journeys.test_every_route import ringing

Person = Callable[[str], Awaitable[Client]]
PROMISE = {QueueChannel.VOICE: ServiceLevel(target=0.8, within_s=20)}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With a promise for the queue north."""
    north = Queue(name="north", team="north", pbx_queues=("pbx1/401",), service_level=PROMISE, skills=("en",))
    return replace(settings, queues=(north, *settings.queues[1:]))


def answered(number: int, wait_s: float) -> list[CallEvent]:
    """A call that waited so long and was answered at 101."""
    queued, rings = ringing(f"1763974800.{number}", "401", "101")
    at = queued.call.started_at + timedelta(seconds=wait_s)
    talk = replace(
        rings.call, state=CallState.TALKING, ringing=(), extension="101", answered_at=at, wait_s=wait_s
    )
    return [queued, rings, CallEvent(CallEventType.ANSWERED, talk, at, "101")]


def abandoned(number: int) -> list[CallEvent]:
    """A call whose caller gave up."""
    queued, rings = ringing(f"1763974800.{number}", "401", "101")
    now = datetime.now(UTC)
    over = replace(
        rings.call, state=CallState.ENDED, ringing=(), disposition=Disposition.ABANDONED, ended_at=now
    )
    return [queued, rings, CallEvent(CallEventType.ENDED, over, now)]


async def north(client: Client) -> dict[str, object]:
    """The queue north as the client sees it."""
    queue: dict[str, object] = next(
        q for q in (await client.get("/queues")).body["items"] if q["name"] == "north"
    )
    return queue


@on_both
async def test_figures_tell_who_waits_and_how_the_promise_is_kept(service: Service, person: Person) -> None:
    olga, anna = await person("olga"), await person("anna")
    await anna.put("/operators/me/endpoint", {"pbx": "pbx1", "extension": "101"})
    intake = VoiceIntake(service.store)
    for story in (answered(1, 10), answered(2, 30), abandoned(3), ringing("1763974800.4", "401", "101")):
        await intake.calls_happened(story)
    queue = await north(olga)
    assert queue["waiting"] == 1
    assert queue["longest_since"] is not None
    assert queue["today"] == {"contacts": 4, "answered": 2, "abandoned": 1, "wait_s": 20.0}
    assert queue["service_level"] == {
        "voice": {"target": 0.8, "within_s": 20, "now": pytest.approx(1 / 3, 0.01)}
    }


@on_both
async def test_yesterday_is_not_today(service: Service, person: Person) -> None:
    olga = await person("olga")
    await VoiceIntake(service.store).calls_happened(answered(1, 10))
    yesterday = datetime.now(UTC) - timedelta(days=1)
    await service.store.write(lambda tx: tx.execute(update(contacts).values(queued_at=yesterday)) and None)
    assert (await north(olga))["today"] == {"contacts": 0, "answered": 0, "abandoned": 0, "wait_s": None}


@on_both
async def test_a_queue_is_served_by_those_of_its_team_who_have_its_skills(person: Person) -> None:
    admin, anna, boris = await person("admin"), await person("anna"), await person("boris")
    assert (await north(admin))["operators"] == {}
    for client in (anna, boris):
        able = {"skills": {"en": 5}}
        assert (await admin.patch(f"/operators/{client.me['id']}", able)).status == 200
        await client.put("/operators/me/presence", {"state": "available"})
    assert (await north(admin))["operators"] == {"available": 1}
    await anna.put("/operators/me/presence", {"state": "paused"})
    assert (await north(admin))["operators"] == {"paused": 1}
    await admin.patch(f"/operators/{anna.me['id']}", {"active": False})
    assert (await north(admin))["operators"] == {}
