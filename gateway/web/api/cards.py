"""Cards, their identities, notes and timeline."""

import msgspec

from gateway.domain.people import Role
from gateway.services import cards, export, identities, merge, search, timeline
from gateway.services.cards import CardFields, NewCard
from gateway.services.export import CardExport
from gateway.services.identities import IdentityFields, NewIdentity
from gateway.services.timeline import NewNote, TimelineWindow
from gateway.services.views.cards import Card, CardKind, Lookup, TimelineEntry
from gateway.services.views.common import Page
from gateway.web.api.params import DEFAULT_LIMIT, Body, IdText, Limit
from gateway.web.routes import Plain, Request, route


class CardList(search.Filters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words and fragments of numbers of 3 digits or more in `q`."""

    kind: CardKind | None = None
    owner: IdText | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: str | None = None


class LookupQuery(Body, frozen=True):
    """An identity in any spelling."""

    kind: str
    value: str


class Other(Body, frozen=True):
    """The card that becomes part of this one."""

    other_id: str


class TimelinePage(TimelineWindow, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Older than the entry `before`, or newer than the entry `after`; `cursor` goes on in that direction."""

    before: IdText | None = None
    after: IdText | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: IdText | None = None


async def list_(rq: Request[None, CardList]) -> Page[Card]:
    """Search cards, newest first."""
    return await cards.list_cards(rq.store, rq.actor, rq.query, rq.query.limit, rq.query.cursor)


async def lookup(rq: Request[None, LookupQuery]) -> Lookup:
    """Cards of an identity in any spelling: known first, then maybe."""
    country = rq.deps.settings.locale.country
    return await cards.lookup(rq.store, rq.actor, rq.query.kind, rq.query.value, country)


async def create(rq: Request[NewCard, None]) -> Card:
    """Make a card."""
    return await cards.create(rq.store, rq.actor, rq.body, rq.deps.settings.locale.country)


async def get(rq: Plain) -> Card:
    """One card; a merged one's id leads to the card that it became part of."""
    return await cards.get(rq.store, rq.actor, rq.path("id"))


async def change(rq: Request[CardFields, None]) -> Card:
    """Change what the body names."""
    return await cards.change(rq.store, rq.actor, rq.path("id"), rq.body, rq.if_match)


async def remove(rq: Plain) -> None:
    """Delete a card; its calls stay, without a card."""
    await cards.remove(rq.store, rq.actor, rq.path("id"))


async def merge_(rq: Request[Other, None]) -> Card:
    """Make another card part of this one; can be undone."""
    return await merge.merge(rq.store, rq.actor, rq.path("id"), rq.body.other_id)


async def unmerge(rq: Plain) -> Card:
    """Undo the last merge into this card."""
    return await merge.unmerge(rq.store, rq.actor, rq.path("id"))


async def add_identity(rq: Request[NewIdentity, None]) -> Card:
    """Put an address on the card."""
    country = rq.deps.settings.locale.country
    return await identities.add_identity(rq.store, rq.actor, rq.path("id"), rq.body, country)


async def change_identity(rq: Request[IdentityFields, None]) -> Card:
    """Label or block an address."""
    path = (rq.path("id"), rq.path("kind"), rq.path("value"))
    country = rq.deps.settings.locale.country
    return await identities.change_identity(rq.store, rq.actor, *path, rq.body, country)


async def remove_identity(rq: Plain) -> Card:
    """Take an address off the card."""
    path = (rq.path("id"), rq.path("kind"), rq.path("value"))
    return await identities.remove_identity(rq.store, rq.actor, *path, rq.deps.settings.locale.country)


async def export_(rq: Plain) -> CardExport:
    """The card and all that lies on it, as one document; stands in the audit log."""
    return await export.export(rq.store, rq.actor, rq.path("id"))


async def show_timeline(rq: Request[None, TimelinePage]) -> Page[TimelineEntry]:
    """Everything on the card, newest first."""
    window = rq.query
    if window.cursor is not None:
        side = "after" if window.after else "before"
        window = msgspec.structs.replace(window, **{side: window.cursor})
    return await timeline.page(rq.store, rq.actor, rq.path("id"), window, window.limit)


async def add_note(rq: Request[NewNote, None]) -> TimelineEntry:
    """Note something on the card."""
    return await timeline.add_note(rq.store, rq.actor, rq.path("id"), rq.body)


_READ = {"role": Role.OPERATOR, "scope": "cards:read"}
_WRITE = {"role": Role.OPERATOR, "scope": "cards:write"}
_MAKE = {**_WRITE, "status": 201, "idempotent": True}
_IDENTITY = "/cards/{id}/identities/{kind}/{value}"
ROUTES = (
    route("GET", "/cards", list_, summary="Search cards", **_READ),
    route("GET", "/cards/lookup", lookup, summary="Cards of an identity", **_READ),
    route("POST", "/cards", create, summary="Make a card", **_MAKE),
    route("GET", "/cards/{id}", get, summary="One card", **_READ),
    route("PATCH", "/cards/{id}", change, summary="Change a card", **_WRITE),
    route(
        "DELETE", "/cards/{id}", remove, summary="Delete a card", role=Role.SUPERVISOR, scope="cards:write"
    ),
    route("POST", "/cards/{id}/merge", merge_, summary="Merge two cards", idempotent=True, **_WRITE),
    route("POST", "/cards/{id}/unmerge", unmerge, summary="Undo a merge", idempotent=True, **_WRITE),
    route("POST", "/cards/{id}/identities", add_identity, summary="Add an address", **_MAKE),
    route("PATCH", _IDENTITY, change_identity, summary="Label or block an address", **_WRITE),
    route("DELETE", _IDENTITY, remove_identity, summary="Take an address off", **_WRITE),
    route("GET", "/cards/{id}/timeline", show_timeline, summary="Everything on the card", **_READ),
    route(
        "GET",
        "/cards/{id}/export",
        export_,
        summary="Everything kept of a client",
        role=Role.SUPERVISOR,
        scope="cards:read",
    ),
    route("POST", "/cards/{id}/notes", add_note, summary="Note something", **_MAKE),
)
