"""Rows of tasks as the services share them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from gateway.services.views.common import PersonRef
from gateway.services.views.tasks import Task
from gateway.store.tables import cards, operators, teams
from gateway.store.tables_conversations import tasks


def query() -> Select[Any]:
    """Tasks with the names of their cards and teams."""
    named = select(tasks, cards.c.name.label("card_name"), teams.c.name.label("team_name"))
    return named.join(cards, cards.c.id == tasks.c.card_id).join(teams, teams.c.id == tasks.c.team_id)


def views(tx: Connection, rows: Sequence[Row[Any]]) -> list[Task]:
    """From rows of `query()`, in their order."""
    ids = {person for row in rows for person in (row.assignee_id, row.author_id) if person}
    people: dict[str, PersonRef] = {}
    if ids:
        found = select(operators.c.id, operators.c.name).where(operators.c.id.in_(ids))
        people = {row.id: PersonRef(id=row.id, name=row.name) for row in tx.execute(found)}
    now = datetime.now(UTC)
    return [Task.of(row, people, now) for row in rows]


def view(tx: Connection, task_id: str) -> Task:
    """One task as it stands in this transaction."""
    (shown,) = views(tx, tx.execute(query().where(tasks.c.id == task_id)).all())
    return shown


def by_id(tx: Connection, ids: Sequence[str]) -> Mapping[str, Task]:
    """Id → task, of those that exist."""
    if not ids:
        return {}
    return {one.id: one for one in views(tx, tx.execute(query().where(tasks.c.id.in_(ids))).all())}
