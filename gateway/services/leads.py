"""Verbs on leads: open, list, move on, convert, reject. History stays where it is."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Connection, Row, select, update

from gateway.domain.errors import Conflict, Invalid, VersionConflict
from gateway.domain.people import Actor
from gateway.services import clients, lead_rules, publish, scope
from gateway.services.card_changes import author, published
from gateway.services.views.cards import Lead, LeadSource
from gateway.services.views.common import Body, Page
from gateway.store import cards as store
from gateway.store import facts, paging
from gateway.store.engine import Store
from gateway.store.tables import cards, leads

Text = Annotated[str, msgspec.Meta(max_length=20_000)]
_OPEN = ("new", "in_work")


class NewLead(Body, frozen=True):
    """A lead opened by a person or a program."""

    source: LeadSource = LeadSource()
    note: Text = ""


class LeadFields(Body, frozen=True):
    """What a person may set on a lead; closing has verbs of its own."""

    status: Literal["new", "in_work"] | msgspec.UnsetType = msgspec.UNSET
    note: Text | msgspec.UnsetType = msgspec.UNSET


class LeadFilters(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /leads` may be narrowed by; `owner` is the card's."""

    status: Literal["new", "in_work", "converted", "rejected"] | None = None
    owner: str | None = None


async def list_leads(
    store_: Store, actor: Actor, filters: LeadFilters, limit: int, cursor: str | None
) -> Page[Lead]:
    """One page, newest first."""
    return await store_.read(_list, actor, filters, limit, cursor)


def _list(tx: Connection, actor: Actor, filters: LeadFilters, limit: int, cursor: str | None) -> Page[Lead]:
    query = select(leads).where(scope.leads(actor))
    if filters.status:
        query = query.where(leads.c.status == filters.status)
    if filters.owner:
        query = query.where(leads.c.card_id.in_(select(cards.c.id).where(cards.c.owner_id == filters.owner)))
    page = paging.page(tx, query, [leads.c.id], cursor=cursor, limit=limit)
    return Page(items=[Lead.of(row) for row in page.rows], next_cursor=page.next_cursor)


async def create(store_: Store, actor: Actor, card_id: str, body: NewLead) -> Lead:
    """Open a lead on the card."""
    return await store_.write(_create, actor, card_id, body)


def _create(tx: Connection, actor: Actor, card_id: str, body: NewLead) -> Lead:
    scope.card_for(tx, actor, card_id, lock=True)
    now = datetime.now(UTC)
    row = clients.open_lead(tx, card_id, body.source, now, note=body.note, author=author(actor))
    return _told(tx, row)


async def change(store_: Store, actor: Actor, lead_id: str, body: LeadFields, version: int | None) -> Lead:
    """Take into work, put back, note. Raises `VersionConflict`, `Conflict` on a closed lead."""
    values = {k: v for k, v in msgspec.structs.asdict(body).items() if v is not msgspec.UNSET}
    return await store_.write(_move, actor, lead_id, version, values)


async def convert(store_: Store, actor: Actor, lead_id: str) -> Lead:
    """The interest became business: the lead is converted and its card a client."""
    return await store_.write(_move, actor, lead_id, None, {"status": "converted"})


async def reject(store_: Store, actor: Actor, lead_id: str, reason: str) -> Lead:
    """It came to nothing, for this reason."""
    if not reason.strip():
        raise Invalid.one("reason", "say in a few words why")
    return await store_.write(_move, actor, lead_id, None, {"status": "rejected", "reason": reason.strip()})


def _move(tx: Connection, actor: Actor, lead_id: str, version: int | None, values: dict[str, Any]) -> Lead:
    found = scope.lead_for(tx, actor, lead_id)
    store.locked(tx, found.card_id)
    lead = scope.lead_for(tx, actor, lead_id, lock=True)
    if version is not None and version != lead.version:
        raise VersionConflict
    if "status" in values and lead.status not in _OPEN:
        raise Conflict(f"this lead is {lead.status} already; open a new one on the card instead")
    now = datetime.now(UTC)
    changed = {"version": leads.c.version + 1, "updated_at": now, **values}
    row = tx.execute(update(leads).where(leads.c.id == lead_id).values(**changed).returning(leads)).one()
    if row.status != lead.status:
        _tell_move(tx, actor, row, lead.status, now)
        lead_rules.settle(tx, lead_id, now)
    return _told(tx, row)


def _tell_move(tx: Connection, actor: Actor, row: Row[Any], former: str, now: datetime) -> None:
    detail = {"lead_id": row.id, "from": former, "to": row.status, "reason": row.reason}
    clients.add_card_event(tx, row.card_id, now, f"lead_{row.status}", detail, author(actor))
    if row.status == "converted":
        store.changed(tx, row.card_id, now, kind="client")


def _told(tx: Connection, row: Row[Any]) -> Lead:
    published(tx, row.card_id)
    team_id: str = tx.execute(select(cards.c.team_id).where(cards.c.id == row.card_id)).scalar_one()
    lead = Lead.of(row)
    facts.append(tx, [publish.lead_updated(lead, team_id)])
    return lead
