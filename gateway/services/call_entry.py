"""One event of a call on its way into the books, and what the transaction knows around it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, select, update

from gateway.domain.calls import Call, CallEvent, CallState, Direction, Party
from gateway.services import card_views, directory
from gateway.services.clients import Opened
from gateway.services.directory import Seat
from gateway.services.views.cards import Card
from gateway.services.views.common import PersonRef
from gateway.store import cards as card_store
from gateway.store.tables import calls, teams

CHANGE = update(calls).where(calls.c.id == bindparam("call_id"))
"""Set the columns given besides `call_id`."""

# One row always: the team of everybody, and the call where there is one.
_books = (
    select(teams.c.id.label("main_team"), calls)
    .select_from(teams.outerjoin(calls, calls.c.id == bindparam("call_id")))
    .where(teams.c.name == directory.MAIN_TEAM)
)


def books(tx: Connection, call_id: str) -> tuple[Row[Any] | None, str]:
    """The call as the books hold it, and the team to which everybody belongs."""
    row = tx.execute(_books, {"call_id": call_id}).one()
    return (None if row.id is None else row), row.main_team


@dataclass(slots=True)
class Entry:
    """The event with all that it concerns. `people`: extension → who sat there when it rang or talked."""

    event: CallEvent
    call: Call
    before: Row[Any] | None
    now: datetime
    people: dict[str, PersonRef]
    queue: Row[Any] | None
    queue_id: str | None
    queue_name: str | None
    team_id: str
    card_id: str | None = None
    opened: Opened | None = None
    _shown: tuple[Card, Row[Any]] | None = field(default=None)

    def card(self, tx: Connection) -> Card | None:
        """The card as it stands now; read once, since this transaction changes nothing more of it."""
        if self.card_id is None:
            return None
        if self._shown is None:
            made = self.opened.shown() if self.opened else None
            if self.opened is not None and made is not None:
                self._shown = made, self.opened.card
            else:
                self._shown = card_views.fresh(tx, self.card_id)
        return self._shown[0]

    def card_row(self, tx: Connection) -> Row[Any]:
        """The row of its card, of which there must be one."""
        if self._shown is not None:
            return self._shown[1]
        if self.opened is not None:
            return self.opened.card
        assert self.card_id is not None
        return card_store.card(tx, self.card_id)

    def involved(self) -> tuple[str, ...]:
        """Everybody whose phone rang or who talked."""
        return tuple(dict.fromkeys(person.id for person in self.people.values()))

    def to_pop(self) -> list[str]:
        """Each operator whose phone begins to ring, and the one who dials out, once per call."""
        if self.event.from_records:
            return []
        popped = self.before.popped if self.before else ()
        wanted = [*self.call.ringing] if self.call.state is not CallState.ENDED else []
        if self.call.direction is Direction.OUT:
            wanted = dialling(self.call) if self.card_id else []
        found = (self.people[e].id for e in wanted if e in self.people)
        return [person for person in dict.fromkeys(found) if person not in popped]


def enter(
    tx: Connection, event: CallEvent, call: Call, before: Row[Any] | None, main_team: str, now: datetime
) -> Entry:
    """The entry of `event`, `call` being the call after it."""
    people = msgspec.convert(before.people, dict[str, PersonRef]) if before is not None else {}
    seen = [*dialling(call), *call.rang, *call.ringing, *([call.extension] if call.extension else [])]
    seats = directory.seats(tx, call.pbx, {extension for extension in seen if extension not in people})
    # In the order of ringing; people change phones, history does not.
    people = {e: seats[e].person for e in dict.fromkeys(seen) if e in seats} | people
    queue = directory.queue_of(tx, call.pbx, call.queue)
    known_queue = before.queue_id if before is not None else None
    return Entry(
        event,
        call,
        before,
        now,
        people,
        queue,
        queue.id if queue is not None else known_queue,
        queue.name if queue is not None else directory.queue_name(tx, known_queue),
        _team(queue, seats, before, main_team),
    )


def _team(queue: Row[Any] | None, seats: Mapping[str, Seat], before: Row[Any] | None, main_team: str) -> str:
    if queue is not None:
        return str(queue.team_id)
    if before is not None and before.team_id != main_team:
        return str(before.team_id)
    return next((seat.home_team for seat in seats.values() if seat.home_team), main_team)


def dialling(call: Call) -> list[str]:
    """The extension that dials out; empty where the call is not outgoing."""
    if call.direction is not Direction.OUT:
        return []
    return [extension for extension in (call.from_.raw, call.extension) if extension]


def client_of(call: Call) -> Party | None:
    """Whoever of the two is not ours; None on an internal call."""
    match call.direction:
        case Direction.IN:
            return call.from_
        case Direction.OUT:
            return call.to
        case Direction.INTERNAL:
            return None
