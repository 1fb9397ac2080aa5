"""What is wrong with a configuration: every mistake with its place and its remedy, told all at once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake."""

    path: str
    """Dotted path of the setting, array members by name: `connectors.pbx1.port`."""
    line: int | None
    """Line in the file, from 1; None where the mistake stands in no line (environment, missing file)."""
    message: str
    """What is wrong; never holds a secret's value."""
    remedy: str
    """What to write or do instead."""


class ConfigError(Exception):
    """The configuration is refused; `problems` holds every mistake found, in order of place."""

    def __init__(self, problems: Sequence[Problem], source: Path | None = None) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: (p.line is None, p.line or 0)))
        self.source = source
        super().__init__(self._text())

    def _text(self) -> str:
        count = len(self.problems)
        where = self.source or "the configuration"
        lines = [f"{count} problem{'' if count == 1 else 's'} in {where}:"]
        for problem in self.problems:
            at = f"line {problem.line}: " if problem.line else ""
            path = f"{problem.path}: " if problem.path else ""
            lines.append(f"  {at}{path}{problem.message}")
            lines.append(f"      -> {problem.remedy}")
        return "\n".join(lines)


class Wrong(ValueError):
    """Raised by the check of one value; the decoder adds where it stands."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule across several settings found: blamed on `key`, refused or only worth a notice."""

    key: str
    message: str
    remedy: str
    refused: bool = True


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: its keys (for the line) and its label (for people)."""

    keys: tuple[str | int, ...] = ()
    label: str = ""

    def inside(self, key: str | int, name: str | None = None) -> "Place":
        """The place of a member; a member of an array is called by `name` where it has one."""
        if isinstance(key, int) and name is None:
            return Place((*self.keys, key), f"{self.label}[{key}]")
        return Place((*self.keys, key), f"{self.label}.{name or key}" if self.label else str(name or key))


@dataclass(slots=True)
class Report:
    """Collects what one reading of a configuration finds."""

    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def line(self, place: Place) -> int | None:
        """The line of the place, or of the nearest table around it."""
        keys = place.keys
        while keys:
            if keys in self.lines:
                return self.lines[keys]
            keys = keys[:-1]
        return None

    def refuse(self, place: Place, message: str, remedy: str, *, line: bool = True) -> None:
        """Add a problem; `line=False` where the value did not come from the file."""
        self.problems.append(Problem(place.label, self.line(place) if line else None, message, remedy))

    def notice(self, place: Place, message: str) -> None:
        """Add what is worth a word but no refusal."""
        self.notices.append(f"{place.label}: {message}")
