"""Bodies and query strings into the structs that handlers name; every mistake told, with its field."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any

import msgspec
from multidict import MultiMapping

from gateway.domain.errors import FieldError, Invalid, PerezvonError

_AT = re.compile(r"^(?P<message>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_BROKEN = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)
_NO_NUL = "must not hold the character NUL"


class Malformed(PerezvonError):
    """The body is no JSON."""


def decode_body(raw: bytes, shape: Any) -> Any:
    """`raw` as `shape`; nothing counts as `{}`. Raises `Malformed`, or `Invalid` with every mistake found."""
    if shape is None:
        shape = _Nothing
    raw = raw or b"{}"
    if _NUL.search(raw):
        raise Invalid.one("", _NO_NUL)
    try:
        value = _decoder(shape).decode(raw)
    except msgspec.ValidationError as error:
        # Told by the first wrong value, which says nothing of what comes after it.
        raise _judge(_plain(raw), shape, error, strict=True) from None
    except _BROKEN as error:
        raise Malformed(f"the body is no JSON: {error}") from None
    _in_time(value)
    return None if shape is _Nothing else value


def _plain(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except _BROKEN as error:
        raise Malformed(f"the body is no JSON: {error}") from None


def decode_query(query: MultiMapping[str], shape: Any) -> Any:
    """The query string as `shape`; a name given several times is a list. Raises `Invalid`."""
    if shape is None:
        shape = _Nothing
    values: dict[str, Any] = {
        name: query.getall(name) if name in _lists(shape) else query.getall(name)[-1] for name in query
    }
    if any("\0" in text for name in query for text in query.getall(name)):
        raise Invalid.one("", _NO_NUL)
    try:
        value = msgspec.convert(values, shape, strict=False)
    except msgspec.ValidationError as error:
        raise _judge(values, shape, error, strict=False) from None
    _in_time(value)
    return None if shape is _Nothing else value


def _in_time(value: Any) -> None:
    """Moments that no calendar of the databases holds are refused, here as a whole."""
    for name in getattr(value, "__struct_fields__", ()):
        moment = getattr(value, name)
        if isinstance(moment, datetime) and not 1970 <= moment.year <= 9000:
            raise Invalid.one(name, "a moment from 1970 to 9000")


class _Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """Of a route that takes none."""


@cache
def _decoder(shape: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(shape)


@cache
def _lists(shape: Any) -> frozenset[str]:
    hints = ((f.encode_name, msgspec.inspect.type_info(f.type)) for f in msgspec.structs.fields(shape))
    return frozenset(name for name, info in hints if isinstance(info, msgspec.inspect.ListType))


def _judge(value: Any, shape: Any, first: msgspec.ValidationError, *, strict: bool) -> Invalid:
    # msgspec tells of the first mistake only; field by field it tells of each field's first.
    found = list(_mistakes(value, shape, strict)) if isinstance(value, Mapping) else []
    return Invalid(found or [_field_error("", first)])


def _mistakes(value: Mapping[str, Any], shape: Any, strict: bool) -> Iterator[FieldError]:
    fields = {f.encode_name: f for f in msgspec.structs.fields(shape)}
    for name, known in fields.items():
        if name not in value:
            if known.required:
                yield FieldError(name, "is required")
            continue
        try:
            msgspec.convert(value[name], known.type, strict=strict)
        except msgspec.ValidationError as error:
            yield _field_error(name, error)
    for name in value.keys() - fields.keys():
        yield FieldError(name, "there is no such field")


def _field_error(name: str, error: msgspec.ValidationError) -> FieldError:
    match = _AT.match(str(error))
    assert match is not None, "the pattern matches any text"
    return FieldError((name + (match["path"] or "")).removeprefix("."), match["message"])
