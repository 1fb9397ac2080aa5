"""What several views share."""

from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all wire structs."""


class Body(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all request bodies and query strings: unknown fields are refused."""


class Page(View, Generic[T], frozen=True):
    """One page of a list; `next_cursor` is null on the last."""

    items: list[T]
    next_cursor: str | None = None


class PersonRef(View, frozen=True):
    """An operator, named."""

    id: str
    name: str


Limit = Annotated[int, msgspec.Meta(ge=1, le=200)]
DEFAULT_LIMIT = 50


def at(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds."""
    return f"{moment.astimezone(UTC).isoformat(timespec='milliseconds')[:-6]}Z"


def at_or_none(moment: datetime | None) -> str | None:
    """As `at`; None stays None."""
    return None if moment is None else at(moment)


_encoder = msgspec.json.Encoder()


def to_json(value: Any) -> bytes:
    """The JSON of a view."""
    return _encoder.encode(value)
