"""Working hours as plain arithmetic: open or not, when next, and how much working time lies between moments.

An opening is counted on the clock of its zone: on a day on which the clocks change, a span from 09:00 to
18:00 is still from 09:00 to 18:00 by that clock. Moments are timezone-aware, durations are real seconds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from config.hours import Opening

_HORIZON_DAYS = 366
_MINUTES_A_DAY = 1440
Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours in a time zone; without openings it is always open."""

    openings: tuple[Opening, ...]
    zone: ZoneInfo

    @property
    def always(self) -> bool:
        """Whether it never closes."""
        return not self.openings


def is_open(hours: Hours, at: datetime) -> bool:
    """Whether it is open at this moment; the moment of closing is closed."""
    return hours.always or any(begins <= at < ends for begins, ends in _spans(hours, at))


def opens_at(hours: Hours, at: datetime) -> datetime | None:
    """The first moment from `at` on at which it is open (UTC); None if it does not open within a year."""
    if hours.always:
        return at.astimezone(UTC)
    for begins, ends in _spans(hours, at):
        if ends > at:
            return max(begins, at).astimezone(UTC)
    return None


def closes_at(hours: Hours, at: datetime) -> datetime | None:
    """When what is open at `at` closes (UTC); None when it is closed then, or never closes."""
    if hours.always or not is_open(hours, at):
        return None
    for begins, ends in _spans(hours, at):
        if begins <= at < ends:
            # What is open for a year on end is not said to close where we stopped looking.
            return ends.astimezone(UTC) if ends - at < timedelta(days=_HORIZON_DAYS - 7) else None
    return None


def working_s(hours: Hours, since: datetime, until: datetime) -> float:
    """Seconds of working time between two moments; 0 when `until` is not after `since`."""
    if until <= since:
        return 0.0
    if hours.always:
        return (until - since).total_seconds()
    total = timedelta()
    for begins, ends in _spans(hours, since, until):
        if begins >= until:
            break
        total += max(timedelta(), min(ends, until) - max(begins, since))
    return total.total_seconds()


def after_working_s(hours: Hours, since: datetime, seconds: float) -> datetime | None:
    """The moment (UTC) by which so much working time has passed; None if not within a year.

    With nothing to wait for it is `since` itself, open or not.
    """
    left = timedelta(seconds=seconds)
    if hours.always or left <= timedelta():
        return (since + left).astimezone(UTC)
    for begins, ends in _spans(hours, since):
        room = ends - max(begins, since)
        if room <= timedelta():
            continue
        if left <= room:
            return (max(begins, since) + left).astimezone(UTC)
        left -= room
    return None


def _spans(hours: Hours, since: datetime, until: datetime | None = None) -> Iterator[Span]:
    """Open spans in order, those that meet as one, from the day before `since` for a year or to `until`."""
    first = since.astimezone(hours.zone).date() - timedelta(days=1)
    days = _HORIZON_DAYS
    if until is not None:
        days = (until.astimezone(hours.zone).date() - first).days + 1
    held: Span | None = None
    for number in range(days):
        for begins, ends in _of_day(hours.openings, first + timedelta(days=number), hours.zone):
            if held is not None and begins <= held[1]:
                held = (held[0], max(held[1], ends))
                continue
            if held is not None:
                yield held
            held = (begins, ends)
    if held is not None:
        yield held


def _of_day(openings: Sequence[Opening], day: date, zone: ZoneInfo) -> list[tuple[datetime, datetime]]:
    found = []
    for opening in openings:
        if day.weekday() in opening.days:
            length = (opening.closes - opening.opens) % _MINUTES_A_DAY or _MINUTES_A_DAY
            begins, ends = (_moment(day, minute, zone) for minute in (opening.opens, opening.opens + length))
            if begins < ends:
                found.append((begins, ends))
    return sorted(found)


def _moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    # In UTC at once: the difference of two times of one zone would be that of its clock, not the real one.
    later, minute = divmod(minute, _MINUTES_A_DAY)
    clock = datetime.combine(day + timedelta(days=later), time(minute // 60, minute % 60), zone)
    return clock.astimezone(UTC)
