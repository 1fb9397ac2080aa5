"""The OpenAPI 3.1 description, made from the route table."""

import re
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec

from gateway.services.views.events import EVENTS
from gateway.web import socket
from gateway.web.health import Alive, Readiness
from gateway.web.problems import MEDIA_TYPE, Problem
from gateway.web.routes import PREFIX, Route
from gateway.web.schemas import Schema, components

_REFUSALS = {
    400: "The body is no JSON.",
    401: "Nobody is signed in, or the token is not valid.",
    403: "The role or the token's scope does not allow it, or the request came from another site.",
    404: "There is no such thing, or one may not see it.",
    409: "The state of the thing does not allow it.",
    412: "Somebody else changed it meanwhile (If-Match).",
    413: "The body is larger than 1 MiB, or the file than the settings allow.",
    415: "The body is not of the type that the route takes.",
    422: "The input has mistakes; `errors` names the fields.",
    429: "Too many attempts; Retry-After says when to come again.",
    503: "The database is away or the service about to stop; nothing was done.",
}
_DESCRIPTION = (
    "Times are RFC 3339 in UTC with milliseconds, durations (`_s`) seconds, ids UUIDv7, numbers E.164. "
    "Programs send a bearer token; the desk's cookie needs `X-CSRF-Token` (from `/me`) with every change. "
    "What does not exist and what one may not see both answer 404."
)


def describe(routes: Sequence[Route]) -> Schema:
    """The whole document."""
    own, named = components(routes)
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _operation(route, own)
    paths[socket.PATH] = {"get": _events()}
    paths["/healthz"] = {"get": _health("The process lives", own[Alive], 200)}
    paths["/readyz"] = {"get": _health("Database, storage and connectors", own[Readiness], 200, 503)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Perezvon",
            "version": _version(),
            "description": _DESCRIPTION,
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": named,
            "responses": {str(status): _problem(status, own) for status in _REFUSALS},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "perezvon_session"},
            },
        },
        "x-events": {event: own[shape] for event, shape in EVENTS.items()},
    }


def _version() -> str:
    try:
        return version("perezvon")
    except PackageNotFoundError:
        return "0"  # run from a checkout that is not installed


def _operation(route: Route, own: Any) -> Schema:
    parameters = [*_path(route.path), *_query(route.query), *_headers(route)]
    about: Schema = {
        "operationId": re.sub(r"\W+", "_", route.name).strip("_"),
        "summary": route.summary,
        "description": (route.handler.__doc__ or route.summary).strip(),
        "tags": [route.path.split("/")[1]],
        "responses": {str(route.status): _success(route, own), **_refusals(route)},
        "security": [{"token": [route.scope] if route.scope else []}, {"session": []}] if route.role else [],
    }
    if parameters:
        about["parameters"] = parameters
    if route.role:
        about["x-role"] = route.role.value
    if route.form is not None:
        content = {"multipart/form-data": {"schema": {"type": "object", **route.form}}}
        about["requestBody"] = {"required": True, "content": content}
    elif route.body is not None:
        content = {"application/json": {"schema": own[route.body]}}
        about["requestBody"] = {"required": True, "content": content}
    return about


def _path(path: str) -> list[Schema]:
    names = re.findall(r"\{(\w+)\}", path)
    return [{"name": n, "in": "path", "required": True, "schema": {"type": "string"}} for n in names]


def _query(shape: Any) -> list[Schema]:
    if shape is None:
        return []
    (_,), named = msgspec.json.schema_components([shape], ref_template="{name}")
    schema = named[shape.__name__]
    return [
        {"name": name, "in": "query", "required": name in schema["required"], "schema": inner}
        for name, inner in schema["properties"].items()
    ]


def _headers(route: Route) -> list[Schema]:
    found: list[Schema] = []
    if route.method == "PATCH":
        told = "ETag of the version that was read; 412 when it is not the newest."
        found.append(_header("If-Match", told))
    if route.idempotent:
        found.append(
            _header("Idempotency-Key", "The same key answers the same result and does nothing twice.")
        )
    return found


def _header(name: str, description: str) -> Schema:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}}


def _success(route: Route, own: Any) -> Schema:
    if route.result is None:
        return {"description": "Done."}
    if route.media_type is not None:
        return {"description": route.summary, "content": {route.media_type: {"schema": {}}}}
    return {"description": route.summary, "content": {"application/json": {"schema": own[route.result]}}}


def _refusals(route: Route) -> Schema:
    wanted = {503}
    if route.role:
        wanted |= {401, 403}
    if "{" in route.path:
        wanted |= {404}
    if route.query is not None:
        wanted |= {422}
    if route.changes_things:
        wanted |= {403, 409}
    if route.body is not None:
        wanted |= {400, 413, 415, 422}
    if route.method == "PATCH":
        wanted |= {412}
    if route.path in ("/session", "/me"):
        wanted |= {401, 429}
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in sorted(wanted)}


def _problem(status: int, own: Any) -> Schema:
    return {"description": _REFUSALS[status], "content": {MEDIA_TYPE: {"schema": own[Problem]}}}


def _events() -> Schema:
    return {
        "operationId": "events",
        "summary": "Event socket",
        "description": (
            "A WebSocket. The first frame is `hello` with the whole present state; then "
            '`{"type", "seq", "at", "data"}` with the shapes of `x-events`; `seq` grows by one. Closed with '
            "4001 when the session has ended, 4008 when the desk reads too slowly, 1012 when it should "
            "come back."
        ),
        "tags": ["events"],
        "parameters": [
            {
                "name": "types",
                "in": "query",
                "description": "Only these events, such as `call.*,card.opened`.",
                "schema": {"type": "string"},
            }
        ],
        "responses": {
            "101": {"description": "The socket is open."},
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in (401, 403, 422, 503)},
        },
        "security": [{"token": [socket.SCOPE]}, {"session": []}],
        "x-role": "operator",
    }


def _health(summary: str, schema: Schema, *statuses: int) -> Schema:
    content = {"application/json": {"schema": schema}}
    return {
        "operationId": re.sub(r"\W+", "_", summary.lower()),
        "summary": summary,
        "tags": ["health"],
        "responses": {str(status): {"description": summary, "content": content} for status in statuses},
        "security": [],
    }
