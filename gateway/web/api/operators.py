"""Operators: people, their phones and presence. `me` stands for oneself in every path."""

from gateway.domain.people import Role
from gateway.services import people, seats
from gateway.services.people_input import (
    EndpointFields,
    OperatorCreate,
    OperatorFilters,
    OperatorUpdate,
    PhoneOf,
    PresenceFields,
)
from gateway.services.views.common import Page
from gateway.services.views.people import NewOperator, Operator
from gateway.web.routes import Plain, Request, route


async def list_(rq: Request[None, OperatorFilters]) -> Page[Operator]:
    """Colleagues of one's teams."""
    return await people.list_operators(rq.store, rq.actor, rq.query)


async def create(rq: Request[OperatorCreate, None]) -> NewOperator:
    """Make a person; a generated password is told once, never again under the same Idempotency-Key."""
    return await people.create(rq.store, rq.actor, rq.body, rq.deps.settings.locale.language)


async def get(rq: Plain) -> Operator:
    """One colleague."""
    return await people.get(rq.store, rq.actor, rq.path("id"))


async def change(rq: Request[OperatorUpdate, None]) -> Operator:
    """Change a person; `active: false` ends his sessions and hands his cards over."""
    return await people.change(rq.store, rq.actor, rq.path("id"), rq.body, rq.if_match)


async def set_presence(rq: Request[PresenceFields, None]) -> Operator:
    """Take contacts or not."""
    return await seats.set_presence(rq.store, rq.actor, rq.path("id"), rq.body)


async def sign_in_at(rq: Request[EndpointFields, None]) -> Operator:
    """Sit at a phone; whoever was there is signed out."""
    return await seats.sign_in_at(rq.store, rq.actor, rq.path("id"), rq.body)


async def sign_out_of(rq: Request[None, PhoneOf]) -> Operator:
    """Leave a phone, or all of them."""
    return await seats.sign_out_of(rq.store, rq.actor, rq.path("id"), rq.query)


_READ = {"role": Role.OPERATOR, "scope": "operators:read"}
_OWN = {"role": Role.OPERATOR, "scope": "operators:write"}
ROUTES = (
    route("GET", "/operators", list_, summary="List colleagues", **_READ),
    route(
        "POST",
        "/operators",
        create,
        summary="Make a person",
        role=Role.ADMIN,
        scope="operators:write",
        status=201,
        idempotent=True,
    ),
    route("GET", "/operators/{id}", get, summary="One colleague", **_READ),
    route(
        "PATCH",
        "/operators/{id}",
        change,
        summary="Change a person",
        role=Role.SUPERVISOR,
        scope="operators:write",
    ),
    route("PUT", "/operators/{id}/presence", set_presence, summary="Take contacts or not", **_OWN),
    route("PUT", "/operators/{id}/endpoint", sign_in_at, summary="Sit at a phone", **_OWN),
    route("DELETE", "/operators/{id}/endpoint", sign_out_of, summary="Leave a phone", status=200, **_OWN),
)
