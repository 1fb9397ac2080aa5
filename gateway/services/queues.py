"""Verbs on queues. What stands in the configuration file is owned by it and refused here."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

import msgspec
from sqlalchemy import Connection, Row, func, insert, select, update

from config.hours import parse_hours
from config.problems import Wrong
from gateway.domain.errors import Conflict, FieldError, Invalid, VersionConflict
from gateway.domain.facts import Fact
from gateway.domain.ids import new_id
from gateway.domain.people import Actor, Role
from gateway.services import audit, directory, scope, teams
from gateway.services.queue_figures import figures
from gateway.services.views.common import Body, Page, to_json
from gateway.services.views.queues import Queue
from gateway.store import facts, paging
from gateway.store.engine import Store
from gateway.store.tables import queues, skills
from gateway.store.tables import teams as teams_table

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
PbxQueue = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}/[^\s/]{1,80}$")]
Channel = Literal["voice", "email", "chat", "callback"]
Unset = msgspec.UnsetType


class Promise(Body, frozen=True):
    """Which share of contacts is answered within how many seconds of working time."""

    target: Annotated[float, msgspec.Meta(gt=0, le=1)]
    within_s: Annotated[float, msgspec.Meta(gt=0, le=31_536_000)]


class QueueFields(Body, frozen=True):
    """What may be set on a queue."""

    name: Name | Unset = msgspec.UNSET
    team: str | Unset = msgspec.UNSET
    """Name or id."""
    channels: Annotated[list[Channel], msgspec.Meta(min_length=1)] | Unset = msgspec.UNSET
    distribution: Literal["asterisk"] | Unset = msgspec.UNSET
    """`asterisk`: app_queue rings."""
    skills: list[str] | Unset = msgspec.UNSET
    service_level: dict[Channel, Promise] | Unset = msgspec.UNSET
    hours: str | Unset = msgspec.UNSET
    """Such as `Mon-Fri 09:00-18:00; Sat 10:00-14:00`; empty: always open."""
    timezone: str | Unset = msgspec.UNSET
    """IANA name."""
    pbx_queues: list[PbxQueue] | Unset = msgspec.UNSET
    """`connector/queue`; empty: the same name on every PBX."""


class QueueCreate(QueueFields, frozen=True):
    """A new queue."""

    name: Name


async def list_queues(store: Store, actor: Actor, listing: teams.Listing) -> Page[Queue]:
    """The queues of the actor's teams with their live figures."""

    def work(tx: Connection) -> Page[Queue]:
        query = _query().where(scope.queues_of(actor))
        page = paging.page(
            tx, query, [queues.c.id], cursor=listing.cursor, limit=listing.limit, ascending=True
        )
        return Page(items=views(tx, page.rows), next_cursor=page.next_cursor)

    return await store.read(work)


def _query() -> Any:
    return select(queues, teams_table.c.name.label("team")).join(
        teams_table, teams_table.c.id == queues.c.team_id
    )


def views(tx: Connection, rows: Sequence[Row[Any]]) -> list[Queue]:
    """From rows of `_query()`."""
    found = figures(tx, rows)
    return [Queue.of(row, row.team, found[row.id]) for row in rows]


def present(tx: Connection, actor: Actor) -> list[Queue]:
    """The queues of the actor's teams, for `hello`."""
    return views(tx, tx.execute(_query().where(scope.queues_of(actor)).order_by(queues.c.id)).all())


def everything(tx: Connection) -> Sequence[tuple[str, Queue]]:
    """(team's id, queue) of all, for whoever shows each only to its team."""
    rows = tx.execute(_query().order_by(queues.c.id)).all()
    return [(row.team_id, queue) for row, queue in zip(rows, views(tx, rows), strict=True)]


async def get(store: Store, actor: Actor, queue_id: str) -> Queue:
    """One queue. Raises `NotFound`."""

    def work(tx: Connection) -> Queue:
        return _fresh(tx, scope.queue_for(tx, actor, queue_id).id)

    return await store.read(work)


def _fresh(tx: Connection, queue_id: str) -> Queue:
    return views(tx, tx.execute(_query().where(queues.c.id == queue_id)).all())[0]


