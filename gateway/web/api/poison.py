"""What could not be worked on."""

from gateway.domain.people import Role
from gateway.services import poison
from gateway.services.poison import Poison, PoisonList
from gateway.services.views.common import Page
from gateway.web.routes import Plain, Request, route


async def list_(rq: Request[None, PoisonList]) -> Page[Poison]:
    """What was set aside because it could not be worked on, with the error."""
    return await poison.list_poison(rq.store, rq.actor, rq.query)


async def replay(rq: Plain) -> None:
    """Have it tried again."""
    await poison.replay(rq.store, rq.actor, rq.path("id"))


ROUTES = (
    route("GET", "/poison", list_, summary="What was set aside", role=Role.ADMIN, scope="poison:read"),
    route(
        "POST", "/poison/{id}/replay", replay, summary="Try it again", role=Role.ADMIN, scope="poison:write"
    ),
)
