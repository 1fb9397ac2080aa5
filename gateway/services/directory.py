"""Who sits at which phone, which PBX queue is ours, what teams are called."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, select

from gateway.services.views.common import PersonRef
from gateway.store.tables import endpoints, operator_teams, operators, queues, teams

MAIN_TEAM = "main"

_main_team = select(teams.c.id).where(teams.c.name == MAIN_TEAM)
_queues = select(queues.c.id, queues.c.name, queues.c.team_id, queues.c.skills, queues.c.pbx_queues)
_queue_name = select(queues.c.name).where(queues.c.id == bindparam("queue_id"))


def _seats(*extensions: Any) -> Select[Any]:
    # The team of everybody is last: it says nothing of where a person belongs.
    return (
        select(endpoints.c.extension, operators.c.id, operators.c.name, operator_teams.c.team_id)
        .join(operators, operators.c.id == endpoints.c.operator_id)
        .outerjoin(operator_teams, operator_teams.c.operator_id == operators.c.id)
        .outerjoin(teams, teams.c.id == operator_teams.c.team_id)
        .where(endpoints.c.pbx == bindparam("pbx"), *extensions, operators.c.active)
        .order_by(teams.c.name == MAIN_TEAM, teams.c.id)
    )


_seat = _seats(endpoints.c.extension == bindparam("extension"))
_some_seats = _seats(endpoints.c.extension.in_(bindparam("extensions", expanding=True)))


@dataclass(frozen=True, slots=True)
class Seat:
    """Who is signed in at a phone, and the team that he belongs to besides the team of everybody."""

    person: PersonRef
    home_team: str | None


def seats(tx: Connection, pbx: str, extensions: Collection[str]) -> Mapping[str, Seat]:
    """Extension → who sits there, of these extensions."""
    if not extensions:
        return {}
    if len(extensions) == 1:
        rows = tx.execute(_seat, {"pbx": pbx, "extension": next(iter(extensions))})
    else:
        rows = tx.execute(_some_seats, {"pbx": pbx, "extensions": list(extensions)})
    found: dict[str, Seat] = {}
    for extension, operator_id, name, team_id in rows:
        found.setdefault(extension, Seat(PersonRef(id=operator_id, name=name), team_id))
    return found


def main_team(tx: Connection) -> str:
    """The team to which everybody belongs."""
    found: str = tx.execute(_main_team).scalar_one()
    return found


def queue_of(tx: Connection, pbx: str, name: str | None) -> Row[Any] | None:
    """The configured queue fed by the PBX queue `name`: as `pbx_queues` tell, else by its name."""
    if not name:
        return None
    known = _pbx_queues(tx.execute(_queues))
    return known.get((pbx, name)) or known.get((None, name))


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


def queue_name(tx: Connection, queue_id: str | None) -> str | None:
    """Its name; None stays None."""
    return tx.scalar(_queue_name, {"queue_id": queue_id}) if queue_id else None


def person(tx: Connection, operator_id: str | None) -> PersonRef | None:
    """The operator, named; None where there is none."""
    if operator_id is None:
        return None
    name = tx.scalar(select(operators.c.name).where(operators.c.id == operator_id))
    return PersonRef(id=operator_id, name=name) if name is not None else None


def team_id_of(tx: Connection, name_or_id: str) -> str | None:
    """The id of the team so named (any letter case) or with this id; None where there is none."""
    # Compared here: SQLite folds the case of ASCII letters only, PostgreSQL of what its locale knows.
    wanted = name_or_id.casefold()
    for row in tx.execute(select(teams.c.id, teams.c.name)):
        if row.id == name_or_id or row.name.casefold() == wanted:
            return str(row.id)
    return None
