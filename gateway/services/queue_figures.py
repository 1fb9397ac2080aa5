"""What queues look like now: who waits, who serves, how today went; in a fixed number of queries."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Float,
    Row,
    and_,
    case,
    false,
    func,
    literal,
    select,
    text,
    type_coerce,
)

from gateway.services.views.common import at
from gateway.services.views.queues import QueueFigures, QueueToday
from gateway.store.tables import OPEN_CONTACT, contacts, operator_skills, operator_teams, operators, skills

_WAITING = ("queued", "offered")
_LATE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Waiting:
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class _Channel:
    """Today's contacts of one queue in one channel; `in_time` of them were answered as promised."""

    contacts: int
    answered: int
    abandoned: int
    in_time: int
    wait_s: float


def figures(tx: Connection, rows: Sequence[Row[Any]]) -> Mapping[str, QueueFigures]:
    """Queue id → its figures, for these rows of `queues`."""
    if not rows:
        return {}
    now = datetime.now(UTC)
    waiting, serving, today = _waiting(tx), _serving(tx, rows), _today(tx, rows, now)
    return {row.id: _of(waiting.get(row.id), serving[row.id], today[row.id], now) for row in rows}


def _of(
    waiting: _Waiting | None, serving: Mapping[Any, int], today: Mapping[str, _Channel], now: datetime
) -> QueueFigures:
    answered = sum(c.answered for c in today.values())
    return QueueFigures(
        waiting=waiting.count if waiting else 0,
        longest_since=at(waiting.since) if waiting else None,
        longest_wait_s=round(max(0.0, (now - waiting.since).total_seconds()), 1) if waiting else None,
        operators=serving,
        now={
            channel: round(c.in_time / judged, 4)
            for channel, c in today.items()
            if (judged := c.answered + c.abandoned)
        },
        today=QueueToday(
            contacts=sum(c.contacts for c in today.values()),
            answered=answered,
            abandoned=sum(c.abandoned for c in today.values()),
            wait_s=round(sum(c.wait_s for c in today.values()) / answered, 1) if answered else None,
        ),
    )


def _waiting(tx: Connection) -> dict[str, _Waiting]:
    # The words of the partial index, so that SQLite sees that it serves.
    query = (
        select(contacts.c.queue_id, func.count(), func.min(contacts.c.queued_at))
        .where(text(OPEN_CONTACT), contacts.c.state.in_(_WAITING), contacts.c.queue_id.is_not(None))
        .group_by(contacts.c.queue_id)
    )
    return {queue_id: _Waiting(count, since) for queue_id, count, since in tx.execute(query)}


def _serving(tx: Connection, rows: Iterable[Row[Any]]) -> dict[str, dict[Any, int]]:
    query = (
        select(operator_teams.c.team_id, operators.c.id, operators.c.presence)
        .join(operators, operators.c.id == operator_teams.c.operator_id)
        .where(operators.c.active)
    )
    members: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for team_id, operator_id, presence in tx.execute(query):
        members[team_id].append((operator_id, presence))
    able = _skilled(tx)
    return {
        row.id: dict(
            Counter(
                presence for person, presence in members[row.team_id] if able[person].issuperset(row.skills)
            )
        )
        for row in rows
    }


def _skilled(tx: Connection) -> defaultdict[str, set[str]]:
    query = select(operator_skills.c.operator_id, skills.c.name).join(
        skills, skills.c.id == operator_skills.c.skill_id
    )
    found: defaultdict[str, set[str]] = defaultdict(set)
    for operator_id, name in tx.execute(query):
        found[operator_id].add(name)
    return found


def _today(tx: Connection, rows: Sequence[Row[Any]], now: datetime) -> defaultdict[str, dict[str, _Channel]]:
    starts = {row.id: _midnight(row.timezone, now) for row in rows}
    wait_s = _seconds_between(tx, contacts.c.queued_at, contacts.c.assigned_at)
    answered = contacts.c.assigned_at.is_not(None)
    query = (
        select(
            contacts.c.queue_id,
            contacts.c.channel,
            func.count(),
            func.count(contacts.c.assigned_at),
            func.sum(case((contacts.c.state == "abandoned", 1), else_=0)),
            func.sum(case((and_(answered, wait_s <= _promise(rows)), 1), else_=0)),
            func.coalesce(func.sum(wait_s), 0.0),
        )
        # Ids are in the order of time, so today's are one range of the primary key.
        .where(contacts.c.id >= _first_id(min(starts.values()) - _LATE), _since(starts))
        .group_by(contacts.c.queue_id, contacts.c.channel)
    )
    found: defaultdict[str, dict[str, _Channel]] = defaultdict(dict)
    for queue_id, channel, total, taken, lost, in_time, waited in tx.execute(query):
        found[queue_id][channel] = _Channel(total, taken, int(lost), int(in_time), float(waited))
    return found


def _first_id(moment: datetime) -> str:
    """The smallest id (UUIDv7) that can be made at that moment."""
    digits = f"{int(moment.timestamp() * 1000):012x}"
    return f"{digits[:8]}-{digits[8:]}-7000-8000-000000000000"


def _midnight(timezone: str | None, now: datetime) -> datetime:
    local = now.astimezone(ZoneInfo(timezone or "UTC"))
    return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def _since(starts: Mapping[str, datetime]) -> ColumnElement[bool]:
    by_start: defaultdict[datetime, list[str]] = defaultdict(list)
    for queue_id, start in starts.items():
        by_start[start].append(queue_id)
    found: ColumnElement[bool] = false()
    for start, ids in by_start.items():
        found |= and_(contacts.c.queue_id.in_(ids), contacts.c.queued_at >= start)
    return found


def _promise(rows: Iterable[Row[Any]]) -> ColumnElement[float]:
    """Seconds within which a contact of its queue and channel should be answered; -1: nothing promised."""
    promised = [
        (and_(contacts.c.queue_id == row.id, contacts.c.channel == channel), promise["within_s"])
        for row in rows
        for channel, promise in row.service_level.items()
    ]
    return case(*promised, else_=-1.0) if promised else literal(-1.0, Float)


def _seconds_between(tx: Connection, start: Any, end: Any) -> ColumnElement[Any]:
    if tx.dialect.name == "sqlite":
        return (type_coerce(end, BigInteger) - type_coerce(start, BigInteger)) / 1_000_000.0
    return type_coerce(func.extract("epoch", end - start), Float)
