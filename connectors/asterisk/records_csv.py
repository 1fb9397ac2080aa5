"""Rows of the comma-separated files that a PBX appends to, as far as they are complete.

Source: cdr/cdr_csv.c and cdr_custom.c, cel/cel_custom.c: every text field is quoted with quotes doubled, so a
caller's name may hold commas and line ends; a line that is being written has no end yet.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 64 * 1024
"""Bytes of the longest row believed; a quote that is still open after them was never opened."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row and where it begins in the bytes given."""

    at: int
    fields: list[str]


def rows(data: bytes) -> tuple[list[Row], int]:
    """The complete rows of `data`, and how many of its bytes they are; the rest is still being written."""
    found: list[Row] = []
    used = 0
    for at, end in _spans(data):
        fields = _fields(data[at:end])
        if fields:
            found.append(Row(at, fields))
        used = end
    return found, used


def lines(data: bytes) -> tuple[list[Row], int]:
    """The same of a file whose fields are parted by `|` and never quoted (queue_log)."""
    found: list[Row] = []
    used = 0
    while (end := data.find(b"\n", used)) >= 0:
        text = data[used:end].decode("utf-8", "replace").rstrip("\r")
        if text and len(text) < LONGEST:
            found.append(Row(used, text.split("|")))
        used = end + 1
    return found, used


def _spans(data: bytes) -> Iterator[tuple[int, int]]:
    start = at = quotes = 0
    first_end = 0
    while (newline := data.find(b"\n", at)) >= 0:
        end = newline + 1
        quotes += data.count(b'"', at, end)
        first_end = first_end or end
        at = end
        if quotes % 2 == 0:
            yield start, end
            start, quotes, first_end = end, 0, 0
        elif end - start > LONGEST:
            # The first line is damaged: begin again behind it.
            yield start, first_end
            start = at = first_end
            quotes = first_end = 0
    if len(data) - start > LONGEST:
        # One line without an end, or a quote left open: nothing in it can be believed.
        yield start, first_end or len(data)


def _fields(row: bytes) -> list[str]:
    try:
        return next(csv.reader([row.decode("utf-8", "replace").rstrip("\r\n")]), [])
    except csv.Error:
        return []
