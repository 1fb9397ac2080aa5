"""Verbs and queries on calls on behalf of people."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Connection, Row, Select, delete, insert, select, text, update

from gateway.domain.calls import Call, CallEventType
from gateway.domain.errors import VersionConflict
from gateway.domain.ids import new_id
from gateway.domain.people import Actor
from gateway.services import publish, recordings_rows, scope
from gateway.services.views.calls import CallView
from gateway.services.views.common import Body, Page, PersonRef
from gateway.store import facts, paging
from gateway.store.engine import Store
from gateway.store.tables import LIVE_CALL, calls, contact_people, contacts, queues, timeline

CallState = Literal["ringing", "menu", "queued", "talking", "held", "parked", "ended"]
_decoder = msgspec.json.Decoder(Call)
MOST_LIVE = 2000


class CallFilters(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /calls` may be narrowed by; `live` for all that have not ended; times RFC 3339."""

    state: CallState | Literal["live"] | None = None
    direction: Literal["in", "out", "internal"] | None = None
    operator: str | None = None
    card_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class CallFields(Body, frozen=True):
    """What a person may set on a call."""

    card_id: str | msgspec.UnsetType | None = msgspec.UNSET
    note: Annotated[str, msgspec.Meta(max_length=20_000)] | msgspec.UnsetType | None = msgspec.UNSET


def decoded(row: Row[Any]) -> Call:
    """The tracker's snapshot in a row of `calls`."""
    return _decoder.decode(row.call)


def query() -> Select[Any]:
    """Calls with the names of their queues."""
    return select(calls, queues.c.name.label("queue_name")).outerjoin(queues, queues.c.id == calls.c.queue_id)


def views(tx: Connection, rows: Sequence[Row[Any]]) -> list[CallView]:
    """From rows of `query()`, in their order."""
    recorded = recordings_rows.of_calls(tx, [row.id for row in rows])
    return [_view(row, recorded.get(row.id, ())) for row in rows]


def _view(row: Row[Any], recordings: Sequence[str]) -> CallView:
    return CallView.of(
        decoded(row),
        msgspec.convert(row.people, dict[str, PersonRef]),
        card_id=row.card_id,
        queue=row.queue_name,
        note=row.note,
        version=row.version,
        recordings=recordings,
    )


def views_by_id(tx: Connection, ids: Sequence[str]) -> Mapping[str, CallView]:
    """Id → call, of those that exist."""
    if not ids:
        return {}
    found = views(tx, tx.execute(query().where(calls.c.id.in_(ids))).all())
    return {one.id: one for one in found}


def present(tx: Connection, actor: Actor) -> list[CallView]:
    """The live calls that the actor may see, oldest first."""
    wanted = query().where(text(LIVE_CALL), calls.c.merged_into.is_(None), scope.calls(actor))
    return views(tx, tx.execute(wanted.order_by(calls.c.id).limit(MOST_LIVE)).all())


async def list_calls(
    store_: Store, actor: Actor, filters: CallFilters, limit: int, cursor: str | None
) -> Page[CallView]:
    """One page, newest first."""
    return await store_.read(_list, actor, filters, limit, cursor)


def _list(
    tx: Connection, actor: Actor, filters: CallFilters, limit: int, cursor: str | None
) -> Page[CallView]:
    wanted = query().where(scope.calls(actor), calls.c.merged_into.is_(None), *_narrowed(filters))
    page = paging.page(tx, wanted, [calls.c.started_at, calls.c.id], cursor=cursor, limit=limit)
    return Page(items=views(tx, page.rows), next_cursor=page.next_cursor)


def _narrowed(filters: CallFilters) -> list[Any]:
    found: list[Any] = []
    if filters.state == "live":
        found.append(text(LIVE_CALL))
    elif filters.state:
        found.append(calls.c.state == filters.state)
    for column, value in (
        ("direction", filters.direction),
        ("operator_id", filters.operator),
        ("card_id", filters.card_id),
    ):
        if value:
            found.append(calls.c[column] == value)
    if filters.since:
        found.append(calls.c.started_at >= filters.since)
    if filters.until:
        found.append(calls.c.started_at < filters.until)
    return found


async def get(store_: Store, actor: Actor, call_id: str) -> CallView:
    """The call; one that turned out to be part of another answers with that other."""
    return await store_.read(_get, actor, call_id)


def _get(tx: Connection, actor: Actor, call_id: str) -> CallView:
    row = scope.call_for(tx, actor, call_id)
    if row.merged_into:
        row = scope.call_for(tx, actor, row.merged_into)
    return views_by_id(tx, [row.id])[row.id]


async def change(
    store_: Store, actor: Actor, call_id: str, body: CallFields, version: int | None
) -> CallView:
    """Attach the call to a card by hand, or note something on it. Raises `VersionConflict`."""
    return await store_.write(_change, actor, call_id, body, version)


def _change(tx: Connection, actor: Actor, call_id: str, body: CallFields, version: int | None) -> CallView:
    before = scope.call_for(tx, actor, call_id)
    if body.card_id:
        # Cards are locked before calls, here as where calls are recorded.
        scope.card_for(tx, actor, body.card_id, lock=True)
    row = scope.call_for(tx, actor, call_id, lock=True)
    if version is not None and version != row.version:
        raise VersionConflict
    values = {k: v for k, v in msgspec.structs.asdict(body).items() if v is not msgspec.UNSET}
    if "card_id" in values:
        values["card_by_hand"] = True
    tx.execute(update(calls).where(calls.c.id == call_id).values(**values, version=row.version + 1))
    if "card_id" in values and before.card_id != values["card_id"]:
        _move_to_card(tx, call_id, values["card_id"])
    seen = views_by_id(tx, [call_id])[call_id]
    involved = tuple(person["id"] for person in row.people.values())
    facts.append(tx, [publish.call_changed(CallEventType.UPDATED, seen, row.team_id, involved, None)])
    return seen


def _move_to_card(tx: Connection, call_id: str, card_id: str | None) -> None:
    tx.execute(update(contacts).where(contacts.c.call_id == call_id).values(card_id=card_id))
    held = select(contacts.c.id).where(contacts.c.call_id == call_id)
    tx.execute(update(contact_people).where(contact_people.c.contact_id.in_(held)).values(card_id=card_id))
    tx.execute(delete(timeline).where(timeline.c.ref_id == call_id))
    if card_id:
        row = tx.execute(select(calls).where(calls.c.id == call_id)).one()
        tx.execute(insert(timeline), timeline_row(decoded(row), card_id))


def timeline_row(call: Call, card_id: str) -> dict[str, Any]:
    """The call's place on the card; what it says is read from the call itself."""
    return {
        "id": new_id(),
        "card_id": card_id,
        "at": call.started_at,
        "kind": "call",
        "channel": "voice",
        "direction": call.direction.value,
        "summary": (call.from_.name or call.from_.number or call.from_.raw or "")[:200],
        "ref_id": call.id,
        "data": {},
    }
