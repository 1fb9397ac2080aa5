"""At which line of a TOML text each key stands. The text must already have passed `tomllib`.

tomllib gives values without places; this walks the same text once more and notes places without values.
"""

import bisect
import json
import re

Keys = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}'
    r"|'''.*?'{3,5}"
    r'|"(?:\\.|[^"\\])*"'
    r"|'[^']*'",
    re.DOTALL,
)
_SCALAR = re.compile(r"[^,\]}#\n]+")


def key_lines(text: str) -> dict[Keys, int]:
    """Line (from 1) of every table, key and array member, by its keys; array members are numbered from 0."""
    return _Walk(text).document()


class _Walk:
    """A position in the text, and what was found before it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.starts = [0, *(m.end() for m in re.finditer("\n", text))]
        self.found: dict[Keys, int] = {}
        self.members: dict[Keys, int] = {}

    def document(self) -> dict[Keys, int]:
        table: Keys = ()
        self.pass_over(_BLANK)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
            self.pass_over(_BLANK)
        return self.found

    def pass_over(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at + 1
        return match.group() if match else ""

    def header(self) -> Keys:
        line = self.line()
        array = self.text.startswith("[[", self.at)
        self.at += 2 if array else 1
        keys = self.resolve(self.dotted(), line)
        self.at += 2 if array else 1
        if array:
            number = self.members.get(keys, -1) + 1
            self.members[keys] = number
            self.found.setdefault(keys, line)
            keys = (*keys, number)
        self.found.setdefault(keys, line)
        return keys

    def resolve(self, keys: tuple[str, ...], line: int) -> Keys:
        """Keys of a header: an array of tables on the way means its last member, new tables begin here."""
        place: Keys = ()
        for position, key in enumerate(keys):
            place = (*place, key)
            if position < len(keys) - 1:
                self.found.setdefault(place, line)
                if place in self.members:
                    place = (*place, self.members[place])
        return place

    def dotted(self) -> tuple[str, ...]:
        keys = [self.key()]
        while self.text.startswith(".", self.at):
            self.at += 1
            keys.append(self.key())
        return tuple(keys)

    def key(self) -> str:
        self.pass_over(_SPACE)
        quote = self.text[self.at]
        raw = self.pass_over(_STRING if quote in "\"'" else _BARE_KEY)
        self.pass_over(_SPACE)
        if quote == '"':
            return _unescaped(raw)
        return raw[1:-1] if quote == "'" else raw

    def pair(self, table: Keys) -> None:
        line = self.line()
        place = table
        for key in self.dotted():
            place = (*place, key)
            self.found.setdefault(place, line)
        self.at += 1
        self.pass_over(_SPACE)
        self.value(place)

    def value(self, place: Keys) -> None:
        self.found.setdefault(place, self.line())
        match self.text[self.at]:
            case "[":
                self.enclosed(place, "]")
            case "{":
                self.enclosed(place, "}")
            case '"' | "'":
                self.pass_over(_STRING)
            case _:
                self.pass_over(_SCALAR)

    def enclosed(self, place: Keys, end: str) -> None:
        self.at += 1
        number = 0
        self.pass_over(_BLANK)
        while self.text[self.at] != end:
            if end == "]":
                self.value((*place, number))
                number += 1
            else:
                self.pair(place)
            self.pass_over(_BLANK)
            if self.text[self.at] == ",":
                self.at += 1
                self.pass_over(_BLANK)
        self.at += 1

    def line(self) -> int:
        return bisect.bisect_right(self.starts, self.at)


def _unescaped(raw: str) -> str:
    # TOML's escapes in keys are JSON's but for \U and \e, which no setting's name needs.
    try:
        return str(json.loads(raw))
    except ValueError:
        return raw[1:-1]
