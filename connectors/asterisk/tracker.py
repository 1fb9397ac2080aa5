"""AMI events into business calls: a pure state machine over a channel graph.

No event raises out of here, whatever it holds; lost, doubled or swapped ones give at worst a poorer record. A
hangup that does not fit what the graph knows is not believed: it stands in `wants_confirmation` until it is
confirmed.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from connectors.asterisk import tracker_channels, tracker_dials, tracker_moves, tracker_snapshot, tracker_talk
from connectors.asterisk.tracker_core import Core, Event, Handler
from connectors.asterisk.tracker_endings import hang_up, pass_time
from connectors.asterisk.tracker_events import EVENTS, NEEDED
from connectors.asterisk.tracker_trust import Trust
from gateway.domain.calls import Call, CallEvent, PbxRules

__all__ = ["EVENTS", "NEEDED", "Tracker"]

_HANDLERS: dict[str, Handler] = {
    **tracker_channels.HANDLERS,
    **tracker_dials.HANDLERS,
    **tracker_talk.HANDLERS,
    **tracker_moves.HANDLERS,
}
_HEARD = frozenset(_HANDLERS) | {"Hangup"}
_SKEW_S = 3600.0
_DOUBTS = 1000
_DOUBT_S = 60.0


class Tracker:
    """The calls of one PBX. Every `at` is the time of receipt by the PBX's clock; where an event carries a
    `Timestamp` (manager.conf: timestampevents) that is used instead."""

    def __init__(self, rules: PbxRules) -> None:
        self._core = Core(rules)
        self._trust = Trust(self._name_of)
        self._doubts: dict[str, tuple[float, int]] = {}
        self._at: datetime | None = None
        self._seconds = 0.0

    def _name_of(self, uniqueid: str) -> str | None:
        leg = self._core.graph.legs.get(uniqueid)
        return leg.name if leg is not None else None

    def feed(self, event: Mapping[str, str | Sequence[str]], at: datetime) -> list[CallEvent]:
        """What this event makes happen."""
        if at is not self._at:
            self._at, self._seconds = at, at.timestamp()
        trust = self._trust
        try:
            # The quickest way to see that every value is one string: a repeated header's is a list.
            "".join(event.values())  # type: ignore[arg-type]
        except TypeError:
            return self._damaged(event)
        if trust.head is not None:
            return self._damaged(event)
        plain: Event = event  # type: ignore[assignment]
        name = plain.get("Event", "")
        if name not in _HEARD or trust.is_cut(name, plain):
            return []
        return self._handle(name, plain)

    def _damaged(self, event: Mapping[str, str | Sequence[str]]) -> list[CallEvent]:
        """An event with doubled headers, or one after an event that was cut in the middle."""
        plain = self._trust.mend(event)
        if plain is None:
            plain = self._trust.plain(event)
            name = plain.get("Event", "")
            if name not in _HEARD or self._trust.is_cut(name, plain):
                return []
        name = plain["Event"]
        if name != "Newchannel":
            plain = {key: value for key, value in plain.items() if not key.endswith("Linkedid")}
        return self._handle(name, plain, sure=False)

    def _handle(self, name: str, event: Event, sure: bool = True) -> list[CallEvent]:
        core = self._core
        if self._trust.watches_stamps and not self._trust.stamp_fits(event):
            return []
        now = self._time(event)
        if now >= core.due:
            pass_time(core, now)
        if name == "Hangup":
            self._hangup(event, now, sure)
        else:
            if self._doubts:
                self._doubts.pop(event.get("Uniqueid", ""), None)
            _HANDLERS[name](core, event, now)
        return core.flush() if core.effects else []

    def _time(self, event: Event) -> float:
        stamp = event.get("Timestamp")
        if stamp is None:
            return self._seconds
        try:
            seconds = float(stamp)
        except ValueError:
            return self._seconds
        return seconds if abs(seconds - self._seconds) < _SKEW_S else self._seconds

    def _hangup(self, event: Event, now: float, sure: bool) -> None:
        id_ = event.get("Uniqueid", "")
        leg = self._core.graph.legs.get(id_)
        if leg is None:
            return
        cause = event.get("Cause", "")
        number = int(cause) if cause.isascii() and cause.isdigit() and len(cause) < 4 else 0
        fits = event.get("Channel") == leg.name and event.get("Linkedid") in leg.track.linkedids
        if fits and sure:
            self._doubts.pop(id_, None)
            hang_up(self._core, leg, number, now)
        elif len(self._doubts) < _DOUBTS:
            self._trust.refused["unlikely"] += 1
            self._doubts.setdefault(id_, (now, number))

    @property
    def wants_confirmation(self) -> set[str]:
        """Uniqueids whose hangup was claimed but not believed: ask the PBX (Status), then `confirm`."""
        return set(self._doubts)

    def confirm(self, uniqueid: str, alive: bool, at: datetime) -> list[CallEvent]:
        """The PBX was asked whether the channel lives."""
        claim = self._doubts.pop(uniqueid, None)
        leg = self._core.graph.legs.get(uniqueid)
        if alive or leg is None:
            return []
        claimed, cause = claim if claim is not None else (at.timestamp(), 0)
        hang_up(self._core, leg, cause, claimed)
        return self._core.flush()

    def restore(self, calls: Sequence[Call]) -> None:
        """Start from the calls that the books hold as not ended; follow it with `snapshot`."""
        tracker_snapshot.restore(self._core, calls)

    def snapshot(
        self,
        channels: Sequence[Mapping[str, str | Sequence[str]]],
        queue_entries: Sequence[Mapping[str, str | Sequence[str]]],
        at: datetime,
    ) -> list[CallEvent]:
        """Bring the graph in line with what the PBX says it has: CoreShowChannel or Status events, and
        QueueEntry events. Unknown calls begin, known ones are updated, those that vanished end as lost.

        `at` is when the list was asked for: channels that appeared later are left alone.
        """
        now = at.timestamp()
        rows = [self._trust.plain(row) for row in channels]
        entries = [self._trust.plain(row) for row in queue_entries]
        events = tracker_snapshot.apply(self._core, rows, entries, now)
        return events + self._core.flush()

    def tick(self, at: datetime) -> list[CallEvent]:
        """Time passes, to be called about once a second."""
        now = at.timestamp()
        for id_, (claimed, _) in list(self._doubts.items()):
            if claimed < now - _DOUBT_S:
                del self._doubts[id_]
        if now >= self._core.due:
            pass_time(self._core, now)
        return self._core.flush()

    def follows(self, channels: Collection[str]) -> bool:
        """Whether any of these Uniqueids or linkedids belongs to a live call."""
        graph = self._core.graph
        return any(channel in graph.legs or channel in graph.tracks for channel in channels)

    def calls(self, at: datetime) -> list[Call]:
        """The live calls as they stand."""
        core = self._core
        return [core.view.call(track, at.timestamp()) for track in core.graph.calls() if track.announced]

    def leftovers(self) -> dict[str, int]:
        """What is being held now; all zero when every channel has hung up."""
        graph = self._core.graph
        return {
            "channels": len(graph.legs),
            "bridges": len(graph.bridges),
            "calls": sum(1 for _ in graph.calls()),
        }

    @property
    def suspicious(self) -> dict[str, int]:
        """Events that were not believed, by reason."""
        refused = dict(self._trust.refused)
        refused["unlikely"] += self._core.unlikely
        return refused

    @property
    def clock_offset_s(self) -> float:
        """Our clock minus the PBX's, added to every time told."""
        return self._core.view.offset_s

    @clock_offset_s.setter
    def clock_offset_s(self, seconds: float) -> None:
        if math.isfinite(seconds):
            self._core.view.offset_s = seconds
