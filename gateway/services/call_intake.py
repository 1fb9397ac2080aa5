"""What a PBX tells becomes a call, a card, a lead, a contact and a screen-pop: in one transaction.

This is the hot path: its statements are built once, and nothing is read that the transaction already knows.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, insert, select, text

from gateway.domain.calls import Call, CallEvent, CallState, Direction, advance
from gateway.domain.facts import Fact
from gateway.domain.identities import Identity
from gateway.domain.ids import call_id
from gateway.domain.names import clean
from gateway.domain.recordings import channel_number
from gateway.services import (
    call_contacts,
    call_entry,
    call_merge,
    calls,
    card_views,
    clients,
    publish,
    recordings_intake,
)
from gateway.services import contacts as contacts_service
from gateway.services.call_contacts import Placed
from gateway.services.call_entry import Entry, client_of
from gateway.services.calls import timeline_row
from gateway.services.clients import FirstContact, Opened
from gateway.services.views.calls import CallView
from gateway.services.views.cards import Card, Lead, LeadSource, TimelineEntry
from gateway.services.views.contacts import CardOpened, Contact
from gateway.store import cards as card_store
from gateway.store import facts
from gateway.store.tables import LIVE_CALL, call_legs, timeline
from gateway.store.tables import calls as calls_table

_add_call = insert(calls_table)
_add_to_timeline = insert(timeline).returning(timeline)


def record(tx: Connection, event: CallEvent, now: datetime) -> None:
    """Lay the event into the books and tell of it; the same event twice changes nothing more."""
    before, main_team = call_entry.books(tx, event.call.id)
    known = calls.decoded(before) if before else None
    call = advance(known, event)
    if known is not None and known == call:
        return
    entry = call_entry.enter(tx, event, call, before, main_team, now)
    entry.card_id, entry.opened = _card(tx, entry)
    told = call_merge.absorb(tx, call, event.at)
    view = _save(tx, entry, known)
    if known is not None and known.state is CallState.ENDED:
        facts.append(tx, told)
        return
    if call.state is CallState.ENDED and entry.card_id is not None:
        card_store.touch(tx, entry.card_id, call.ended_at or event.at)
    told += _lead_facts(tx, entry)
    _put_on_timeline(tx, entry, view, told)
    contact = _follow_contact(tx, entry, told)
    told.append(publish.call_changed(event.type, view, entry.team_id, entry.involved(), event.extension))
    _pop(tx, entry, view, contact, told)
    facts.append(tx, told)


def _card(tx: Connection, entry: Entry) -> tuple[str | None, Opened | None]:
    if entry.before is not None and (entry.before.opened or entry.before.card_by_hand):
        return entry.before.card_id, None
    client = client_of(entry.call)
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
        return bool(call_entry.dialling(call) or call.answered_at or call.state is CallState.ENDED)
    return bool(call.queue or call.ringing or call.answered_at or call.state is CallState.ENDED)


def _save(tx: Connection, entry: Entry, known: Call | None) -> CallView:
    call, before = entry.call, entry.before
    talks = next(
        (entry.people[e] for e in (call.extension, *call_entry.dialling(call)) if e in entry.people), None
    )
    values: dict[str, Any] = {
        "state": call.state.value,
        "direction": call.direction.value,
        "started_at": call.started_at,
        "ended_at": call.ended_at,
        "card_id": entry.card_id,
        "team_id": entry.team_id,
        "queue_id": entry.queue_id,
        "operator_id": talks.id if talks else None,
        "call": msgspec.json.encode(call).decode(),
        "people": {extension: {"id": p.id, "name": p.name} for extension, p in entry.people.items()},
        "popped": sorted({*(before.popped if before else ()), *entry.to_pop()}),
        "opened": bool(before and before.opened) or entry.opened is not None,
        "made_card": bool(before and before.made_card) or bool(entry.opened and entry.opened.created),
        "version": before.version + 1 if before else 1,
    }
    if before is None:
        fixed = {"id": call.id, "pbx": call.pbx, "card_by_hand": False, "note": None, "merged_into": None}
        tx.execute(_add_call, fixed | values)
    else:
        tx.execute(call_entry.CHANGE, {"call_id": call.id} | values)
    recorded = recordings_intake.follow(tx, known, call, entry.people, entry.event.at, entry.now)
    return CallView.of(
        call,
        entry.people,
        card_id=entry.card_id,
        queue=entry.queue_name,
        note=before.note if before else None,
        version=values["version"],
        recordings=recorded,
    )


def _lead_facts(tx: Connection, entry: Entry) -> list[Fact]:
    opened = entry.opened
    if opened is None or opened.lead is None:
        return []
    card = entry.card(tx)
    assert card is not None, "a lead stands on a card"
    return [
        publish.card_updated(card, opened.card.team_id),
        publish.lead_updated(Lead.of(opened.lead), opened.card.team_id),
    ]


def _put_on_timeline(tx: Connection, entry: Entry, view: CallView, told: list[Fact]) -> None:
    if entry.card_id is None or (entry.before is not None and entry.before.card_id == entry.card_id):
        return
    row = tx.execute(_add_to_timeline, timeline_row(entry.call, entry.card_id)).one()
    team_id: str = entry.card_row(tx).team_id
    told.append(publish.timeline_added(TimelineEntry.of(row, {view.id: view}), team_id))


def _follow_contact(tx: Connection, entry: Entry, told: list[Fact]) -> Contact | None:
    placed = Placed(
        entry.card_id,
        entry.queue.id if entry.queue else None,
        entry.team_id,
        lambda: entry.card_row(tx).priority if entry.card_id else 0,
        list(entry.queue.skills) if entry.queue else [],
        seen_before=entry.before is not None,
    )
    change = call_contacts.follow(tx, entry.call, placed, entry.people, entry.now)
    if change is None:
        return None
    contact = _contact_view(tx, entry, change.row)
    if change.event:
        told.append(publish.contact_changed(change.event, contact, entry.team_id, entry.involved()))
    return contact


def _contact_view(tx: Connection, entry: Entry, row: Row[Any]) -> Contact:
    named = {person.id: person for person in entry.people.values()}
    if row.queue_id != entry.queue_id or (row.operator_id and row.operator_id not in named):
        return contacts_service.view(tx, row)
    return Contact.of(row, entry.queue_name, named.get(row.operator_id))


def _pop(tx: Connection, entry: Entry, view: CallView, contact: Contact | None, told: list[Fact]) -> None:
    whom = entry.to_pop()
    if not whom:
        return
    card = entry.card(tx)
    made = bool(entry.opened and entry.opened.created) or bool(entry.before and entry.before.made_card)
    pop = CardOpened(
        card=card,
        candidates=_candidates(tx, entry.call, card),
        created=made,
        because="call",
        call=view,
        contact=contact,
    )
    told.append(publish.card_opened(pop, tuple(whom)))


def _candidates(tx: Connection, call: Call, card: Card | None) -> list[Card]:
    client = client_of(call)
    if client is None or client.number is None:
        return []
    rows = card_store.maybe_cards(tx, Identity("phone", client.number))
    return [c for c in card_views.views(tx, rows) if card is None or c.id != card.id]


def live(tx: Connection, pbx: str) -> list[Call]:
    """Calls of this PBX that the books hold as not ended."""
    rows = tx.execute(
        select(calls_table).where(
            calls_table.c.pbx == pbx, text(LIVE_CALL), calls_table.c.merged_into.is_(None)
        )
    )
    return [calls.decoded(row) for row in rows]


def with_channels(tx: Connection, pbx: str, channels: Collection[str]) -> list[Call]:
    """Calls of this PBX, live or over, of which any of these channels (Uniqueids) is part."""
    wanted = set(channels)
    found = {call.id: call for call in live(tx, pbx) if not wanted.isdisjoint((call.linkedid, *call.legs))}
    numbers = {channel_number(channel) for channel in wanted}
    ids = set(tx.scalars(_of_channels(pbx, numbers))) | {call_id(pbx, channel) for channel in wanted}
    rows = tx.execute(select(calls_table).where(calls_table.c.id.in_(ids - found.keys()))).all()
    into = {row.merged_into for row in rows} - {None, *ids}
    rows = [*rows, *tx.execute(select(calls_table).where(calls_table.c.id.in_(into))).all()]
    return [*found.values(), *(calls.decoded(row) for row in rows)]


def _of_channels(pbx: str, numbers: Collection[str]) -> Select[tuple[str]]:
    return select(call_legs.c.call_id).where(call_legs.c.pbx == pbx, call_legs.c.uniqueid.in_(numbers))


def poison(event: CallEvent) -> str:
    """The event as JSON, for whoever replays it."""
    return msgspec.json.encode(event).decode()


def revived(payload: str) -> CallEvent:
    """The event that `poison` wrote."""
    return msgspec.json.decode(payload, type=CallEvent)
