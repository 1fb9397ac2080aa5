"""Offering the contacts of threads: the dispatcher decides, here it is written down and told.

Locks are taken in the order card, thread, contact, here as everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, text, update

from gateway.domain.contacts import Candidate, Dispatch, Waiting
from gateway.domain.facts import Fact
from gateway.domain.people import Presence
from gateway.services import card_views, publish, thread_views
from gateway.services import contacts as contacts_service
from gateway.services.views.cards import Card
from gateway.services.views.contacts import CardOpened
from gateway.store.tables import (
    OPEN_CONTACT,
    contact_people,
    contacts,
    operator_skills,
    operator_teams,
    operators,
    skills,
)

WAITING = ("queued", "offered")
_open = text(OPEN_CONTACT)


@dataclass(frozen=True, slots=True)
class Pop:
    """What the screen-pop says beside the contact; `card` as it stands in this transaction."""

    card: Card | None
    created: bool = False


def pop_of(tx: Connection, contact: Row[Any]) -> Pop:
    """The screen-pop of a contact that is not new."""
    return Pop(card_views.fresh(tx, contact.card_id)[0] if contact.card_id else None)


def offer(
    tx: Connection,
    contact: Row[Any],
    dispatch: Dispatch,
    now: datetime,
    pop: Pop | None = None,
    event: str | None = None,
) -> list[Fact]:
    """Let the dispatcher decide on a waiting contact; what is to be told of it.

    `event` is told where its state does not change by it (`contact.queued` of a new one).
    """
    waiting = Waiting(contact.id, contact.channel, contact.preferred_id, frozenset(contact.declined_by))
    decided = dispatch(waiting, candidates(tx, contact))
    asked = list(decided.operators)
    if asked == contact.offered_to and contact.state == ("offered" if asked else "queued") and event is None:
        return []
    row = change(
        tx,
        contact,
        state="offered" if asked else "queued",
        offered_to=asked,
        offered_at=(contact.offered_at or now) if asked else contact.offered_at,
        reason=decided.reason,
    )
    fresh = [operator for operator in asked if operator not in contact.offered_to]
    told = [changed(tx, row, _event(contact, row, event), also=contact.offered_to)]
    return told + opened(tx, row, fresh, pop or pop_of(tx, row)) if fresh else told


def _event(before: Row[Any], after: Row[Any], event: str | None) -> str:
    if after.state == "offered" and before.state != "offered":
        return "contact.offered"
    if after.state == "offered" and set(after.offered_to) - set(before.offered_to):
        return "contact.offered"
    if event is not None:
        return event
    return "contact.expired" if before.state == "offered" and after.state == "queued" else "contact.updated"


def changed(tx: Connection, contact: Row[Any], event: str, also: Sequence[str] = ()) -> Fact:
    """The fact that `event` happened to the contact, told to its people and to `also`."""
    view = contacts_service.view(tx, contact)
    own = [contact.operator_id] if contact.operator_id else []
    involved = tuple(dict.fromkeys([*own, *contact.offered_to, *also]))
    return publish.contact_changed(event, view, contact.team_id, involved)


def opened(tx: Connection, contact: Row[Any], whom: Sequence[str], pop: Pop) -> list[Fact]:
    """The screen-pop for these operators."""
    data = CardOpened(
        card=pop.card,
        candidates=[],
        created=pop.created,
        because="message",
        call=None,
        contact=contacts_service.view(tx, contact),
        thread=thread_views.view(tx, contact.thread_id),
    )
    return [publish.card_opened(data, tuple(whom))]


def change(tx: Connection, contact: Row[Any], **values: Any) -> Row[Any]:
    """Set columns of a contact, and keep in step who sees its card for its sake; the row after."""
    values["version"] = contact.version + 1
    mine = update(contacts).where(contacts.c.id == contact.id)
    row = tx.execute(mine.values(**values).returning(contacts)).one()
    people(tx, row)
    return row


def people(tx: Connection, contact: Row[Any]) -> None:
    """Whoever is offered or holds the contact sees its card, as long as that is so."""
    tx.execute(delete(contact_people).where(contact_people.c.contact_id == contact.id))
    holding = (
        [contact.operator_id] if contact.operator_id and contact.state in ("assigned", "deferred") else []
    )
    whom = list(dict.fromkeys([*contact.offered_to, *holding]))
    if whom:
        rows = [{"contact_id": contact.id, "operator_id": one, "card_id": contact.card_id} for one in whom]
        tx.execute(insert(contact_people), rows)


def candidates(tx: Connection, contact: Row[Any]) -> list[Candidate]:
    """The available operators of the contact's team who have its skills, and what each can still take."""
    query = (
        select(operators.c.id, operators.c.capacity)
        .join(operator_teams, operator_teams.c.operator_id == operators.c.id)
        .where(
            operator_teams.c.team_id == contact.team_id,
            operators.c.active,
            operators.c.presence == Presence.AVAILABLE.value,
        )
        .order_by(operators.c.id)
    )
    found = tx.execute(query).all()
    if contact.skills and found:
        able = _skilled(tx, contact.skills)
        found = [row for row in found if row.id in able]
    held = held_by(tx, [row.id for row in found], contact.channel)
    return [Candidate(row.id, row.capacity.get(contact.channel, 0) - held.get(row.id, 0)) for row in found]


def _skilled(tx: Connection, wanted: Sequence[str]) -> set[str]:
    query = (
        select(operator_skills.c.operator_id)
        .join(skills, skills.c.id == operator_skills.c.skill_id)
        .where(skills.c.name.in_(wanted))
        .group_by(operator_skills.c.operator_id)
        .having(func.count() == len(set(wanted)))
    )
    return set(tx.scalars(query))


def held_by(tx: Connection, operator_ids: Sequence[str], channel: str) -> dict[str, int]:
    """Operator → contacts of the channel that he holds."""
    if not operator_ids:
        return {}
    query = (
        select(contacts.c.operator_id, func.count())
        .where(
            _open,
            contacts.c.channel == channel,
            contacts.c.state.in_(("assigned", "wrap_up")),
            contacts.c.operator_id.in_(operator_ids),
        )
        .group_by(contacts.c.operator_id)
    )
    return {row[0]: row[1] for row in tx.execute(query)}
