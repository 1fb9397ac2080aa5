"""Two calls turn out to be one: a consultation after its transfer, a parked call and who fetched it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, select, update

from gateway.domain.calls import Call, CallEventType, CallState
from gateway.domain.facts import Fact
from gateway.services import calls as calls_service
from gateway.services import contacts as contacts_service
from gateway.services import publish
from gateway.services.views.calls import CallView
from gateway.services.views.common import PersonRef
from gateway.store.tables import calls, contacts, timeline


def absorb(tx: Connection, call: Call, at: datetime) -> list[Fact]:
    """The calls of which `call` says that they are part of it end in the books; tells so, once each.

    They stay to be found under their ids, and answer with the call that they are part of now.
    """
    others = [alias for alias in call.aliases if alias != call.id]
    if not others:
        return []
    fresh = select(calls).where(calls.c.id.in_(others), calls.c.merged_into.is_(None))
    told: list[Fact] = []
    for row in tx.execute(fresh).all():
        told += [*_contacts_over(tx, row, at), _over(tx, row, call.id, at)]
    tx.execute(delete(timeline).where(timeline.c.ref_id.in_(others)))
    return told


def _over(tx: Connection, row: Row[Any], into: str, at: datetime) -> Fact:
    part = replace(calls_service.decoded(row), state=CallState.ENDED, ringing=(), ended_at=at)
    values = {
        "merged_into": into,
        "state": part.state.value,
        "ended_at": at,
        "call": msgspec.json.encode(part).decode(),
        "version": row.version + 1,
    }
    tx.execute(update(calls).where(calls.c.id == row.id).values(**values))
    people = msgspec.convert(row.people, dict[str, PersonRef])
    view = CallView.of(part, people, card_id=row.card_id, note=row.note, version=values["version"])
    involved = tuple(dict.fromkeys(person.id for person in people.values()))
    return publish.call_changed(CallEventType.ENDED, view, row.team_id, involved, None, merged_into=into)


def _contacts_over(tx: Connection, row: Row[Any], at: datetime) -> Sequence[Fact]:
    open_ = update(contacts).where(contacts.c.call_id == row.id, contacts.c.closed_at.is_(None))
    closing = open_.values(state="closed", offered_to=[], closed_at=at, outcome="merged")
    involved = tuple(dict.fromkeys(person["id"] for person in row.people.values()))
    return [
        publish.contact_changed("contact.closed", contacts_service.view(tx, one), one.team_id, involved)
        for one in tx.execute(closing.returning(contacts)).all()
    ]
