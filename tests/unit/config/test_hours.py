"""Opening hours as people write them."""

import pytest

from config.hours import Opening, parse_hours
from config.problems import Wrong

WEEKDAYS = frozenset(range(5))


@pytest.mark.parametrize(
    ("text", "openings"),
    [
        ("", ()),
        ("Mon-Fri 09:00-18:00", (Opening(WEEKDAYS, 540, 1080),)),
        (
            "Mon-Fri 9:00-18:00; Sat 10:00-14:00",
            (Opening(WEEKDAYS, 540, 1080), Opening(frozenset({5}), 600, 840)),
        ),
        (
            "mon-fri 09:00-18:00, sat 10:00-14:00",
            (Opening(WEEKDAYS, 540, 1080), Opening(frozenset({5}), 600, 840)),
        ),
        (
            "Mon,Wed 09:00-12:00,13:00-18:00",
            (Opening(frozenset({0, 2}), 540, 720), Opening(frozenset({0, 2}), 780, 1080)),
        ),
        ("Sat-Mon 00:00-24:00", (Opening(frozenset({5, 6, 0}), 0, 1440),)),
        ("22:00-06:00", (Opening(frozenset(range(7)), 1320, 360),)),
    ],
)
def test_hours_are_read_as_people_mean_them(text: str, openings: tuple[Opening, ...]) -> None:
    assert parse_hours(text) == openings


@pytest.mark.parametrize(
    "text",
    [
        "Mon",
        "Mon-Fri",
        "Mon 09:00",
        "Mon; 09:00-18:00",
        "Mon 25:00-26:00",
        "09:60-10:00",
        "Пн 09:00-18:00",
        "09:00-09:00",
        "Mon 09:00-18:00, Sat",
        "24:00-24:00",
    ],
)
def test_hours_that_mean_nothing_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(Wrong) as refused:
        parse_hours(text)
    assert "Mon-Fri" in refused.value.remedy or "00:00" in refused.value.remedy
