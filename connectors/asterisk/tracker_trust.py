"""Which events may be believed, and mending those that a caller has damaged.

A caller can write raw lines into AMI through the user part of his SIP address. The PBX writes that text in
the middle of each event of his call: headers appear twice, or a blank line cuts the event in two with forged
lines between. What stands before the injected text is genuine, so the first Event and Channel of an event
are, and a Uniqueid is when it is that channel's. A Hangup that was mended is never believed unasked.
"""

from collections.abc import Callable, Mapping, Sequence

Raw = Mapping[str, str | Sequence[str]]
NameOf = Callable[[str], str | None]
"""Uniqueid to the name of the channel, None where it is unknown."""

_REPEATABLE = frozenset({"ChanVariable", "DestChanVariable", "Variable"})
_AFTER_TEXT = frozenset({"Uniqueid", "Linkedid", "Exten", "Context", "Priority", "Language", "AccountCode"})
"""A channel's headers that come after the texts a caller can choose."""
_ID_OF = {"DialBegin": "DestUniqueid", "DialState": "DestUniqueid", "DialEnd": "DestUniqueid"}
_CHANNEL_EVENTS = frozenset(
    {"Newchannel", "Newstate", "Hangup", "HangupRequest", "SoftHangupRequest", "BridgeEnter", "BridgeLeave"}
) | frozenset(_ID_OF)
_LEARN = 8
"""From so many first events it is seen what the PBX writes on each."""
_RELEARN = 200
"""After so many refusals in a row the PBX has changed its mind (manager reload)."""
_DISORDER = 100
_GAP = 1_000_000
"""SequenceNumber counts all events, those that we do not get included."""
_PIECES = 6
"""Into how many pieces an event may have been cut."""


class Trust:
    """Watches one connection's events."""

    __slots__ = (
        "_last",
        "_learned",
        "_missing",
        "_name_of",
        "_numbered",
        "_pieces",
        "_stamped",
        "head",
        "refused",
        "watches_stamps",
    )

    def __init__(self, name_of: NameOf) -> None:
        self._name_of = name_of
        self.refused: dict[str, int] = {"repeated": 0, "unstamped": 0, "cut": 0, "unlikely": 0}
        """How many events looked forged or damaged, and how; `unlikely`: hangups that did not fit."""
        self.head: Raw | None = None
        """The first part of an event that was cut; what follows is its rest, or forged."""
        self._pieces = 0
        self.watches_stamps = True
        """Whether this PBX stamps its events, or that is not known yet."""
        self._learned = 0
        self._stamped = 0
        self._numbered = 0
        self._last = 0
        self._missing = 0

    def plain(self, event: Raw) -> dict[str, str]:
        """The event with one string a header, the genuine one where a header came twice."""
        flat: dict[str, str] = {}
        repeated = False
        for key, value in event.items():
            if isinstance(value, str):
                flat[key] = value
            elif value:
                repeated = repeated or key not in _REPEATABLE
                flat[key] = str(value[-1] if key.removeprefix("Dest") in _AFTER_TEXT else value[0])
        for prefix in ("", "Dest"):
            ids = event.get(prefix + "Uniqueid")
            if ids is not None and not isinstance(ids, str):
                name = flat.get(prefix + "Channel")
                own = [str(id_) for id_ in ids if self._name_of(str(id_)) == name]
                if own:
                    flat[prefix + "Uniqueid"] = own[0]
        self.refused["repeated"] += repeated
        return flat

    def is_cut(self, name: str, event: Raw) -> bool:
        """Whether the event ends before its channel is named; if so its rest is waited for."""
        if "Uniqueid" in event and name not in _ID_OF:
            return False
        if name not in _CHANNEL_EVENTS or _ID_OF.get(name, "Uniqueid") in event:
            return False
        self.refused["cut"] += 1
        # Linkedid follows Uniqueid; where it stands alone it was injected.
        self.head = {
            key: value
            for key, value in event.items()
            if not key.endswith("Linkedid") or key.replace("Linkedid", "Uniqueid") in event
        }
        self._pieces = _PIECES
        return True

    def mend(self, event: Raw) -> dict[str, str] | None:
        """The event cut before, made whole by this one; None where this is no part of it or not its last."""
        if self.head is None:
            return None
        late = {key: event[key] for key in _AFTER_TEXT if key in event}
        joined = {**event, **self.head, **late}
        flat = self.plain(joined)
        id_ = _ID_OF.get(flat["Event"], "Uniqueid")
        self._pieces -= 1
        if id_ in flat:
            if not self._is_own(flat):
                self.head = self.head if self._pieces > 0 else None
                return None
            self.head = None
            return flat
        self.head = joined if self._pieces > 0 else None
        return None

    def _is_own(self, event: Mapping[str, str]) -> bool:
        for prefix in ("", "Dest"):
            name = self._name_of(event.get(prefix + "Uniqueid", ""))
            if name is not None and name != event.get(prefix + "Channel"):
                return False
        return True

    def stamp_fits(self, event: Mapping[str, str]) -> bool:
        """Whether the event bears what this PBX writes on each: a Timestamp with timestampevents=yes, a
        SequenceNumber with `manager set debug on`. Forged ones mostly have neither, or one out of sequence.
        """
        if self._learned < _LEARN:
            self._learned += 1
            self._stamped += "Timestamp" in event
            self._numbered += "SequenceNumber" in event
            self.watches_stamps = self._learned < _LEARN or _LEARN in (self._stamped, self._numbered)
            return True
        if self._stamped == _LEARN and "Timestamp" not in event:
            return self._refuse("unstamped")
        if self._numbered == _LEARN and not self._in_sequence(event.get("SequenceNumber", "")):
            return self._refuse("unstamped")
        self._missing = 0
        return True

    def _in_sequence(self, text: str) -> bool:
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            return False
        number = int(text)
        if self._last and not self._last - _DISORDER < number < self._last + _GAP:
            return False
        self._last = max(self._last, number)
        return True

    def _refuse(self, why: str) -> bool:
        self.refused[why] += 1
        self._missing += 1
        if self._missing > _RELEARN:
            self._learned = self._stamped = self._numbered = self._missing = self._last = 0
        return False
