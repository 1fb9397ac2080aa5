"""What is known of one call while its call detail records are judged."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from connectors.asterisk.records_rows import Cdr, QueueLine
from connectors.asterisk.tracker_names import Names

TICK_S = 1.0
"""Records have whole seconds."""
_TIMEOUT = {"Dial": 1, "Queue": 4}
"""Which argument says how long is rung at most."""


@dataclass(slots=True)
class Talk:
    """One conversation as far as the records tell."""

    label: str
    start: float
    answered: float
    end: float
    sure: bool


@dataclass(slots=True)
class Case:
    """Everything about one call while it is judged."""

    rows: list[Cdr]
    lines: Sequence[QueueLine]
    names: Names
    first: Cdr
    unknown: dict[str, None] = field(default_factory=dict)

    def guess(self, *fields: str) -> None:
        self.unknown.update(dict.fromkeys(fields))

    @property
    def uniqueid(self) -> str:
        return self.first.linkedid

    def line(self, *events: str) -> QueueLine | None:
        return next((line for line in self.lines if line.event in events), None)


def without_doubles(talks: Iterable[Talk]) -> list[Talk]:
    """A pickup leaves a record of the phone that rang, too, over in the second in which the talk began."""
    kept: list[Talk] = []
    for talk in talks:
        if kept and kept[-1].label == talk.label and talk.answered <= kept[-1].end + TICK_S:
            kept[-1].end = max(kept[-1].end, talk.end)
        else:
            kept.append(talk)
    return kept


def ran_out(row: Cdr, end: float) -> bool:
    """Whether it rang as long as it was to ring: then the PBX gave up, and not the caller."""
    place = _TIMEOUT.get(row.app)
    arguments = row.data.split(",")
    if place is None or len(arguments) <= place or not arguments[place].isdecimal():
        return False
    return end - row.start >= int(arguments[place][:6]) - TICK_S
