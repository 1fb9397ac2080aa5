"""Who sits at which phone, which PBX queue is ours, what teams are called: read once per transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, func, select

from gateway.domain.ids import is_id
from gateway.services.views.common import PersonRef
from gateway.store.tables import endpoints, operator_teams, operators, queues, teams

MAIN_TEAM = "main"


@dataclass(slots=True)
class Directory:
    """Names and places, as of the transaction that it was read in."""

    team_names: Mapping[str, str]
    main_team: str
    queues: Mapping[str, Row[Any]]
    pbx_queues: Mapping[tuple[str | None, str], Row[Any]]
    seats: Mapping[str, Mapping[str, PersonRef]]
    home_teams: Mapping[str, str]
    people: dict[str, PersonRef] = field(default_factory=dict)

    def phones(self, pbx: str) -> Mapping[str, PersonRef]:
        """Extension → the operator signed in there."""
        return self.seats.get(pbx, {})

    def queue_of(self, pbx: str, name: str | None) -> Row[Any] | None:
        """The configured queue fed by the PBX queue `name`: as `pbx_queues` tell, else by its name."""
        if not name:
            return None
        return self.pbx_queues.get((pbx, name)) or self.pbx_queues.get((None, name))

    def queue_name(self, queue_id: str | None) -> str | None:
        """Its name; None stays None."""
        return self.queues[queue_id].name if queue_id else None


def read(tx: Connection) -> Directory:
    """The directory now."""
    team_names = {row.id: row.name for row in tx.execute(select(teams.c.id, teams.c.name))}
    queue_rows = tx.execute(select(queues)).all()
    seats, people = _seats(tx)
    return Directory(
        team_names=team_names,
        main_team=next(team_id for team_id, name in team_names.items() if name == MAIN_TEAM),
        queues={row.id: row for row in queue_rows},
        pbx_queues=_pbx_queues(queue_rows),
        seats=seats,
        home_teams=_home_teams(
            tx, [person for phones in seats.values() for person in phones.values()], team_names
        ),
        people=people,
    )


def _seats(tx: Connection) -> tuple[dict[str, dict[str, PersonRef]], dict[str, PersonRef]]:
    query = select(endpoints.c.pbx, endpoints.c.extension, operators.c.id, operators.c.name)
    seats: dict[str, dict[str, PersonRef]] = {}
    people: dict[str, PersonRef] = {}
    for pbx, extension, operator_id, name in tx.execute(query.join(operators).where(operators.c.active)):
        people[operator_id] = PersonRef(id=operator_id, name=name)
        seats.setdefault(pbx, {})[extension] = people[operator_id]
    return seats, people


def _home_teams(tx: Connection, seated: Iterable[PersonRef], team_names: Mapping[str, str]) -> dict[str, str]:
    ids = {person.id for person in seated}
    if not ids:
        return {}
    homes: dict[str, str] = {}
    query = select(operator_teams).where(operator_teams.c.operator_id.in_(ids))
    for row in sorted(tx.execute(query), key=lambda r: team_names[r.team_id] == MAIN_TEAM):
        homes.setdefault(row.operator_id, row.team_id)
    return homes


def _pbx_queues(rows: Iterable[Row[Any]]) -> dict[tuple[str | None, str], Row[Any]]:
    # A queue without `pbx_queues` has the same name on every PBX: key (None, name).
    found: dict[tuple[str | None, str], Row[Any]] = {}
    for row in rows:
        for spelling in row.pbx_queues:
            pbx, _, name = spelling.partition("/")
            found[pbx, name] = row
        if not row.pbx_queues:
            found[None, row.name] = row
    return found


def person(tx: Connection, operator_id: str | None) -> PersonRef | None:
    """The operator, named; None where there is none."""
    if operator_id is None:
        return None
    name = tx.scalar(select(operators.c.name).where(operators.c.id == operator_id))
    return PersonRef(id=operator_id, name=name) if name is not None else None


def team_id_of(tx: Connection, name_or_id: str) -> str | None:
    """The id of the team so named (any letter case) or with this id; None where there is none."""
    by_name = func.lower(teams.c.name) == name_or_id.lower()
    condition = by_name | (teams.c.id == name_or_id) if is_id(name_or_id) else by_name
    found: str | None = tx.scalar(select(teams.c.id).where(condition))
    return found
