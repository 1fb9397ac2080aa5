"""The same Idempotency-Key answers the same result and does nothing twice."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection, func, select, update

from gateway.app import Service
from gateway.services.once import KEPT
from gateway.store.tables import cards, idempotency
from gateway.web.routes import Form
from gateway.web.table import ROUTES
from tests.journeys.clients import Client
from tests.journeys.conftest import on_both

Person = Callable[[str], Awaitable[Client]]
KEY = {"Idempotency-Key": "a lost answer"}


@on_both
async def test_a_repeated_post_answers_the_same_and_makes_nothing(service: Service, person: Person) -> None:
    anna = await person("anna")
    body = {"name": "Nina", "identities": [{"kind": "phone", "value": "+79991234567"}]}
    first = await anna.post("/cards", body, headers=KEY)
    again = await anna.post("/cards", body, headers=KEY)
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body
    counted = await service.store.read(lambda tx: tx.scalar(select(func.count()).select_from(cards)))
    assert counted == 1


@on_both
async def test_twenty_at_the_same_moment_make_one(service: Service, person: Person) -> None:
    anna = await person("anna")
    many = [anna.post("/cards", {"name": "Nina"}, headers=KEY) for _ in range(20)]
    answers = await asyncio.gather(*many)
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["id"] for answer in answers}) == 1
    counted = await service.store.read(lambda tx: tx.scalar(select(func.count()).select_from(cards)))
    assert counted == 1


async def test_a_key_is_not_good_for_something_else(person: Person) -> None:
    anna = await person("anna")
    await anna.post("/cards", {"name": "Nina"}, headers=KEY)
    assert (await anna.post("/cards", {"name": "Olga"}, headers=KEY)).fields.keys() == {"Idempotency-Key"}
    assert (await anna.post("/cards", {"name": "x"}, headers={"Idempotency-Key": "x" * 256})).status == 422


async def test_two_people_may_have_the_same_key(person: Person) -> None:
    anna, boris = await person("anna"), await person("boris")
    one = await anna.post("/cards", {"name": "Nina"}, headers=KEY)
    two = await boris.post("/cards", {"name": "Nina"}, headers=KEY)
    assert one.body["id"] != two.body["id"]


@on_both
async def test_what_was_refused_may_be_tried_again_with_its_key(person: Person) -> None:
    anna = await person("anna")
    taken = {"name": "Nina", "identities": [{"kind": "email", "value": "n@example.org"}]}
    former = await anna.made("/cards", taken)
    assert (await anna.post("/cards", taken, headers=KEY)).status == 409
    value = "n%40example.org"
    assert (await anna.delete(f"/cards/{former['id']}/identities/email/{value}")).status == 200
    assert (await anna.post("/cards", taken, headers=KEY)).status == 201


async def test_a_generated_password_is_kept_nowhere(service: Service, person: Person) -> None:
    admin = await person("admin")
    body = {"login": "vera", "name": "Vera"}
    first = await admin.post("/operators", body, headers=KEY)
    again = await admin.post("/operators", body, headers=KEY)
    assert first.body["password"]
    assert again.body == {**first.body, "password": None}
    kept = await service.store.read(lambda tx: list(tx.scalars(select(idempotency.c.body))))
    assert first.body["password"] not in str(kept)


async def test_a_key_is_forgotten_after_a_day(service: Service, person: Person) -> None:
    anna = await person("anna")
    first = await anna.post("/cards", {"name": "Nina"}, headers=KEY)

    def age(tx: Connection) -> None:
        made = tx.execute(select(idempotency.c.created_at)).scalar_one()
        tx.execute(update(idempotency).values(created_at=made - KEPT))

    await service.store.write(age)
    again = await anna.post("/cards", {"name": "Nina"}, headers=KEY)
    assert again.status == 201
    assert again.body["id"] != first.body["id"]


def test_every_post_that_makes_something_heeds_the_key() -> None:
    making = [r for r in ROUTES if r.method == "POST" and r.status == 201]
    assert len(making) > 5
    # The same bytes for the same call are the same recording by themselves.
    assert [r.path for r in making if not r.idempotent and r.body is not Form] == []
