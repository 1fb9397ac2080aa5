"""Leads: opened on a card, moved on, converted or rejected."""

from gateway.domain.people import Role
from gateway.services import leads
from gateway.services.leads import LeadFields, LeadFilters, NewLead
from gateway.services.views.cards import Lead
from gateway.services.views.common import Page
from gateway.web.api.params import DEFAULT_LIMIT, Body, IdText, Limit
from gateway.web.routes import Plain, Request, route


class LeadList(LeadFilters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`owner` is that of the card."""

    owner: IdText | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: str | None = None


class Because(Body, frozen=True):
    """Why it came to nothing."""

    reason: str


async def list_(rq: Request[None, LeadList]) -> Page[Lead]:
    """Leads, newest first."""
    return await leads.list_leads(rq.store, rq.actor, rq.query, rq.query.limit, rq.query.cursor)


async def create(rq: Request[NewLead, None]) -> Lead:
    """Open a lead on the card."""
    return await leads.create(rq.store, rq.actor, rq.path("id"), rq.body)


async def change(rq: Request[LeadFields, None]) -> Lead:
    """Take into work, put back, note."""
    return await leads.change(rq.store, rq.actor, rq.path("id"), rq.body, rq.if_match)


async def convert(rq: Plain) -> Lead:
    """The interest became business: the card is a client's."""
    return await leads.convert(rq.store, rq.actor, rq.path("id"))


async def reject(rq: Request[Because, None]) -> Lead:
    """It came to nothing."""
    return await leads.reject(rq.store, rq.actor, rq.path("id"), rq.body.reason)


_READ = {"role": Role.OPERATOR, "scope": "leads:read"}
_WRITE = {"role": Role.OPERATOR, "scope": "leads:write"}
ROUTES = (
    route("GET", "/leads", list_, summary="List leads", **_READ),
    route("POST", "/cards/{id}/leads", create, summary="Open a lead", status=201, idempotent=True, **_WRITE),
    route("PATCH", "/leads/{id}", change, summary="Move a lead on", **_WRITE),
    route("POST", "/leads/{id}/convert", convert, summary="Convert a lead", idempotent=True, **_WRITE),
    route("POST", "/leads/{id}/reject", reject, summary="Reject a lead", idempotent=True, **_WRITE),
)
