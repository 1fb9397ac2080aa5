"""Operators, teams, skills, tokens, the audit log; and `me`."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sqlalchemy import Row

from gateway.services.views.common import PersonRef, View, at, at_or_none

RoleName = Literal["operator", "supervisor", "admin"]
PresenceName = Literal["available", "paused", "draining", "offline"]
EndpointKind = Literal["phone", "softphone"]


class Endpoint(View, frozen=True):
    """A phone at which the operator is signed in; `interface` null: dialled as the connector says."""

    pbx: str
    extension: str
    interface: str | None
    kind: EndpointKind

    @classmethod
    def of(cls, row: Row[Any]) -> "Endpoint":
        """From a row of `endpoints`."""
        return cls(pbx=row.pbx, extension=row.extension, interface=row.interface, kind=row.kind)


class Presence(View, frozen=True):
    """Whether the operator takes contacts, why not, and since when."""

    state: PresenceName
    reason: str | None
    since: str

    @classmethod
    def of(cls, row: Row[Any]) -> "Presence":
        """From a row of `operators`."""
        return cls(state=row.presence, reason=row.presence_reason, since=at(row.presence_since))


class Operator(View, frozen=True):
    """A person who works here."""

    id: str
    version: int
    login: str
    name: str
    role: RoleName
    active: bool
    language: str
    teams: Sequence[str]
    skills: Mapping[str, int]
    capacity: Mapping[str, int]
    endpoints: Sequence[Endpoint]
    presence: Presence
    created_at: str
    updated_at: str

    @classmethod
    def of(
        cls, row: Row[Any], teams: Sequence[str], skills: Mapping[str, int], endpoints: Sequence[Endpoint]
    ) -> "Operator":
        """From a row of `operators` and what hangs on it."""
        return cls(
            id=row.id,
            version=row.version,
            login=row.login,
            name=row.name,
            role=row.role,
            active=row.active,
            language=row.language,
            teams=teams,
            skills=skills,
            capacity=row.capacity,
            endpoints=endpoints,
            presence=Presence.of(row),
            created_at=at(row.created_at),
            updated_at=at(row.updated_at),
        )


class NewOperator(Operator, frozen=True):
    """An operator just made; `password` is the generated one, told this once, null where one was given."""

    password: str | None = None


class Me(View, frozen=True):
    """Who is signed in. A program (API token) has no login, endpoints or presence of its own."""

    id: str
    login: str | None
    name: str
    role: RoleName
    teams: Sequence[str]
    language: str
    endpoints: Sequence[Endpoint]
    presence: Presence | None
    csrf_token: str | None
    """To be sent as X-CSRF-Token with everything that changes something; null for tokens."""
    scopes: Sequence[str] | None = None
    """What a token is narrowed to; null: everything that its role may do."""


class Team(View, frozen=True):
    """People who work together; queues and cards belong to one."""

    id: str
    version: int
    name: str
    members: int
    created_at: str

    @classmethod
    def of(cls, row: Row[Any], members: int) -> "Team":
        """From a row of `teams`."""
        return cls(
            id=row.id, version=row.version, name=row.name, members=members, created_at=at(row.created_at)
        )


class Skill(View, frozen=True):
    """Something that a queue may ask of its operators."""

    id: str
    version: int
    name: str
    created_at: str

    @classmethod
    def of(cls, row: Row[Any]) -> "Skill":
        """From a row of `skills`."""
        return cls(id=row.id, version=row.version, name=row.name, created_at=at(row.created_at))


class TokenView(View, frozen=True):
    """An API token, without the token itself."""

    id: str
    name: str
    role: RoleName
    scopes: Sequence[str]
    teams: Sequence[str]
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    last_used_at: str | None

    @classmethod
    def of(cls, row: Row[Any], team_names: Mapping[str, str]) -> "TokenView":
        """From a row of `tokens`."""
        return cls(
            id=row.id,
            name=row.name,
            role=row.role,
            scopes=row.scopes,
            teams=[team_names[team] for team in row.teams if team in team_names],
            created_at=at(row.created_at),
            expires_at=at_or_none(row.expires_at),
            revoked_at=at_or_none(row.revoked_at),
            last_used_at=at_or_none(row.last_used_at),
        )


class AuditEntry(View, frozen=True):
    """Who did what to what."""

    id: str
    at: str
    actor: PersonRef | None
    """Null: the command line, or the service by itself; `by` names it."""
    by: str
    address: str | None
    action: str
    object_kind: str | None
    object_id: str | None
    team: str | None
    detail: dict[str, Any]

    @classmethod
    def of(cls, row: Row[Any]) -> "AuditEntry":
        """From a row of `audit` with its team's name."""
        return cls(
            id=row.id,
            at=at(row.at),
            actor=PersonRef(id=row.actor_id, name=row.actor) if row.actor_id else None,
            by=row.actor,
            address=row.address,
            action=row.action,
            object_kind=row.object_kind,
            object_id=row.object_id,
            team=row.team,
            detail=row.detail,
        )
