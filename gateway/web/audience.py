"""Who is shown which fact: the rules of services.scope, for things told rather than asked."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from gateway.domain.facts import Fact
from gateway.domain.people import Actor, Role


class Watcher(Protocol):
    """Somebody who is told."""

    @property
    def actor(self) -> Actor: ...


W = TypeVar("W", bound=Watcher)


def sees(actor: Actor, fact: Fact) -> bool:
    """Whether the actor is told: by name, as one who sees everything, or by his team."""
    if actor.operator_id is not None and actor.operator_id in fact.operators:
        return True
    if fact.private:
        return False
    if fact.team is None:
        return actor.sees_all or not fact.operators
    if actor.sees_all:
        return True
    return fact.team in actor.teams and (actor.role is not Role.OPERATOR or not _for_supervisors(fact))


def _for_supervisors(fact: Fact) -> bool:
    # An operator handles his own contacts, and sees the calls of cards; the rest of his team's is not his.
    of_call = fact.type.startswith(("call.", "recording."))
    # A task of nobody's comes due for the whole team; one that is somebody's is his, and a supervisor's care.
    if fact.type == "task.due":
        return bool(fact.operators)
    return fact.type.startswith("contact.") or (of_call and fact.card_id is None)


class Audience(Generic[W]):
    """Watchers by what they are told of, so that a fact costs what its readers cost and not all of them."""

    def __init__(self) -> None:
        self._all: set[W] = set()
        self._see_all: set[W] = set()
        self._by_team: defaultdict[str, set[W]] = defaultdict(set)
        self._by_operator: defaultdict[str, set[W]] = defaultdict(set)
        self._placed: dict[W, Actor] = {}

    def place(self, watcher: W) -> None:
        """Take the watcher in by the rights that he has now; again whenever they change."""
        self.remove(watcher)
        actor = watcher.actor
        self._placed[watcher] = actor
        self._all.add(watcher)
        if actor.sees_all:
            self._see_all.add(watcher)
        for team in actor.teams:
            self._by_team[team].add(watcher)
        if actor.operator_id is not None:
            self._by_operator[actor.operator_id].add(watcher)

    def remove(self, watcher: W) -> None:
        """He is told nothing any more."""
        actor = self._placed.pop(watcher, None)
        if actor is None:
            return
        self._all.discard(watcher)
        self._see_all.discard(watcher)
        for team in actor.teams:
            _discard(self._by_team, team, watcher)
        if actor.operator_id is not None:
            _discard(self._by_operator, actor.operator_id, watcher)

    def of(self, fact: Fact) -> list[W]:
        """Everybody who is told of the fact."""
        found: set[W] = set()
        for operator_id in fact.operators:
            found |= self._by_operator.get(operator_id, set())
        if not fact.private and fact.team is None and not fact.operators:
            found = self._all
        elif not fact.private:
            found |= self._see_all | self._by_team.get(fact.team or "", set())
        return [watcher for watcher in found if sees(watcher.actor, fact)]

    def of_operator(self, operator_id: str) -> list[W]:
        """The watchers of one person."""
        return list(self._by_operator.get(operator_id, ()))

    def of_team(self, team_id: str) -> Iterable[W]:
        """The team's and those who see everything."""
        return self._see_all | self._by_team.get(team_id, set())


def _discard(index: defaultdict[str, set[W]], key: str, watcher: W) -> None:
    index[key].discard(watcher)
    if not index[key]:
        del index[key]
