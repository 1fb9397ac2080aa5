"""Who may ask from where: allowed origins (CORS), and refusals in a form that other sites' pages can read."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from connectors.webchat.settings import WebchatSettings
from gateway.domain.errors import (
    Invalid,
    NotFound,
    PerezvonError,
    Refused,
    StoreUnavailable,
    TooMany,
    Unauthenticated,
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_STATUS = {
    Unauthenticated: 401,
    Refused: 403,
    NotFound: 404,
    Invalid: 422,
    TooMany: 429,
    StoreUnavailable: 503,
}
_ALLOWED = {
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, X-File-Name",
    "Access-Control-Max-Age": "600",
}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Gate:
    """Of one connector; `public_url()` is Perezvon's own origin."""

    def __init__(self, settings: WebchatSettings, public_url: Callable[[], str]) -> None:
        self._origins = frozenset(settings.allowed_origins)
        self._public_url = public_url

    def check(self, request: web.Request) -> str | None:
        """The page's origin; raises `Refused` for one that is not allowed. Who is no browser has none."""
        origin = request.headers.get("Origin")
        if origin is not None and origin not in self._origins and not self._is_ours(origin):
            raise Refused(f"{origin[:200]} is not among allowed_origins of this chat")
        return origin

    def open_to(self, handler: Handler) -> Handler:
        """The handler for pages of allowed origins; they can read its refusals too."""

        async def answer(request: web.Request) -> web.StreamResponse:
            origin = self.check(request)
            try:
                response = await handler(request)
            except PerezvonError as error:
                response = _refusal(error)
            if not response.prepared:
                response.headers.update(_cors(origin))
            return response

        return answer

    async def preflight(self, request: web.Request) -> web.Response:
        """The browser's question before a request from another site."""
        return web.Response(status=204, headers=_cors(self.check(request)) | _ALLOWED)

    def _is_ours(self, origin: str) -> bool:
        try:
            ours, theirs = urlsplit(self._public_url()), urlsplit(origin)
            same_port = (ours.scheme, ours.port) == (theirs.scheme, theirs.port)
        except ValueError:
            return False
        hosts = {ours.hostname or "", theirs.hostname or ""}
        return same_port and (len(hosts) == 1 or hosts <= _LOOPBACK)


def _cors(origin: str | None) -> dict[str, str]:
    headers = {"Cross-Origin-Resource-Policy": "cross-origin", "Vary": "Origin"}
    return headers | {"Access-Control-Allow-Origin": origin} if origin else headers


def _refusal(error: PerezvonError) -> web.Response:
    status = _STATUS.get(type(error))
    if status is None:
        raise error
    told: dict[str, object] = {"type": "about:blank", "title": type(error).__name__, "status": status}
    told["detail"] = str(error)
    if isinstance(error, Invalid):
        told["errors"] = [{"field": one.field, "message": one.message} for one in error.errors]
    headers = {"Retry-After": f"{error.retry_after_s:.0f}"} if isinstance(error, TooMany) else None
    return web.json_response(told, status=status, headers=headers, content_type="application/problem+json")
