"""Passwords and tokens in a wrapper that does not print itself."""

import dataclasses
import hmac
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit


class Secret:
    """A secret text: `reveal()` gives it, nothing else does (not str, repr, format or pickle)."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself; to be called where it is used and nowhere else."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret is not pickled")


def secrets_in(settings: object) -> Iterator[str]:
    """Every text inside these settings that must not be logged.

    Of a secret address (a database's) that is its password alone, raw and unquoted.
    """
    if isinstance(settings, Secret):
        yield from _to_hide(settings.reveal())
    elif dataclasses.is_dataclass(settings):
        for field in dataclasses.fields(settings):
            yield from secrets_in(getattr(settings, field.name))
    elif isinstance(settings, Mapping):
        for value in settings.values():
            yield from secrets_in(value)
    elif isinstance(settings, list | tuple):
        for value in settings:
            yield from secrets_in(value)


def _to_hide(value: str) -> Iterator[str]:
    if "://" not in value:
        yield value
        return
    try:
        password = urlsplit(value).password
    except ValueError:
        password = value
    if password:
        yield password
        yield unquote(password)
