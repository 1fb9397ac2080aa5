"""Verbs on operators: list, make, change. Leaving is in leaving.py, phones and presence in seats.py."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, or_, select, update

from gateway.domain.errors import Conflict, FieldError, Invalid, Refused, VersionConflict
from gateway.domain.ids import new_id
from gateway.domain.people import Actor, Presence, Role
from gateway.services import audit, directory, leaving, passwords, people_facts, people_views, scope, seats
from gateway.services.people_input import OperatorCreate, OperatorFilters, OperatorUpdate
from gateway.services.views.common import Page
from gateway.services.views.people import NewOperator, Operator
from gateway.store import paging
from gateway.store.engine import Store
from gateway.store.tables import operator_skills, operator_teams, operators, sessions, skills

DEFAULT_CAPACITY: Mapping[str, int] = {"voice": 1, "chat": 3, "email": 5, "callback": 1}
CONSOLE = Actor(
    id="00000000-0000-0000-0000-000000000000", name="command line", role=Role.ADMIN, is_token=True
)
"""On whose behalf the command line acts: whoever can run it has the database anyway."""


_SUPERVISORS_MAY = frozenset({"skills", "capacity"})


async def list_operators(store: Store, actor: Actor, filters: OperatorFilters) -> Page[Operator]:
    """Colleagues in the order in which they came."""
    return await store.read(_list, actor, filters)


def _list(tx: Connection, actor: Actor, filters: OperatorFilters) -> Page[Operator]:
    query = select(operators).where(scope.operators(actor))
    if filters.q:
        query = query.where(or_(*_spelt(filters.q)))
    if filters.role:
        query = query.where(operators.c.role == filters.role)
    if filters.active is not None:
        query = query.where(operators.c.active == filters.active)
    if filters.team:
        team_id = directory.team_id_of(tx, filters.team)
        members = select(operator_teams.c.operator_id).where(operator_teams.c.team_id == team_id)
        query = query.where(operators.c.id.in_(members))
    page = paging.page(
        tx, query, [operators.c.id], cursor=filters.cursor, limit=filters.limit, ascending=True
    )
    return Page(items=people_views.views(tx, page.rows), next_cursor=page.next_cursor)


def _spelt(text: str) -> Iterator[ColumnElement[bool]]:
    # SQLite folds the case of ASCII letters only, PostgreSQL's LIKE of none.
    for spelling in {text, text.lower(), text.upper(), text.title()}:
        for column in (operators.c.name, operators.c.login):
            yield column.contains(spelling, autoescape=True)


def present(tx: Connection, actor: Actor) -> list[Operator]:
    """Every active colleague whom the actor sees, for `hello`."""
    query = select(operators).where(scope.operators(actor), operators.c.active).order_by(operators.c.id)
    return people_views.views(tx, tx.execute(query).all())


async def get(store: Store, actor: Actor, operator_id: str) -> Operator:
    """One colleague. Raises `NotFound`."""

    def work(tx: Connection) -> Operator:
        return people_views.views(tx, [seats.target(tx, actor, operator_id)])[0]

    return await store.read(work)


async def create(store: Store, actor: Actor, body: OperatorCreate, language: str = "ru") -> NewOperator:
    """A new person; `language` where the body names none. Raises `Conflict` for a taken login, `Invalid`."""
    scope.require(actor, Role.ADMIN)
    password = passwords.generate() if body.password is None else body.password
    passwords.judge(password, body.login)
    hashed = await passwords.make_hash(password)
    made = await store.write(_create, actor, body, hashed, body.language or language)
    # Told beside the unit's result, which is kept for the Idempotency-Key: no password lies in the database.
    return msgspec.structs.replace(made, password=password if body.password is None else None)


async def add_operator(store: Store, body: OperatorCreate) -> str:
    """As `create`, for the command line; returns the password."""
    password = passwords.generate() if body.password is None else body.password
    await create(store, CONSOLE, msgspec.structs.replace(body, password=password))
    return password


def _create(tx: Connection, actor: Actor, body: OperatorCreate, hashed: str, language: str) -> NewOperator:
    now = datetime.now(UTC)
    operator_id = new_id()
    values = {
        "id": operator_id,
        "login": body.login.lower(),
        "name": body.name,
        "role": body.role,
        "password_hash": hashed,
        "language": language,
        "active": True,
        "capacity": dict(DEFAULT_CAPACITY) | dict(body.capacity),
        "presence": Presence.OFFLINE,
        "presence_reason": None,
        "presence_since": now,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
    _refuse_taken(tx, body.login)
    tx.execute(insert(operators), values)
    _set_teams(tx, operator_id, body.teams)
    _set_skills(tx, operator_id, body.skills)
    for fields in body.endpoints:
        seats.place(tx, operator_id, fields)
    audit.note(tx, actor, "operator.created", "operator", operator_id, {"role": body.role})
    told = people_facts.tell(tx, operator_id)
    return NewOperator(**{field: getattr(told, field) for field in told.__struct_fields__})


def _refuse_taken(tx: Connection, login: str, own_id: str | None = None) -> None:
    holder = tx.scalar(select(operators.c.id).where(operators.c.login == login.lower()))
    if holder is not None and holder != own_id:
        raise Conflict(f"the login {login.lower()} is taken")


def _set_teams(tx: Connection, operator_id: str, names: Sequence[str]) -> None:
    ids, errors = [], []
    for position, name in enumerate(names or [directory.MAIN_TEAM]):
        team_id = directory.team_id_of(tx, name)
        if team_id is None:
            errors.append(FieldError(f"teams[{position}]", "the name or id of a team"))
        else:
            ids.append(team_id)
    if errors:
        raise Invalid(errors)
    tx.execute(delete(operator_teams).where(operator_teams.c.operator_id == operator_id))
    rows = [{"operator_id": operator_id, "team_id": team_id} for team_id in dict.fromkeys(ids)]
    tx.execute(insert(operator_teams), rows)


def _set_skills(tx: Connection, operator_id: str, levels: Mapping[str, int]) -> None:
    known = {row.name.lower(): row.id for row in tx.execute(select(skills.c.id, skills.c.name))}
    missing = [name for name in levels if name.lower() not in known]
    if missing:
        told = "there is no such skill; make it first"
        raise Invalid([FieldError(f"skills.{name}", told) for name in missing])
    tx.execute(delete(operator_skills).where(operator_skills.c.operator_id == operator_id))
    rows = [
        {"operator_id": operator_id, "skill_id": known[name.lower()], "level": level}
        for name, level in levels.items()
    ]
    if rows:
        tx.execute(insert(operator_skills), rows)


async def change(
    store: Store, actor: Actor, operator_id: str, body: OperatorUpdate, version: int | None
) -> Operator:
    """Set what the body names. Raises `Refused`, `Conflict` for the last admin, `VersionConflict`."""
    hashed = None
    if body.password is not msgspec.UNSET:
        hashed = await _judged_hash(store, actor, operator_id, body.password)
    return await store.write(_change, actor, operator_id, body, version, hashed)


async def _judged_hash(store: Store, actor: Actor, operator_id: str, password: str) -> str:
    # Asked before anything is hashed: hashing costs what only those who may change it may spend.
    row = await store.read(seats.target, actor, operator_id)
    scope.require(actor, Role.ADMIN)
    passwords.judge(password, row.login)
    return await passwords.make_hash(password)


def _change(
    tx: Connection,
    actor: Actor,
    operator_id: str,
    body: OperatorUpdate,
    version: int | None,
    hashed: str | None,
) -> Operator:
    admins = _admins(tx) if _may_lose_an_admin(body) else set()
    row = seats.target(tx, actor, operator_id, lock=True)
    _refuse_beyond_role(actor, row, body)
    if version is not None and version != row.version:
        raise VersionConflict
    if admins == {row.id}:
        raise Conflict("this is the last admin: make somebody else an admin first")
    values = _columns(tx, row, body, hashed)
    if body.teams is not msgspec.UNSET:
        _set_teams(tx, row.id, body.teams)
    if body.skills is not msgspec.UNSET:
        _set_skills(tx, row.id, body.skills)
    values |= {"version": operators.c.version + 1, "updated_at": datetime.now(UTC)}
    tx.execute(update(operators).where(operators.c.id == row.id).values(**values))
    if hashed is not None:
        tx.execute(delete(sessions).where(sessions.c.operator_id == row.id))
    audit.note(tx, actor, "operator.changed", "operator", row.id, _audited(body))
    if body.active is False and row.active:
        leaving.leave(tx, actor, row, body.successor, body.team)
    return people_facts.tell(tx, row.id)


def _refuse_beyond_role(actor: Actor, row: Row[Any], body: OperatorUpdate) -> None:
    if actor.role is Role.ADMIN:
        return
    scope.require(actor, Role.SUPERVISOR)
    seats.refuse_unless_leading(actor, row)
    if beyond := set(_named(body)) - _SUPERVISORS_MAY:
        raise Refused(f"only an admin may change {', '.join(sorted(beyond))}")


def _named(body: OperatorUpdate) -> list[str]:
    given = ((f, getattr(body, f)) for f in body.__struct_fields__)
    return [f for f, value in given if value is not msgspec.UNSET and value is not None]


def _audited(body: OperatorUpdate) -> dict[str, Any]:
    return {f: "changed" if f == "password" else getattr(body, f) for f in _named(body)}


def _may_lose_an_admin(body: OperatorUpdate) -> bool:
    return body.active is False or body.role not in (msgspec.UNSET, Role.ADMIN)


def _admins(tx: Connection) -> set[str]:
    # Locked in one order and before anybody else's row: two admins who take each other's rights at once
    # must wait for one another, and not both for ever.
    active = select(operators.c.id).where(operators.c.role == Role.ADMIN, operators.c.active)
    return set(tx.scalars(active.order_by(operators.c.id).with_for_update()))


def _columns(tx: Connection, row: Row[Any], body: OperatorUpdate, hashed: str | None) -> dict[str, Any]:
    plain = {f: getattr(body, f) for f in ("name", "role", "language", "active")}
    values: dict[str, Any] = {f: value for f, value in plain.items() if value is not msgspec.UNSET}
    if body.login is not msgspec.UNSET:
        _refuse_taken(tx, body.login, row.id)
        values["login"] = body.login.lower()
    if body.capacity is not msgspec.UNSET:
        values["capacity"] = dict(row.capacity) | dict(body.capacity)
    if hashed is not None:
        values["password_hash"] = hashed
    return values
