"""Working hours on the clock of their zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.hours import parse_hours
from routing.hours import Hours, after_working_s, closes_at, is_open, opens_at, working_s

MOSCOW = ZoneInfo("Europe/Moscow")
BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Hours(parse_hours("Mon-Fri 09:00-18:00; Sat 10:00-14:00"), MOSCOW)


def moscow(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026, of which the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=MOSCOW)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (moscow(24, 9), True),
        (moscow(24, 8, 59), False),
        (moscow(24, 17, 59), True),
        (moscow(24, 18), False),
        (moscow(28, 12), True),
        (moscow(29, 12), False),
    ],
)
def test_it_is_open_from_the_moment_of_opening_until_that_of_closing(at: datetime, expected: bool) -> None:
    assert is_open(OFFICE, at) is expected


def test_after_hours_it_opens_on_the_next_working_day() -> None:
    assert opens_at(OFFICE, moscow(24, 19)) == moscow(25, 9)
    assert opens_at(OFFICE, moscow(28, 15)) == moscow(30, 9)
    assert opens_at(OFFICE, moscow(24, 10)) == moscow(24, 10)
    assert closes_at(OFFICE, moscow(24, 10)) == moscow(24, 18)
    assert closes_at(OFFICE, moscow(24, 19)) is None


def test_a_deadline_counts_working_time_alone() -> None:
    # Four hours from Friday 16:00: two on Friday, two on Saturday from 10:00.
    assert after_working_s(OFFICE, moscow(27, 16), 4 * 3600) == moscow(28, 12)
    assert working_s(OFFICE, moscow(27, 16), moscow(30, 10)) == (2 + 4 + 1) * 3600
    assert working_s(OFFICE, moscow(29, 1), moscow(29, 23)) == 0


def test_a_night_shift_ends_on_the_next_day() -> None:
    night = Hours(parse_hours("Mon 22:00-06:00"), MOSCOW)
    assert is_open(night, moscow(24, 5, 59))
    assert not is_open(night, moscow(24, 6))
    assert working_s(night, moscow(23, 0), moscow(25, 0)) == 8 * 3600


def test_without_openings_it_is_always_open() -> None:
    always = Hours((), MOSCOW)
    assert is_open(always, moscow(29, 3))
    assert closes_at(always, moscow(29, 3)) is None
    assert after_working_s(always, moscow(29, 3), 60) == moscow(29, 3, 1)


def test_what_never_closes_is_not_said_to_close() -> None:
    assert closes_at(Hours(parse_hours("00:00-24:00"), MOSCOW), moscow(24, 10)) is None


def test_spans_that_meet_are_one() -> None:
    split = Hours(parse_hours("Mon 09:00-13:00,13:00-18:00,12:00-14:00"), MOSCOW)
    assert closes_at(split, moscow(23, 10)) == moscow(23, 18)
    assert working_s(split, moscow(23, 0), moscow(24, 0)) == 9 * 3600


def test_on_the_day_on_which_clocks_go_forward_the_night_is_an_hour_shorter() -> None:
    night = Hours(parse_hours("Sat 22:00-06:00"), BERLIN)
    start = datetime(2027, 3, 27, 12, tzinfo=BERLIN)
    assert working_s(night, start, start + timedelta(days=1)) == 7 * 3600


def test_hours_that_never_come_are_told_and_not_searched_for_ever() -> None:
    # 02:30 does not exist on the one Sunday of the year that this would need; other Sundays have it.
    gap = Hours(parse_hours("Sun 02:15-02:45"), BERLIN)
    after = datetime(2027, 3, 28, 0, tzinfo=BERLIN)
    opens = opens_at(gap, after)
    assert opens is not None
    assert opens > after


HOURS = st.sampled_from(
    [
        "Mon-Fri 09:00-18:00",
        "00:00-24:00",
        "Sat,Sun 22:00-04:00",
        "Mon 09:00-12:00,13:00-18:00; Wed 10:00-11:00",
    ]
).map(parse_hours)
ZONES = st.sampled_from(["Europe/Moscow", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])
MOMENTS = st.integers(0, 700 * 86_400).map(lambda s: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=s))


@given(HOURS, ZONES, MOMENTS, st.integers(1, 500_000))
def test_the_deadline_lies_exactly_so_much_working_time_later(
    openings: tuple[object, ...], zone: str, since: datetime, seconds: int
) -> None:
    hours = Hours(openings, ZoneInfo(zone))  # type: ignore[arg-type]
    due = after_working_s(hours, since, seconds)
    assert due is not None
    assert working_s(hours, since, due) == pytest.approx(seconds)
    assert is_open(hours, due - timedelta(microseconds=1))
