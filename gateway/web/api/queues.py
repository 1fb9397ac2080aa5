"""Queues with their live figures."""

from gateway.domain.people import Role
from gateway.services import queues
from gateway.services.queues import QueueCreate, QueueFields
from gateway.services.teams import Listing
from gateway.services.views.common import Page
from gateway.services.views.queues import Queue
from gateway.web.routes import Plain, Request, route


async def list_(rq: Request[None, Listing]) -> Page[Queue]:
    """The queues of one's teams."""
    return await queues.list_queues(rq.store, rq.actor, rq.query)


async def create(rq: Request[QueueCreate, None]) -> Queue:
    """Make a queue."""
    return await queues.create(rq.store, rq.actor, rq.body, rq.deps.settings.locale.timezone)


async def get(rq: Plain) -> Queue:
    """One queue."""
    return await queues.get(rq.store, rq.actor, rq.path("id"))


async def change(rq: Request[QueueFields, None]) -> Queue:
    """Change a queue; one of the configuration file is refused (409)."""
    return await queues.change(rq.store, rq.actor, rq.path("id"), rq.body, rq.if_match)


_READ = {"role": Role.OPERATOR, "scope": "queues:read"}
_WRITE = {"role": Role.ADMIN, "scope": "queues:write"}
ROUTES = (
    route("GET", "/queues", list_, summary="Queues, live", **_READ),
    route("POST", "/queues", create, summary="Make a queue", status=201, idempotent=True, **_WRITE),
    route("GET", "/queues/{id}", get, summary="One queue, live", **_READ),
    route("PATCH", "/queues/{id}", change, summary="Change a queue", **_WRITE),
)
