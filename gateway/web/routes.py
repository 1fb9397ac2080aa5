"""A route says everything about itself once: who may call it, what it takes, what it answers.

Routing, permissions, decoding, the OpenAPI document and the desk's types are all made from these records.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from aiohttp import MultipartReader, web

from gateway.domain.errors import Invalid
from gateway.domain.people import Actor, Role
from gateway.services.sessions import Session
from gateway.store.contract import Store
from gateway.web.deps import WebDeps

B = TypeVar("B")
Q = TypeVar("Q")

PREFIX = "/api/v1"


@dataclass(slots=True)
class Reply:
    """What a handler may say beside its result."""

    cookie: str | None = None
    """Session token to set; the empty string clears the cookie."""
    media_type: str | None = None
    """Of a result that is bytes already."""


@dataclass(frozen=True, slots=True)
class Request(Generic[B, Q]):
    """One request, decoded: `body` and `query` are of the types that the handler names, None for none.

    `store` does nothing twice where the request carries an Idempotency-Key.
    """

    store: Store
    actor: Actor
    body: B
    query: Q
    http: web.Request
    deps: WebDeps
    session: Session | None
    address: str
    reply: Reply = field(default_factory=Reply)

    def path(self, name: str) -> str:
        """The part of the path called `name`, unquoted."""
        return self.http.match_info[name]

    @property
    def if_match(self) -> int | None:
        """The version in If-Match, None without one. Raises `Invalid`."""
        header = self.http.headers.get("If-Match", "*").strip()
        if header == "*":
            return None
        version = header.removeprefix("W/").strip('"')
        if not (version.isascii() and version.isdigit() and len(version) < 10):
            raise Invalid.one("If-Match", 'the ETag of the thing, such as "3"')
        return int(version)


@dataclass(frozen=True, slots=True)
class Form:
    """The body of a route that takes files: its parts, read by the handler as they arrive."""

    parts: MultipartReader


Plain = Request[None, None]
"""A request without body and query."""

Handler = Callable[[Request[Any, Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One row of the table. `role` is the least that may call it; None: open to everybody, no sign-in."""

    method: str
    path: str
    handler: Handler
    summary: str
    role: Role | None
    scope: str | None
    """What an API token with scopes needs, as `noun:read` or `noun:write`."""
    status: int = 200
    idempotent: bool = False
    """Whether it heeds Idempotency-Key."""
    body: Any = None
    query: Any = None
    result: Any = None
    media_type: str | None = None
    """Of a result that is no JSON of ours."""
    form: Mapping[str, Any] | None = None
    """JSON Schema of the parts, where the body is a `Form`."""

    @property
    def name(self) -> str:
        """Unique: the handler's module and name, as `cards.merge`."""
        return f"{self.handler.__module__.rpartition('.')[2]}.{self.handler.__name__}"

    @property
    def changes_things(self) -> bool:
        """Whether it needs protection from cross-site requests."""
        return self.method != "GET"


def route(method: str, path: str, handler: Callable[[Any], Awaitable[Any]], /, **about: Any) -> Route:
    """A row whose `body`, `query` and `result` are read from the annotations of `handler`."""
    hints = get_type_hints(handler)
    result = hints.pop("return")
    (request,) = hints.values()
    body, query = (_or_none(t) for t in get_args(request))
    about.setdefault("status", 204 if result is type(None) else 200)
    return Route(
        method=method, path=path, handler=handler, body=body, query=query, result=_or_none(result), **about
    )


def _or_none(hint: Any) -> Any:
    return None if hint is type(None) else hint
