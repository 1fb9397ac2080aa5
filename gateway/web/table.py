"""The one table of routes, from which routing, permissions, OpenAPI and the desk's types are made."""

from gateway.web.api import (
    attachments,
    audit,
    calls,
    cards,
    connectors,
    contacts,
    leads,
    messages,
    operators,
    poison,
    queues,
    recordings,
    session,
    suggestions,
    tasks,
    teams,
    templates,
    threads,
)
from gateway.web.routes import Route

ROUTES: tuple[Route, ...] = (
    *session.ROUTES,
    *cards.ROUTES,
    *leads.ROUTES,
    *calls.ROUTES,
    *recordings.ROUTES,
    *contacts.ROUTES,
    *threads.ROUTES,
    *messages.ROUTES,
    *attachments.ROUTES,
    *templates.ROUTES,
    *tasks.ROUTES,
    *suggestions.ROUTES,
    *poison.ROUTES,
    *operators.ROUTES,
    *teams.ROUTES,
    *queues.ROUTES,
    *connectors.ROUTES,
    *audit.ROUTES,
)
