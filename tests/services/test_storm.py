"""Clients write while operators take, give, put off and close, all at once: the books stay right."""

import asyncio
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select, text, update

from gateway.domain.errors import Conflict, Invalid, NotFound, Refused
from gateway.services import contact_verbs, replies, seats, threads
from gateway.services.contact_verbs import Closing, Target, Until
from gateway.services.dispatcher import Dispatcher
from gateway.services.people_input import PresenceFields
from gateway.services.replies import NewMessage
from gateway.store.tables import OPEN_CONTACT, contact_people, contacts, operators
from gateway.store.tables_conversations import messages
from gateway.store.tables_conversations import threads as threads_table
from routing.broadcast import offer_to_all
from tests.services.conftest import Office
from tests.services.talk import Talk, attach, available, says

CHATS, MESSAGES, DEEDS, CAPACITY = 12, 8, 60, 3
REFUSALS = (Conflict, NotFound, Invalid, Refused)


async def test_a_storm_of_clients_and_operators_leaves_no_contact_lost_doubled_or_held_by_two(
    office: Office, tmp_path: Path
) -> None:
    await available(office.store, "anna", "boris", "olga")
    limited = update(operators).values(capacity={"chat": CAPACITY})
    await office.store.write(lambda tx: tx.execute(limited) and None)
    talk = await attach(office.store, tmp_path)
    chance = random.Random(20261124)
    over = asyncio.Event()
    follower = asyncio.create_task(_follow(office, over))
    async with asyncio.TaskGroup() as group:
        group.create_task(_write(talk))
        for login in ("anna", "boris", "olga"):
            group.create_task(_work(office, login, random.Random(chance.random())))
    over.set()
    await follower
    assert await office.store.read(_wrong) == {}


async def _write(talk: Talk) -> None:
    for number in range(MESSAGES):
        for chat in range(CHATS):
            await talk.arrives(says(f"{number}", who=f"c{chat}"), lane=f"c{chat}")
        await talk.settle()


async def _follow(office: Office, over: asyncio.Event) -> None:
    while not over.is_set():
        await Dispatcher(office.store, offer_to_all).step()
        await asyncio.sleep(0.01)
    await Dispatcher(office.store, offer_to_all).step()


async def _work(office: Office, login: str, chance: random.Random) -> None:
    for _ in range(DEEDS):
        try:
            await _deed(office, login, chance)
        except REFUSALS:
            continue


async def _deed(office: Office, login: str, chance: random.Random) -> None:
    store, actor = office.store, office.actors[login]
    contact = await store.read(_any_contact, chance.random())
    if contact is None:
        await asyncio.sleep(0.01)
        return
    colleague = office.actors[chance.choice(("anna", "boris", "olga"))]
    match chance.randrange(9):
        case 0 | 1:
            await contact_verbs.accept(store, actor, contact.id)
        case 2:
            await contact_verbs.take(store, actor, contact.id)
        case 3:
            await contact_verbs.decline(store, actor, contact.id, offer_to_all)
        case 4:
            target = Target(operator_id=colleague.id) if chance.random() < 0.5 else Target(queue="sales")
            await contact_verbs.transfer(store, actor, contact.id, target, offer_to_all)
        case 5:
            until = Until(until=datetime.now(UTC) + timedelta(seconds=chance.uniform(0.01, 0.2)))
            await contact_verbs.defer(store, actor, contact.id, until)
        case 6:
            await contact_verbs.close(store, actor, contact.id, Closing(outcome="done"))
        case 7:
            await replies.send_reply(store, actor, contact.thread_id, NewMessage(text="ответ"))
        case _:
            state: Any = chance.choice(("available", "available", "paused"))
            await seats.set_presence(store, actor, actor.id, PresenceFields(state=state))
            await threads.read(store, actor, contact.thread_id, threads.ReadTo())


def _any_contact(tx: Connection, place: float) -> Any:
    rows = tx.execute(select(contacts).where(text(OPEN_CONTACT)).order_by(contacts.c.id)).all()
    return rows[int(place * len(rows))] if rows else None


def _wrong(tx: Connection) -> dict[str, Any]:
    """What is not as it must be."""
    rows = tx.execute(select(contacts).where(text(OPEN_CONTACT))).all()
    held = Counter(row.operator_id for row in rows if row.state == "assigned")
    sees: dict[str, set[str]] = {}
    for one in tx.execute(select(contact_people)):
        sees.setdefault(one.contact_id, set()).add(one.operator_id)
    written = select(func.count(messages.c.id)).where(messages.c.direction == "in")
    last = select(threads_table.c.id).where(threads_table.c.state == "open", threads_table.c.inbound > 0)
    with_contact = {row.thread_id for row in rows}
    found = {
        "several contacts of a thread": [t for t, n in Counter(r.thread_id for r in rows).items() if n > 1],
        "over capacity": [operator for operator, n in held.items() if n > CAPACITY],
        "assigned to nobody": [r.id for r in rows if r.state == "assigned" and r.operator_id is None],
        "offered to nobody": [r.id for r in rows if r.state == "offered" and not r.offered_to],
        "held and waiting": [r.id for r in rows if r.state in ("queued", "offered") and r.operator_id],
        "seen by others": [r.id for r in rows if sees.get(r.id, set()) != _may_see(r)],
        "over and seen": sorted(sees.keys() - {r.id for r in rows}),
        "messages lost": CHATS * MESSAGES - (tx.scalar(written) or 0),
        "open without contact": sorted(set(tx.scalars(last)) - with_contact),
    }
    return {what: them for what, them in found.items() if them}


def _may_see(row: Any) -> set[str]:
    own = {row.operator_id} if row.state in ("assigned", "deferred") and row.operator_id else set()
    return {*row.offered_to, *own}
