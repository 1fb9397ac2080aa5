"""Cards as the API shows them, loaded in a fixed number of queries however many they are."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from gateway.services.views.cards import Card
from gateway.services.views.common import PersonRef
from gateway.store import cards as store
from gateway.store.tables import cards, operators, teams

_named = (
    select(cards, operators.c.name.label("owner_name"), teams.c.name.label("team_name"))
    .join(teams, teams.c.id == cards.c.team_id)
    .outerjoin(operators, operators.c.id == cards.c.owner_id)
    .where(cards.c.id == bindparam("card_id"))
)


def views(tx: Connection, rows: Sequence[Row[Any]]) -> list[Card]:
    """The cards of `rows`, in their order."""
    ids = [row.id for row in rows]
    if not ids:
        return []
    identities, leads = store.identities_of(tx, ids), store.leads_of(tx, ids)
    owners, names = _owners(tx, rows), _team_names(tx, rows)
    return [
        Card.of(
            row,
            identities.get(row.id, []),
            leads.get(row.id, []),
            owners.get(row.owner_id) if row.owner_id else None,
            names[row.team_id],
        )
        for row in rows
    ]


def view(tx: Connection, row: Row[Any]) -> Card:
    """One card."""
    return views(tx, [row])[0]


def fresh(tx: Connection, card_id: str) -> tuple[Card, Row[Any]]:
    """The card as it stands now in this transaction, with its row."""
    row = tx.execute(_named, {"card_id": card_id}).one()
    identities = store.identities_of(tx, [card_id]).get(card_id, [])
    owner = PersonRef(id=row.owner_id, name=row.owner_name) if row.owner_id else None
    return Card.of(row, identities, store.leads_of(tx, [card_id]).get(card_id, []), owner, row.team_name), row


def _owners(tx: Connection, rows: Sequence[Row[Any]]) -> dict[str, PersonRef]:
    ids = {row.owner_id for row in rows if row.owner_id}
    if not ids:
        return {}
    query = select(operators.c.id, operators.c.name).where(operators.c.id.in_(ids))
    return {row.id: PersonRef(id=row.id, name=row.name) for row in tx.execute(query)}


def _team_names(tx: Connection, rows: Sequence[Row[Any]]) -> dict[str, str]:
    query = select(teams.c.id, teams.c.name).where(teams.c.id.in_({row.team_id for row in rows}))
    return {row.id: row.name for row in tx.execute(query)}
