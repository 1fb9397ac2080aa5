"""Where what comes in through a connector of messages belongs: queue, team, skills."""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from gateway.services import directory
from gateway.store.tables import connectors, queues, teams

_place = (
    select(
        connectors.c.channel,
        queues.c.id.label("queue_id"),
        queues.c.name.label("queue"),
        queues.c.team_id,
        queues.c.skills,
        teams.c.id.label("main_team"),
    )
    .select_from(teams)
    .outerjoin(connectors, connectors.c.name == bindparam("connector"))
    .outerjoin(queues, queues.c.name == connectors.c.queue)
    .where(teams.c.name == directory.MAIN_TEAM)
)


@dataclass(frozen=True, slots=True)
class Place:
    """`queue_id` None: no queue; then the team is that of everybody."""

    connector: str
    channel: str
    queue_id: str | None
    team_id: str
    skills: tuple[str, ...]


def of(tx: Connection, connector: str) -> Place:
    """The place of what comes in through the connector."""
    row = tx.execute(_place, {"connector": connector}).one()
    return Place(
        connector,
        row.channel or "chat",
        row.queue_id,
        row.team_id or row.main_team,
        tuple(row.skills or ()),
    )
