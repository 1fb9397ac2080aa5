"""What every change of a card ends with: its search terms brought up to date, and the fact told."""

from typing import Any

from sqlalchemy import Connection, Row

from gateway.domain.people import Actor
from gateway.services import card_views, publish, terms
from gateway.services.views.cards import Card
from gateway.store import cards as store
from gateway.store import facts


def author(actor: Actor) -> dict[str, str]:
    """The actor as timeline entries keep him."""
    return {"id": actor.id, "name": actor.name}


def reindex(tx: Connection, row: Row[Any]) -> None:
    """Bring the search terms of a card up to what it says now."""
    found = terms.of_text([row.name, row.company or "", row.note]) | terms.of_tags(row.tags)
    for identity in store.identities_of(tx, [row.id]).get(row.id, []):
        found |= terms.of_identity(identity.kind, identity.value)
    store.set_terms(tx, row.id, found)


def published(tx: Connection, card_id: str, former_team: str | None = None) -> Card:
    """Reindex the card, tell of it, and give it as it stands now."""
    card, row = card_views.fresh(tx, card_id)
    reindex(tx, row)
    told = {row.team_id, former_team or row.team_id}
    facts.append(tx, [publish.card_updated(card, team_id) for team_id in sorted(told)])
    return card
