"""Insert-or-skip and insert-or-update on both engines: uniqueness is the index's, never looked up before."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, TextClause
from sqlalchemy.dialects import postgresql, sqlite


def insert(tx: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of the engine of `tx`, for its `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return postgresql.insert(table) if tx.dialect.name == "postgresql" else sqlite.insert(table)


def insert_or_skip(
    tx: Connection,
    table: Table,
    row: Mapping[str, Any],
    *,
    on: Sequence[str],
    where: TextClause | None = None,
) -> bool:
    """Insert `row` unless the unique index on the columns `on` (partial: `where`) has it; whether it did.

    On PostgreSQL this waits for a transaction that is inserting the same at this moment.
    """
    statement = insert(tx, table).on_conflict_do_nothing(index_elements=on, index_where=where)
    return tx.execute(statement, row).rowcount == 1
