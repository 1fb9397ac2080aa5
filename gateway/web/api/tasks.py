"""Tasks: what is to be done for a card by a time."""

from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from gateway.domain.errors import Invalid
from gateway.domain.ids import is_id
from gateway.domain.people import Role
from gateway.services import tasks
from gateway.services.tasks import NewTask, TaskFields, TaskFilters
from gateway.services.views.common import Page
from gateway.services.views.tasks import Task, TaskState
from gateway.web.api.params import DEFAULT_LIMIT, IdText, Limit
from gateway.web.routes import Request, route


class TaskList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`assignee`: an operator's id, `me`, or `none` for the teams' own. `due`: `overdue`, or `today`:
    everything due before the end of the day in the installation's time zone; open ones are meant then unless
    `state` says otherwise.
    """

    assignee: str | None = None
    due: Literal["overdue", "today"] | None = None
    state: TaskState | None = None
    card_id: IdText | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: str | None = None


async def list_(rq: Request[None, TaskList]) -> Page[Task]:
    """Tasks, what is due first first."""
    asked = rq.query
    filters = TaskFilters(
        assignee=_assignee(rq),
        state=asked.state or ("open" if asked.due else None),
        card_id=asked.card_id,
        due_before=_due_before(asked.due, rq.deps.settings.locale.timezone),
    )
    return await tasks.list_tasks(rq.store, rq.actor, filters, asked.limit, asked.cursor)


def _assignee(rq: Request[None, TaskList]) -> str | None:
    asked = rq.query.assignee
    if asked == "me":
        return rq.actor.id
    if asked is not None and asked != "none" and not is_id(asked):
        raise Invalid.one("assignee", "the id of an operator, me, or none")
    return asked


def _due_before(due: str | None, zone: str) -> datetime | None:
    now = datetime.now(UTC)
    if due != "today":
        return now if due == "overdue" else None
    tomorrow = now.astimezone(ZoneInfo(zone)).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), ZoneInfo(zone)).astimezone(UTC)


async def create(rq: Request[NewTask, None]) -> Task:
    """Something to do for the card by a time."""
    return await tasks.create(rq.store, rq.actor, rq.path("id"), rq.body)


async def change(rq: Request[TaskFields, None]) -> Task:
    """Change, hand on, put off, do, cancel or open again."""
    return await tasks.change(rq.store, rq.actor, rq.path("id"), rq.body, rq.if_match)


_READ = {"role": Role.OPERATOR, "scope": "tasks:read"}
_WRITE = {"role": Role.OPERATOR, "scope": "tasks:write"}
ROUTES = (
    route("GET", "/tasks", list_, summary="List tasks", **_READ),
    route("POST", "/cards/{id}/tasks", create, summary="Make a task", status=201, idempotent=True, **_WRITE),
    route("PATCH", "/tasks/{id}", change, summary="Change a task", **_WRITE),
)
