"""Contacts: what is to be handled."""

from gateway.domain.people import Role
from gateway.services import contacts
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


_READ = {"role": Role.OPERATOR, "scope": "contacts:read"}
ROUTES = (
    route("GET", "/contacts", list_, summary="List contacts", **_READ),
    route("GET", "/contacts/{id}", get, summary="One contact", **_READ),
)
