"""The audit log."""

from gateway.domain.people import Role
from gateway.services import audit
from gateway.services.audit import AuditFilters
from gateway.services.views.common import Page
from gateway.services.views.people import AuditEntry
from gateway.web.routes import Request, route


async def list_(rq: Request[None, AuditFilters]) -> Page[AuditEntry]:
    """Who did what to what, newest first: an admin all, a supervisor what concerns his teams."""
    return await audit.entries(rq.store, rq.actor, rq.query)


ROUTES = (route("GET", "/audit", list_, summary="The audit log", role=Role.SUPERVISOR, scope="audit:read"),)
