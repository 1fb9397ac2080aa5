"""A recorded AMI stream, played again as if it happened now: pure rewriting, no network.

Each round gets new Uniqueids, Linkedids, channel counters, bridge ids and Timestamps that fit each other;
the caller, names and extensions may be others than recorded.
"""

import math
import random
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

Headers = Sequence[tuple[str, str]]
"""Headers of one message in order; a header may come more than once."""

_CHANNEL = re.compile(r"([A-Za-z][A-Za-z0-9]*/[^\s,;]+-)([0-9a-f]{8})(?![0-9a-f])")
_BRIDGE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_UNIQUEID = re.compile(r"\d+\.\d+")
_ID_KEY = re.compile(r"(?:Uniqueid|Linkedid)$", re.IGNORECASE)
_FIGURES = frozenset(
    {"Timestamp", "Privilege", "Duration", "HoldTime", "TalkTime", "RingTime", "Cause", "Position", "Count"}
)
_LINK_LEVEL = frozenset({"FullyBooted", "Shutdown"})


@dataclass(frozen=True, slots=True)
class Recorded:
    """One event of a recording and the moment (UNIX time, PBX's clock) at which it was sent."""

    at: float
    headers: Headers


@dataclass(frozen=True, slots=True)
class Timed:
    """One event to send at `at` (UNIX time)."""

    at: float
    headers: Headers


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: `number` and `name` instead of the recorded caller's, whole words instead of others."""

    number: str | None = None
    name: str | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    """Such as {"101": "103"}: extensions, dialled numbers, queues; never figures such as durations."""


class Numbering:
    """The counters of one PBX since its boot."""

    def __init__(self, seed: int | None = None) -> None:
        self._uniqueids = 0
        self._channels = 0
        self._random = random.Random(seed)  # noqa: S311 (ids of a demonstration)

    def uniqueid(self, second: float) -> str:
        """A new one for a channel made at `second` (UNIX time)."""
        self._uniqueids += 1
        return f"{int(second)}.{self._uniqueids - 1}"

    def channel(self) -> str:
        """The counter at the end of a new channel's name."""
        self._channels += 1
        return f"{self._channels - 1:08x}"

    def bridge(self) -> str:
        """The id of a new bridge."""
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))


def render(headers: Headers) -> bytes:
    """One message as it goes over the wire; what was no UTF-8 in a recording stays as it was."""
    return "".join([f"{key}: {value}\r\n" for key, value in headers] + ["\r\n"]).encode(
        "utf-8", "surrogateescape"
    )


def messages(stream: bytes) -> Iterator[Headers]:
    """Every message of a captured stream, without the banner."""
    text = stream.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    for block in text.split("\n\n"):
        lines = (line.partition(":") for line in block.split("\n"))
        if headers := [(key, value.removeprefix(" ")) for key, colon, value in lines if colon]:
            yield headers


def load(stream: bytes) -> tuple[Recorded, ...]:
    """The events of a captured stream that belong to calls; answers and what concerns the link are left out.

    An event without Timestamp (manager.conf: timestampevents = no) takes the moment of the one before it.
    """
    recorded: list[Recorded] = []
    at = 0.0
    for headers in messages(stream):
        first, value = headers[0]
        if first != "Event" or value in _LINK_LEVEL:
            continue
        at = next((float(v) for key, v in headers if key == "Timestamp"), at)
        recorded.append(Recorded(at, headers))
    return tuple(recorded)


def load_file(path: Path) -> tuple[Recorded, ...]:
    """The same from a file."""
    return load(path.read_bytes())


def rewrite(
    recorded: Sequence[Recorded],
    numbering: Numbering,
    start: float,
    *,
    speed: float = 1.0,
    cast: Cast | None = None,
) -> list[Timed]:
    """One round of a recording that begins at `start` (UNIX time) and goes `speed` times as fast.

    With a speed of math.inf every event happens at `start`.
    """
    begin = recorded[0].at if recorded else 0.0
    plain = [
        Timed(start if math.isinf(speed) else start + (event.at - begin) / speed, event.headers)
        for event in recorded
    ]
    caller = _caller(recorded)
    cast = cast or Cast()
    renumbered = _renumbering(plain, numbering)
    recast = _recasting(cast, caller)
    return [
        Timed(event.at, [(key, recast(key, renumbered(key, value, event.at))) for key, value in headers])
        for event in plain
        for headers in [_renamed(event.headers, caller, cast.name)]
    ]


def _caller(recorded: Sequence[Recorded]) -> str | None:
    """The number from which the recorded call came."""
    for event in recorded:
        if ("Event", "Newchannel") in event.headers:
            return dict(event.headers).get("CallerIDNum") or None
    return None


def _renamed(headers: Headers, caller: str | None, name: str | None) -> Headers:
    """The caller's new name wherever his number stands."""
    if name is None or caller is None:
        return headers
    his = {key[:-3] + "Name" for key, value in headers if key.endswith("IDNum") and value == caller}
    his |= {key[:-3] + "Name" for key, value in headers if key.endswith("LineNum") and value == caller}
    return [(key, name if key in his else value) for key, value in headers]


def _renumbering(events: Sequence[Timed], numbering: Numbering) -> Callable[[str, str, float], str]:
    ids: dict[str, str] = {}
    for event in events:
        for key, value in event.headers:
            if _ID_KEY.search(key) and _UNIQUEID.fullmatch(value) and value not in ids:
                ids[value] = numbering.uniqueid(event.at)
    anywhere = _any_of(ids, r"(?<![\d.])(?:{})(?!\d)")
    channels: dict[str, str] = {}
    bridges: dict[str, str] = {}

    def renumbered(key: str, value: str, at: float) -> str:
        if key == "Timestamp":
            return f"{at:.6f}"
        if key in _FIGURES:
            return value
        value = _CHANNEL.sub(lambda old: old[1] + _fresh(channels, old[0], numbering.channel), value)
        value = _BRIDGE.sub(lambda old: _fresh(bridges, old[0], numbering.bridge), value)
        return anywhere.sub(lambda old: ids[old[0]], value)

    return renumbered


def _recasting(cast: Cast, caller: str | None) -> Callable[[str, str], str]:
    words = dict(cast.words)
    if cast.number is not None and caller is not None:
        words[caller] = cast.number
    anywhere = _any_of(words, r"(?<![\w.])(?:{})(?!\w)")

    def recast(key: str, value: str) -> str:
        return value if key == "Event" or key in _FIGURES else anywhere.sub(lambda old: words[old[0]], value)

    return recast


def _any_of(words: Iterable[str], around: str) -> re.Pattern[str]:
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(around.format("|".join(map(re.escape, longest_first))) if longest_first else r"(?!)")


def _fresh(known: dict[str, str], old: str, make: Callable[[], str]) -> str:
    if old not in known:
        known[old] = make()
    return known[old]
