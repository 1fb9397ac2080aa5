"""Templates."""

from gateway.domain.people import Role
from gateway.services import templates
from gateway.services.templates import Template, TemplateFields, TemplateList
from gateway.services.views.common import Page
from gateway.web.routes import Plain, Request, route


async def list_(rq: Request[None, TemplateList]) -> Page[Template]:
    """Everybody's templates and those of one's teams."""
    return await templates.list_templates(rq.store, rq.actor, rq.query)


async def create(rq: Request[TemplateFields, None]) -> Template:
    """Make a template; `name` and `text` are required."""
    return await templates.create(rq.store, rq.actor, rq.body)


async def change(rq: Request[TemplateFields, None]) -> Template:
    """Change what the body names."""
    return await templates.change(rq.store, rq.actor, rq.path("id"), rq.body, rq.if_match)


async def remove(rq: Plain) -> None:
    """Take a template away."""
    await templates.remove(rq.store, rq.actor, rq.path("id"))


_WRITE = {"role": Role.SUPERVISOR, "scope": "templates:write"}
ROUTES = (
    route("GET", "/templates", list_, summary="List templates", role=Role.OPERATOR, scope="templates:read"),
    route("POST", "/templates", create, summary="Make a template", status=201, idempotent=True, **_WRITE),
    route("PATCH", "/templates/{id}", change, summary="Change a template", **_WRITE),
    route("DELETE", "/templates/{id}", remove, summary="Take a template away", **_WRITE),
)
