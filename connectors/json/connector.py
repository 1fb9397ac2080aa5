"""A channel for integrators: they post messages in, we post replies out, both signed.

The worked example of the kit: `translate` is pure, `sender` delivers once, `faces` is where the outside
reaches us, `run` has nothing to follow.
"""

import asyncio
import hashlib
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from connectors.json.sender import JsonSender
from connectors.json.settings import JsonSettings
from connectors.json.signing import HEADER, is_signed
from connectors.json.translator import Translation
from gateway.domain.connecting import Face, Hint, Surroundings
from gateway.domain.errors import Invalid, NotFound, Refused
from gateway.domain.messages import RawUpdate
from gateway.domain.ports import LinkState

MOST_UPDATES = 100


class JsonConnector:
    """One integrator."""

    def __init__(self, settings: JsonSettings, around: Surroundings) -> None:
        self._settings = settings
        self._around = around
        self._root = f"/hooks/{settings.name}"
        self.translate = Translation(settings.name, around.country)
        self.sender = JsonSender(settings, lambda: around.public_url() + self._root)

    @property
    def faces(self) -> Sequence[Face]:
        """Where updates are posted, and where the files of our replies are fetched."""
        return (
            Face("POST", self._root, self._posted),
            Face("GET", self._root + "/files/{chat}/{file}", self._file),
        )

    def hint(self, hint: Hint) -> None:
        """Whoever integrates hears by his webhook."""

    async def run(self) -> None:
        """There is no link to keep: it is up as long as it runs."""
        async with self.sender:
            self._around.report(LinkState.UP)
            await asyncio.Event().wait()

    async def _posted(self, request: web.Request) -> web.Response:
        body = await request.read()
        secret = self._settings.secret.reveal()
        if not is_signed(secret, request.headers.get(HEADER, ""), body, time.time()):
            raise Refused("the signature is missing, wrong or too old")
        updates = _updates(body, datetime.now(UTC))
        for one in updates:
            if one.lane and _is_typing(one):
                await self._around.intake.typing(one.lane)
        kept = [one for one in updates if not _is_typing(one)]
        stored = await self._around.intake.store_raw(kept)
        return web.json_response({"received": len(updates), "stored": stored}, status=202)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        chat, file_id = request.match_info["chat"], request.match_info["file"]
        if not self.sender.signed_path(chat, file_id, request.query.get("key", "")):
            raise NotFound
        file = await self._around.book.file(chat, file_id)
        if file is None:
            raise NotFound
        headers = {
            "Content-Type": file.mime,
            "Content-Disposition": "attachment",
            "Cache-Control": "no-store",
        }
        return web.FileResponse(file.path, headers=headers)


def _updates(body: bytes, now: datetime) -> list[RawUpdate]:
    """The updates of one request: an object or an array. Each must say enough to be stored; what it means is
    found out later."""
    try:
        given = json.loads(body)
    except ValueError:
        raise Invalid.one("body", "is no JSON") from None
    many = given if isinstance(given, list) else [given]
    if not 0 < len(many) <= MOST_UPDATES:
        raise Invalid.one("body", f"1 to {MOST_UPDATES} updates")
    return [_raw(one, position, now) for position, one in enumerate(many)]


def _raw(update: Any, position: int, now: datetime) -> RawUpdate:
    for name in ("type", "chat"):
        value = update.get(name) if isinstance(update, dict) else None
        if not isinstance(value, str) or not 0 < len(value) <= 200:
            raise Invalid.one(f"[{position}].{name}", "a text of 1 to 200 characters")
    body = json.dumps(update, ensure_ascii=False).encode()
    return RawUpdate(_key(update, body), update["chat"], body, now)


def _key(update: Any, body: bytes) -> str:
    """What makes the update the same when it is posted again: the id of a message, else all that it says."""
    named = update.get("id")
    if isinstance(named, str) and 0 < len(named) <= 180:
        return f"{update['type']}:{named}"
    return f"{update['type']}:{hashlib.sha256(body).hexdigest()}"


def _is_typing(update: RawUpdate) -> bool:
    return update.external_id.startswith("typing:")


async def check(settings: JsonSettings) -> list[str]:
    """What is wrong; the receiver is not posted to, since there is nothing harmless to say."""
    async with JsonSender(settings, str) as sender:
        return await sender.problems()
