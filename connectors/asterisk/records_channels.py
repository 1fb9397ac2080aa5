"""The channels in some rows of CEL, and what only all rows together tell of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.asterisk.records_rows import Cel

_DIALLED = frozenset({"AppDial", "AppDial2", "AppQueue"})
_ORIGINATED = "AppDial2"
BURST_S = 0.1
"""Within so short a time the rows of one hanging up lie."""


@dataclass(slots=True)
class Channel:
    """One channel as far as its rows tell."""

    id: str
    linkedid: str
    name: str
    since: float = 0.0
    dialled: bool = False
    originated: bool = False
    number: str = ""
    """What its caller identification said last before it was answered."""
    up: bool = False
    app: str = ""
    data: str = ""
    """What it does now: Dial or Queue, and with which arguments."""
    bridge: str = ""
    holding: set[str] = field(default_factory=set)
    """Channels that hear music because this one's phone holds them."""


def channels_in(rows: Sequence[Cel]) -> dict[str, Channel]:
    """By Uniqueid, in order of first rows. Whether the PBX dialled it shows in a channel's later rows."""
    found: dict[str, Channel] = {}
    named: set[str] = set()
    for row in rows:
        channel = found.setdefault(row.uniqueid, Channel(row.uniqueid, row.linkedid, row.channel))
        if row.type == "CHAN_START":
            channel.since = channel.since or row.at
        elif row.app and row.uniqueid not in named:
            named.add(row.uniqueid)
            channel.dialled = row.app in _DIALLED
            channel.originated = row.app == _ORIGINATED and row.uniqueid == channel.linkedid
            channel.number = row.num
    return found


def asked_to_hang_up(rows: Sequence[Cel]) -> dict[str, float]:
    """Names of channels whose party asked to hang up, each with when: before everything that came of it."""
    first: dict[str, float] = {}
    for row in rows:
        source = str(row.extra.get("hangupsource", "")) if row.type == "HANGUP" else ""
        if source:
            first.setdefault(source, row.at)
    return {name: _burst(rows, at) for name, at in first.items()}


def _burst(rows: Sequence[Cel], at: float) -> float:
    ends = ("HANGUP", "BRIDGE_EXIT", "APP_END")
    return min((row.at for row in rows if row.type in ends and at - BURST_S <= row.at <= at), default=at)
