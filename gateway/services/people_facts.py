"""Facts about operators, told to themselves, their colleagues and those who see everything."""

from collections import Counter

from sqlalchemy import Connection, select

from gateway.domain.facts import Fact
from gateway.services import people_views
from gateway.services.views.common import to_json
from gateway.services.views.people import Operator
from gateway.store import facts
from gateway.store.tables import operator_teams


def tell(tx: Connection, operator_id: str, event: str = "operator.updated") -> Operator:
    """Publish the operator as he stands now, and give him."""
    operator = people_views.fresh(tx, operator_id)
    team_id, others = _colleagues(tx, operator_id)
    told = Fact(event, to_json(operator), team=team_id, operators=(operator_id, *others))
    facts.append(tx, [told])
    return operator


def _colleagues(tx: Connection, operator_id: str) -> tuple[str | None, tuple[str, ...]]:
    """Those who share a team with him: the largest of his teams, and by name who is only in the others."""
    mine = select(operator_teams.c.team_id).where(operator_teams.c.operator_id == operator_id)
    rows = tx.execute(select(operator_teams).where(operator_teams.c.team_id.in_(mine))).all()
    if not rows:
        return None, ()
    ((largest, _),) = Counter(row.team_id for row in rows).most_common(1)
    there = {row.operator_id for row in rows if row.team_id == largest} | {operator_id}
    return largest, tuple(sorted({row.operator_id for row in rows} - there))
