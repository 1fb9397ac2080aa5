"""A track as the Call that the rest of the service sees."""

from datetime import UTC, datetime

from connectors.asterisk.tracker_judge import disposition, hangup_by
from connectors.asterisk.tracker_model import Stretch, Track
from connectors.asterisk.tracker_names import Names
from gateway.domain.calls import (
    Call,
    CallEvent,
    CallEventType,
    CallState,
    Direction,
    Disposition,
    Party,
    Segment,
    Transfer,
    advance,
)


class View:
    """Turns tracks into the Calls that the rest of the service sees."""

    def __init__(self, pbx: str, names: Names) -> None:
        self._pbx = pbx
        self._names = names
        self.offset_s = 0.0
        """Our clock minus the PBX's, added to every time that leaves."""

    def at(self, seconds: float) -> datetime:
        """A time of the PBX's clock, as UTC by ours."""
        return datetime.fromtimestamp(seconds + self.offset_s, UTC)

    def _at(self, seconds: float | None) -> datetime | None:
        return None if seconds is None else self.at(seconds)

    def call(self, track: Track, now: float) -> Call:
        """The call as it stands at `now`."""
        ended = track.state is CallState.ENDED
        end = track.end_at if track.end_at is not None else now
        how = (
            disposition(track) if ended else (Disposition.ANSWERED if track.answered_at is not None else None)
        )
        way = track.direction or Direction.IN
        caller = track.caller
        own = caller.extension if caller is not None and not caller.trunk else None
        fresh = Call(
            id=track.id,
            pbx=self._pbx,
            linkedid=track.first,
            direction=way,
            state=track.state,
            started_at=self.at(track.started),
            from_=self._from(track),
            to=Party(self._names.public(track.to_raw), track.to_raw),
            disposition=how,
            did=track.did and (self._names.public(track.did) or track.did),
            queue=track.queue,
            extension=(own or track.operator) if way is Direction.INTERNAL else track.operator or own,
            rang=tuple(track.rang),
            ringing=tuple(dict.fromkeys(leg.label for leg in track.ringing.values() if leg.label)),
            answered_at=self._at(track.answered_at),
            ended_at=self._at(track.end_at),
            hangup_by=hangup_by(track, how) if ended and how is not None else None,
            hangup_cause=track.cause if ended else None,
            wait_s=_seconds((track.answered_at if track.answered_at is not None else end) - track.started),
            talk_s=_seconds(_talked(track, now)),
            hold_s=_seconds(track.hold_s + (now - track.hold_since if track.hold_since is not None else 0.0)),
            segments=tuple([self._segment(s) for s in track.stretches]),
            transfers=tuple(
                [Transfer(h.kind, h.source, h.target, self.at(h.at), h.result) for h in track.transfers]
            ),
            estimated=tuple(track.estimated),
            recordings=tuple(track.recordings),
            legs=tuple(sorted(track.seen, key=track.first.__ne__)),
            aliases=tuple(track.aliases),
        )
        if track.base is None:
            return fresh
        return advance(track.base, CallEvent(CallEventType.UPDATED, fresh, self.at(now)))

    def _from(self, track: Track) -> Party:
        caller = track.caller
        if caller is not None and not caller.trunk and caller.extension:
            return Party(None, caller.extension, track.from_name)
        return Party(self._names.public(track.from_raw), track.from_raw, track.from_name)

    def _segment(self, stretch: Stretch) -> Segment:
        return Segment(
            stretch.extension,
            self.at(stretch.start),
            self._at(stretch.end),
            _seconds(stretch.ring_s),
            _seconds(stretch.talk_s),
            _seconds(stretch.hold_s),
        )


def _seconds(value: float) -> float:
    return round(value, 3) if value > 0 else 0.0


def _talked(track: Track, now: float) -> float:
    """Seconds in conversation: overlapping talks (a consultation while the client is held) count once."""
    talks = track.talks
    if track.talk_since is not None:
        talks = [*talks, (track.talk_since, max(now, track.talk_since))]
    if len(talks) == 1:
        return talks[0][1] - talks[0][0]
    total, until = 0.0, float("-inf")
    for start, end in sorted(talks):
        if end > until:
            total += end - max(start, until)
            until = end
    return total
