"""The contact of a call: what an operator must handle, kept in step with what the PBX does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from gateway.domain.calls import Call, CallState, Direction, Disposition
from gateway.domain.ids import new_id
from gateway.services.views.common import PersonRef
from gateway.store.tables import contact_people, contacts

_TALKING = (CallState.TALKING, CallState.HELD, CallState.PARKED)
_of_call = select(contacts).where(contacts.c.call_id == bindparam("call_id"))
_add = insert(contacts).returning(contacts)
_change = update(contacts).where(contacts.c.id == bindparam("contact_id")).returning(contacts)
_forget_people = delete(contact_people).where(contact_people.c.contact_id == bindparam("contact_id"))
_add_people = insert(contact_people)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where the call belongs: its card, queue and team; `priority` of the card is asked for once."""

    card_id: str | None
    queue_id: str | None
    team_id: str
    priority: Callable[[], int]
    skills: list[str]
    seen_before: bool
    """Whether the books held the call before this event."""


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the contact; `event` is the contract's name, None where nobody need be told."""

    row: Row[Any]
    event: str | None


def follow(
    tx: Connection, call: Call, placed: Placed, phones: Mapping[str, PersonRef], now: datetime
) -> Change | None:
    """Bring the call's contact in step; None where the call makes none (internal, outgoing, menu only)."""
    if call.direction is not Direction.IN:
        return None
    before = tx.execute(_of_call, {"call_id": call.id}).one_or_none() if placed.seen_before else None
    if before is None and not (call.queue or call.ringing or (call.state is CallState.ENDED and call.rang)):
        return None
    wanted = _wanted(call, phones, before, now)
    if before is None:
        after = _insert(tx, call, placed, wanted)
        event: str | None = f"contact.{after.state}"
    else:
        event = _event(before, wanted)
        after = _update(tx, before, placed, wanted) if event else before
    if event:
        _people(tx, after, placed.card_id, fresh=before is None)
    return Change(after, event)


def _wanted(
    call: Call, phones: Mapping[str, PersonRef], before: Row[Any] | None, now: datetime
) -> dict[str, Any]:
    talks = phones.get(call.extension) if call.extension else None
    if call.state is CallState.ENDED:
        answered = call.disposition is Disposition.ANSWERED
        over: dict[str, Any] = {
            "state": "closed" if answered else "abandoned",
            "offered_to": [],
            "closed_at": call.ended_at or now,
        }
        held = answered and (before is None or before.operator_id is None)
        return over | _held_by(talks, call) if held else over
    if call.state in _TALKING and call.answered_at:
        return {
            "state": "assigned",
            "offered_to": [],
            **_held_by(talks, call),
            "assigned_at": (before.assigned_at if before else None) or call.answered_at,
        }
    ringing = list(dict.fromkeys(phones[e].id for e in call.ringing if e in phones))
    if call.ringing:
        offered_at = (before.offered_at if before else None) or now
        return {
            "state": "offered",
            "offered_to": ringing,
            "offered_at": offered_at,
            "reason": "rung by the PBX",
        }
    return {"state": "queued", "offered_to": []}


def _held_by(operator: PersonRef | None, call: Call) -> dict[str, Any]:
    return {
        "operator_id": operator.id if operator else None,
        "assigned_at": call.answered_at,
        "reason": "answered at the phone",
    }


def _event(before: Row[Any], wanted: dict[str, Any]) -> str | None:
    state = wanted["state"]
    if before.state in ("closed", "abandoned"):
        return None
    if before.state == state:
        changed = any(getattr(before, k) != wanted[k] for k in ("offered_to", "operator_id") if k in wanted)
        return "contact.updated" if changed else None
    return "contact.expired" if (before.state, state) == ("offered", "queued") else f"contact.{state}"


def _insert(tx: Connection, call: Call, placed: Placed, wanted: dict[str, Any]) -> Row[Any]:
    values: dict[str, Any] = {
        "id": new_id(),
        "channel": "voice",
        "card_id": placed.card_id,
        "call_id": call.id,
        "thread_id": None,
        "queue_id": placed.queue_id,
        "team_id": placed.team_id,
        "priority": placed.priority(),
        "skills": placed.skills,
        "queued_at": call.started_at,
        "version": 1,
    }
    return tx.execute(_add, values | wanted).one()


def _update(tx: Connection, before: Row[Any], placed: Placed, wanted: dict[str, Any]) -> Row[Any]:
    values = {
        **wanted,
        "card_id": placed.card_id,
        "queue_id": placed.queue_id or before.queue_id,
        "version": before.version + 1,
    }
    return tx.execute(_change, {"contact_id": before.id} | values).one()


def _people(tx: Connection, row: Row[Any], card_id: str | None, *, fresh: bool) -> None:
    # They see the card for as long as they are offered or hold the contact, whatever their teams.
    if not fresh:
        tx.execute(_forget_people, {"contact_id": row.id})
    holding = [row.operator_id] if row.state == "assigned" and row.operator_id else []
    people = list(dict.fromkeys([*row.offered_to, *holding]))
    if people:
        rows = [{"contact_id": row.id, "operator_id": person, "card_id": card_id} for person in people]
        tx.execute(_add_people, rows)
