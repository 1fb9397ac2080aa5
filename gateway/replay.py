"""`perezvon replay`: captured AMI streams through the tracker alone, one Call a line."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from connectors.asterisk.framing import Framer
from connectors.asterisk.tracker import EVENTS, NEEDED, Tracker
from gateway.domain.calls import Call, CallEvent, PbxRules
from gateway.domain.wire import call_wire

_CHUNK = 1 << 20
_AFTERWARDS = timedelta(seconds=50)
"""The stream's end leaves calls this time to fade away."""
_EPOCH_END = 4e9


def replay_files(paths: Sequence[Path], rules: PbxRules, out: TextIO, err: TextIO) -> None:
    """Print every business call of the captured streams in order of start, then on `err` what was left over.

    Each file is a PBX run of its own. Raises OSError where a file cannot be read.
    """
    calls: list[Call] = []
    leftovers: Counter[str] = Counter(channels=0, bridges=0, calls=0)
    for path in paths:
        run, left = replay(_chunks(path), rules)
        calls += run
        leftovers.update(left)
    for call in sorted(calls, key=lambda call: (call.started_at, _counter(call.linkedid))):
        out.write(json.dumps(call_wire(call), ensure_ascii=False, separators=(",", ":")) + "\n")
    err.write(json.dumps({"leftovers": dict(leftovers)}) + "\n")


def replay(chunks: Iterator[bytes], rules: PbxRules) -> tuple[list[Call], dict[str, int]]:
    """The calls of one run of a PBX in order of start, and what was left over."""
    tracker, framer, clock = Tracker(rules), Framer(EVENTS, NEEDED), _Clock()
    calls: dict[str, Call] = {}
    for chunk in chunks:
        for message in framer.feed(chunk):
            _keep(calls, tracker.feed(message, clock.read(message)))
    for message in framer.feed(b"\r\n\r\n" if framer.banner else b"\n\n"):
        _keep(calls, tracker.feed(message, clock.read(message)))
    for uniqueid in tracker.wants_confirmation:
        # The stream ended without another sign of life.
        _keep(calls, tracker.confirm(uniqueid, False, clock.at))
    for call in tracker.calls(clock.at):
        calls[call.id] = call
    _keep(calls, tracker.tick(clock.at + _AFTERWARDS))
    merged = {alias for call in calls.values() for alias in call.aliases}
    business = [call for call in calls.values() if call.id not in merged]
    business.sort(key=lambda call: (call.started_at, _counter(call.linkedid)))
    return business, tracker.leftovers()


def _keep(calls: dict[str, Call], events: Sequence[CallEvent]) -> None:
    for event in events:
        calls[event.call.id] = event.call


def _counter(uniqueid: str) -> int:
    counter = uniqueid.rpartition(".")[2]
    return int(counter[:18]) if counter.isascii() and counter.isdigit() else 0


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


class _Clock:
    """The PBX's clock as the stream shows it: `Timestamp` headers, else the seconds in new Uniqueids."""

    def __init__(self) -> None:
        self.at = datetime.fromtimestamp(0, UTC)

    def read(self, message: Mapping[str, str | list[str]]) -> datetime:
        seconds = _number(message.get("Timestamp"))
        if seconds is None and message.get("Event") == "Newchannel":
            uniqueid = message.get("Uniqueid")
            if isinstance(uniqueid, str):
                seconds = _number(uniqueid.rpartition("-")[2].partition(".")[0])
        if seconds is not None and seconds > self.at.timestamp():
            self.at = datetime.fromtimestamp(seconds, UTC)
        return self.at


def _number(value: str | list[str] | None) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if 0 < number < _EPOCH_END else None
