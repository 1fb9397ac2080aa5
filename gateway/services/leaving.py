"""Somebody leaves: sessions and phones end, cards and their leads go to whoever is named."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from gateway.domain.errors import Invalid
from gateway.domain.ids import is_id
from gateway.domain.people import Actor, Presence
from gateway.services import audit, directory
from gateway.store.tables import cards, endpoints, operators, sessions


def leave(tx: Connection, actor: Actor, row: Row[Any], successor: str | None, team: str | None) -> None:
    """End what the operator holds; cards without a successor stay with their team or go to the one named.

    A lead belongs to the owner of its card, so it follows the card.
    """
    heir = _heir(tx, row.id, successor)
    team_id = _team(tx, team)
    owned = cards.c.owner_id == row.id
    handed = tx.scalar(select(func.count()).select_from(cards).where(owned))
    values = {"owner_id": heir, "version": cards.c.version + 1, "updated_at": datetime.now(UTC)}
    if heir is None and team_id is not None:
        values["team_id"] = team_id
    tx.execute(update(cards).where(owned).values(**values))
    tx.execute(delete(sessions).where(sessions.c.operator_id == row.id))
    tx.execute(delete(endpoints).where(endpoints.c.operator_id == row.id))
    gone = {"presence": Presence.OFFLINE, "presence_reason": None, "presence_since": datetime.now(UTC)}
    tx.execute(update(operators).where(operators.c.id == row.id).values(**gone))
    detail = {"cards": handed, "successor": heir, "team": team}
    audit.note(tx, actor, "operator.left", "operator", row.id, detail)


def _heir(tx: Connection, leaver: str, successor: str | None) -> str | None:
    if successor is None:
        return None
    query = select(operators.c.id).where(operators.c.id == successor, operators.c.active)
    if successor == leaver or not is_id(successor) or tx.scalar(query) is None:
        raise Invalid.one("successor", "the id of another active operator")
    return successor


def _team(tx: Connection, name: str | None) -> str | None:
    if name is None:
        return None
    team_id = directory.team_id_of(tx, name)
    if team_id is None:
        raise Invalid.one("team", "the name of a team")
    return team_id
