"""Verbs on tasks: something to do for a card by a time, and whose it is."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import msgspec
from sqlalchemy import Connection, insert, select, update

from gateway.domain.errors import Conflict, Invalid, VersionConflict
from gateway.domain.ids import is_id, new_id
from gateway.domain.people import Actor
from gateway.services import publish, scope, tasks_rows, timeline
from gateway.services.views.common import Body, Page
from gateway.services.views.tasks import Action, Task, TaskState
from gateway.store import facts, paging, work
from gateway.store.engine import Store
from gateway.store.tables import operators
from gateway.store.tables_conversations import tasks

DUE = "task_due"
"""Kind of work: a task whose time comes."""
BY_PERSON = "person"
_LONGEST = timedelta(days=5 * 366)
_SUMMARY = 200

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class NewTask(Body, frozen=True):
    """`assignee` is the id of an operator; without one the task is the asker's own, or a program's team's."""

    text: Text
    due_at: datetime
    assignee: str | msgspec.UnsetType | None = msgspec.UNSET
    action: Action = "other"
    lead_id: str | None = None


class TaskFields(Body, frozen=True):
    """What may be changed; `assignee` null gives the task to its team."""

    text: Text | msgspec.UnsetType = msgspec.UNSET
    due_at: datetime | msgspec.UnsetType = msgspec.UNSET
    assignee: str | msgspec.UnsetType | None = msgspec.UNSET
    action: Action | msgspec.UnsetType = msgspec.UNSET
    state: TaskState | msgspec.UnsetType = msgspec.UNSET


