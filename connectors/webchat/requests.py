"""What a browser posts: read strictly, cut to size."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiohttp import web

from gateway.domain.errors import FieldError, Invalid
from gateway.domain.messages import Origin

LONGEST_TEXT = 4096
FILES = 10
_CLIENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")


async def json_of(request: web.Request) -> dict[str, Any]:
    """The body, an object."""
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise Invalid.one("body", "is no JSON") from None
    if not isinstance(body, dict):
        raise Invalid.one("body", "is no object")
    return body


def text(body: Mapping[str, Any], name: str, longest: int) -> str:
    """A text of the body, "" where it is not given; raises `Invalid`."""
    value = body.get(name) or ""
    if not isinstance(value, str) or len(value) > longest:
        raise Invalid.one(name, f"a text of at most {longest} characters")
    # NUL is the one character that PostgreSQL does not store.
    return value.replace("\0", "").strip()


def client_id(body: Mapping[str, Any]) -> str:
    """The id that the widget gave the message."""
    value = body.get("id")
    if not isinstance(value, str) or not _CLIENT_ID.fullmatch(value):
        raise Invalid.one("id", "8 to 64 letters, digits and -, for instance a UUID")
    return value


def message(body: Mapping[str, Any]) -> dict[str, Any]:
    """The message that it says."""
    files = body.get("files") or []
    if not isinstance(files, list) or len(files) > FILES or not all(isinstance(one, str) for one in files):
        raise Invalid.one("files", f"at most {FILES} references of files sent before")
    said = text(body, "text", LONGEST_TEXT)
    if not said and not files:
        raise Invalid([FieldError("text", "a text or a file")])
    told = body.get("told") if isinstance(body.get("told"), dict) else {}
    return {
        "type": "message",
        "id": client_id(body),
        "text": said,
        "files": files,
        "reply_to": text(body, "reply_to", 64) or None,
        "told": {name: text(told or {}, name, 200) for name in ("name", "email", "phone")},
    } | origin(body)


def origin(body: Mapping[str, Any]) -> dict[str, str | None]:
    """Page, referrer and campaign: UTM of the body, else of the page's address."""
    page = text(body, "page", 2048)
    given = body.get("utm")
    utm = {name: given.get(name) for name in _UTM} if isinstance(given, dict) else _utm_of(page)
    campaign = " / ".join(value for value in utm.values() if isinstance(value, str) and value)
    found = Origin(_address(page), _address(text(body, "referrer", 2048)), campaign[:255] or None)
    return {"page": found.page, "referrer": found.referrer, "campaign": found.campaign}


def _utm_of(page: str) -> dict[str, str]:
    try:
        query = parse_qs(urlsplit(page).query)
    except ValueError:
        return {}
    return {name: query[name][0] for name in _UTM if name in query}


def _address(page: str) -> str | None:
    # Shown as a link at the desk: never anything that runs.
    return page if page.startswith(("https://", "http://")) else None
