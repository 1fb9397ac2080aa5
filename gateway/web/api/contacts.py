"""Contacts: what is to be handled."""

from gateway.domain.people import Role
from gateway.services import contact_verbs, contacts
from gateway.services.contact_verbs import Closing, Target, Until
from gateway.services.contacts import ContactFilters
from gateway.services.views.common import Page
from gateway.services.views.contacts import Contact
from gateway.web.api.params import DEFAULT_LIMIT, IdText, Limit
from gateway.web.routes import Plain, Request, route


class ContactList(ContactFilters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`state=open` for all that are not over; `queue` by name."""

    operator: IdText | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: str | None = None


async def list_(rq: Request[None, ContactList]) -> Page[Contact]:
    """Contacts, newest first: an operator's own, a supervisor's teams'."""
    return await contacts.list_contacts(rq.store, rq.actor, rq.query, rq.query.limit, rq.query.cursor)


async def get(rq: Plain) -> Contact:
    """One contact."""
    return await contacts.get(rq.store, rq.actor, rq.path("id"))


async def accept(rq: Plain) -> Contact:
    """Take what one is offered. 409 names who was faster."""
    return await contact_verbs.accept(rq.store, rq.actor, rq.path("id"))


async def decline(rq: Plain) -> Contact:
    """Leave it to the others."""
    return await contact_verbs.decline(rq.store, rq.actor, rq.path("id"), rq.deps.dispatch)


async def take(rq: Plain) -> Contact:
    """Take what waits, offered or not; a supervisor also from whoever has it."""
    return await contact_verbs.take(rq.store, rq.actor, rq.path("id"))


async def transfer(rq: Request[Target, None]) -> Contact:
    """Give it to a colleague, who has it from then on, or back into a queue."""
    return await contact_verbs.transfer(rq.store, rq.actor, rq.path("id"), rq.body, rq.deps.dispatch)


async def defer(rq: Request[Until, None]) -> Contact:
    """Put it off; it comes back at its time, or when the client writes."""
    return await contact_verbs.defer(rq.store, rq.actor, rq.path("id"), rq.body)


async def close(rq: Request[Closing, None]) -> Contact:
    """It is over, and the conversation with it."""
    return await contact_verbs.close(rq.store, rq.actor, rq.path("id"), rq.body)


_READ = {"role": Role.OPERATOR, "scope": "contacts:read"}
_WRITE = {"role": Role.OPERATOR, "scope": "contacts:write"}
ROUTES = (
    route("GET", "/contacts", list_, summary="List contacts", **_READ),
    route("GET", "/contacts/{id}", get, summary="One contact", **_READ),
    route("POST", "/contacts/{id}/accept", accept, summary="Accept what is offered", **_WRITE),
    route("POST", "/contacts/{id}/decline", decline, summary="Decline what is offered", **_WRITE),
    route("POST", "/contacts/{id}/take", take, summary="Take a contact", **_WRITE),
    route("POST", "/contacts/{id}/transfer", transfer, summary="Give a contact to somebody", **_WRITE),
    route("POST", "/contacts/{id}/defer", defer, summary="Put a contact off", **_WRITE),
    route("POST", "/contacts/{id}/close", close, summary="Close a contact", **_WRITE),
)
