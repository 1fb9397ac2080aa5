"""Call detail records in a database table (cdr_pgsql, cdr_adaptive_odbc, cdr_sqlite3_custom, FreePBX).

A row is written when its call is over and dated when it began, so each look reaches back; rows that were read
before are passed over.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, DateTime, String, column, inspect, select, table
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from connectors.asterisk.records_groups import Place
from connectors.asterisk.records_rows import Record, cdr_of
from connectors.asterisk.records_time import Zone
from gateway.domain.errors import NeedsAdministrator

PAGE = 1000
_NEEDED = (
    "src",
    "dst",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "duration",
    "disposition",
    "uniqueid",
)
_USEFUL = ("clid", "billsec", "answer", "end", "linkedid")
_OVERLAP = timedelta(hours=4)
"""Longer calls are found by a restart of ours alone."""
_ZONES = timedelta(hours=14)


class TableSource:
    """The table `name` behind the SQLAlchemy address `url`."""

    name = "cdr"

    def __init__(self, url: str, name: str, since: float, mark: dict[str, Any] | None) -> None:
        self.at_end = False
        self.reached = 0.0
        self._url, self._table = url, name
        self._since = since
        self._engine: AsyncEngine | None = None
        self._columns: Mapping[str, str] = {}
        self._text_dates = False
        self._zone = Zone()
        self._seen: dict[tuple[Any, ...], datetime] = {}
        self._latest = _moment(mark.get("at") if mark else None) or (
            datetime.fromtimestamp(since, UTC).replace(tzinfo=None) - _ZONES + _OVERLAP
        )
        self._from = self._latest - _OVERLAP

    async def read(self) -> Sequence[tuple[Place, Record]]:
        """The next rows that were not read yet."""
        rows = await self._page()
        fresh = [row for row in rows if self._is_fresh(row)]
        if len(rows) == PAGE and fresh:
            self._from = max(date for row in rows if (date := _moment(row["calldate"])) is not None)
            self.at_end = False
        else:
            self._from = self._latest - _OVERLAP
            self.at_end = True
            self._seen = {key: at for key, at in self._seen.items() if at >= self._from}
        return self._records(fresh)

    def _records(self, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Place, Record]]:
        found: list[tuple[Place, Record]] = []
        for row in rows:
            record = cdr_of(row, self._zone)
            if record is not None and record.end >= self._since:
                self.reached = max(self.reached, record.end)
                found.append(((str(row["calldate"])[:19],), record))
        return found

    def _is_fresh(self, row: Mapping[str, Any]) -> bool:
        date = _moment(row["calldate"])
        key = tuple(
            str(row.get(name)) for name in ("calldate", "uniqueid", "channel", "dstchannel", "duration")
        )
        if date is None or key in self._seen:
            return False
        self._seen[key] = date
        self._latest = max(self._latest, date)
        return True

    async def _page(self) -> Sequence[Mapping[str, Any]]:
        try:
            async with self._opened().connect() as connection:
                if not self._columns:
                    self._columns = await connection.run_sync(self._look_at)
                rows = table(self._table, *(column(name) for name in self._columns.values()))
                date = column(self._columns["calldate"], String() if self._text_dates else DateTime())
                after: Any = self._from.strftime("%Y-%m-%d %H:%M:%S") if self._text_dates else self._from
                query = select(rows).where(date >= after).order_by(date).limit(PAGE)
                found = (await connection.execute(query)).mappings().all()
        except (SQLAlchemyError, OSError) as error:
            raise self._refused(error) from error
        return [{name: row[real] for name, real in self._columns.items()} for row in found]

    def _opened(self) -> AsyncEngine:
        if self._engine is None:
            try:
                self._engine = create_async_engine(self._url, pool_size=1, max_overflow=0)
            except (ArgumentError, ImportError, TypeError) as error:
                raise self._refused(error) from error
        return self._engine

    def _look_at(self, connection: Connection) -> Mapping[str, str]:
        kinds = {one["name"]: one["type"] for one in inspect(connection).get_columns(self._table)}
        there = {name.lower(): name for name in kinds}
        date = there.get("calldate") or there.get("start")
        missing = [name for name in _NEEDED if name not in there]
        if date is None or missing:
            lacking = ", ".join([*([] if date else ["calldate"]), *missing])
            raise NeedsAdministrator(
                f"the table {self._table} of call detail records lacks {lacking}",
                remedy="add the columns to the table and to the PBX's configuration of its CDR back end",
            )
        self._text_dates = connection.dialect.name == "sqlite"
        return {"calldate": date} | {name: there[name] for name in (*_NEEDED, *_USEFUL) if name in there}

    def _refused(self, error: Exception) -> NeedsAdministrator:
        why = str(getattr(error, "orig", None) or error).splitlines()[0][:200]
        return NeedsAdministrator(
            f"the call detail records in table {self._table} cannot be read: {why}",
            remedy="let cdr_database name the PBX's database and a user with SELECT on cdr_table; its driver"
            " for SQLAlchemy has to be installed",
        )

    def marked(self, first_needed: Place | None) -> dict[str, Any] | None:
        """The place from which reading is to go on after a restart."""
        return {"at": first_needed[0] if first_needed is not None else str(self._latest)[:19]}

    def problem(self) -> NeedsAdministrator | None:
        """Nothing beside what `read` raises."""
        return None

    async def close(self) -> None:
        """Let go of the database."""
        if self._engine is not None:
            await self._engine.dispose()


def _moment(value: Any) -> datetime | None:
    """A date of the PBX's wall clock."""
    try:
        date = value if isinstance(value, datetime) else datetime.fromisoformat(str(value)[:19])
    except ValueError:
        return None
    return date.replace(tzinfo=None)
