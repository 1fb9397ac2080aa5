"""Facts: what happened, as told to observers after the commit."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened, written in the transaction of the thing itself.

    `data` is the JSON of the event's `data` in the contract. A fact reaches those who may see it: everybody
    in `team` and `operators` by name, or `operators` alone when `private`; with neither, everybody.
    """

    type: str
    data: bytes
    team: str | None = None
    operators: tuple[str, ...] = ()
    private: bool = False
    card_id: str | None = None


@dataclass(frozen=True, slots=True)
class CommittedFact:
    """A fact as the feed hands it on, in commit order."""

    position: str
    at: datetime
    fact: Fact
