"""Captured AMI streams for the tracker's tests: read, played, and changed as bad luck would change them."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from connectors.asterisk.framing import Framer
from connectors.asterisk.tracker import EVENTS, NEEDED, Tracker
from gateway.domain.calls import Call, CallEvent, PbxRules
from gateway.domain.wire import call_wire

Event = dict[str, Any]
RULES = PbxRules("pbx1", ("PJSIP/trunk",))
_ROOT = Path(__file__).parents[3]
_TRANSCRIPTS = _ROOT / "tests" / "transcripts" / "ami"
_DEMO = _ROOT / "gateway" / "demo" / "streams"
FORGED = ("forged-hangup", "forged-headers")
UNFINISHED = ("killed-in-mid-call",)


def stories() -> list[str]:
    """Names of the recorded stories whose truth is known."""
    return sorted(path.name.removesuffix(".expect.json") for path in _TRANSCRIPTS.glob("*.expect.json"))


def honest_stories() -> list[str]:
    """Those in which every channel hung up and nobody forged anything."""
    return [name for name in stories() if name not in FORGED + UNFINISHED]


def paths(story: str) -> list[Path]:
    """Its recordings: with useful events only, and in full where there is one."""
    wanted = [_DEMO / f"{story}.ami", _TRANSCRIPTS / f"{story}.ami", _TRANSCRIPTS / f"{story}.full.ami"]
    return [path for path in wanted if path.exists()]


def truth(story: str) -> list[dict[str, Any]]:
    """What happened in it, by the one who played it."""
    expected: list[dict[str, Any]] = json.loads((_TRANSCRIPTS / f"{story}.expect.json").read_text())
    return expected


def events(story: str) -> list[Event]:
    """The events of the shortest recording that the tracker listens to."""
    messages = Framer(EVENTS, NEEDED).feed(paths(story)[0].read_bytes())
    return [dict(message) for message in messages if message.get("Event") in EVENTS]


class Played:
    """What a tracker made of events."""

    def __init__(self, tracker: Tracker, at: datetime) -> None:
        self.tracker = tracker
        self.at = at
        self.told: list[CallEvent] = []

    def feed(self, stream: Iterable[Mapping[str, Any]]) -> "Played":
        """Play on."""
        for event in stream:
            stamp = event.get("Timestamp")
            if isinstance(stamp, str):
                self.at = max(self.at, datetime.fromtimestamp(float(stamp), UTC))
            self.told += self.tracker.feed(event, self.at)
        return self

    def wait(self, seconds: float) -> "Played":
        """Time passes without an event."""
        self.at += timedelta(seconds=seconds)
        self.told += self.tracker.tick(self.at)
        return self

    def calls(self) -> list[Call]:
        """Each business call as it was told last, in order of start."""
        last = {event.call.id: event.call for event in self.told}
        merged = {alias for call in last.values() for alias in call.aliases}
        return sorted((c for c in last.values() if c.id not in merged), key=lambda c: (c.started_at, c.id))

    def wires(self) -> list[dict[str, Any]]:
        """The calls as the contract shows them."""
        return [call_wire(call) for call in self.calls()]

    def empty(self) -> bool:
        """Nothing is held any more."""
        return not any(self.tracker.leftovers().values())


def play(stream: Iterable[Mapping[str, Any]], rules: PbxRules = RULES) -> Played:
    """A fresh tracker hears the events; afterwards what is doubtful is confirmed and some time passes."""
    played = Played(Tracker(rules), datetime.fromtimestamp(0, UTC)).feed(stream)
    for uniqueid in played.tracker.wants_confirmation:
        played.told += played.tracker.confirm(uniqueid, False, played.at)
    return played.wait(45).wait(45)


def outcome(call: Call) -> tuple[Any, ...]:
    """What a report would say of the call, times left out."""
    return (
        call.direction, call.disposition, call.extension, call.rang, call.queue, call.did,
        call.from_.raw, call.to.raw, call.hangup_by, [s.extension for s in call.segments],
        [(t.kind, t.from_, t.to, t.result) for t in call.transfers],
    )  # fmt: skip


def renamed(stream: Sequence[Mapping[str, Any]], mark: str) -> list[Event]:
    """The same story in a life of its own: no Uniqueid, bridge or channel of it is another story's."""
    return [{key: _renamed(key, value, mark) for key, value in event.items()} for event in stream]


def _renamed(key: str, value: Any, mark: str) -> Any:
    if not isinstance(value, str):
        return value
    if key.endswith("BridgeUniqueid"):
        return value + mark
    if key.endswith(("Uniqueid", "Linkedid")) and value:
        return value + mark
    if key.endswith("Channel") and "-" in value:
        line, _, number = value.rpartition("-")
        return f"{line}-{mark.zfill(4)}{number}" if not number.startswith("<") else value
    return value


def channel_list(stream: Sequence[Mapping[str, Any]], at: datetime) -> list[Event]:
    """What CoreShowChannels would have answered after these events."""
    rows: dict[str, Event] = {}
    for event in stream:
        name, id_ = event.get("Event"), event.get("Uniqueid")
        if name == "Newchannel" and isinstance(id_, str):
            rows[id_] = {"Event": "CoreShowChannel", "born": event["Timestamp"], "BridgeId": ""}
        if name and name.startswith("Dial") and event.get("DestUniqueid") in rows:
            rows[event["DestUniqueid"]].setdefault("Application", "AppDial")
            if name == "DialBegin" and id_ in rows:
                rows[id_].setdefault("Application", "Dial")
                rows[id_].setdefault("ApplicationData", f"PJSIP/{event.get('DialString')},30")
        row = rows.get(id_ or "")
        if row is None:
            continue
        for key in (
            "Channel",
            "Uniqueid",
            "Linkedid",
            "ChannelState",
            "CallerIDNum",
            "CallerIDName",
            "Exten",
        ):
            row[key] = event.get(key, row.get(key, ""))
        if name == "BridgeEnter":
            row["BridgeId"] = event["BridgeUniqueid"]
        elif name == "BridgeLeave":
            row["BridgeId"] = ""
        elif name == "Hangup":
            rows.pop(id_ or "", None)
    for row in rows.values():
        seconds = int(max(0.0, at.timestamp() - float(row.pop("born"))))
        row["Duration"] = f"{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
    return list(rows.values())


def queue_entries(stream: Sequence[Mapping[str, Any]]) -> list[Event]:
    """What QueueStatus would have listed as waiting after these events."""
    waiting: dict[str, Event] = {}
    for event in stream:
        id_ = event.get("Uniqueid", "")
        if event.get("Event") == "QueueCallerJoin":
            waiting[id_] = {"Event": "QueueEntry", "Queue": event["Queue"], "Uniqueid": id_, "Wait": "1"}
        elif event.get("Event") in ("QueueCallerLeave", "Hangup"):
            waiting.pop(id_, None)
    return list(waiting.values())
