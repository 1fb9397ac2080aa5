"""The timeline: everything on a card in order of time, newest first, stable while new entries arrive."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Connection, Row, insert, literal, select, tuple_

from gateway.domain.errors import Invalid
from gateway.domain.ids import new_id
from gateway.domain.people import Actor
from gateway.services import calls as calls_service
from gateway.services import publish, scope, tasks_rows, thread_views
from gateway.services.card_changes import author
from gateway.services.views.cards import TimelineEntry
from gateway.services.views.common import Body, Page
from gateway.store import facts
from gateway.store.engine import Store
from gateway.store.tables import timeline

NoteKind = Literal["note", "meeting", "wish", "complaint"]
_SUMMARY = 200


class NewNote(Body, frozen=True):
    """A person's note."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]
    kind: NoteKind = "note"


class TimelineWindow(msgspec.Struct, frozen=True, kw_only=True):
    """Which part: older than the entry `before`, newer than the entry `after` (ids), one channel or kind."""

    before: str | None = None
    after: str | None = None
    channel: str | None = None
    kind: str | None = None


async def page(
    store_: Store, actor: Actor, card_id: str, window: TimelineWindow, limit: int
) -> Page[TimelineEntry]:
    """One page, newest first; `next_cursor` is the id to give as `before` (with `after`: as `after`)."""
    return await store_.read(_page, actor, card_id, window, limit)


def _page(
    tx: Connection, actor: Actor, card_id: str, window: TimelineWindow, limit: int
) -> Page[TimelineEntry]:
    scope.card_for(tx, actor, card_id)
    key = tuple_(timeline.c.at, timeline.c.id)
    query = select(timeline).where(timeline.c.card_id == card_id)
    if window.channel:
        query = query.where(timeline.c.channel == window.channel)
    if window.kind:
        query = query.where(timeline.c.kind == window.kind)
    if window.before:
        query = query.where(key < _place(tx, card_id, "before", window.before))
    if window.after:
        query = query.where(key > _place(tx, card_id, "after", window.after))
        rows = tx.execute(query.order_by(timeline.c.at, timeline.c.id).limit(limit + 1)).all()
        kept = list(reversed(rows[:limit]))
        following = kept[0].id if len(rows) > limit else None
    else:
        rows = tx.execute(query.order_by(timeline.c.at.desc(), timeline.c.id.desc()).limit(limit + 1)).all()
        kept = list(rows[:limit])
        following = kept[-1].id if len(rows) > limit else None
    return Page(items=entries(tx, kept), next_cursor=following)


def _place(tx: Connection, card_id: str, field: str, entry_id: str) -> Any:
    row = tx.execute(
        select(timeline.c.at, timeline.c.id).where(timeline.c.id == entry_id, timeline.c.card_id == card_id)
    ).one_or_none()
    if row is None:
        raise Invalid.one(field, "the id of an entry of this card's timeline")
    return tuple_(literal(row.at, timeline.c.at.type), literal(row.id, timeline.c.id.type))


def entries(tx: Connection, rows: Sequence[Row[Any]]) -> list[TimelineEntry]:
    """The rows as the API shows them, with the calls and messages that they refer to."""
    calls = calls_service.views_by_id(tx, [row.ref_id for row in rows if row.kind == "call"])
    messages = thread_views.messages_by_id(tx, [row.ref_id for row in rows if row.kind == "message"])
    tasks = tasks_rows.by_id(tx, [row.ref_id for row in rows if row.kind == "task"])
    return [TimelineEntry.of(row, calls, messages, tasks) for row in rows]


async def add_note(store_: Store, actor: Actor, card_id: str, body: NewNote) -> TimelineEntry:
    """A note on the card, now."""
    return await store_.write(_add_note, actor, card_id, body)


def _add_note(tx: Connection, actor: Actor, card_id: str, body: NewNote) -> TimelineEntry:
    card = scope.card_for(tx, actor, card_id)
    now = datetime.now(UTC)
    data = {"kind": body.kind, "text": body.text, "author": author(actor)}
    return add(tx, card_id, card.team_id, now, kind="note", summary=body.text[:_SUMMARY], data=data)


def add(tx: Connection, card_id: str, team_id: str, at: datetime, **values: Any) -> TimelineEntry:
    """Lay an entry on the card's timeline and tell of it."""
    row = {"id": new_id(), "card_id": card_id, "at": at, "channel": None, "direction": None, "ref_id": None}
    made = tx.execute(insert(timeline).values(**row | values).returning(timeline)).one()
    (entry,) = entries(tx, [made])
    facts.append(tx, [publish.timeline_added(entry, team_id)])
    return entry
