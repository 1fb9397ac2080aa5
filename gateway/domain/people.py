"""Who acts, and with what rights."""

from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a person may do at all; `rank` orders them."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Greater may do more."""
        return _RANKS[self]


_RANKS = {Role.OPERATOR: 0, Role.SUPERVISOR: 1, Role.ADMIN: 2}


class Presence(StrEnum):
    """Whether an operator takes contacts."""

    AVAILABLE = "available"
    PAUSED = "paused"
    DRAINING = "draining"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or program on whose behalf something is read or done.

    `teams` are ids. A program (API token) has `is_token`, its `scopes` and, unless it is an admin's, only the
    teams named at its making.
    """

    id: str
    name: str
    role: Role
    teams: frozenset[str] = frozenset()
    is_token: bool = False
    scopes: frozenset[str] = field(default=frozenset())
    address: str | None = None

    @property
    def sees_all(self) -> bool:
        """Admins see every team."""
        return self.role is Role.ADMIN

    @property
    def operator_id(self) -> str | None:
        """The operator behind it; None for a program."""
        return None if self.is_token else self.id
