"""Somebody leaves: sessions and phones end, cards, leads, tasks and threads go to whoever is named."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from gateway.domain.errors import Invalid
from gateway.domain.ids import is_id
from gateway.domain.people import Actor, Presence
from gateway.services import audit, directory
from gateway.store.tables import cards, contact_people, contacts, endpoints, operators, sessions
from gateway.store.tables_conversations import tasks, threads


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
    _hand_conversations(tx, row.id, heir)
    due = update(tasks).where(tasks.c.assignee_id == row.id, tasks.c.state == "open")
    tx.execute(due.values(assignee_id=heir, version=tasks.c.version + 1))
    tx.execute(delete(sessions).where(sessions.c.operator_id == row.id))
    tx.execute(delete(endpoints).where(endpoints.c.operator_id == row.id))
    gone = {"presence": Presence.OFFLINE, "presence_reason": None, "presence_since": datetime.now(UTC)}
    tx.execute(update(operators).where(operators.c.id == row.id).values(**gone))
    detail = {"cards": handed, "successor": heir, "team": team}
    audit.note(tx, actor, "operator.left", "operator", row.id, detail)


def _hand_conversations(tx: Connection, leaver: str, heir: str | None) -> None:
    """Threads go to the heir; what he held waits again, the heir being asked first."""
    his = update(threads).where(threads.c.assignee_id == leaver)
    tx.execute(his.values(assignee_id=heir, version=threads.c.version + 1))
    of_threads = (contacts.c.thread_id.is_not(None), contacts.c.closed_at.is_(None))
    held = (contacts.c.operator_id == leaver, *of_threads)
    ids = select(contacts.c.id).where(*held)
    tx.execute(delete(contact_people).where(contact_people.c.contact_id.in_(ids)))
    again = update(contacts).where(*held).values(state="queued", operator_id=None, preferred_id=heir)
    tx.execute(again.values(declined_by=[], due_at=None, assigned_at=None, version=contacts.c.version + 1))


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
