"""Signing in and out, and `me`."""

from gateway import metrics
from gateway.domain.errors import PerezvonError
from gateway.domain.people import Role
from gateway.services import me, sessions
from gateway.services.me import MeUpdate
from gateway.services.people_input import SignIn
from gateway.services.views.people import Me
from gateway.web import auth
from gateway.web.routes import Plain, Request, route


async def sign_in(rq: Request[SignIn, None]) -> Me:
    """Sign in and get the session's cookie."""
    former = rq.http.cookies.get(auth.cookie_name(rq.deps))
    limits = rq.deps.settings.people
    try:
        signed = await sessions.sign_in(rq.store, limits, rq.body.login, rq.body.password, rq.address, former)
    except PerezvonError as error:
        metrics.sign_ins_total.labels(type(error).__name__).inc()
        raise
    metrics.sign_ins_total.labels("ok").inc()
    if former:
        rq.deps.hub.session_ended(sessions.hash_of(former))
    rq.reply.cookie = signed.token
    return await me.get(rq.store, signed.session.actor, signed.session)


async def sign_out(rq: Plain) -> None:
    """End the session of this browser; its event sockets close."""
    rq.reply.cookie = ""
    if rq.session is not None:
        await sessions.sign_out(rq.store, rq.deps.settings.people, rq.session)
        rq.deps.hub.session_ended(rq.session.token_hash)


async def get_me(rq: Plain) -> Me:
    """Who is signed in."""
    return await me.get(rq.store, rq.actor, rq.session)


async def change_me(rq: Request[MeUpdate, None]) -> Me:
    """Change one's own language or password."""
    return await me.change(rq.store, rq.actor, rq.session, rq.body)


ROUTES = (
    route("POST", "/session", sign_in, summary="Sign in", role=None, scope=None),
    route("DELETE", "/session", sign_out, summary="Sign out", role=Role.OPERATOR, scope=None),
    route("GET", "/me", get_me, summary="Who is signed in", role=Role.OPERATOR, scope=None),
    route("PATCH", "/me", change_me, summary="Language, password", role=Role.OPERATOR, scope=None),
)
