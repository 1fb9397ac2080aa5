"""The audit log: who did what to what, appended in the transaction of the deed itself, never changed."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from sqlalchemy import ColumnElement, Connection, false, insert, select, true

from gateway.domain.ids import is_id, new_id
from gateway.domain.people import Actor, Role
from gateway.services import scope
from gateway.services.views.common import DEFAULT_LIMIT, Body, Limit, Page
from gateway.services.views.people import AuditEntry
from gateway.store import paging
from gateway.store.engine import Store
from gateway.store.tables import audit, teams

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


def note(
    tx: Connection,
    actor: Actor,
    action: str,
    object_kind: str | None = None,
    object_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
    *,
    team_id: str | None = None,
) -> None:
    """Write down that `actor` did `action` (such as `card.merged`) to the object.

    `team_id` lets the supervisors of that team read it; without one it is for admins. `detail` holds no
    secrets: it is shown.
    """
    tx.execute(
        insert(audit),
        {
            "id": new_id(),
            "at": datetime.now(UTC),
            "actor_id": actor.id if is_id(actor.id) else None,
            "actor": actor.name,
            "address": actor.address,
            "action": action,
            "object_kind": object_kind,
            "object_id": object_id if object_id and is_id(object_id) else None,
            "team_id": team_id,
            "detail": dict(detail or {}),
        },
    )


class AuditFilters(Body, frozen=True):
    """What `GET /audit` may be narrowed by. `action` matches the whole or, ending in `*`, the beginning."""

    action: str | None = None
    actor: str | None = None
    """Id of a person or token."""
    object_kind: str | None = None
    object_id: str | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: str | None = None


async def entries(store: Store, actor: Actor, filters: AuditFilters) -> Page[AuditEntry]:
    """One page, newest first: an admin everything, a supervisor what concerns his teams."""
    scope.require(actor, Role.SUPERVISOR)
    return await store.read(_entries, actor, filters)


def _entries(tx: Connection, actor: Actor, filters: AuditFilters) -> Page[AuditEntry]:
    query = (
        select(audit, teams.c.name.label("team"))
        .outerjoin(teams, teams.c.id == audit.c.team_id)
        .where(_visible(actor), *_conditions(filters))
    )
    # UUIDv7: the order of ids is the order of time.
    page = paging.page(tx, query, [audit.c.id], cursor=filters.cursor, limit=filters.limit)
    return Page(items=[AuditEntry.of(row) for row in page.rows], next_cursor=page.next_cursor)


def _visible(actor: Actor) -> ColumnElement[bool]:
    return true() if actor.sees_all else audit.c.team_id.in_(actor.teams)


def _conditions(filters: AuditFilters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.action:
        name = filters.action.removesuffix("*")
        starts = audit.c.action.startswith(name, autoescape=True)
        found.append(starts if filters.action.endswith("*") else audit.c.action == name)
    for column, value in ((audit.c.actor_id, filters.actor), (audit.c.object_id, filters.object_id)):
        if value is not None:
            found.append(column == value if is_id(value) else false())
    if filters.object_kind:
        found.append(audit.c.object_kind == filters.object_kind)
    if filters.since:
        found.append(audit.c.at >= filters.since)
    if filters.until:
        found.append(audit.c.at < filters.until)
    return found
