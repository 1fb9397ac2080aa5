"""A site's own form: a lead, without a chat."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from aiohttp import web

from connectors.webchat import requests
from connectors.webchat.translator import addresses
from gateway.domain.errors import FieldError, Invalid
from gateway.domain.messages import RawUpdate

HONEYPOT = "website"
"""A field that people do not see: who fills it in is a program."""
FIELDS = ("name", "phone", "email")
_YES = frozenset({"1", "on", "true", "yes"})
_THANKS = (
    '<!doctype html><meta charset="utf-8"><title>OK</title><p>Спасибо! Мы свяжемся с вами.</p>'
    "<p>Thank you! We will be in touch.</p>"
)


async def given(request: web.Request) -> dict[str, Any]:
    """The fields: JSON, or as a page without scripts posts them."""
    if request.content_type == "application/json":
        return await requests.json_of(request)
    async with asyncio.timeout(30):
        posted = await request.post()
    return {name: value for name, value in posted.items() if isinstance(value, str)}


def update(body: Mapping[str, Any], country: str) -> dict[str, Any]:
    """What is stored of it; raises `Invalid` where nobody could be reached by it."""
    told = {name: requests.text(body, name, 200) for name in FIELDS}
    if not addresses(told, country):
        message = "a full phone number or an address of mail is needed"
        raise Invalid([FieldError("phone", message), FieldError("email", message)])
    wishes = requests.text(body, "text", requests.LONGEST_TEXT)
    if str(body.get("call_me_back") or "").lower() in _YES:
        wishes = f"☎ Просит перезвонить · asks to be called back\n{wishes}".strip()
    ident = requests.client_id(body) if body.get("id") else str(uuid4())
    return {"type": "form", "id": ident, "told": told, "text": wishes or "—"} | requests.origin(
        body if body.get("page") else {**body, "page": ""}
    )


def raw(stored: Mapping[str, Any], body: bytes) -> RawUpdate:
    """As it is kept."""
    key = f"form:{stored['id']}"
    return RawUpdate(key, key, body, datetime.now(UTC))


def thanks(request: web.Request) -> web.Response:
    """For a page without scripts, words; for a program, the status."""
    if "text/html" in request.headers.get("Accept", ""):
        return web.Response(text=_THANKS, content_type="text/html", status=202)
    return web.json_response({"received": True}, status=202)
