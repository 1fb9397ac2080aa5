"""Who asks: a person by the desk's cookie, or a program by its bearer token."""

import hmac
from dataclasses import dataclass

from aiohttp import web

from gateway.domain.errors import Refused, Unauthenticated
from gateway.domain.people import Actor
from gateway.services import sessions, tokens
from gateway.services.sessions import Session
from gateway.web import origin
from gateway.web.deps import WebDeps

_SCHEME = "Bearer "


@dataclass(frozen=True, slots=True)
class Caller:
    """The actor; with his session where the cookie brought him."""

    actor: Actor
    session: Session | None = None


def cookie_name(deps: WebDeps) -> str:
    """With TLS the `__Host-` prefix keeps other hosts and plain HTTP from setting it (RFC 6265bis)."""
    return "__Host-perezvon_session" if deps.secure else "perezvon_session"


async def identify(request: web.Request, deps: WebDeps, address: str) -> Caller:
    """The caller. Raises `Unauthenticated`. A bearer token wins over a cookie."""
    header = request.headers.get("Authorization")
    if header is not None:
        if not header.startswith(_SCHEME):
            raise Unauthenticated("send Authorization: Bearer TOKEN")
        return Caller(await tokens.find(deps.store, header.removeprefix(_SCHEME).strip(), address))
    cookie = request.cookies.get(cookie_name(deps))
    if not cookie:
        raise Unauthenticated
    session = await sessions.find(deps.store, deps.settings.people, cookie, address)
    return Caller(session.actor, session)


def refuse_cross_site(request: web.Request, deps: WebDeps, session: Session | None) -> None:
    """Raises `Refused` for a change that another site made the browser send.

    A browser adds the cookie by itself, never the header, and never a wrong Origin.
    """
    if not origin.is_ours(request, deps.public_url):
        raise Refused(f"requests of browsers must come from {deps.public_url}")
    if session is None:
        return
    sent = request.headers.get("X-CSRF-Token", "")
    if not hmac.compare_digest(sent.encode(), session.csrf_token.encode()):
        raise Refused("X-CSRF-Token is missing or wrong; GET /me tells it as csrf_token")


def set_cookie(response: web.StreamResponse, deps: WebDeps, token: str) -> None:
    """The session's cookie; the empty token clears it."""
    kept_s = int(deps.settings.people.session_max_hours * 3600) if token else 0
    response.set_cookie(
        cookie_name(deps),
        token,
        max_age=kept_s,
        path="/",
        httponly=True,
        samesite="Lax",
        secure=deps.secure,
    )
