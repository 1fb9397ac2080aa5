"""Errors as RFC 9457 problem details; one table says which refusal is which status."""

from http import HTTPStatus

from aiohttp import web

from gateway.domain import errors
from gateway.services.views.common import View, to_json
from gateway.web.decoding import Malformed

TYPE = "urn:perezvon:problem:"
MEDIA_TYPE = "application/problem+json"

STATUS: dict[type[errors.PerezvonError], tuple[int, str]] = {
    Malformed: (400, "malformed"),
    errors.Unauthenticated: (401, "unauthenticated"),
    errors.Refused: (403, "refused"),
    errors.NotFound: (404, "not_found"),
    errors.Conflict: (409, "conflict"),
    errors.VersionConflict: (412, "version_conflict"),
    errors.Invalid: (422, "invalid"),
    errors.TooMany: (429, "too_many"),
    errors.TemporaryFailure: (502, "outside_unavailable"),
    errors.PermanentFailure: (502, "outside_refused"),
    errors.NeedsAdministrator: (502, "needs_administrator"),
    errors.StoreUnavailable: (503, "store_unavailable"),
}
STORE_RETRY_S = 2.0


class FieldProblem(View, frozen=True):
    """One mistake in the input: the field's path and what to write instead."""

    field: str
    message: str


class Problem(View, frozen=True, omit_defaults=True):
    """Why a request was not done (RFC 9457). `request_id` finds it in the service's log."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldProblem] | None = None
    request_id: str | None = None


def of_error(error: errors.PerezvonError, request_id: str) -> web.Response:
    """The answer to a refusal of ours; of an unknown kind 500."""
    status, name = next((STATUS[t] for t in type(error).__mro__ if t in STATUS), (500, "internal"))
    fields = None
    if isinstance(error, errors.Invalid):
        fields = [FieldProblem(field=e.field, message=e.message) for e in error.errors]
    response = answer(status, name, str(error), request_id, fields)
    if isinstance(error, errors.TooMany):
        response.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    elif isinstance(error, errors.StoreUnavailable):
        response.headers["Retry-After"] = str(round(STORE_RETRY_S))
    elif isinstance(error, errors.Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="perezvon"'
    return response


def of_http(error: web.HTTPException, request_id: str) -> web.Response:
    """The answer to what aiohttp refuses by itself: unknown path or method, body too large."""
    name = HTTPStatus(error.status).phrase.lower().replace(" ", "_")
    response = answer(error.status, name, error.reason, request_id)
    if "Allow" in error.headers:
        response.headers["Allow"] = error.headers["Allow"]
    return response


def unexpected(request_id: str) -> web.Response:
    """The answer to a fault of ours; what it was stands in the log under the same id."""
    return answer(500, "internal", "the service failed; its log tells more under this request_id", request_id)


def answer(
    status: int, name: str, detail: str, request_id: str, fields: list[FieldProblem] | None = None
) -> web.Response:
    """A problem as a response."""
    problem = Problem(
        type=TYPE + name,
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        errors=fields,
        request_id=request_id,
    )
    return web.Response(body=to_json(problem), status=status, content_type=MEDIA_TYPE)