async def create(store: Store, actor: Actor, body: QueueCreate, timezone: str) -> Queue:
    """A new queue; `timezone` where it names none. Raises `Conflict` for a name that is taken."""
    scope.require(actor, Role.ADMIN)
    return await store.write(_create, actor, body, timezone)


def _create(tx: Connection, actor: Actor, body: QueueCreate, timezone: str) -> Queue:
    _refuse_taken(tx, body.name)
    now = datetime.now(UTC)
    values: dict[str, Any] = {
        "id": new_id(),
        "team_id": teams.ensure_main(tx),
        "channels": ["voice"],
        "distribution": "asterisk",
        "skills": [],
        "service_level": {},
        "hours": "",
        "timezone": timezone,
        "pbx_queues": [],
        "origin": "desk",
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
    values |= _columns(tx, body)
    tx.execute(insert(queues), values)
    audit.note(tx, actor, "queue.created", "queue", values["id"], _audited(body), team_id=values["team_id"])
    return _told(tx, values["id"])


async def change(store: Store, actor: Actor, queue_id: str, body: QueueFields, version: int | None) -> Queue:
    """Set what the body names. Raises `Conflict` for a queue of the file, `VersionConflict`."""
    scope.require(actor, Role.ADMIN)
    return await store.write(_change, actor, queue_id, body, version)


def _change(tx: Connection, actor: Actor, queue_id: str, body: QueueFields, version: int | None) -> Queue:
    row = scope.queue_for(tx, actor, queue_id, lock=True)
    if version is not None and version != row.version:
        raise VersionConflict
    if row.origin == "file":
        raise Conflict(f"the queue {row.name} belongs to the configuration file: change it there")
    values = _columns(tx, body)
    if "name" in values:
        _refuse_taken(tx, values["name"], row.id)
    values |= {"version": queues.c.version + 1, "updated_at": datetime.now(UTC)}
    tx.execute(update(queues).where(queues.c.id == row.id).values(**values))
    audit.note(tx, actor, "queue.changed", "queue", row.id, _audited(body), team_id=row.team_id)
    return _told(tx, row.id)


def _audited(body: QueueFields) -> dict[str, Any]:
    given: dict[str, Any] = msgspec.to_builtins(body)
    return given


def _told(tx: Connection, queue_id: str) -> Queue:
    queue = _fresh(tx, queue_id)
    team_id = tx.scalar(select(queues.c.team_id).where(queues.c.id == queue_id))
    facts.append(tx, [Fact("queue.updated", to_json(queue), team=team_id)])
    return queue


def _refuse_taken(tx: Connection, name: str, own_id: str | None = None) -> None:
    holder = tx.scalar(select(queues.c.id).where(func.lower(queues.c.name) == name.lower()))
    if holder is not None and holder != own_id:
        raise Conflict(f"there is a queue named {name} already")


def _columns(tx: Connection, body: QueueFields) -> dict[str, Any]:
    """The columns that the body sets; raises `Invalid` with every mistake."""
    values: dict[str, Any] = msgspec.to_builtins(body)
    errors = [*_wrong_hours(values), *_wrong_zone(values), *_wrong_skills(tx, values)]
    if "team" in values:
        values["team_id"] = directory.team_id_of(tx, values.pop("team"))
        if values["team_id"] is None:
            errors.append(FieldError("team", "the name or id of a team"))
    if errors:
        raise Invalid(errors)
    return values


def _wrong_hours(values: Mapping[str, Any]) -> Iterable[FieldError]:
    try:
        parse_hours(values.get("hours", ""))
    except Wrong as wrong:
        yield FieldError("hours", str(wrong))


def _wrong_zone(values: Mapping[str, Any]) -> Iterable[FieldError]:
    if "timezone" in values and values["timezone"] not in available_timezones():
        yield FieldError("timezone", "an IANA time zone such as Europe/Moscow")


def _wrong_skills(tx: Connection, values: Mapping[str, Any]) -> Iterable[FieldError]:
    known = set(tx.scalars(select(skills.c.name))) if values.get("skills") else set()
    for position, name in enumerate(values.get("skills", [])):
        if name not in known:
            yield FieldError(f"skills[{position}]", "there is no such skill; make it first")
