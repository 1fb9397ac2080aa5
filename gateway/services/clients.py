"""Who is it? The card of whoever contacts us, made together with its lead when he is new.

Of two simultaneous first contacts of one identity the database lets one claim it (`claim_identity`); the
other waits, then finds the card. On a card that exists, its locked row is what makes one lead of two.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from gateway.domain.identities import Identity
from gateway.domain.ids import new_id
from gateway.services import terms
from gateway.services.views.cards import Card, LeadSource
from gateway.store import cards as store
from gateway.store.tables import cards, leads, teams, timeline

# With the name of its team, so that a new card can be shown without being read again.
_team_name = select(teams.c.name).where(teams.c.id == bindparam("of_team")).scalar_subquery()
_add_card = insert(cards).returning(cards, _team_name.label("team_name"))
_add_lead = insert(leads).returning(leads)
_add_entry = insert(timeline)


@dataclass(frozen=True, slots=True)
class Opened:
    """The card of a contact; `identity` if the card was made with it; `lead` if one was opened by it."""

    card: Row[Any]
    identity: Row[Any] | None
    lead: Row[Any] | None

    @property
    def created(self) -> bool:
        """Whether the card was made with this contact."""
        return self.identity is not None

    def shown(self) -> Card | None:
        """The card as the API shows it, where nothing hangs on it but what was made with it."""
        if self.identity is None:
            return None
        leads = [self.lead] if self.lead is not None else []
        return Card.of(self.card, [self.identity], leads, None, self.card.team_name)


@dataclass(frozen=True, slots=True)
class FirstContact:
    """What is known of somebody who contacts us."""

    identity: Identity
    name: str
    team_id: str
    source: LeadSource
    at: datetime


def open_card(tx: Connection, contact: FirstContact, now: datetime) -> Opened:
    """Find or make the card of this contact, and open a lead by the contract's rule."""
    known = store.card_knowing(tx, contact.identity)
    if known is None:
        fresh = new_id()
        claimed = store.claim_identity(tx, contact.identity, fresh, now)
        if claimed is not None:
            return _make(tx, claimed, contact, now)
        known = store.card_knowing(tx, contact.identity)
        assert known is not None, "an identity that could not be claimed belongs to a card"
    return contacted(tx, store.locked(tx, known), contact, now)


def _make(tx: Connection, identity: Row[Any], contact: FirstContact, now: datetime) -> Opened:
    card_id = identity.card_id
    values = new_card_values(card_id, contact.team_id, now, name=contact.name)
    card = tx.execute(_add_card, values | {"of_team": contact.team_id}).one()
    found_by = terms.of_text([contact.name]) | terms.of_identity(
        contact.identity.kind, contact.identity.value
    )
    store.set_terms(tx, card_id, found_by, fresh=True)
    lead = open_lead(tx, card_id, contact.source, now)
    return Opened(card, identity, lead)


def contacted(tx: Connection, card: Row[Any], contact: FirstContact, now: datetime) -> Opened:
    """The card, locked, is contacted: a lead opens by the contract's rule.

    Its last contact stays the one before: a call is one when it is over.
    """
    lead = None
    if card.kind == "lead" and store.open_lead(tx, card.id) is None:
        lead = open_lead(tx, card.id, contact.source, now)
    return Opened(card, None, lead)


def new_card_values(card_id: str, team_id: str, now: datetime, **values: Any) -> dict[str, Any]:
    """The columns of a new card; `values` override the defaults of an unknown person."""
    return {
        "id": card_id,
        "version": 1,
        "kind": "lead",
        "type": "person",
        "name": "",
        "company": None,
        "language": None,
        "priority": 0,
        "owner_id": None,
        "team_id": team_id,
        "tags": [],
        "note": "",
        "fields": {},
        "external": [],
        "batch_id": None,
        "merged_into": None,
        "created_at": now,
        "updated_at": now,
        "last_contact_at": None,
    } | values


def open_lead(
    tx: Connection,
    card_id: str,
    source: LeadSource,
    now: datetime,
    *,
    note: str = "",
    author: dict[str, str] | None = None,
) -> Row[Any]:
    """A new lead on the card, told on its timeline."""
    lead_id = new_id()
    values = {
        "id": lead_id,
        "card_id": card_id,
        "status": "new",
        "reason": None,
        "source": _plain(source),
        "note": note,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
    row = tx.execute(_add_lead, values).one()
    add_card_event(tx, card_id, now, "lead_opened", {"lead_id": lead_id, "source": _plain(source)}, author)
    return row


def _plain(source: LeadSource) -> dict[str, Any]:
    return {
        "connector": source.connector,
        "channel": source.channel,
        "did": source.did,
        "campaign": source.campaign,
    }


def add_card_event(
    tx: Connection,
    card_id: str,
    now: datetime,
    event: str,
    detail: dict[str, Any],
    author: dict[str, str] | None = None,
) -> str:
    """An entry of kind card_event on the timeline; returns its id."""
    entry_id = new_id()
    tx.execute(
        _add_entry,
        {
            "id": entry_id,
            "card_id": card_id,
            "at": now,
            "kind": "card_event",
            "channel": None,
            "direction": None,
            "summary": event,
            "ref_id": None,
            "data": {"type": event, "detail": detail, "author": author},
        },
    )
    return entry_id
