"""Which events may be believed.

A caller can write raw lines into AMI through the user part of his SIP address: headers doubled inside one
event, an event cut off in the middle, whole forged events behind it. What can be told by looking at the
events is told here; a Hangup must besides fit what the graph knows (see tracker.py).
"""

from collections.abc import Mapping, Sequence

Raw = Mapping[str, str | Sequence[str]]

_MANY_HEADERS = frozenset({"ChanVariable", "DestChanVariable", "Variable"})
_CHANNEL_EVENTS = frozenset(
    {"Newchannel", "Newstate", "Hangup", "HangupRequest", "SoftHangupRequest", "BridgeEnter"}
)
_LEARN = 8
_RELEARN = 200
_FORGED_AFTER_CUT = 4


class Trust:
    """Watches one connection's events; one for each connection."""

    __slots__ = ("_cut", "_learned", "_missing", "_stamped", "refused")

    def __init__(self) -> None:
        self.refused: dict[str, int] = {"repeated": 0, "unstamped": 0, "cut": 0, "unlikely": 0}
        """How many events were not believed, by reason; `unlikely`: hangups that did not fit."""
        self._learned = 0
        self._stamped = 0
        self._missing = 0
        self._cut = 0

    def plain(self, event: Raw) -> dict[str, str] | None:
        """The event with one string a header; None where a header that names things was given twice."""
        flat: dict[str, str] = {}
        for key, value in event.items():
            if isinstance(value, str):
                flat[key] = value
            elif key not in _MANY_HEADERS:
                self.refused["repeated"] += 1
                return None
        return flat

    def headless(self) -> None:
        """A block without Event: the rest of one that was cut by forged lines."""
        self._cut = 0

    def admits(self, name: str, event: Mapping[str, str]) -> bool:
        """Whether the event looks like one the PBX itself wrote."""
        if self._cut:
            self._cut -= 1
        elif name in _CHANNEL_EVENTS and "Uniqueid" not in event:
            self._cut = _FORGED_AFTER_CUT
            self.refused["cut"] += 1
            return False
        return self._stamp_fits("Timestamp" in event)

    @property
    def shaken(self) -> bool:
        """An event was cut off just now: what follows is likely forged."""
        return self._cut > 0

    def _stamp_fits(self, stamped: bool) -> bool:
        # With timestampevents=yes every event has a Timestamp; forged ones mostly do not.
        if self._learned < _LEARN:
            self._learned += 1
            self._stamped += stamped
            return True
        if stamped or self._stamped < _LEARN:
            self._missing = 0
            return True
        self._missing += 1
        if self._missing > _RELEARN:
            self._learned = self._stamped = self._missing = 0
        self.refused["unstamped"] += 1
        return False
