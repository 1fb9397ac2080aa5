"""Rules across several settings of one section."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from config.problems import Finding


@dataclass(frozen=True, slots=True)
class Rule:
    """Judges the settings `fields` together, once each of them is right by itself."""

    fields: tuple[str, ...]
    judge: Callable[..., Iterator[Finding]]


def rule(*fields: str) -> Callable[[Callable[..., Iterator[Finding]]], Rule]:
    """Make a function of a section's class its rule; it is called with the values of `fields`."""

    def mark(judge: Callable[..., Iterator[Finding]]) -> Rule:
        return Rule(fields, judge)

    return mark


def rules_of(section: type[Any]) -> Iterator[Rule]:
    """The rules of a section's class and of the classes it extends."""
    for cls in reversed(section.__mro__):
        yield from (value for value in vars(cls).values() if isinstance(value, Rule))
