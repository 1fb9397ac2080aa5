"""What a stand-in PBX knows of itself: channels, bridges and queues, learned from the events it has sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field

Row = list[tuple[str, str]]
"""Headers of one answer or list item."""

_SNAPSHOT = (
    "Channel",
    "ChannelState",
    "ChannelStateDesc",
    "CallerIDNum",
    "CallerIDName",
    "ConnectedLineNum",
    "ConnectedLineName",
    "Language",
    "AccountCode",
    "Context",
    "Exten",
    "Priority",
    "Uniqueid",
    "Linkedid",
)
_PREFIXES = (
    "",
    "Dest",
    "LocalOne",
    "LocalTwo",
    "Transferer",
    "Transferee",
    "OrigTransferer",
    "SecondTransferer",
)
_MEMBER = (
    "StateInterface",
    "Membership",
    "Penalty",
    "CallsTaken",
    "LastCall",
    "LastPause",
    "LoginTime",
    "InCall",
    "Status",
    "Paused",
    "PausedReason",
    "Wrapuptime",
)


@dataclass
class Channel:
    """One live channel as its latest event showed it."""

    snapshot: dict[str, str]
    created_at: float
    dnid: str
    bridge: str = ""
    application: str = ""
    data: str = ""


@dataclass
class Waiting:
    """One caller in a queue."""

    queue: str
    uniqueid: str
    joined_at: float


@dataclass
class Pbx:
    """One PBX since its boot at `booted_at` (UNIX time)."""

    booted_at: float
    channels: dict[str, Channel] = field(default_factory=dict)
    """By Uniqueid."""
    waiting: list[Waiting] = field(default_factory=list)
    """In order of arrival."""
    members: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    """By queue and interface."""
    queues: set[str] = field(default_factory=set)

    def saw(self, event: Mapping[str, str], now: float) -> None:
        """Take in one event of the stream at the moment it is sent."""
        name, uniqueid = event.get("Event"), event.get("Uniqueid", "")
        if name == "Newchannel":
            self.channels[uniqueid] = Channel({}, now, event.get("Exten", ""))
        for prefix in _PREFIXES:
            self._refresh(event, prefix)
        match name:
            case "Hangup":
                self.channels.pop(uniqueid, None)
                self._left(uniqueid)
            case "BridgeEnter" | "BridgeLeave":
                self._bridged(uniqueid, event.get("BridgeUniqueid", "") if name == "BridgeEnter" else "")
            case "DialBegin":
                self._runs(uniqueid, "Dial", event.get("DialString", ""))
                self._runs(event.get("DestUniqueid", ""), "AppDial", "(Outgoing Line)")
            case "Newexten":
                self._runs(uniqueid, event.get("Application", ""), event.get("AppData", ""))
            case "QueueCallerJoin":
                self._joined(event, now)
            case "QueueCallerLeave":
                self._left(uniqueid)
            case "QueueMemberStatus" | "QueueMemberAdded":
                self.members[event.get("Queue", ""), event.get("Interface", "")] = dict(event)
                self.queues.add(event.get("Queue", ""))

    def core_show_channels(self, now: float) -> list[Row]:
        """Items of CoreShowChannels (main/manager.c, action_coreshowchannels)."""
        return [
            [
                ("Event", "CoreShowChannel"),
                *channel.snapshot.items(),
                ("Application", channel.application),
                ("ApplicationData", channel.data),
                ("Duration", _clock_face(now - channel.created_at)),
                ("BridgeId", channel.bridge),
            ]
            for channel in self.channels.values()
        ]

    def status(self, wanted: str, now: float) -> list[Row]:
        """Items of Status: the channel with that name or Uniqueid, all with ""."""
        return [
            [
                ("Event", "Status"),
                ("Privilege", "Call"),
                *channel.snapshot.items(),
                ("Type", channel.snapshot.get("Channel", "").partition("/")[0]),
                ("DNID", channel.dnid),
                ("TimeToHangup", "0"),
                ("BridgeID", channel.bridge),
                ("Application", channel.application),
                ("Data", channel.data),
                ("Seconds", str(int(now - channel.created_at))),
            ]
            for uniqueid, channel in self.channels.items()
            if wanted in ("", uniqueid, channel.snapshot.get("Channel"))
        ]

    def queue_status(self, now: float) -> list[Row]:
        """Items of QueueStatus (apps/app_queue.c, manager_queues_status)."""
        rows: list[Row] = []
        for queue in sorted(self.queues):
            callers = [one for one in self.waiting if one.queue == queue]
            rows.append(
                [
                    ("Event", "QueueParams"),
                    ("Queue", queue),
                    ("Max", "0"),
                    ("Strategy", "ringall"),
                    ("Calls", str(len(callers))),
                ]
            )
            rows += [self._member(queue, row) for (name, _), row in self.members.items() if name == queue]
            rows += [self._entry(one, place, now) for place, one in enumerate(callers, start=1)]
        return rows

    def queue_summary(self, now: float) -> list[Row]:
        """Items of QueueSummary."""
        rows: list[Row] = []
        for queue in sorted(self.queues):
            waits = [int(now - one.joined_at) for one in self.waiting if one.queue == queue]
            members = [row for (name, _), row in self.members.items() if name == queue]
            free = [row for row in members if row.get("Status") == "1" and row.get("Paused") != "1"]
            rows.append(
                [
                    ("Event", "QueueSummary"),
                    ("Queue", queue),
                    ("LoggedIn", str(len(members))),
                    ("Available", str(len(free))),
                    ("Callers", str(len(waits))),
                    ("HoldTime", "0"),
                    ("TalkTime", "0"),
                    ("LongestHoldTime", str(max(waits, default=0))),
                ]
            )
        return rows

    def _refresh(self, event: Mapping[str, str], prefix: str) -> None:
        channel = self.channels.get(event.get(f"{prefix}Uniqueid", ""))
        if channel is not None and f"{prefix}Channel" in event:
            channel.snapshot = {key: event.get(prefix + key, "") for key in _SNAPSHOT}

    def _bridged(self, uniqueid: str, bridge: str) -> None:
        if uniqueid in self.channels:
            self.channels[uniqueid].bridge = bridge

    def _runs(self, uniqueid: str, application: str, data: str) -> None:
        channel = self.channels.get(uniqueid)
        if channel is not None and not (application == "Dial" and channel.application == "Queue"):
            channel.application, channel.data = application, data

    def _joined(self, event: Mapping[str, str], now: float) -> None:
        self.queues.add(event.get("Queue", ""))
        self.waiting.append(Waiting(event.get("Queue", ""), event.get("Uniqueid", ""), now))
        self._runs(event.get("Uniqueid", ""), "Queue", event.get("Queue", ""))

    def _left(self, uniqueid: str) -> None:
        self.waiting = [one for one in self.waiting if one.uniqueid != uniqueid]

    def _entry(self, one: Waiting, place: int, now: float) -> Row:
        known = self.channels[one.uniqueid].snapshot if one.uniqueid in self.channels else {}
        named = ("CallerIDNum", "CallerIDName", "ConnectedLineNum", "ConnectedLineName")
        return [
            ("Event", "QueueEntry"),
            ("Queue", one.queue),
            ("Position", str(place)),
            ("Channel", known.get("Channel", "")),
            ("Uniqueid", one.uniqueid),
            *((key, known.get(key, "").replace("<unknown>", "unknown")) for key in named),
            ("Wait", str(int(now - one.joined_at))),
            ("Priority", "0"),
        ]

    @staticmethod
    def _member(queue: str, row: Mapping[str, str]) -> Row:
        return [
            ("Event", "QueueMember"),
            ("Queue", queue),
            ("Name", row.get("MemberName", "")),
            ("Location", row.get("Interface", "")),
            *((key, row.get(key, "")) for key in _MEMBER),
        ]


def _clock_face(seconds: float) -> str:
    whole = max(0, int(seconds))
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
