"""Cards that may be one person."""

from gateway.domain.people import Role
from gateway.services import suggestions
from gateway.services.suggestions import Suggestion, SuggestionList
from gateway.services.views.cards import Card
from gateway.services.views.common import Page
from gateway.web.routes import Plain, Request, route


async def list_(rq: Request[None, SuggestionList]) -> Page[Suggestion]:
    """Cards that may be one person, the newest 200 suggestions."""
    return await suggestions.list_suggestions(rq.store, rq.actor, rq.query)


async def accept(rq: Plain) -> Card:
    """They are one: the younger card becomes part of the older. Can be undone like every merge."""
    return await suggestions.accept(rq.store, rq.actor, rq.path("id"))


async def dismiss(rq: Plain) -> None:
    """They are two; it is not suggested again."""
    await suggestions.dismiss(rq.store, rq.actor, rq.path("id"))


_WRITE = {"role": Role.OPERATOR, "scope": "cards:write"}
ROUTES = (
    route(
        "GET", "/suggestions", list_, summary="Cards that may be one", role=Role.OPERATOR, scope="cards:read"
    ),
    route("POST", "/suggestions/{id}/accept", accept, summary="They are one", **_WRITE),
    route("POST", "/suggestions/{id}/dismiss", dismiss, summary="They are two", **_WRITE),
)
