"""A value comes back as it went in, on both engines."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, select
from sqlalchemy.exc import StatementError

from gateway.domain.ids import new_id
from gateway.store.engine import Store
from tests.store import notes

MOMENTS = [
    datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
    datetime(2026, 11, 22, 9, 15, 4, 120001, tzinfo=UTC),
    datetime(2026, 3, 29, 2, 30, tzinfo=timezone(timedelta(hours=3))),
    datetime(9999, 1, 1, tzinfo=UTC),
]


@pytest.fixture(autouse=True)
async def table(store: Store) -> None:
    await store.write(notes.create)


async def test_times_come_back_exact_and_utc_and_sort_as_times_do(store: Store) -> None:
    def fill(tx: Connection) -> None:
        rows = [{"key": str(n), "at": moment} for n, moment in enumerate(MOMENTS)]
        tx.execute(notes.notes.insert(), list(reversed(rows)))

    await store.write(fill)
    back = await store.read(
        lambda tx: list(tx.scalars(select(notes.notes.c.at).order_by(notes.notes.c.at))),
    )
    assert back == sorted(MOMENTS)
    assert all(moment.tzinfo is UTC for moment in back)


async def test_a_naive_time_is_refused(store: Store) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(StatementError, match="naive datetime"):
        await store.write(lambda tx: tx.execute(notes.notes.insert().values(key="a", at=naive)) and None)


async def test_ids_and_documents_come_back_as_they_were(store: Store) -> None:
    ref = new_id()
    data = {"name": 'O\'Connor "<b>" \u202e \\u0000 \0 😀', "list": [1, 2.5, None, True], "empty": {}}
    await store.write(
        lambda tx: tx.execute(notes.notes.insert().values(key="a", ref=ref, data=data)) and None
    )

    row = await store.read(lambda tx: tx.execute(select(notes.notes).where(notes.notes.c.ref == ref)).one())
    assert (row.ref, row.data, row.at) == (ref, data, None)
