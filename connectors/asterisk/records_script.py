"""Rows of CEL as the manager's events that went with them.

What CEL does not tell is who rang: a phone that was dialled counts as having rung unless the cause of its
hangup says otherwise, and `rang` is named in `estimated`.
Source: docs.asterisk.org, "CEL Event Types" and "Asterisk 22 AMI events".
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from connectors.asterisk.records_channels import BURST_S, Channel, asked_to_hang_up, channels_in
from connectors.asterisk.records_lines import speaks_of, target
from connectors.asterisk.records_rows import Cel, QueueLine

_DIALLING = frozenset({"Dial", "Queue", "FollowMe", "Page"})
_VOICEMAIL = frozenset({"VoiceMail", "MinivmRecord"})
_NEVER_RANG = frozenset({1, 3, 17, 18, 20, 27, 28, 34, 38, 42})
"""Causes (Q.850) of a phone or number that could not ring."""
_SURE = (_NEVER_RANG | {21}) - {17}
_BUSY = 17
_AT_ONCE_S = 0.5
"""A phone that is busy says so at once; a line that said so later may have rung before."""

Event = dict[str, str]


class Script:
    """The manager's events that would have gone with the rows."""

    def __init__(self, rows: Sequence[Cel], lines: Sequence[QueueLine]) -> None:
        self._rows = rows
        self._lines = lines
        self._channels = channels_in(rows)
        self._by_name = {channel.name: id_ for id_, channel in reversed(self._channels.items())}
        self.doubtful: set[str] = set()
        """Channels of which it is not known whether they rang."""

    def events(self) -> Iterable[tuple[float, Event]]:
        """All of them, in order of time."""
        asked = [
            (at, {"Event": "HangupRequest", **self._of(self._by_name[name])})
            for name, at in asked_to_hang_up(self._rows).items()
            if name in self._by_name
        ]
        waiting = deque(sorted([*asked, *self._queue_events()], key=lambda pair: pair[0]))
        for row in self._rows:
            while waiting and waiting[0][0] <= row.at:
                yield waiting.popleft()
            for event in self._told(row):
                yield row.at, event
        yield from waiting

    def _queue_events(self) -> list[tuple[float, Event]]:
        joined = {row.uniqueid for row in self._rows if row.type == "APP_START" and row.app == "Queue"}
        events = []
        for line in self._lines:
            if line.uniqueid not in self._channels:
                continue
            who = self._of(line.uniqueid) | {"Queue": line.queue}
            at = max(line.at, self._channels[line.uniqueid].since)
            if line.event == "ENTERQUEUE" and line.uniqueid not in joined:
                events.append((at, {"Event": "QueueCallerJoin", **who}))
            elif line.event in _REASONS:
                reason = {"Event": "AgentComplete", "Reason": _REASONS[line.event], **who}
                events.append((at, reason))
        return events

    def _told(self, row: Cel) -> Iterable[Event]:
        channel = self._channels[row.uniqueid]
        if row.channel != channel.name:
            yield {"Event": "Rename", **self._of(channel.id), "Newname": row.channel}
            channel.name = row.channel
            self._by_name[row.channel] = channel.id
        told = _TELLS.get(row.type)
        if told is not None:
            yield from told(self, channel, row)

    def _of(self, id_: str, prefix: str = "") -> Event:
        channel = self._channels.get(id_)
        if channel is None:
            return {}
        return {
            f"{prefix}Uniqueid": id_,
            f"{prefix}Channel": channel.name,
            f"{prefix}Linkedid": channel.linkedid,
        }

    # -- what each kind of row tells

    def _start(self, channel: Channel, row: Cel) -> Iterable[Event]:
        calls = (
            channel.id == channel.linkedid and not channel.dialled and not row.channel.startswith("Local/")
        )
        calls = calls or (channel.id == channel.linkedid and row.exten not in ("", "s"))
        yield {
            "Event": "Newchannel",
            **self._of(channel.id),
            "ChannelState": "4" if calls else "0",
            "CallerIDNum": row.num,
            "CallerIDName": row.name,
            "Exten": row.exten,
        }
        if channel.originated:
            yield {
                "Event": "DialBegin", **self._of(channel.id, "Dest"), "DestChannelState": "5",
                "DestCallerIDNum": channel.number,
            }  # fmt: skip
        elif not calls:
            yield from self._dialled(channel, row.at)

    def _dialled(self, channel: Channel, at: float) -> Iterable[Event]:
        source = None if channel.name.endswith(";2") else self._who_dials(channel)
        if source is None:
            return
        caller = self._of(source.id) | {"Exten": self._exten(source.id, at)}
        yield {
            "Event": "DialBegin", **caller, **self._of(channel.id, "Dest"),
            "DialString": target(source.data, channel.name), "DestCallerIDNum": channel.number,
        }  # fmt: skip
        if self._rings(channel, at):
            yield {"Event": "Newstate", **self._of(channel.id), "ChannelState": "5"}

    def _who_dials(self, dialled: Channel) -> Channel | None:
        line = dialled.name.rpartition("-")[0]
        busy = [c for c in self._channels.values() if c.app in _DIALLING and c is not dialled]
        for one in reversed(busy):
            if one.linkedid == dialled.linkedid and speaks_of(one.data, line):
                return one
        for one in reversed(busy):
            if one.linkedid == dialled.linkedid:
                return one
        first = self._channels.get(dialled.linkedid)
        return first if first is not dialled else None

    def _exten(self, id_: str, at: float) -> str:
        """Where in the dialplan the channel is at that time: its next row tells."""
        return next((r.exten for r in self._rows if r.uniqueid == id_ and r.at >= at and r.exten), "")

    def _rings(self, channel: Channel, at: float) -> bool:
        for row in self._rows:
            if row.uniqueid == channel.id and row.type == "ANSWER":
                return True
            if row.uniqueid == channel.id and row.type == "HANGUP":
                cause = _number(row.extra.get("hangupcause"))
                return cause not in _NEVER_RANG or (cause == _BUSY and row.at - at > _AT_ONCE_S)
        return True

    def _answer(self, channel: Channel, _row: Cel) -> Iterable[Event]:
        channel.up = True
        yield {"Event": "Newstate", **self._of(channel.id), "ChannelState": "6"}
        if channel.dialled:
            yield {"Event": "DialEnd", **self._of(channel.id, "Dest"), "DialStatus": "ANSWER"}

    def _app(self, channel: Channel, row: Cel) -> Iterable[Event]:
        channel.app, channel.data = row.app, row.data
        if row.app == "Queue":
            queue = row.data.partition(",")[0]
            yield {"Event": "QueueCallerJoin", **self._of(channel.id), "Queue": queue}
        elif row.app in _VOICEMAIL:
            yield {"Event": "Newexten", **self._of(channel.id), "Application": row.app}

    def _app_over(self, channel: Channel, row: Cel) -> Iterable[Event]:
        channel.app = ""
        if row.app == "Queue":
            queue = row.data.partition(",")[0]
            yield {"Event": "QueueCallerLeave", **self._of(channel.id), "Queue": queue}

    def _enter(self, channel: Channel, row: Cel) -> Iterable[Event]:
        channel.bridge = str(row.extra.get("bridge_id", ""))
        yield {
            "Event": "BridgeEnter", **self._of(channel.id), "BridgeUniqueid": channel.bridge,
            "BridgeTechnology": str(row.extra.get("bridge_technology", "")),
        }  # fmt: skip

    def _exit(self, channel: Channel, row: Cel) -> Iterable[Event]:
        left = str(row.extra.get("bridge_id", channel.bridge))
        channel.bridge = ""
        yield {"Event": "BridgeLeave", **self._of(channel.id), "BridgeUniqueid": left}

    def _music(self, channel: Channel, row: Cel) -> Iterable[Event]:
        starts = row.type == "STREAM_BEGIN"
        if not row.subtype.startswith("MOH_"):
            return
        for other in self._channels.values():
            if starts and channel.bridge and other.bridge == channel.bridge and other is not channel:
                other.holding.add(channel.id)
                yield {"Event": "Hold", **self._of(other.id)}
            elif not starts and channel.id in other.holding:
                other.holding.discard(channel.id)
                yield {"Event": "Unhold", **self._of(other.id)}

    def _hangup(self, channel: Channel, row: Cel) -> Iterable[Event]:
        cause = _number(row.extra.get("hangupcause"))
        if channel.dialled and not channel.up:
            yield {
                "Event": "DialEnd", **self._of(channel.id, "Dest"),
                "DialStatus": self._status(channel, row, cause),
            }  # fmt: skip
            rang = cause not in _SURE and (cause != _BUSY or self._rings(channel, channel.since))
            if rang and not channel.name.startswith("Local/"):
                self.doubtful.add(channel.id)
        yield {"Event": "Hangup", **self._of(channel.id), "Cause": str(cause)}

    def _status(self, channel: Channel, row: Cel, cause: int) -> str:
        if cause == _BUSY:
            return "BUSY"
        first = self._channels.get(channel.linkedid)
        asked = [
            str(r.extra.get("hangupsource", ""))
            for r in self._rows
            if r.type == "HANGUP" and r.uniqueid == channel.linkedid and abs(r.at - row.at) < BURST_S
        ]
        if cause == 26 or (first is not None and first.name in asked):
            return "CANCEL"
        status = [str(r.extra.get("dialstatus", "")) for r in self._rows if r.type == "HANGUP"]
        return "CONGESTION" if "CONGESTION" in status else "NOANSWER"

    def _blind(self, channel: Channel, row: Cel) -> Iterable[Event]:
        yield {
            "Event": "BlindTransfer", "Result": "Success", **self._of(channel.id, "Transferer"),
            **self._of(str(row.extra.get("transferee_channel_uniqueid", "")), "Transferee"),
            "Extension": str(row.extra.get("extension", "")),
        }  # fmt: skip

    def _attended(self, channel: Channel, row: Cel) -> Iterable[Event]:
        extra = row.extra
        yield {
            "Event": "AttendedTransfer", "Result": "Success", **self._of(channel.id, "OrigTransferer"),
            **self._of(str(extra.get("channel2_uniqueid", "")), "SecondTransferer"),
            **self._of(str(extra.get("transferee_channel_uniqueid", "")), "Transferee"),
            **self._of(str(extra.get("transfer_target_channel_uniqueid", "")), "TransferTarget"),
            "DestType": "Bridge" if extra.get("bridge2_id") else "App",
        }  # fmt: skip

    def _pickup(self, channel: Channel, row: Cel) -> Iterable[Event]:
        taker = str(row.extra.get("pickup_channel_uniqueid", ""))
        yield {"Event": "Pickup", **self._of(taker), **self._of(channel.id, "Target")}

    def _park(self, channel: Channel, row: Cel) -> Iterable[Event]:
        name = "ParkedCall" if row.type == "PARK_START" else "UnParkedCall"
        retriever = self._by_name.get(str(row.extra.get("retriever", "")), "")
        yield {"Event": name, **self._of(channel.id, "Parkee"), **self._of(retriever, "Retriever")}


_Teller = Callable[[Script, Channel, Cel], Iterable[Event]]
_TELLS: dict[str, _Teller] = {
    "CHAN_START": Script._start,
    "ANSWER": Script._answer,
    "APP_START": Script._app,
    "APP_END": Script._app_over,
    "BRIDGE_ENTER": Script._enter,
    "BRIDGE_EXIT": Script._exit,
    "STREAM_BEGIN": Script._music,
    "STREAM_END": Script._music,
    "HANGUP": Script._hangup,
    "BLINDTRANSFER": Script._blind,
    "ATTENDEDTRANSFER": Script._attended,
    "PICKUP": Script._pickup,
    "PARK_START": Script._park,
    "PARK_END": Script._park,
}
_REASONS = {"COMPLETEAGENT": "agent", "COMPLETECALLER": "caller"}


def _number(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 1000 else 0
