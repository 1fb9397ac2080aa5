"""The database's clock: nodes must agree on what has lapsed, whatever their own clocks say.

On PostgreSQL it is the beginning of the statement, for a volatile `clock_timestamp()` would keep the planner
from the indexes; a statement that waited for a lock sees too early a time, which only delays a take-over.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Float, Interval, func, literal, type_coerce

from gateway.store.types import UtcDateTime


def after(tx: Connection, seconds: float = 0.0) -> ColumnElement[datetime]:
    """The moment `seconds` from now, as a SQL expression."""
    if tx.dialect.name == "postgresql":
        pause: Any = func.make_interval(0, 0, 0, 0, 0, 0, literal(seconds, Float), type_=Interval)
        return type_coerce(func.statement_timestamp() + pause, UtcDateTime)
    return literal(datetime.now(UTC) + timedelta(seconds=seconds), UtcDateTime)


def now(tx: Connection) -> datetime:
    """The moment, by the database's clock."""
    if tx.dialect.name == "postgresql":
        moment: datetime = tx.scalar(func.statement_timestamp(type_=UtcDateTime))
        return moment
    return datetime.now(UTC)
