"""Takes out of log texts what must not be in them: secrets, forged lines, and phone numbers where told."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "***"

_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""Control characters, bidirectional overrides and lone surrogates: a caller's name may hold them all."""
_BREAKS = re.compile("[\t\r\n\x85\u2028\u2029]+")
_OTHER_BREAKS = re.compile("[\r\x85\u2028\u2029]")

_SECRET_WORD = r"(?:secret|token|password|passwd|pwd|api_?key|authorization)"  # noqa: S105 - a pattern
_LOOKS_SECRET = (
    (
        re.compile(
            rf"({_SECRET_WORD}[\"']?\s*[:=]\s*)"
            r"(\"[^\"]*\"|'[^']*'|(?:(?:bearer|basic|digest)\s+)?[^\s\"',;&)}\]]+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(cookie[\"']?\s*[:=]\s*)\S.*", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"\b(bearer\s+)(?=\S*\d)[\w.~+/=-]{8,}", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(r"(\b\w+://[^\s:/@]*:)\S+@"), rf"\1{HIDDEN}@"),
    (re.compile(r"\bbot\d{6,}:[\w-]{20,}"), f"bot{HIDDEN}"),
)
_SECRET_KEY = re.compile(rf".*(?:{_SECRET_WORD}|cookie)", re.IGNORECASE)

_NUMBER = re.compile(
    r"(?P<other>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # ids
    r"|\d{4}-\d\d-\d\d(?:[T ][\d:.]+)?"  # times
    r"|\b\d{10}\.\d+\b)"  # Asterisk's Uniqueids
    r"|(?<![0-9A-Za-z.])\+?\d(?:[ ()-]{0,2}\d){6,14}(?![0-9A-Za-z])",
    re.IGNORECASE,
)

_SHORT = 8
"""Secrets shorter than this are hidden only where they stand alone: one could be part of a common word."""


class Scrubber:
    """Knows the secrets of this process; connectors made later add theirs."""

    def __init__(self, secrets: Iterable[str] = (), *, mask_numbers: bool = False) -> None:
        self._mask_numbers = mask_numbers
        self._spellings: set[str] = set()
        self._known: re.Pattern[str] | None = None
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Hide these from now on, in every spelling in which programs print them."""
        self._spellings.update(spelling for secret in secrets if secret for spelling in _spellings(secret))
        # Longest first, so that a secret that begins like another one is hidden whole.
        patterns = [_pattern(spelling) for spelling in sorted(self._spellings, key=len, reverse=True)]
        self._known = re.compile("|".join(patterns)) if patterns else None

    def text(self, text: str, *, keep_lines: bool = False) -> str:
        """`text` fit for a log: one line, or as many as it had with `keep_lines`."""
        text = _UNSEEN.sub("", text)
        text = _OTHER_BREAKS.sub("", text) if keep_lines else _BREAKS.sub(" ", text)
        if self._known:
            text = self._known.sub(HIDDEN, text)
        for pattern, instead in _LOOKS_SECRET:
            text = pattern.sub(instead, text)
        return _NUMBER.sub(_masked, text) if self._mask_numbers else text

    def value(self, key: str, value: object) -> Any:
        """A log line's extra value as plain JSON data, cleaned all the way down."""
        if _SECRET_KEY.fullmatch(key):
            return HIDDEN
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {self.text(str(k)): self.value(str(k), v) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value("", member) for member in value]
        if isinstance(value, bytes):
            return self.text(value.decode("utf-8", "replace"))
        return self.text(str(value))


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    yield _UNSEEN.sub("", secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    yield quote(secret, safe="")
    yield quote_plus(secret)


def _pattern(spelling: str) -> str:
    return rf"(?<!\w){re.escape(spelling)}(?!\w)" if len(spelling) < _SHORT else re.escape(spelling)


def _masked(found: re.Match[str]) -> str:
    text = found.group()
    if found.group("other"):
        return text
    digits = [position for position, character in enumerate(text) if character.isdigit()]
    hidden = set(digits[2:-2])
    return "".join("*" if position in hidden else character for position, character in enumerate(text))
