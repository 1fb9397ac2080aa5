"""Which of the lines that Dial was told to call a channel is."""

from collections.abc import Iterable


def speaks_of(data: str, line: str) -> bool:
    """Whether Dial's arguments speak of this line: `PJSIP/101`, or `PJSIP/trunk` in `PJSIP/7...@trunk`."""
    return line in _lines(data)


def _lines(data: str) -> Iterable[str]:
    for part in data.partition(",")[0].split("&"):
        technology, _, rest = part.partition("/")
        yield part
        yield f"{technology}/{rest.rpartition('@')[2]}"
        yield f"{technology}/{rest.partition('/')[0]}"


def target(data: str, name: str) -> str:
    """The one of several dialled at once that made this channel."""
    parts = data.partition(",")[0].split("&")
    line = name.rpartition("-")[0]
    return next((part for part in parts if line in _lines(part)), parts[0]).partition("/")[2]
