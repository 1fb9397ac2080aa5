"""Times in records: seconds since 1970 where the PBX wrote them so, else its wall clock, whose time zone is
told by the Uniqueid of the same record: it begins with the second in which the channel was made.
"""

import math
from datetime import UTC, datetime

_STEP_S = 900
"""Every time zone is a multiple of a quarter of an hour away from UTC."""
_BIRTH_S = 3
"""A record that begins so soon after its channel tells the zone exactly."""
_LATEST = 4e9
_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S")


class Zone:
    """How far the PBX's wall clock is ahead of UTC, learnt from the records; it may change in spring."""

    def __init__(self) -> None:
        self._ahead_s: int | None = None

    def utc(self, wall: float, uniqueid: str) -> float:
        """Seconds since 1970 of a record's beginning, `wall` being the same read as if it were UTC."""
        return wall - self.ahead_s(wall, uniqueid)

    def ahead_s(self, wall: float, uniqueid: str) -> int:
        """Seconds to take away from each of a record's times, the first of which is `wall`."""
        born = epoch(uniqueid)
        if born is None:
            return self._ahead_s or 0
        since = wall - born
        ahead = math.floor((since + _BIRTH_S) / _STEP_S) * _STEP_S
        exact = since - ahead <= _BIRTH_S
        if exact or self._ahead_s is None or ahead < self._ahead_s:
            self._ahead_s = ahead
        return self._ahead_s


def epoch(uniqueid: str) -> int | None:
    """The second in which the channel of this Uniqueid (`[systemname-]epoch.counter`) was made."""
    seconds = uniqueid.rpartition("-")[2].partition(".")[0]
    if not seconds.isascii() or not seconds.isdigit() or len(seconds) > 10:
        return None
    return int(seconds)


def wall_clock(text: str) -> float | None:
    """`2026-11-24 04:26:20` read as UTC; None where it is no time."""
    for layout in _FORMATS:
        try:
            return datetime.strptime(text, layout).replace(tzinfo=UTC).timestamp()
        except (ValueError, OverflowError):
            continue
    return None


def seconds(text: str) -> float | None:
    """Seconds since 1970 as written; None where they are not."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 < number < _LATEST else None