class TaskFilters(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /tasks` may be narrowed by. `assignee`: an operator's id, or `none` for a team's own.

    `due_before` (UTC) is set by whoever knows what the day is called there.
    """

    assignee: str | None = None
    state: TaskState | None = None
    card_id: str | None = None
    due_before: datetime | None = None


async def list_tasks(
    store: Store, actor: Actor, filters: TaskFilters, limit: int, cursor: str | None
) -> Page[Task]:
    """One page of the tasks on cards that the actor sees, and his own; what is due first comes first."""
    return await store.read(_list, actor, filters, limit, cursor)


def _list(tx: Connection, actor: Actor, filters: TaskFilters, limit: int, cursor: str | None) -> Page[Task]:
    wanted = tasks_rows.query().where(scope.tasks(actor))
    if filters.assignee:
        his = None if filters.assignee == "none" else filters.assignee
        wanted = wanted.where(tasks.c.assignee_id.is_not_distinct_from(his))
    if filters.state:
        wanted = wanted.where(tasks.c.state == filters.state)
    if filters.card_id:
        wanted = wanted.where(tasks.c.card_id == filters.card_id)
    if filters.due_before:
        wanted = wanted.where(tasks.c.due_at < filters.due_before)
    order = [tasks.c.due_at, tasks.c.id]
    page = paging.page(tx, wanted, order, cursor=cursor, limit=limit, ascending=True)
    return Page(items=tasks_rows.views(tx, page.rows), next_cursor=page.next_cursor)


async def create(store: Store, actor: Actor, card_id: str, body: NewTask) -> Task:
    """A task on the card. Raises `NotFound`, `Invalid`."""
    return await store.write(_create, actor, card_id, body)


def _create(tx: Connection, actor: Actor, card_id: str, body: NewTask) -> Task:
    card = scope.card_for(tx, actor, card_id, lock=True)
    if body.lead_id is not None and scope.lead_for(tx, actor, body.lead_id).card_id != card_id:
        raise Invalid.one("lead_id", "a lead of this card")
    assignee = actor.operator_id if body.assignee is msgspec.UNSET else _assignee(tx, body.assignee)
    _in_reach(body.due_at)
    return add(
        tx,
        card_id,
        card.team_id,
        text=body.text,
        action=body.action,
        due_at=body.due_at,
        assignee_id=assignee,
        lead_id=body.lead_id,
        made_by=BY_PERSON,
        author_id=actor.operator_id,
    )


def add(tx: Connection, card_id: str, team_id: str, **values: Any) -> Task:
    """Make the task, lay it on the timeline, and have its time watched; the card is held by the caller."""
    now = datetime.now(UTC)
    task_id = new_id()
    fixed = {"id": task_id, "card_id": card_id, "team_id": team_id, "state": "open", "version": 1}
    tx.execute(insert(tasks).values(**fixed, created_at=now, updated_at=now, **values))
    summary = values["text"][:_SUMMARY]
    timeline.add(tx, card_id, team_id, now, kind="task", summary=summary, ref_id=task_id, data={})
    work.put(tx, DUE, task_id, key=task_id, due_at=values["due_at"])
    return tell(tx, task_id, team_id)


async def change(store: Store, actor: Actor, task_id: str, body: TaskFields, version: int | None) -> Task:
    """Change, hand on, put off, do, cancel or open again. Raises `NotFound`, `VersionConflict`, `Invalid`."""
    return await store.write(_change, actor, task_id, body, version)


def _change(tx: Connection, actor: Actor, task_id: str, body: TaskFields, version: int | None) -> Task:
    row = scope.task_for(tx, actor, task_id, lock=True)
    if version is not None and version != row.version:
        raise VersionConflict
    given = {k: v for k, v in msgspec.structs.asdict(body).items() if v is not msgspec.UNSET}
    now = datetime.now(UTC)
    if "assignee" in given:
        given["assignee_id"] = _assignee(tx, given.pop("assignee"))
    if row.state != "open" and given.get("state", row.state) != "open" and given.keys() - {"state"}:
        raise Conflict(f"this task is {row.state}: open it again before changing it")
    if "due_at" in given:
        _in_reach(given["due_at"])
    if "state" in given:
        given["done_at"] = now if given["state"] == "done" else None
    if "due_at" in given or given.get("state", row.state) != row.state:
        given["told_at"] = None
        _watch(tx, task_id, given.get("state", row.state), given.get("due_at", row.due_at))
    values = {"version": tasks.c.version + 1, "updated_at": now, **given}
    tx.execute(update(tasks).where(tasks.c.id == task_id).values(**values))
    return tell(tx, task_id, row.team_id)


def _watch(tx: Connection, task_id: str, state: str, due_at: datetime) -> None:
    work.drop(tx, DUE, task_id)
    if state == "open":
        work.put(tx, DUE, task_id, key=task_id, due_at=due_at)


def tell(tx: Connection, task_id: str, team_id: str) -> Task:
    """Tell whoever sees the card how the task stands."""
    shown = tasks_rows.view(tx, task_id)
    facts.append(tx, [publish.task_updated(shown, team_id, _whose(shown))])
    return shown


def _whose(task: Task) -> tuple[str, ...]:
    return (task.assignee.id,) if task.assignee else ()


def come_due(tx: Connection, task_id: str) -> None:
    """The task's time has come: told once, to whoever is to do it and to the supervisors of its team."""
    row = tx.execute(select(tasks).where(tasks.c.id == task_id).with_for_update()).one_or_none()
    if row is None or row.state != "open" or row.told_at is not None:
        return
    tx.execute(update(tasks).where(tasks.c.id == task_id).values(told_at=datetime.now(UTC)))
    shown = tasks_rows.view(tx, task_id)
    facts.append(tx, [publish.task_due(shown, row.team_id, _whose(shown))])


def _assignee(tx: Connection, operator_id: str | None) -> str | None:
    if operator_id is None:
        return None
    there = select(operators.c.id).where(operators.c.id == operator_id, operators.c.active)
    if not is_id(operator_id) or tx.scalar(there) is None:
        raise Invalid.one("assignee", "the id of an active operator, or null for the team")
    return operator_id


def _in_reach(due_at: datetime) -> None:
    if due_at.tzinfo is None:
        raise Invalid.one("due_at", "RFC 3339 with an offset, such as 2026-11-24T15:00:00+03:00")
    if abs(due_at - datetime.now(UTC)) > _LONGEST:
        raise Invalid.one("due_at", "within five years")
