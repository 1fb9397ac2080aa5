"""Threads: list, read, write, assign, close; drafts; who looks and types."""

import asyncio
import logging

from gateway.domain.errors import PerezvonError
from gateway.domain.people import Role
from gateway.services import drafts, replies, threads
from gateway.services.contact_verbs import Target
from gateway.services.drafts import Draft, DraftFields
from gateway.services.replies import NewMessage, NewThread
from gateway.services.threads import Counts, ReadTo, ThreadFilters, Typing, Window
from gateway.services.views.common import Page
from gateway.services.views.threads import Message, Thread
from gateway.web.api.params import DEFAULT_LIMIT, IdText, Limit
from gateway.web.routes import Plain, Request, route

log = logging.getLogger(__name__)
_TYPING_S = 5.0


class ThreadList(ThreadFilters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`queue` by name; `assignee` an id, `me` or `none`."""

    card_id: IdText | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: str | None = None


class MessagePage(Window, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Older than the message `before`, or newer than the message `after`."""

    before: IdText | None = None
    after: IdText | None = None
    limit: Limit = DEFAULT_LIMIT


async def list_(rq: Request[None, ThreadList]) -> Page[Thread]:
    """Threads, the newest message first."""
    return await threads.list_threads(rq.store, rq.actor, rq.query, rq.query.limit, rq.query.cursor)


async def counts(rq: Plain) -> Counts:
    """How many threads wait for an answer of ours."""
    return await threads.counts(rq.store, rq.actor)


async def get(rq: Plain) -> Thread:
    """One thread."""
    return await threads.get(rq.store, rq.actor, rq.path("id"))


async def messages(rq: Request[None, MessagePage]) -> Page[Message]:
    """The newest page by default, oldest first inside a page."""
    return await threads.page(rq.store, rq.actor, rq.path("id"), rq.query, rq.query.limit)


async def send(rq: Request[NewMessage, None]) -> Message:
    """Write to the client. Stored at once, sent afterwards: `message.status` tells what became of it."""
    return await replies.send_reply(rq.store, rq.actor, rq.path("id"), rq.body)


async def begin(rq: Request[NewThread, None]) -> Message:
    """Write to a client first, where the channel allows it."""
    senders, country = rq.deps.senders, rq.deps.settings.locale.country
    return await replies.begin(rq.store, rq.actor, rq.path("id"), rq.body, senders, country)


async def close(rq: Plain) -> Thread:
    """The conversation is over; what the client writes from now on begins a new one."""
    return await threads.close(rq.store, rq.actor, rq.path("id"))


async def reopen(rq: Plain) -> Thread:
    """Go on with a closed thread. 409 where the client has a newer one."""
    return await threads.reopen(rq.store, rq.actor, rq.path("id"))


async def assign(rq: Request[Target, None]) -> Thread:
    """Give the thread to a colleague, or to a queue."""
    return await threads.assign(rq.store, rq.actor, rq.path("id"), rq.body, rq.deps.dispatch)


async def read(rq: Request[ReadTo, None]) -> Thread:
    """It was read, as far as the body says."""
    return await threads.read(rq.store, rq.actor, rq.path("id"), rq.body)


async def typing(rq: Request[Typing, None]) -> None:
    """Colleagues see for some seconds that one types or looks; the client, where his channel can, that one
    types."""
    connector, key = await threads.tell_presence(rq.store, rq.actor, rq.path("id"), rq.body)
    sender = rq.deps.senders.get(connector)
    if sender is None or rq.body.what != "typing" or not sender.traits.typing:
        return
    try:
        async with asyncio.timeout(_TYPING_S):
            await sender.typing(key)
    except (PerezvonError, TimeoutError) as error:
        log.debug("%s was not told that somebody types: %s", connector, error)


async def draft(rq: Plain) -> Draft:
    """One's own draft of a reply, empty where there is none."""
    return await drafts.get(rq.store, rq.actor, rq.path("id"))


async def keep_draft(rq: Request[DraftFields, None]) -> Draft:
    """Keep what one has written so far; empty takes it away."""
    return await drafts.keep(rq.store, rq.actor, rq.path("id"), rq.body)


_READ = {"role": Role.OPERATOR, "scope": "threads:read"}
_WRITE = {"role": Role.OPERATOR, "scope": "threads:write"}
ROUTES = (
    route("GET", "/threads", list_, summary="List threads", **_READ),
    route("GET", "/threads/counts", counts, summary="How many wait for an answer", **_READ),
    route("GET", "/threads/{id}", get, summary="One thread", **_READ),
    route("GET", "/threads/{id}/messages", messages, summary="Messages of a thread", **_READ),
    route(
        "POST",
        "/threads/{id}/messages",
        send,
        summary="Write to the client",
        status=202,
        idempotent=True,
        **_WRITE,
    ),
    route("POST", "/cards/{id}/threads", begin, summary="Write first", status=202, idempotent=True, **_WRITE),
    route("POST", "/threads/{id}/close", close, summary="Close a thread", **_WRITE),
    route("POST", "/threads/{id}/reopen", reopen, summary="Open a thread again", **_WRITE),
    route("POST", "/threads/{id}/assign", assign, summary="Give a thread to somebody", **_WRITE),
    route("POST", "/threads/{id}/read", read, summary="Mark as read", **_WRITE),
    route("POST", "/threads/{id}/typing", typing, summary="Tell that one types or looks", **_WRITE),
    route("GET", "/threads/{id}/draft", draft, summary="One's own draft", **_READ),
    route("POST", "/threads/{id}/draft", keep_draft, summary="Keep a draft", **_WRITE),
)
