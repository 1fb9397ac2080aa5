"""Records put together by the business call they are of, until everything about it has come.

What ties records: a linkedid, a Uniqueid, a bridge in which both were; with CDR alone also a channel's name,
where one record goes on where the other stops (names begin anew when the PBX does).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from connectors.asterisk.records_rows import Cdr, Cel, QueueLine, Record

Place = tuple[Any, ...]
"""Where in its source a record stands; the places of one source are in order."""
_CHANNELS = (
    "channel2_uniqueid", "transferee_channel_uniqueid", "transfer_target_channel_uniqueid",
    "pickup_channel_uniqueid",
)  # fmt: skip
_TOUCH_S = 1.0


@dataclass(eq=False, slots=True)
class Group:
    """What has come of one call."""

    cdrs: list[Cdr] = field(default_factory=list)
    cels: list[Cel] = field(default_factory=list)
    lines: list[QueueLine] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    places: dict[str, Place] = field(default_factory=dict)
    """The first place of each source that is still needed."""
    touched: float = 0.0
    """When the last record came, by the reader's own clock."""
    last: float = 0.0
    """The latest time in any record, by the PBX's clock."""

    def channels(self) -> set[str]:
        """Uniqueids and linkedids."""
        rows: list[Cdr | Cel] = [*self.cdrs, *self.cels]
        found = {u for row in rows for u in (row.uniqueid, row.linkedid)}
        return found | {line.uniqueid for line in self.lines}

    @property
    def begins_in_sight(self) -> bool:
        """Whether CEL tells of the call from its first channel on."""
        return any(row.type == "CHAN_START" and row.uniqueid == row.linkedid for row in self.cels)

    @property
    def is_over(self) -> bool:
        """Whether every channel that CEL told of has hung up."""
        seen = {row.uniqueid for row in self.cels}
        gone = {row.uniqueid for row in self.cels if row.type in ("CHAN_END", "HANGUP")}
        return bool(seen) and seen == gone

    def absorb(self, other: "Group") -> None:
        """The two are one."""
        self.cdrs += other.cdrs
        self.cels += other.cels
        self.lines += other.lines
        self.keys |= other.keys
        for source, place in other.places.items():
            self.places[source] = min(place, self.places.get(source, place))
        self.touched, self.last = max(self.touched, other.touched), max(self.last, other.last)


class Pool:
    """The groups under way."""

    def __init__(self) -> None:
        self._by_key: dict[str, Group] = {}
        self._groups: dict[Group, None] = {}
        self._ends: dict[str, tuple[float, float, Group]] = {}
        self.records = 0

    def __iter__(self) -> Iterator[Group]:
        return iter(self._groups)

    def add(self, record: Record, source: str, place: Place, now: float) -> None:
        """Put a record with what it belongs to."""
        group = self._group(_keys(record), record)
        match record:
            case Cdr():
                group.cdrs.append(record)
                group.last = max(group.last, record.end)
                self._ends |= dict.fromkeys(_names(record), (record.start, record.end, group))
            case Cel():
                group.cels.append(record)
                group.last = max(group.last, record.at)
            case QueueLine():
                group.lines.append(record)
                group.last = max(group.last, record.at)
        group.places.setdefault(source, place)
        group.touched = now
        self.records += 1

    def _group(self, keys: set[str], record: Record) -> Group:
        found = {self._by_key[key]: None for key in keys if key in self._by_key}
        if isinstance(record, Cdr):
            found |= dict.fromkeys(self._touching(record))
        first, *others = found or [Group()]
        for other in others:
            first.absorb(other)
            self._groups.pop(other, None)
            self._by_key |= dict.fromkeys(other.keys, first)
            for name, (start, end, group) in list(self._ends.items()):
                if group is other:
                    self._ends[name] = start, end, first
        self._groups[first] = None
        first.keys |= keys
        self._by_key |= dict.fromkeys(keys, first)
        return first

    def _touching(self, record: Cdr) -> Iterator[Group]:
        for name in _names(record):
            start, end, group = self._ends.get(name, (0.0, 0.0, None))
            if group is not None and start - _TOUCH_S <= record.end and record.start <= end + _TOUCH_S:
                yield group

    def take(self, ready: Callable[[Group], bool], most: int) -> list[Group]:
        """Take out up to `most` groups of which everything has come."""
        taken: list[Group] = []
        for group in self._groups:
            if len(taken) >= most:
                break
            if ready(group):
                taken.append(group)
        for group in taken:
            self._forget(group)
        return taken

    def _forget(self, group: Group) -> None:
        del self._groups[group]
        for key in group.keys:
            self._by_key.pop(key, None)
        for name in {name for row in group.cdrs for name in _names(row)}:
            if self._ends.get(name, (0, 0, None))[2] is group:
                del self._ends[name]
        self.records -= len(group.cdrs) + len(group.cels) + len(group.lines)

    def first_place(self, source: str) -> Place | None:
        """The first place of the source that a group still needs; None: everything read is dealt with."""
        places = (group.places[source] for group in self._groups if source in group.places)
        return min(places, default=None)


def _names(row: Cdr) -> tuple[str, ...]:
    return tuple(f"name {name}" for name in (row.channel, row.dst_channel) if name)


def _keys(record: Record) -> set[str]:
    keys = {record.uniqueid}
    if isinstance(record, QueueLine):
        return keys
    keys.add(record.linkedid)
    if isinstance(record, Cel):
        keys |= {str(record.extra[name]) for name in _CHANNELS if record.extra.get(name)}
        bridge = record.extra.get("bridge_id")
        if bridge and record.extra.get("bridge_technology") != "holding_bridge":
            keys.add(f"bridge {bridge}")
    return keys
