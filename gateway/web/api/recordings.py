"""Recordings: list, look at, listen to, take in from a PBX elsewhere, delete."""

import asyncio
import logging

from aiohttp import hdrs, web

from config.values import storage_folder
from gateway.domain.errors import Conflict
from gateway.domain.people import Role
from gateway.services import recordings, recordings_deletion, recordings_retry, recordings_upload
from gateway.services.recordings import Played, RecordingFilters
from gateway.services.views.common import Page
from gateway.services.views.recordings import Peaks, Recording
from gateway.web.api.params import DEFAULT_LIMIT, IdText, Limit, Moment
from gateway.web.routes import Form, Plain, Request, route
from recordings.formats import CONTENT_TYPE
from recordings.library import Library

log = logging.getLogger(__name__)


class RecordingList(RecordingFilters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`since` and `until` of the recording's beginning."""

    call_id: IdText | None = None
    card_id: IdText | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: Limit = DEFAULT_LIMIT
    cursor: str | None = None


async def list_(rq: Request[None, RecordingList]) -> Page[Recording]:
    """Recordings, newest first."""
    return await recordings.list_recordings(rq.store, rq.actor, rq.query, rq.query.limit, rq.query.cursor)


async def get(rq: Plain) -> Recording:
    """One recording."""
    return await recordings.get(rq.store, rq.actor, rq.path("id"))


async def peaks(rq: Plain) -> Peaks:
    """The waveform, for a player that should not load the sound to draw it. 409 as long as there is none."""
    return await recordings.peaks(rq.store, rq.actor, rq.path("id"))


async def audio(rq: Plain) -> web.StreamResponse:
    """The sound, whole or by `Range`; a sitting of listening is written to the audit log.

    Ogg/Opus as a rule; WAV where it is not encoded (yet). 409 as long as there is nothing to play.
    """
    looks_only = rq.http.method == hdrs.METH_HEAD
    listen = recordings.look if looks_only else recordings.listen
    played = await listen(rq.store, rq.actor, rq.path("id"))
    return await _file(rq, played)


async def _file(rq: Plain, played: Played) -> web.StreamResponse:
    library = Library(storage_folder(rq.deps.settings.storage.url))
    if not await asyncio.to_thread(library.has, played.blob):
        log.error(
            "the bytes of recording %s are not in the storage",
            rq.path("id"),
            extra={"action": "recording_missing", "sha256": played.blob.sha256},
        )
        raise Conflict("the recording's file is missing in the storage; tell the administrator")
    headers = {
        hdrs.CONTENT_TYPE: CONTENT_TYPE[played.blob.ext],
        hdrs.CONTENT_DISPOSITION: f'inline; filename="{played.ascii_name}"',
        hdrs.CACHE_CONTROL: "no-store",
    }
    return web.FileResponse(library.place(played.blob), chunk_size=256 * 1024, headers=headers)


async def upload(rq: Request[Form, None]) -> Recording:
    """Take in a file that a PBX elsewhere has recorded: fields `pbx`, `uniqueid` or `linkedid`, and `file`.

    The same bytes for the same call are the same recording, however often they are sent.
    """
    limits = rq.deps.settings.storage
    library = Library(storage_folder(limits.url))
    largest = int(limits.largest_recording_mb * 1_000_000)
    recordings_upload.may_upload(rq.actor)
    with library.draft() as folder:
        sent = await recordings_upload.receive(rq.body.parts.next, folder, largest)
        return await recordings_upload.take(rq.store, rq.actor, library, sent)


async def retry(rq: Plain) -> Recording:
    """Try a recording again that failed: its file is fetched or encoded anew."""
    library = Library(storage_folder(rq.deps.settings.storage.url))
    original = await recordings_retry.original_of(rq.store, rq.actor, rq.path("id"))
    is_here = original is not None and await asyncio.to_thread(library.has, original)
    return await recordings_retry.retry(rq.store, rq.actor, rq.path("id"), is_here=is_here)


async def remove(rq: Plain) -> None:
    """Delete the recording for good. What the PBX keeps is not touched."""
    await recordings_deletion.remove(rq.store, rq.actor, rq.path("id"))


_TEXT = {"type": "string"}
_FORM = {
    "pbx": _TEXT | {"description": "Name of the connector."},
    "uniqueid": _TEXT | {"description": "Of a channel of the call (`${UNIQUEID}`)."},
    "linkedid": _TEXT | {"description": "Or the call's linkedid (`${CHANNEL(linkedid)}`)."},
    "file": {"type": "string", "contentMediaType": "application/octet-stream"},
}
_READ = {"role": Role.OPERATOR, "scope": "recordings:read"}
ROUTES = (
    route("GET", "/recordings", list_, summary="List recordings", **_READ),
    route(
        "POST",
        "/recordings",
        upload,
        summary="Take in a file",
        role=Role.OPERATOR,
        scope="recordings:write",
        status=201,
        form={"required": ["pbx", "file"], "properties": _FORM},
    ),
    route("GET", "/recordings/{id}", get, summary="One recording", **_READ),
    route("GET", "/recordings/{id}/audio", audio, summary="The sound", media_type="audio/*", **_READ),
    route("GET", "/recordings/{id}/peaks", peaks, summary="The waveform", **_READ),
    route(
        "POST",
        "/recordings/{id}/retry",
        retry,
        summary="Try again",
        role=Role.ADMIN,
        scope="recordings:write",
    ),
    route(
        "DELETE",
        "/recordings/{id}",
        remove,
        summary="Delete for good",
        role=Role.SUPERVISOR,
        scope="recordings:write",
    ),
)
