"""Messages: change, take back, send again, what they said before."""

from gateway.domain.people import Role
from gateway.services import replies, threads
from gateway.services.replies import MessageFields
from gateway.services.views.common import Page
from gateway.services.views.threads import Message, Revision
from gateway.web.routes import Plain, Request, route


async def get(rq: Plain) -> Message:
    """One message."""
    return await threads.message(rq.store, rq.actor, rq.path("id"))


async def change(rq: Request[MessageFields, None]) -> Message:
    """Change what one wrote: before it is sent always, afterwards where the channel can."""
    return await replies.edit(rq.store, rq.actor, rq.path("id"), rq.body)


async def take_back(rq: Plain) -> None:
    """Take a message back: before it is sent as if it had never been, afterwards where the channel can."""
    await replies.take_back(rq.store, rq.actor, rq.path("id"))


async def retry(rq: Plain) -> Message:
    """Send what failed, or what nobody knows of, once more."""
    return await replies.retry(rq.store, rq.actor, rq.path("id"))


async def revisions(rq: Plain) -> Page[Revision]:
    """What the message said before, oldest first; of one taken back for supervisors."""
    return await threads.revisions(rq.store, rq.actor, rq.path("id"))


_READ = {"role": Role.OPERATOR, "scope": "threads:read"}
_WRITE = {"role": Role.OPERATOR, "scope": "threads:write"}
ROUTES = (
    route("GET", "/messages/{id}", get, summary="One message", **_READ),
    route("PATCH", "/messages/{id}", change, summary="Change a message", **_WRITE),
    route("DELETE", "/messages/{id}", take_back, summary="Take a message back", **_WRITE),
    route("POST", "/messages/{id}/retry", retry, summary="Send once more", **_WRITE),
    route("GET", "/messages/{id}/revisions", revisions, summary="What it said before", **_READ),
)
