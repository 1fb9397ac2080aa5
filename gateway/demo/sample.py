"""The people and clients of the demonstration."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection

from gateway.domain.identities import Identity
from gateway.domain.people import Actor, Role
from gateway.services import cards, people, timeline
from gateway.services.identities import NewIdentity
from gateway.services.people_input import EndpointFields, OperatorCreate
from gateway.store import cards as card_store
from gateway.store.engine import Store

PASSWORD = "perezvon-demo"  # noqa: S105 (printed by the demonstration itself)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works in the demonstration."""

    login: str
    name: str
    role: Literal["operator", "supervisor", "admin"]
    extension: str | None = None


PEOPLE = (
    Person("anna", "Анна Смирнова", "operator", "101"),
    Person("boris", "Борис Ковалёв", "operator", "102"),
    Person("clara", "Клара Вайс", "operator", "103"),
    Person("olga", "Ольга Белова", "supervisor"),
    Person("admin", "Администратор", "admin"),
)


@dataclass(frozen=True, slots=True)
class Client:
    """A client who is known before the first call."""

    name: str
    phone: str
    company: str | None = None
    email: str | None = None
    tags: tuple[str, ...] = ()
    note: str = ""


CLIENTS = (
    Client(
        "Иван Петров",
        "+79161234567",
        "ООО «Ромашка»",
        "petrov@example.org",
        ("vip",),
        "Просил звонить после 14:00",
    ),
    Client("Мария Кузнецова", "+79265550142", None, "maria@example.org", ("повторный",)),
    Client("Сергей Лебедев", "+74957654321", "АО «Вектор»", "lebedev@example.net"),
    Client("Elena Schmidt", "+4930901820", "Nordlicht GmbH", "schmidt@example.com", ("export",)),
    Client("Тимур Ахметов", "+78432001122", None, None, ("доставка",)),
    Client("Ольга Никитина", "+78123334455", "ИП Никитина", "nikitina@example.org"),
)
_NEWCOMERS = ("Алексей", "Вера Морозова", None, None, "Pavel Ivanov", None)


async def fill(store: Store, country: str) -> None:
    """Make the people and clients."""
    for person in PEOPLE:
        phones = [EndpointFields(pbx="pbx1", extension=person.extension)] if person.extension else []
        body = OperatorCreate(
            login=person.login, name=person.name, role=person.role, endpoints=phones, password=PASSWORD
        )
        await people.add_operator(store, body)
    actor = Actor("demo", "Perezvon", Role.ADMIN)
    for client in CLIENTS:
        await _client(store, actor, client, country)
    switchboard = Identity("phone", "+74957654321")
    await store.write(_maybe, actor, switchboard)


async def _client(store: Store, actor: Actor, client: Client, country: str) -> None:
    addresses = [NewIdentity(kind="phone", value=client.phone)]
    if client.email:
        addresses.append(NewIdentity(kind="email", value=client.email))
    body = cards.NewCard(
        kind="client", name=client.name, company=client.company, tags=list(client.tags), identities=addresses
    )
    card = await cards.create(store, actor, body, country)
    if client.note:
        await timeline.add_note(store, actor, card.id, timeline.NewNote(text=client.note, kind="wish"))


def _maybe(tx: Connection, actor: Actor, switchboard: Identity) -> None:
    # A colleague behind the same switchboard: shown as a candidate when it calls.
    found = cards.found_by(tx, actor, Identity("phone", "+79161234567"))
    card_store.add_maybe(tx, switchboard, found[0].id, datetime.now(UTC))


def callers(chance: random.Random) -> Iterator[tuple[str, str | None]]:
    """Number as a trunk spells it, and name: known clients and strangers in turn."""
    while True:
        yield f"7999{chance.randrange(10**7):07d}", chance.choice(_NEWCOMERS)
        client = chance.choice(CLIENTS)
        digits = client.phone.removeprefix("+")
        spelling = chance.choice((digits, "8" + digits[1:] if digits.startswith("7") else "00" + digits))
        yield spelling, client.name.split()[0]
