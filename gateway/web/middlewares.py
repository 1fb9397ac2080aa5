"""What lies around every handler, outermost first: request id, security headers, measuring, errors."""

import logging
import re
import time
from http import HTTPStatus

from aiohttp import web
from aiohttp.typedefs import Handler
from sqlalchemy.exc import IntegrityError

from gateway import metrics
from gateway.domain.errors import Conflict, PerezvonError, StoreUnavailable
from gateway.domain.ids import new_id
from gateway.web import problems
from gateway.web.deps import WebDeps

log = logging.getLogger(__name__)

REQUEST_ID = web.RequestKey("request_id", str)
DEPS = web.AppKey("deps", WebDeps)

_GIVEN_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
CSP = (
    "default-src 'self'; base-uri 'self'; connect-src 'self'; font-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; img-src 'self' data: blob:; media-src 'self' blob:; object-src 'none'; "
    "script-src 'self'; style-src 'self'"
)
SECURITY = {
    "Content-Security-Policy": CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "Server": "perezvon",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


@web.middleware
async def request_id(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The caller's X-Request-ID where it is harmless, else a new one; told in the answer and in the log."""
    given = request.headers.get("X-Request-ID", "")
    request[REQUEST_ID] = given if _GIVEN_ID.fullmatch(given) else new_id()
    response = await handler(request)
    if not response.prepared:
        response.headers["X-Request-ID"] = request[REQUEST_ID]
    return response


@web.middleware
async def security_headers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """What browsers are told to refuse."""
    response = await handler(request)
    if not response.prepared:
        for name, value in SECURITY.items():
            response.headers.setdefault(name, value)
        if request.app[DEPS].secure:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


@web.middleware
async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count and time by the route's pattern, never by the path: paths hold ids and numbers."""
    started = time.perf_counter()
    response = await handler(request)
    resource = request.match_info.route.resource
    pattern = resource.canonical if resource is not None else "(unknown)"
    elapsed_s = time.perf_counter() - started
    metrics.http_requests_total.labels(pattern, response.status).inc()
    if response.status != HTTPStatus.SWITCHING_PROTOCOLS:
        metrics.http_request_seconds.labels(pattern).observe(elapsed_s)
    return response


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever is raised becomes a problem+json; what nobody expected is logged under the request's id."""
    ident = request[REQUEST_ID]
    try:
        return await handler(request)
    except PerezvonError as error:
        if isinstance(error, StoreUnavailable):
            log.info("refused: %s", error, extra={"action": "store_unavailable", "request_id": ident})
        return problems.of_error(error, ident)
    except web.HTTPException as error:
        return error if error.status < 400 else problems.of_http(error, ident)
    except IntegrityError as error:
        # Two made the same thing at the same moment: the database let one of them.
        log.info(
            "refused: %s", type(error.orig).__name__, extra={"action": "made_twice", "request_id": ident}
        )
        return problems.of_error(Conflict("somebody made the same thing at the same moment"), ident)
    except Exception:
        log.exception(
            "%s %s failed",
            request.method,
            request.match_info.route.resource,
            extra={"action": "request_failed", "request_id": ident},
        )
        return problems.unexpected(ident)


ALL = (request_id, security_headers, measured, errors)
