"""Opening hours as people write them: "Mon-Fri 09:00-18:00; Sat 10:00-14:00"."""

import re
from dataclasses import dataclass

from config.problems import Wrong

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY = "|".join(DAYS)
_DAYS = re.compile(rf"({_DAY})(?:-({_DAY}))?", re.IGNORECASE)
_SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_REMEDY = 'write for instance "Mon-Fri 09:00-18:00; Sat 10:00-14:00", or "" for always open'


@dataclass(frozen=True, slots=True)
class Opening:
    """Open on `days` (0 = Monday) from minute `opens` to minute `closes` of the day (at most 1440).

    `closes` at or before `opens` lies on the next day.
    """

    days: frozenset[int]
    opens: int
    closes: int


def parse_hours(text: str) -> tuple[Opening, ...]:
    """The openings of `text`, in its order; "" gives none, which means always open. Raises `Wrong`.

    Days and times are parted by blanks, commas or semicolons: "Mon,Wed 09:00-12:00,13:00-18:00" is two
    openings on two days. Times without days hold for every day.
    """
    openings: list[Opening] = []
    days: set[int] = set()
    fresh = True
    for word in re.findall(r"[^\s,;]+|;", text):
        if word == ";":
            _complete(days, fresh)
            days, fresh = set(), True
        elif found := _DAYS.fullmatch(word):
            days = _days(*found.groups()) | (days if fresh else set())
            fresh = True
        elif found := _SPAN.fullmatch(word):
            openings.append(Opening(frozenset(days or range(7)), *_span(word, *map(int, found.groups()))))
            fresh = False
        else:
            raise Wrong(f"{word!r} is neither days nor times", _REMEDY)
    _complete(days, fresh)
    return tuple(openings)


def _complete(days: set[int], fresh: bool) -> None:
    if days and fresh:
        raise Wrong("days without times", _REMEDY)


def _days(first: str, last: str | None) -> set[int]:
    start = DAYS.index(first.capitalize())
    end = DAYS.index((last or first).capitalize())
    return {(start + step) % 7 for step in range((end - start) % 7 + 1)}


def _span(word: str, from_h: int, from_m: int, to_h: int, to_m: int) -> tuple[int, int]:
    opens, closes = from_h * 60 + from_m, to_h * 60 + to_m
    if max(from_m, to_m) > 59 or opens >= 1440 or closes > 1440 or opens == closes:
        raise Wrong(f"{word!r} is no span of a day", "hours are 00:00 to 24:00, and opening is not closing")
    return opens, closes
