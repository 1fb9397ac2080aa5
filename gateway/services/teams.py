"""Verbs on teams and skills: the small things by which people and queues find each other."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection, Row, Table, func, insert, select, update

from gateway.domain.errors import Conflict, NotFound, VersionConflict
from gateway.domain.ids import is_id, new_id
from gateway.domain.people import Actor, Role
from gateway.services import audit, directory, scope
from gateway.services.views.common import DEFAULT_LIMIT, Body, Limit, Page
from gateway.services.views.people import Skill, Team
from gateway.store import paging
from gateway.store.engine import Store
from gateway.store.tables import operator_teams, queues, skills, teams
from gateway.store.upsert import insert_or_skip

Label = Annotated[str, msgspec.Meta(pattern=r"^\S(.{0,126}\S)?$", description="1 to 128 characters")]


class Named(Body, frozen=True):
    """All there is to say about a team or a skill."""

    name: Label


class Listing(Body, frozen=True):
    """Which page of a list."""

    limit: Limit = DEFAULT_LIMIT
    cursor: str | None = None


def ensure_main(tx: Connection) -> str:
    """The id of the team `main`, made where there is none."""
    return ensure_team(tx, directory.MAIN_TEAM)


def ensure_team(tx: Connection, name: str) -> str:
    """The id of the team so named, made where there is none."""
    known = directory.team_id_of(tx, name)
    if known is not None:
        return known
    values = {"id": new_id(), "name": name, "version": 1, "created_at": datetime.now(UTC)}
    insert_or_skip(tx, teams, values, on=["name"])
    made: str = tx.execute(select(teams.c.id).where(teams.c.name == name)).scalar_one()
    return made


async def list_teams(store: Store, actor: Actor, listing: Listing) -> Page[Team]:
    """The actor's teams."""

    def work(tx: Connection) -> Page[Team]:
        query = select(teams).where(scope.teams_of(actor))
        page = paging.page(
            tx, query, [teams.c.id], cursor=listing.cursor, limit=listing.limit, ascending=True
        )
        return Page(items=[_team(tx, row) for row in page.rows], next_cursor=page.next_cursor)

    return await store.read(work)


async def get_team(store: Store, actor: Actor, team_id: str) -> Team:
    """One team. Raises `NotFound`."""

    def work(tx: Connection) -> Team:
        row = _found(tx, teams, team_id)
        if not scope.may_use_team(actor, row.id):
            raise NotFound
        return _team(tx, row)

    return await store.read(work)


def _team(tx: Connection, row: Row[Any]) -> Team:
    counted = select(func.count()).select_from(operator_teams).where(operator_teams.c.team_id == row.id)
    return Team.of(row, tx.execute(counted).scalar_one())


async def create_team(store: Store, actor: Actor, body: Named) -> Team:
    """A new team. Raises `Conflict` for a name that is taken."""

    def work(tx: Connection) -> Team:
        return _team(tx, _create(tx, actor, teams, body.name, "team"))

    scope.require(actor, Role.ADMIN)
    return await store.write(work)


async def rename_team(store: Store, actor: Actor, team_id: str, body: Named, version: int | None) -> Team:
    """Another name. Raises `Conflict` for `main`, which other things are said of by its name."""

    def work(tx: Connection) -> Team:
        row = _found(tx, teams, team_id, version, lock=True)
        if row.name == directory.MAIN_TEAM and body.name != row.name:
            raise Conflict(f"the team {directory.MAIN_TEAM} keeps its name")
        return _team(tx, _rename(tx, actor, teams, row, body.name, "team"))

    scope.require(actor, Role.ADMIN)
    return await store.write(work)


async def list_skills(store: Store, actor: Actor, listing: Listing) -> Page[Skill]:  # noqa: ARG001
    """Every skill; they belong to no team."""

    def work(tx: Connection) -> Page[Skill]:
        page = paging.page(
            tx, select(skills), [skills.c.id], cursor=listing.cursor, limit=listing.limit, ascending=True
        )
        return Page(items=[Skill.of(row) for row in page.rows], next_cursor=page.next_cursor)

    return await store.read(work)


async def get_skill(store: Store, actor: Actor, skill_id: str) -> Skill:  # noqa: ARG001
    """One skill. Raises `NotFound`."""
    return await store.read(lambda tx: Skill.of(_found(tx, skills, skill_id)))


async def create_skill(store: Store, actor: Actor, body: Named) -> Skill:
    """A new skill. Raises `Conflict` for a name that is taken."""
    scope.require(actor, Role.ADMIN)
    return await store.write(lambda tx: Skill.of(_create(tx, actor, skills, body.name, "skill")))


async def rename_skill(store: Store, actor: Actor, skill_id: str, body: Named, version: int | None) -> Skill:
    """Another name; queues ask for it by the new one. Raises `Conflict` where the file asks by the old."""

    def work(tx: Connection) -> Skill:
        row = _found(tx, skills, skill_id, version, lock=True)
        renamed = _rename(tx, actor, skills, row, body.name, "skill")
        _rename_in_queues(tx, row.name, body.name)
        return Skill.of(renamed)

    scope.require(actor, Role.ADMIN)
    return await store.write(work)


def _rename_in_queues(tx: Connection, former: str, name: str) -> None:
    for queue in tx.execute(select(queues)).all():
        if former not in queue.skills or former == name:
            continue
        if queue.origin == "file":
            raise Conflict(f"the configuration file asks for the skill {former} in the queue {queue.name}")
        asked = [name if skill == former else skill for skill in queue.skills]
        tx.execute(update(queues).where(queues.c.id == queue.id).values(skills=asked))


def ensure_skills(tx: Connection, names: Iterable[str]) -> None:
    """Make those that do not exist."""
    for name in names:
        values = {"id": new_id(), "name": name, "version": 1, "created_at": datetime.now(UTC)}
        insert_or_skip(tx, skills, values, on=["name"])


def _found(
    tx: Connection, table: Table, row_id: str, version: int | None = None, *, lock: bool = False
) -> Row[Any]:
    query = select(table).where(table.c.id == row_id)
    row = tx.execute(query.with_for_update() if lock else query).one_or_none() if is_id(row_id) else None
    if row is None:
        raise NotFound
    if version is not None and version != row.version:
        raise VersionConflict
    return row


def _create(tx: Connection, actor: Actor, table: Table, name: str, kind: str) -> Row[Any]:
    _refuse_taken(tx, table, name, kind)
    values = {"id": new_id(), "name": name, "version": 1, "created_at": datetime.now(UTC)}
    row = tx.execute(insert(table).values(**values).returning(table)).one()
    audit.note(tx, actor, f"{kind}.created", kind, row.id, {"name": name})
    return row


def _rename(tx: Connection, actor: Actor, table: Table, row: Row[Any], name: str, kind: str) -> Row[Any]:
    _refuse_taken(tx, table, name, kind, row.id)
    values = {"name": name, "version": table.c.version + 1}
    renamed = tx.execute(update(table).where(table.c.id == row.id).values(**values).returning(table)).one()
    audit.note(tx, actor, f"{kind}.renamed", kind, row.id, {"from": row.name, "to": name})
    return renamed


def _refuse_taken(tx: Connection, table: Table, name: str, kind: str, own_id: str | None = None) -> None:
    for row in tx.execute(select(table.c.id, table.c.name)):
        if row.name.casefold() == name.casefold() and row.id != own_id:
            raise Conflict(f"there is a {kind} named {row.name} already")
