"""Two cards that may be one person: suggested, never merged silently."""

from datetime import datetime

from sqlalchemy import Connection, select

from gateway.domain.facts import Fact
from gateway.domain.ids import new_id
from gateway.services import card_views, publish
from gateway.store import upsert
from gateway.store.tables import cards
from gateway.store.tables_conversations import suggestions


def suggest(tx: Connection, card_id: str, other_id: str, reason: str, now: datetime) -> list[Fact]:
    """Suggest it once for each pair; one that was dismissed stays so."""
    low, high = sorted((card_id, other_id))
    row = {"id": new_id(), "card_id": low, "other_id": high, "reason": reason, "state": "open", "at": now}
    if not upsert.insert_or_skip(tx, suggestions, row, on=["card_id", "other_id"]):
        return []
    told = []
    for one in (low, high):
        card, _ = card_views.fresh(tx, one)
        team_id = tx.scalar(select(cards.c.team_id).where(cards.c.id == one))
        assert team_id is not None, "a suggestion is about cards"
        told.append(publish.card_updated(card, team_id))
    return told
