"""The one table of routes, from which routing, permissions, OpenAPI and the desk's types are made."""

from gateway.web.api import (
    audit,
    calls,
    cards,
    connectors,
    contacts,
    leads,
    operators,
    queues,
    recordings,
    session,
    teams,
)
from gateway.web.routes import Route

ROUTES: tuple[Route, ...] = (
    *session.ROUTES,
    *cards.ROUTES,
    *leads.ROUTES,
    *calls.ROUTES,
    *recordings.ROUTES,
    *contacts.ROUTES,
    *operators.ROUTES,
    *teams.ROUTES,
    *queues.ROUTES,
    *connectors.ROUTES,
    *audit.ROUTES,
)
