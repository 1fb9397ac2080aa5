"""Templates: texts that are written often, everybody's or a team's. Variables stand in double braces."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from gateway.domain.errors import Conflict, Invalid, VersionConflict
from gateway.domain.ids import new_id
from gateway.domain.people import Actor, Role
from gateway.services import audit, directory, scope
from gateway.services.views.common import Body, Page, View, at
from gateway.store import paging
from gateway.store.engine import Store
from gateway.store.tables import teams
from gateway.store.tables_conversations import templates

VARIABLES = frozenset({"client.name", "client.company", "operator.name", "queue", "date", "time"})
"""What may stand in double braces; the desk puts it in."""
_IN_BRACES = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Shortcut = Annotated[str, msgspec.Meta(pattern=r"^[\w.-]{1,64}$")]
Unset = msgspec.UnsetType


class TemplateFields(Body, frozen=True):
    """What may be set on a template. `team` by name or id, null: everybody's; `channels` empty: all."""

    name: Line | Unset = msgspec.UNSET
    shortcut: Shortcut | Unset | None = msgspec.UNSET
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)] | Unset = msgspec.UNSET
    channels: list[Literal["email", "chat"]] | Unset = msgspec.UNSET
    language: Literal["ru", "en"] | Unset | None = msgspec.UNSET
    team: str | Unset | None = msgspec.UNSET


class TemplateList(Body, frozen=True):
    """Those for one channel."""

    channel: Literal["email", "chat"] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 200
    cursor: str | None = None


class Template(View, frozen=True):
    """A text that is written often."""

    id: str
    version: int
    name: str
    shortcut: str | None
    text: str
    channels: list[str]
    language: str | None
    team: str | None
    updated_at: str


async def list_templates(store: Store, actor: Actor, listing: TemplateList) -> Page[Template]:
    """Everybody's and those of one's teams."""
    return await store.read(_list, actor, listing)


def _query() -> Any:
    return select(templates, teams.c.name.label("team_name")).outerjoin(
        teams, teams.c.id == templates.c.team_id
    )


def _list(tx: Connection, actor: Actor, listing: TemplateList) -> Page[Template]:
    query = _query().where(scope.templates(actor))
    page = paging.page(
        tx, query, [templates.c.id], cursor=listing.cursor, limit=listing.limit, ascending=True
    )
    wanted = [row for row in page.rows if not row.channels or listing.channel in (None, *row.channels)]
    return Page(items=[_of(row) for row in wanted], next_cursor=page.next_cursor)


def _of(row: Row[Any]) -> Template:
    return Template(
        id=row.id,
        version=row.version,
        name=row.name,
        shortcut=row.shortcut,
        text=row.text,
        channels=row.channels,
        language=row.language,
        team=row.team_name,
        updated_at=at(row.updated_at),
    )


def _one(tx: Connection, template_id: str) -> Template:
    return _of(tx.execute(_query().where(templates.c.id == template_id)).one())


async def create(store: Store, actor: Actor, body: TemplateFields) -> Template:
    """Make one (supervisors for their teams, admins for everybody). Raises `Invalid`."""
    return await store.write(_create, actor, body)


def _create(tx: Connection, actor: Actor, body: TemplateFields) -> Template:
    scope.require(actor, Role.SUPERVISOR)
    missing = [name for name in ("name", "text") if getattr(body, name) is msgspec.UNSET]
    if missing:
        raise Invalid.one(missing[0], "is required")
    now = datetime.now(UTC)
    row: dict[str, Any] = {
        "id": new_id(),
        "shortcut": None,
        "channels": [],
        "language": None,
        "team_id": None,
    }
    row |= {"team_id": None, "version": 1, "created_at": now, "updated_at": now, **_columns(tx, actor, body)}
    _refuse_foreign(actor, row["team_id"])
    tx.execute(insert(templates), row)
    audit.note(tx, actor, "template.created", "template", row["id"], {"name": row["name"]})
    return _one(tx, row["id"])


async def change(
    store: Store, actor: Actor, template_id: str, body: TemplateFields, version: int | None
) -> Template:
    """Set what the body names. Raises `VersionConflict`, `Invalid`."""
    return await store.write(_change, actor, template_id, body, version)


def _change(
    tx: Connection, actor: Actor, template_id: str, body: TemplateFields, version: int | None
) -> Template:
    scope.require(actor, Role.SUPERVISOR)
    row = scope.template_for(tx, actor, template_id, lock=True)
    if version is not None and version != row.version:
        raise VersionConflict
    values = _columns(tx, actor, body)
    _refuse_foreign(actor, row.team_id)
    _refuse_foreign(actor, values.get("team_id", row.team_id))
    values |= {"version": row.version + 1, "updated_at": datetime.now(UTC)}
    tx.execute(update(templates).where(templates.c.id == template_id).values(**values))
    audit.note(tx, actor, "template.changed", "template", template_id, {"name": row.name})
    return _one(tx, template_id)


async def remove(store: Store, actor: Actor, template_id: str) -> None:
    """Take one away."""
    await store.write(_remove, actor, template_id)


def _remove(tx: Connection, actor: Actor, template_id: str) -> None:
    scope.require(actor, Role.SUPERVISOR)
    row = scope.template_for(tx, actor, template_id, lock=True)
    _refuse_foreign(actor, row.team_id)
    tx.execute(delete(templates).where(templates.c.id == template_id))
    audit.note(tx, actor, "template.deleted", "template", template_id, {"name": row.name})


def _refuse_foreign(actor: Actor, team_id: str | None) -> None:
    if team_id is None and not actor.sees_all:
        raise Conflict("everybody's templates are changed by admins: name one of your teams")


def _columns(tx: Connection, actor: Actor, body: TemplateFields) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET
    }
    if "team" in values:
        values["team_id"] = _team(tx, actor, values.pop("team"))
    unknown = set(_IN_BRACES.findall(values.get("text", ""))) - VARIABLES
    if unknown:
        known = ", ".join(sorted(VARIABLES))
        raise Invalid.one("text", f"{{{{{unknown.pop()}}}}} means nothing; there are {known}")
    return values


def _team(tx: Connection, actor: Actor, name: str | None) -> str | None:
    if name is None:
        return None
    team_id = directory.team_id_of(tx, name)
    if team_id is None or not scope.may_use_team(actor, team_id):
        raise Invalid.one("team", "the name of one of your teams, or null")
    return team_id
