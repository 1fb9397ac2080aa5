"""Operators as the API shows them, loaded in a fixed number of queries however many they are."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.services.views.people import Endpoint, Operator
from gateway.store.tables import endpoints, operator_skills, operator_teams, operators, skills, teams


def views(tx: Connection, rows: Sequence[Row[Any]]) -> list[Operator]:
    """The operators of `rows`, in their order."""
    ids = [row.id for row in rows]
    if not ids:
        return []
    team_names, levels, phones = _teams(tx, ids), _skills(tx, ids), _endpoints(tx, ids)
    return [Operator.of(row, team_names[row.id], levels[row.id], phones[row.id]) for row in rows]


def fresh(tx: Connection, operator_id: str) -> Operator:
    """The operator as he stands now in this transaction."""
    row = tx.execute(select(operators).where(operators.c.id == operator_id)).one()
    return views(tx, [row])[0]


def _teams(tx: Connection, ids: Sequence[str]) -> defaultdict[str, list[str]]:
    query = (
        select(operator_teams.c.operator_id, teams.c.name)
        .join(teams, teams.c.id == operator_teams.c.team_id)
        .where(operator_teams.c.operator_id.in_(ids))
        .order_by(teams.c.name)
    )
    found: defaultdict[str, list[str]] = defaultdict(list)
    for operator_id, name in tx.execute(query):
        found[operator_id].append(name)
    return found


def _skills(tx: Connection, ids: Sequence[str]) -> defaultdict[str, dict[str, int]]:
    query = (
        select(operator_skills.c.operator_id, skills.c.name, operator_skills.c.level)
        .join(skills, skills.c.id == operator_skills.c.skill_id)
        .where(operator_skills.c.operator_id.in_(ids))
        .order_by(skills.c.name)
    )
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for operator_id, name, level in tx.execute(query):
        found[operator_id][name] = level
    return found


def _endpoints(tx: Connection, ids: Sequence[str]) -> defaultdict[str, list[Endpoint]]:
    query = (
        select(endpoints)
        .where(endpoints.c.operator_id.in_(ids))
        .order_by(endpoints.c.pbx, endpoints.c.extension)
    )
    found: defaultdict[str, list[Endpoint]] = defaultdict(list)
    for row in tx.execute(query):
        found[row.operator_id].append(Endpoint.of(row))
    return found
