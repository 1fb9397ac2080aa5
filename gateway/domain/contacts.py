"""Whom a waiting contact is offered to: the port behind which the dispatcher stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Waiting:
    """A contact that waits. `preferred`: the operator asked before all others; `declined_by` since it was
    queued last."""

    contact_id: str
    channel: str
    preferred: str | None
    declined_by: frozenset[str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An operator who is available and serves the queue; `free`: contacts of this channel that he can still
    take."""

    operator_id: str
    free: int


@dataclass(frozen=True, slots=True)
class Offer:
    """Who is asked, in this order; nobody: the contact stays queued. `reason`: why these."""

    operators: tuple[str, ...]
    reason: str


class Dispatch(Protocol):
    """Decides; without I/O, the same for the same."""

    def __call__(self, contact: Waiting, candidates: Sequence[Candidate]) -> Offer:
        """To whom the contact is offered now."""
        ...
