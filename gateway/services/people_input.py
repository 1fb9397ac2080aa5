"""What people send about people: bodies and query strings."""

from typing import Annotated, Literal

import msgspec

from gateway.services.views.common import DEFAULT_LIMIT, Body, Limit

Line = Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
Login = Annotated[str, msgspec.Meta(pattern=r"^[\w.@+-]{1,64}$", description="letters, digits and . @ + - _")]
Language = Literal["ru", "en"]
Level = Annotated[int, msgspec.Meta(ge=1, le=10)]
Channel = Literal["voice", "email", "chat", "callback"]
Places = Annotated[int, msgspec.Meta(ge=0, le=100)]
RoleName = Literal["operator", "supervisor", "admin"]
Unset = msgspec.UnsetType


Extension = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z_.*#+-]{1,32}$")]
Interface = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9_]*/[\w.@+-]{1,80}$")]
Reason = Annotated[str, msgspec.Meta(max_length=255)]


class EndpointFields(Body, frozen=True):
    """A phone; `interface` null: dialled as the connector says."""

    pbx: str
    extension: Extension
    interface: Interface | None = None
    kind: Literal["phone", "softphone"] = "phone"


class PresenceFields(Body, frozen=True):
    """Whether the operator takes contacts, and why not."""

    state: Literal["available", "paused", "draining", "offline"]
    reason: Reason | None = None


class PhoneOf(Body, frozen=True):
    """Which phone to leave; without `pbx` and `extension` all of them."""

    pbx: str | None = None
    extension: Extension | None = None


class OperatorFilters(Body, frozen=True):
    """What `GET /operators` may be narrowed by."""

    q: str | None = None
    """Part of name or login."""
    team: str | None = None
    role: RoleName | None = None
    active: bool | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: str | None = None


class OperatorCreate(Body, frozen=True):
    """A new person. Without a password one is generated and told once."""

    login: Login
    name: Line
    role: RoleName = "operator"
    teams: list[str] = msgspec.field(default_factory=list)
    """Names or ids; without any he belongs to `main`."""
    skills: dict[str, Level] = msgspec.field(default_factory=dict)
    capacity: dict[Channel, Places] = msgspec.field(default_factory=dict)
    """Contacts at a time; what is not named keeps its default."""
    endpoints: Annotated[list[EndpointFields], msgspec.Meta(max_length=20)] = msgspec.field(
        default_factory=list
    )
    language: Language | None = None
    """Null: that of the installation."""
    password: str | None = None


class OperatorUpdate(Body, frozen=True):
    """What may be changed: all by an admin, skills and capacity by a supervisor of the team as well."""

    name: Line | Unset = msgspec.UNSET
    login: Login | Unset = msgspec.UNSET
    role: RoleName | Unset = msgspec.UNSET
    teams: list[str] | Unset = msgspec.UNSET
    skills: dict[str, Level] | Unset = msgspec.UNSET
    capacity: dict[Channel, Places] | Unset = msgspec.UNSET
    language: Language | Unset = msgspec.UNSET
    password: str | Unset = msgspec.UNSET
    active: bool | Unset = msgspec.UNSET
    successor: str | None = None
    """With `active: false`: id of the operator who takes over his cards and their leads."""
    team: str | None = None
    """With `active: false` and no successor: the team to which his cards go."""


class SignIn(Body, frozen=True):
    """Login and password."""

    login: Annotated[str, msgspec.Meta(max_length=255)]
    password: Annotated[str, msgspec.Meta(max_length=1024)]
