"""From a row of the route table to an aiohttp handler: permissions, decoding, doing once, encoding."""

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
from aiohttp import hdrs, web

from gateway.domain.errors import Invalid, Refused
from gateway.domain.people import Actor, Role
from gateway.services import tokens
from gateway.services.once import AlreadyDone, Key, OnceStore
from gateway.services.views.common import to_json
from gateway.store.contract import Store
from gateway.web import auth, origin
from gateway.web.decoding import Malformed, decode_body, decode_query
from gateway.web.deps import WebDeps
from gateway.web.routes import PREFIX, Form, Request, Route

NOBODY = Actor(id="", name="nobody", role=Role.OPERATOR)
_SECRET = ("password", "current_password")


def mount(app: web.Application, deps: WebDeps, routes: Iterable[Route]) -> None:
    """Add the routes to the application, in their order."""
    for route in routes:
        handler = _handler(route, deps)
        if route.method == hdrs.METH_GET:
            app.router.add_get(PREFIX + route.path, handler)
        else:
            app.router.add_route(route.method, PREFIX + route.path, handler)


def _handler(route: Route, deps: WebDeps) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(http: web.Request) -> web.StreamResponse:
        address = origin.client_address(http, deps.settings.server.trusted_proxies)
        caller = await _caller(http, deps, route, address)
        if route.changes_things:
            auth.refuse_cross_site(http, deps, caller.session)
        _permit(caller.actor, route)
        body = await _body(http, route)
        request = Request(
            store=_store(http, deps, route, caller.actor, body),
            actor=caller.actor,
            body=body,
            query=decode_query(http.query, route.query),
            http=http,
            deps=deps,
            session=caller.session,
            address=address,
        )
        try:
            result = await route.handler(request)
        except AlreadyDone as done:
            return _respond(route, done.status, done.body if route.result else b"")
        return _answer(route, request, result)

    return handle


async def _caller(http: web.Request, deps: WebDeps, route: Route, address: str) -> auth.Caller:
    if route.role is None:
        return auth.Caller(NOBODY)
    return await auth.identify(http, deps, address)


def _permit(actor: Actor, route: Route) -> None:
    if route.role is None:
        return
    if actor.role.rank < route.role.rank:
        raise Refused(f"this needs the role {route.role}")
    if not tokens.allows(actor, route.scope):
        raise Refused(f"this token lacks the scope {route.scope}")


async def _body(http: web.Request, route: Route) -> Any:
    if not route.changes_things:
        return None
    if route.body is not Form:
        return decode_body(await _read(http), route.body)
    if http.content_type != "multipart/form-data":
        raise web.HTTPUnsupportedMediaType(reason="send Content-Type: multipart/form-data")
    try:
        return Form(await http.multipart())
    except (ValueError, AssertionError) as error:
        raise Malformed(f"the body is no form: {error}") from None


async def _read(http: web.Request) -> bytes:
    raw = await http.read()
    if raw and http.content_type != "application/json" and not http.content_type.endswith("+json"):
        # A form of another site can send every other type without asking the browser's leave.
        raise web.HTTPUnsupportedMediaType(reason="send Content-Type: application/json")
    return raw


def _store(http: web.Request, deps: WebDeps, route: Route, actor: Actor, body: Any) -> Store:
    key = http.headers.get("Idempotency-Key")
    if key is None or not route.idempotent:
        return deps.store
    if not 1 <= len(key) <= 255 or not key.isprintable():
        raise Invalid.one("Idempotency-Key", "1 to 255 printable characters, such as a UUID")
    return OnceStore(deps.store, Key(actor, key, _fingerprint(http, body), route.status))


def _fingerprint(http: web.Request, body: Any) -> str:
    """Hash of what is asked, without passwords: a plain hash of one would be an easy guess."""
    asked = msgspec.to_builtins(body)
    if isinstance(asked, dict):
        asked = {name: value for name, value in asked.items() if name not in _SECRET}
    told = msgspec.json.encode([http.method, http.path, asked], order="deterministic")
    return hashlib.sha256(told).hexdigest()


def _answer(route: Route, request: Request[Any, Any], result: Any) -> web.StreamResponse:
    if isinstance(result, web.StreamResponse):
        return result
    reply = request.reply
    if isinstance(result, bytes):
        response = _respond(route, route.status, result)
    else:
        response = _respond(route, route.status, b"" if result is None else to_json(result))
    version = getattr(result, "version", None)
    if version is not None:
        response.headers[hdrs.ETAG] = f'"{version}"'
    if reply.cookie is not None:
        auth.set_cookie(response, request.deps, reply.cookie)
    return response


def _respond(route: Route, status: int, body: bytes) -> web.Response:
    headers = {hdrs.CACHE_CONTROL: "no-store"}
    if not body:
        return web.Response(status=status, headers=headers)
    media_type = route.media_type or "application/json"
    return web.Response(status=status, body=body, content_type=media_type, headers=headers)
