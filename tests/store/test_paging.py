"""Pages are complete, in order, stable while rows arrive, and cursors of another make are refused."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, select

from gateway.domain.errors import Invalid
from gateway.domain.ids import new_id
from gateway.store import paging
from gateway.store.engine import Store
from tests.store import notes

ORDER = (notes.notes.c.at, notes.notes.c.ref)
START = datetime(2026, 11, 22, 9, 0, 0, 123456, tzinfo=UTC)


def fill(tx: Connection, numbers: range) -> None:
    rows = [
        {"key": str(n), "number": n, "ref": new_id(), "at": START + timedelta(seconds=n // 3)}
        for n in numbers
    ]
    tx.execute(notes.notes.insert(), rows)


def page(tx: Connection, cursor: str | None, limit: int, ascending: bool = False) -> paging.Page:
    return paging.page(tx, select(notes.notes), ORDER, cursor=cursor, limit=limit, ascending=ascending)


@pytest.mark.parametrize("ascending", [False, True])
@pytest.mark.parametrize("limit", [1, 7, 30, 31])
async def test_the_pages_together_are_the_whole_list_in_order(
    store: Store, limit: int, ascending: bool
) -> None:
    await store.write(notes.create)
    await store.write(fill, range(30))
    seen: list[Any] = []
    cursor = None
    while True:
        got = await store.read(page, cursor, limit, ascending)
        seen += got.rows
        cursor = got.next_cursor
        if cursor is None:
            break
        assert len(got.rows) == limit
    places = [(row.at, row.ref) for row in seen]
    assert len(seen) == 30
    assert places == sorted(places, reverse=not ascending)


async def test_rows_that_arrive_meanwhile_neither_repeat_nor_displace_others(store: Store) -> None:
    await store.write(notes.create)
    await store.write(fill, range(20))
    first = await store.read(page, None, 10)
    await store.write(fill, range(100, 110))
    second = await store.read(page, first.next_cursor, 10)
    assert {row.number for row in [*first.rows, *second.rows]} == set(range(20))
    assert second.next_cursor is None


async def test_a_cursor_of_the_right_shape_with_a_strange_value_finds_nothing_and_breaks_nothing(
    store: Store,
) -> None:
    await store.write(notes.create)
    await store.write(fill, range(3))
    strange = base64.urlsafe_b64encode(
        b'["0001-01-01T00:00:00Z","00000000-0000-0000-0000-000000000000"]'
    ).decode()
    assert (await store.read(page, strange, 10)).rows == []


BAD = ["", "!", "a", "bm90IGpzb24", "W10", "WzEsMl0", "bnVsbA", "W251bGwsbnVsbF0", "é", "[]", "\0"]


@pytest.mark.parametrize("cursor", BAD)
def test_a_cursor_that_no_list_made_is_refused_by_name(cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        paging.parse(cursor, ORDER)
    assert [error.field for error in refused.value.errors] == ["cursor"]


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")))
def test_no_text_at_all_gets_beyond_the_cursor(cursor: str) -> None:
    try:
        values = paging.parse(cursor, ORDER)
    except Invalid:
        return
    assert len(values) == 2


@given(st.integers(-1000, 1000))
def test_a_limit_is_within_its_bounds_or_refused(limit: int) -> None:
    if 1 <= limit <= 200:
        assert paging.limit_of(limit) == limit
    else:
        with pytest.raises(Invalid, match="limit"):
            paging.limit_of(limit)
    assert paging.limit_of(None) == 50
