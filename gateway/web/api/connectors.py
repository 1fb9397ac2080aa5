"""Connectors: what is attached and how it stands."""

from gateway.domain.people import Role
from gateway.services import connectors
from gateway.services.teams import Listing
from gateway.services.views.common import Page
from gateway.services.views.queues import Connector
from gateway.web.routes import Plain, Request, route


async def list_(rq: Request[None, Listing]) -> Page[Connector]:
    """The attached connectors with state and remedy."""
    return await connectors.list_connectors(rq.store, rq.actor, rq.query)


async def get(rq: Plain) -> Connector:
    """One connector."""
    return await connectors.get(rq.store, rq.actor, rq.path("id"))


_READ = {"role": Role.OPERATOR, "scope": "connectors:read"}
ROUTES = (
    route("GET", "/connectors", list_, summary="List connectors", **_READ),
    route("GET", "/connectors/{id}", get, summary="One connector", **_READ),
)
