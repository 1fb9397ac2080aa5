"""API tokens of programs: made and revoked by admins (command line), shown once, stored as SHA-256."""

import contextlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from gateway.domain.errors import Conflict, FieldError, Invalid, NotFound, StoreUnavailable, Unauthenticated
from gateway.domain.ids import is_id, new_id
from gateway.domain.people import Actor, Role
from gateway.services import audit, directory, scope
from gateway.services.sessions import hash_of
from gateway.services.views.people import TokenView
from gateway.store.engine import Store
from gateway.store.tables import teams as teams_table
from gateway.store.tables import tokens

PREFIX = "pz_"
NOUNS = (
    "audit",
    "calls",
    "cards",
    "connectors",
    "contacts",
    "events",
    "leads",
    "operators",
    "poison",
    "queues",
    "recordings",
    "skills",
    "tasks",
    "teams",
    "templates",
    "threads",
)
SCOPES = frozenset(f"{noun}:{right}" for noun in NOUNS for right in ("read", "write"))
"""What a token may be narrowed to; `noun:write` includes `noun:read`."""
_USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewToken:
    """What to make. Without `scopes` it may do what its role may; without `teams` it is of `main`."""

    name: str
    role: Role
    scopes: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    expires: timedelta | None = None


async def create(store: Store, actor: Actor, wanted: NewToken) -> tuple[str, TokenView]:
    """The token, to be shown once, and what is kept of it. Raises `Invalid` with every mistake."""
    scope.require(actor, Role.ADMIN)
    token = PREFIX + secrets.token_urlsafe(32)
    return token, await store.write(_create, actor, wanted, hash_of(token))


def _create(tx: Connection, actor: Actor, wanted: NewToken, token_hash: str) -> TokenView:
    now = datetime.now(UTC)
    values = {
        "id": new_id(),
        "name": wanted.name.strip(),
        "token_hash": token_hash,
        "role": wanted.role.value,
        "scopes": sorted(set(wanted.scopes)),
        "teams": _checked(tx, wanted),
        "created_at": now,
        "expires_at": now + wanted.expires if wanted.expires else None,
    }
    row = tx.execute(insert(tokens).values(**values).returning(tokens)).one()
    detail = {"name": row.name, "role": row.role, "scopes": row.scopes}
    audit.note(tx, actor, "token.created", "token", row.id, detail)
    return TokenView.of(row, _team_names(tx))


def _checked(tx: Connection, wanted: NewToken) -> list[str]:
    """The ids of its teams; raises `Invalid` with every mistake."""
    errors: list[FieldError] = []
    if not 1 <= len(wanted.name.strip()) <= 255:
        errors.append(FieldError("name", "1 to 255 characters"))
    if wanted.expires is not None and wanted.expires <= timedelta():
        errors.append(FieldError("expires", "a number of days greater than 0"))
    for unknown in sorted(set(wanted.scopes) - SCOPES):
        errors.append(FieldError("scope", f"{unknown} is not one of {', '.join(sorted(SCOPES))}"))
    ids = {name: directory.team_id_of(tx, name) for name in wanted.teams or (directory.MAIN_TEAM,)}
    errors += [FieldError("team", f"there is no team {name}") for name, team in ids.items() if team is None]
    if errors:
        raise Invalid(errors)
    return [team for team in ids.values() if team is not None]


def _team_names(tx: Connection) -> dict[str, str]:
    return {row.id: row.name for row in tx.execute(select(teams_table.c.id, teams_table.c.name))}


async def list_tokens(store: Store, actor: Actor) -> Sequence[TokenView]:
    """Every token, newest first."""
    scope.require(actor, Role.ADMIN)

    def work(tx: Connection) -> list[TokenView]:
        names = _team_names(tx)
        return [TokenView.of(row, names) for row in tx.execute(select(tokens).order_by(tokens.c.id.desc()))]

    return await store.read(work)


async def revoke(store: Store, actor: Actor, name_or_id: str) -> TokenView:
    """End the token for good. Raises `NotFound`, or `Conflict` where several have the name."""
    scope.require(actor, Role.ADMIN)
    return await store.write(_revoke, actor, name_or_id)


def _revoke(tx: Connection, actor: Actor, name_or_id: str) -> TokenView:
    named = tokens.c.name == name_or_id
    condition = or_(named, tokens.c.id == name_or_id) if is_id(name_or_id) else named
    found = tx.execute(select(tokens).where(condition, tokens.c.revoked_at.is_(None))).all()
    if not found:
        raise NotFound(f"there is no token {name_or_id}")
    if len(found) > 1:
        raise Conflict(f"{len(found)} tokens are called {name_or_id}: name one by its id")
    change = update(tokens).where(tokens.c.id == found[0].id).values(revoked_at=datetime.now(UTC))
    row = tx.execute(change.returning(tokens)).one()
    audit.note(tx, actor, "token.revoked", "token", row.id, {"name": row.name})
    return TokenView.of(row, _team_names(tx))


async def find(store: Store, token: str, address: str) -> Actor:
    """The program behind the token. Raises `Unauthenticated`."""
    actor, used_at = await store.read(_find, hash_of(token), address)
    if used_at is None or datetime.now(UTC) - used_at > _USED_EVERY:
        with contextlib.suppress(StoreUnavailable):  # a full disk is no reason not to read
            await store.write(_used, actor.id)
    return actor


def _find(tx: Connection, token_hash: str, address: str) -> tuple[Actor, datetime | None]:
    row = tx.execute(select(tokens).where(tokens.c.token_hash == token_hash, _alive())).one_or_none()
    if row is None:
        raise Unauthenticated("the token is unknown, expired or revoked")
    return _actor(row, address), row.last_used_at


def _alive() -> Any:
    later = or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > datetime.now(UTC))
    return tokens.c.revoked_at.is_(None) & later


def _actor(row: Row[Any], address: str | None) -> Actor:
    return Actor(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        teams=frozenset(row.teams),
        is_token=True,
        scopes=frozenset(row.scopes),
        address=address,
    )


def again(tx: Connection, actor: Actor) -> Actor | None:
    """The program as it stands now, for open sockets; None when its token has ended."""
    row = tx.execute(select(tokens).where(tokens.c.id == actor.id, _alive())).one_or_none()
    return None if row is None else _actor(row, actor.address)


def _used(tx: Connection, token_id: str) -> None:
    tx.execute(update(tokens).where(tokens.c.id == token_id).values(last_used_at=datetime.now(UTC)))


def allows(actor: Actor, needed: str | None) -> bool:
    """Whether the scopes include `needed` (`noun:right`); people and tokens without scopes have all."""
    if needed is None or not actor.scopes:
        return True
    noun, _, right = needed.partition(":")
    return needed in actor.scopes or (right == "read" and f"{noun}:write" in actor.scopes)
