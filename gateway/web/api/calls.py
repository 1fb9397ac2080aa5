"""Calls: list, look at, attach to a card."""

from gateway.domain.people import Role
from gateway.services import calls
from gateway.services.calls import CallFields, CallFilters
from gateway.services.views.calls import CallView
from gateway.services.views.common import Page
from gateway.web.api.params import DEFAULT_LIMIT, IdText, Limit, Moment
from gateway.web.routes import Plain, Request, route


class CallList(CallFilters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`state=live` for all that have not ended; `since` and `until` of the start."""

    operator: IdText | None = None
    card_id: IdText | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: str | None = None


async def list_(rq: Request[None, CallList]) -> Page[CallView]:
    """Calls, newest first."""
    return await calls.list_calls(rq.store, rq.actor, rq.query, rq.query.limit, rq.query.cursor)


async def get(rq: Plain) -> CallView:
    """One call."""
    return await calls.get(rq.store, rq.actor, rq.path("id"))


async def change(rq: Request[CallFields, None]) -> CallView:
    """Attach the call to a card by hand, or note something on it."""
    return await calls.change(rq.store, rq.actor, rq.path("id"), rq.body, rq.if_match)


_READ = {"role": Role.OPERATOR, "scope": "calls:read"}
ROUTES = (
    route("GET", "/calls", list_, summary="List calls", **_READ),
    route("GET", "/calls/{id}", get, summary="One call", **_READ),
    route("PATCH", "/calls/{id}", change, summary="Attach or note", role=Role.OPERATOR, scope="calls:write"),
)
