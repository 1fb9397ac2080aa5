"""A message enters its thread: counters, state and preview of that, its place on the card, the facts."""

from typing import Any

from sqlalchemy import Connection, Row, insert, select

from gateway.domain.facts import Fact
from gateway.domain.ids import new_id
from gateway.domain.messages import ThreadState, preview
from gateway.services import publish, thread_views
from gateway.services.views.cards import TimelineEntry
from gateway.store import threads as store
from gateway.store.tables import cards, timeline

_add_to_timeline = insert(timeline).returning(timeline)


def enter(tx: Connection, thread: Row[Any], row: Row[Any], event: str, card_team: str | None) -> list[Fact]:
    """Count the message in and tell of it; the thread is held. `card_team`: the team of its card."""
    thread = store.change(tx, thread.id, _advanced(thread, row))
    shown, view = thread_views.message_view(tx, row), thread_views.view(tx, thread.id)
    involved = thread_views.involved(tx, thread)
    told = [
        publish.message_changed(event, shown, view, thread.team_id, involved),
        publish.thread_updated(view, thread.team_id, involved, shown),
    ]
    entry = _on_timeline(tx, row, thread)
    if entry is not None and card_team is not None:
        told.append(publish.timeline_added(TimelineEntry.of(entry, {}, {row.id: shown}), card_team))
    return told


def _advanced(thread: Row[Any], row: Row[Any]) -> dict[str, Any]:
    inbound = row.direction == "in"
    values = counted(thread, row)
    values["state"] = (ThreadState.OPEN if inbound else ThreadState.PENDING).value
    values["closed_at"] = None
    if row.seq is not None:
        values["seq"] = max(thread.seq, row.seq)
    if inbound:
        values["snoozed_until"] = None
    else:
        values["answered"] = thread.inbound
    return values


def counted(thread: Row[Any], row: Row[Any]) -> dict[str, Any]:
    """The thread's counters and preview with this message in it."""
    inbound = row.direction == "in"
    values: dict[str, Any] = {
        "messages": thread.messages + 1,
        "inbound": thread.inbound + inbound,
        "last_message_at": max(thread.last_message_at, row.at),
        "version": thread.version + 1,
    }
    if row.at >= thread.last_message_at or not thread.messages:
        values |= {"preview": summary(row), "preview_direction": row.direction}
    if inbound:
        values["last_inbound_at"] = max(thread.last_inbound_at or row.at, row.at)
    return values


def summary(row: Row[Any]) -> str:
    """One line for lists; of a message without text its kind."""
    return preview(row.text) or ("" if row.kind == "text" else f"[{row.kind}]")


def team_of_card(tx: Connection, card_id: str | None) -> str | None:
    """The team of the card; None without one."""
    found: str | None = tx.scalar(select(cards.c.team_id).where(cards.c.id == card_id)) if card_id else None
    return found


def _on_timeline(tx: Connection, row: Row[Any], thread: Row[Any]) -> Row[Any] | None:
    """The message's place on the card; what it says is read from the message itself."""
    if thread.card_id is None:
        return None
    values = {
        "id": new_id(),
        "card_id": thread.card_id,
        "at": row.at,
        "kind": "message",
        "channel": thread.channel,
        "direction": row.direction,
        "summary": summary(row),
        "ref_id": row.id,
        "data": {},
    }
    return tx.execute(_add_to_timeline, values).one()
