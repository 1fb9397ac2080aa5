"""Two cards that may be one person: suggested, never merged silently."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from gateway.domain.errors import Conflict
from gateway.domain.facts import Fact
from gateway.domain.ids import new_id
from gateway.domain.people import Actor
from gateway.services import audit, card_views, merge, publish, scope
from gateway.services.views.cards import Card
from gateway.services.views.common import Body, Page, View, at
from gateway.store import upsert
from gateway.store.engine import Store
from gateway.store.tables import cards
from gateway.store.tables_conversations import suggestions

MOST = 200


class SuggestionList(Body, frozen=True):
    """Those about one card."""

    card_id: str | None = None


class Suggestion(View, frozen=True):
    """Two cards that may be one person, and why."""

    id: str
    card: Card
    other: Card
    reason: str
    at: str


async def list_suggestions(store: Store, actor: Actor, listing: SuggestionList) -> Page[Suggestion]:
    """The newest open ones about cards that one sees."""
    return await store.read(_list, actor, listing)


def _list(tx: Connection, actor: Actor, listing: SuggestionList) -> Page[Suggestion]:
    card, other = cards.alias(), cards.alias()
    query = (
        select(suggestions)
        .join(card, card.c.id == suggestions.c.card_id)
        .join(other, other.c.id == suggestions.c.other_id)
        # One that was merged by hand meanwhile is no card of its own.
        .where(card.c.merged_into.is_(None), other.c.merged_into.is_(None))
        .where(suggestions.c.state == "open", scope.suggestions(actor))
    )
    if listing.card_id is not None:
        about = (suggestions.c.card_id == listing.card_id, suggestions.c.other_id == listing.card_id)
        query = query.where(or_(*about))
    rows = tx.execute(query.order_by(suggestions.c.id.desc()).limit(MOST)).all()
    return Page(items=[_shown(tx, row) for row in rows])


def _shown(tx: Connection, row: Row[Any]) -> Suggestion:
    card, _ = card_views.fresh(tx, row.card_id)
    other, _ = card_views.fresh(tx, row.other_id)
    return Suggestion(id=row.id, card=card, other=other, reason=row.reason, at=at(row.at))


async def accept(store: Store, actor: Actor, suggestion_id: str) -> Card:
    """They are one person: the younger card becomes part of the older one. Raises `Conflict`."""
    return await store.write(_accept, actor, suggestion_id)


def _accept(tx: Connection, actor: Actor, suggestion_id: str) -> Card:
    row = _open(tx, actor, suggestion_id)
    into, other = sorted((row.card_id, row.other_id))
    card = merge.merged(tx, actor, into, other)
    _settle(tx, row, "accepted")
    return card


async def dismiss(store: Store, actor: Actor, suggestion_id: str) -> None:
    """They are two: it is not suggested again."""
    await store.write(_dismiss, actor, suggestion_id)


def _dismiss(tx: Connection, actor: Actor, suggestion_id: str) -> None:
    row = _open(tx, actor, suggestion_id)
    _settle(tx, row, "dismissed")
    audit.note(tx, actor, "suggestion.dismissed", "card", row.card_id, {"other_id": row.other_id})


def _open(tx: Connection, actor: Actor, suggestion_id: str) -> Row[Any]:
    row = scope.suggestion_for(tx, actor, suggestion_id)
    if row.state != "open":
        raise Conflict(f"this was {row.state} already")
    return row


def _settle(tx: Connection, row: Row[Any], state: str) -> None:
    tx.execute(update(suggestions).where(suggestions.c.id == row.id).values(state=state))


def suggest(tx: Connection, card_id: str, other_id: str, reason: str, now: datetime) -> list[Fact]:
    """Suggest it once for each pair; one that was dismissed stays so."""
    low, high = sorted((card_id, other_id))  # ids are in the order of time: the older card first
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
