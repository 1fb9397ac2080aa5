"""Files of messages: uploaded before a message is sent, served so that no browser runs what is in them."""

import asyncio
import logging
from urllib.parse import quote

from aiohttp import hdrs, web

from config.values import storage_folder
from gateway.domain.errors import Conflict
from gateway.domain.people import Role
from gateway.services import attachments
from gateway.services.attachments import Served
from gateway.services.views.threads import Attachment
from gateway.web.routes import Form, Plain, Request, route
from recordings.library import Library

log = logging.getLogger(__name__)

CSP = "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
"""What a file shown by itself may do: nothing."""


async def upload(rq: Request[Form, None]) -> Attachment:
    """Upload a file, to be named in a message. What is not sent within a day is taken away."""
    storage = rq.deps.settings.storage
    largest = int(storage.largest_attachment_mb * 1_000_000)
    library = Library(storage_folder(storage.url))
    return await attachments.upload(rq.store, rq.actor, library, rq.body.parts.next, largest)


async def get(rq: Plain) -> web.StreamResponse:
    """The file, whole or by `Range`. Pictures, sound, video, PDF and plain text may be shown in place; the
    rest is offered for saving."""
    served = await attachments.serve(rq.store, rq.actor, rq.path("id"))
    library = Library(storage_folder(rq.deps.settings.storage.url))
    if not await asyncio.to_thread(library.has, served.blob):
        log.error(
            "the bytes of attachment %s are not in the storage",
            rq.path("id"),
            extra={"action": "attachment_missing", "sha256": served.blob.sha256},
        )
        raise Conflict("the file is missing in the storage; tell the administrator")
    headers = {
        hdrs.CONTENT_TYPE: served.mime,
        hdrs.CONTENT_DISPOSITION: disposition(served),
        hdrs.CACHE_CONTROL: "private, max-age=86400, immutable",
        "Content-Security-Policy": CSP,
        "X-Content-Type-Options": "nosniff",
    }
    return web.FileResponse(library.place(served.blob), chunk_size=256 * 1024, headers=headers)


def disposition(served: Served) -> str:
    """Content-Disposition (RFC 6266) with the name in UTF-8 (RFC 8187) and a plain one beside it."""
    plain = served.name.encode("ascii", "replace").decode().replace("?", "_")
    kind = "inline" if served.shown else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(served.name, safe='')}"


_FORM = {"file": {"type": "string", "contentMediaType": "application/octet-stream"}}
ROUTES = (
    route(
        "POST",
        "/attachments",
        upload,
        summary="Upload a file",
        role=Role.OPERATOR,
        scope="threads:write",
        status=201,
        form={"required": ["file"], "properties": _FORM},
    ),
    route(
        "GET",
        "/attachments/{id}",
        get,
        summary="The file",
        role=Role.OPERATOR,
        scope="threads:read",
        media_type="*/*",
    ),
)
