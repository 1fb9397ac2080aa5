"""What a PBX tells becomes a call, a card, a lead, a contact and a screen-pop: in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from gateway.domain.calls import Call, CallEvent, CallState, Direction, Party, advance
from gateway.domain.facts import Fact
from gateway.domain.identities import Identity
from gateway.domain.names import clean
from gateway.services import call_contacts, calls, card_views, clients, directory, publish
from gateway.services import contacts as contacts_service
from gateway.services.call_contacts import Placed
from gateway.services.calls import timeline_row
from gateway.services.clients import FirstContact, Opened
from gateway.services.directory import Directory
from gateway.services.timeline import entries
from gateway.services.views.calls import CallView
from gateway.services.views.cards import Card, Lead, LeadSource
from gateway.services.views.common import PersonRef
from gateway.services.views.contacts import CardOpened
from gateway.store import cards as card_store
from gateway.store import facts
from gateway.store.tables import calls as calls_table
from gateway.store.tables import cards, contacts, timeline


@dataclass(slots=True)
class _Entry:
    """One event on its way into the books."""

    event: CallEvent
    call: Call
    before: Row[Any] | None
    names: Directory
    now: datetime
    people: dict[str, PersonRef]
    queue: Row[Any] | None
    team_id: str
    card_id: str | None = None
    opened: Opened | None = None


def record(tx: Connection, event: CallEvent, now: datetime) -> None:
    """Lay the event into the books and tell of it; the same event twice changes nothing more."""
    before = tx.execute(select(calls_table).where(calls_table.c.id == event.call.id)).one_or_none()
    known = calls.decoded(before) if before else None
    call = advance(known, event)
    if known is not None and known == call:
        return
    entry = _entry(tx, event, call, before, now)
    entry.card_id, entry.opened = _card(tx, entry)
    _absorb_aliases(tx, call)
    view = _save(tx, entry)
    if known is not None and known.state is CallState.ENDED:
        return
    told: list[Fact] = _lead_facts(tx, entry)
    _put_on_timeline(tx, entry, told)
    contact = _follow_contact(tx, entry, told)
    told.append(publish.call_changed(event.type, view, entry.team_id, _involved(entry), event.extension))
    _pop(tx, entry, view, contact, told)
    facts.append(tx, told)


def _entry(tx: Connection, event: CallEvent, call: Call, before: Row[Any] | None, now: datetime) -> _Entry:
    names = directory.read(tx)
    phones = names.phones(call.pbx)
    seen = [*call.rang, *call.ringing, *([call.extension] if call.extension else [])]
    people = {extension: phones[extension] for extension in seen if extension in phones}
    if before is not None:
        people |= msgspec.convert(before.people, dict[str, PersonRef])
    queue = names.queue_of(call.pbx, call.queue)
    return _Entry(event, call, before, names, now, people, queue, _team(names, queue, people, before))


def _team(
    names: Directory, queue: Row[Any] | None, people: dict[str, PersonRef], before: Row[Any] | None
) -> str:
    if queue is not None:
        return str(queue.team_id)
    if before is not None and before.team_id != names.main_team:
        return str(before.team_id)
    return next(
        (names.home_teams[p.id] for p in people.values() if p.id in names.home_teams), names.main_team
    )


def _client(call: Call) -> Party | None:
    match call.direction:
        case Direction.IN:
            return call.from_
        case Direction.OUT:
            return call.to
        case Direction.INTERNAL:
            return None


def _card(tx: Connection, entry: _Entry) -> tuple[str | None, Opened | None]:
    if entry.before is not None and (entry.before.opened or entry.before.card_by_hand):
        return entry.before.card_id, None
    client = _client(entry.call)
    if client is None or client.number is None:
        return None, None
    identity = Identity("phone", client.number)
    if not _placed_yet(entry.call):
        # Known people are shown at once; a new card waits until it is clear whose it will be.
        return card_store.card_knowing(tx, identity), None
    source = LeadSource(connector=entry.call.pbx, channel="voice", did=entry.call.did)
    contact = FirstContact(identity, clean(client.name), entry.team_id, source, entry.call.started_at)
    opened = clients.open_card(tx, contact, entry.now)
    return opened.card.id, opened


def _placed_yet(call: Call) -> bool:
    if call.direction is Direction.OUT:
        return bool(call.extension or call.answered_at or call.state is CallState.ENDED)
    return bool(call.queue or call.ringing or call.answered_at or call.state is CallState.ENDED)


def _absorb_aliases(tx: Connection, call: Call) -> None:
    # The consultation call of an attended transfer was a call of its own until it became part of this one.
    others = [alias for alias in call.aliases if alias != call.id]
    if not others:
        return
    absorbed = update(calls_table).where(calls_table.c.id.in_(others), calls_table.c.merged_into.is_(None))
    tx.execute(absorbed.values(merged_into=call.id, state="ended", ended_at=call.ended_at))
    tx.execute(delete(timeline).where(timeline.c.ref_id.in_(others)))
    leftover = update(contacts).where(contacts.c.call_id.in_(others), contacts.c.closed_at.is_(None))
    tx.execute(leftover.values(state="closed", offered_to=[], closed_at=call.ended_at, outcome="merged"))


def _save(tx: Connection, entry: _Entry) -> CallView:
    call, before = entry.call, entry.before
    talks = entry.people.get(call.extension) if call.extension else None
    values: dict[str, Any] = {
        "state": call.state.value,
        "direction": call.direction.value,
        "started_at": call.started_at,
        "ended_at": call.ended_at,
        "card_id": entry.card_id,
        "team_id": entry.team_id,
        "queue_id": entry.queue.id if entry.queue else (before.queue_id if before else None),
        "operator_id": talks.id if talks else None,
        "call": msgspec.json.encode(call).decode(),
        "people": {extension: {"id": p.id, "name": p.name} for extension, p in entry.people.items()},
        "popped": sorted({*(before.popped if before else ()), *_to_pop(entry)}),
        "opened": bool(before and before.opened) or entry.opened is not None,
        "made_card": bool(before and before.made_card) or bool(entry.opened and entry.opened.created),
        "version": before.version + 1 if before else 1,
    }
    if before is None:
        fixed = {"id": call.id, "pbx": call.pbx, "card_by_hand": False, "note": None, "merged_into": None}
        tx.execute(insert(calls_table), fixed | values)
    else:
        tx.execute(update(calls_table).where(calls_table.c.id == call.id).values(**values))
    return CallView.of(
        call,
        entry.people,
        card_id=entry.card_id,
        queue=entry.names.queue_name(values["queue_id"]),
        note=before.note if before else None,
        version=values["version"],
    )


def _to_pop(entry: _Entry) -> list[str]:
    # Each operator whose phone begins to ring, and the one who dials out, once per call.
    popped = entry.before.popped if entry.before else ()
    wanted = [*entry.call.ringing] if entry.call.state is not CallState.ENDED else []
    if entry.call.direction is Direction.OUT:
        wanted = [entry.call.extension] if entry.call.extension and entry.card_id else []
    found = (entry.people[e].id for e in wanted if e in entry.people)
    return [person for person in dict.fromkeys(found) if person not in popped]


def _lead_facts(tx: Connection, entry: _Entry) -> list[Fact]:
    opened = entry.opened
    if opened is None or opened.lead is None:
        return []
    card, row = card_views.fresh(tx, opened.card.id)
    return [
        publish.card_updated(card, row.team_id),
        publish.lead_updated(Lead.of(opened.lead), row.team_id),
    ]


def _put_on_timeline(tx: Connection, entry: _Entry, told: list[Fact]) -> None:
    if entry.card_id is None or (entry.before is not None and entry.before.card_id == entry.card_id):
        return
    row = timeline_row(entry.call, entry.card_id)
    made = tx.execute(insert(timeline).values(**row).returning(timeline)).one()
    team_id: str = tx.execute(select(cards.c.team_id).where(cards.c.id == entry.card_id)).scalar_one()
    told += [publish.timeline_added(e, team_id) for e in entries(tx, [made])]


def _follow_contact(tx: Connection, entry: _Entry, told: list[Fact]) -> Row[Any] | None:
    priority = tx.scalar(select(cards.c.priority).where(cards.c.id == entry.card_id)) if entry.card_id else 0
    skills = list(entry.queue.skills) if entry.queue else []
    placed = Placed(
        entry.card_id, entry.queue.id if entry.queue else None, entry.team_id, priority or 0, skills
    )
    change = call_contacts.follow(tx, entry.call, placed, entry.people, entry.now)
    if change is None:
        return None
    if change.event:
        contact = contacts_service.view(tx, change.row)
        told.append(publish.contact_changed(change.event, contact, entry.team_id, _involved(entry)))
    return change.row


def _involved(entry: _Entry) -> tuple[str, ...]:
    return tuple(dict.fromkeys(person.id for person in entry.people.values()))


def _pop(tx: Connection, entry: _Entry, view: CallView, contact: Row[Any] | None, told: list[Fact]) -> None:
    whom = _to_pop(entry)
    if not whom:
        return
    card = card_views.fresh(tx, entry.card_id)[0] if entry.card_id else None
    made = bool(entry.opened and entry.opened.created) or bool(entry.before and entry.before.made_card)
    pop = CardOpened(
        card=card,
        candidates=_candidates(tx, entry.call, card),
        created=made,
        because="call",
        call=view,
        contact=contacts_service.view(tx, contact) if contact else None,
    )
    told.append(publish.card_opened(pop, tuple(whom)))


def _candidates(tx: Connection, call: Call, card: Card | None) -> list[Card]:
    client = _client(call)
    if client is None or client.number is None:
        return []
    rows = card_store.maybe_cards(tx, Identity("phone", client.number))
    return [c for c in card_views.views(tx, rows) if card is None or c.id != card.id]


def live(tx: Connection, pbx: str) -> list[Call]:
    """Calls of this PBX that the books hold as not ended."""
    rows = tx.execute(
        select(calls_table).where(
            calls_table.c.pbx == pbx, calls_table.c.state != "ended", calls_table.c.merged_into.is_(None)
        )
    )
    return [calls.decoded(row) for row in rows]


def poison(event: CallEvent) -> str:
    """The event as JSON, for whoever replays it."""
    return msgspec.json.encode(event).decode()


def revived(payload: str) -> CallEvent:
    """The event that `poison` wrote."""
    return msgspec.json.decode(payload, type=CallEvent)
