"""What one line of each of a PBX's files of records says. A line that says nothing of a call is None.

Source: docs.asterisk.org, "Call Detail Records", "Channel Event Logging", "Queue Logs".
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.asterisk.records_time import Zone, epoch, seconds, wall_clock

_CDR_CSV = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata",
    "start", "answer", "end", "duration", "billsec", "disposition", "amaflags",
)  # fmt: skip
"""Columns of cdr_csv; by cdr.conf there follow uniqueid, userfield, then peeraccount, linkedid, sequence."""
_CDR_CUSTOM = (
    "clid", "src", "dst", "dcontext", "channel", "dstchannel", "lastapp", "lastdata", "start", "answer",
    "end", "duration", "billsec", "disposition", "amaflags", "accountcode", "uniqueid", "userfield",
    "sequence",
)  # fmt: skip
"""Columns of Asterisk's sample of cdr_custom.conf."""
_CEL = (
    "type", "time", "name", "num", "ani", "rdnis", "dnid", "exten", "context", "channel", "app", "data",
    "amaflags", "accountcode", "uniqueid", "linkedid", "peer", "userfield", "userdeftype", "extra",
)  # fmt: skip
"""Columns of Asterisk's sample of cel_custom.conf."""
_DISPOSITIONS = frozenset({"ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION"})
_LONGEST = 128
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Cdr:
    """One call detail record: two channels for a while. Times are seconds since 1970 by the PBX's clock."""

    uniqueid: str
    linkedid: str
    channel: str
    dst_channel: str
    src: str
    dst: str
    name: str
    app: str
    data: str
    start: float
    answer: float | None
    end: float
    disposition: str


@dataclass(frozen=True, slots=True)
class Cel:
    """One channel event."""

    type: str
    at: float
    uniqueid: str
    linkedid: str
    channel: str
    name: str
    num: str
    exten: str
    app: str
    data: str
    subtype: str
    extra: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class QueueLine:
    """One line of queue_log; `at` has whole seconds. Callers can write into it: it makes and ends no call."""

    at: float
    uniqueid: str
    queue: str
    agent: str
    event: str
    args: tuple[str, ...]


Record = Cdr | Cel | QueueLine


def cdr(fields: Sequence[str], zone: Zone) -> Cdr | None:
    """A row of cdr_csv (every choice of cdr.conf) or of the sample of cdr_custom."""
    named = _named(fields)
    return cdr_of(named, zone) if named else None


def _named(fields: Sequence[str]) -> dict[str, str] | None:
    if len(fields) >= len(_CDR_CSV) and fields[14] in _DISPOSITIONS:
        return dict(zip(_CDR_CSV, fields, strict=False)) | _tail(fields[len(_CDR_CSV) :])
    if len(fields) >= 17 and fields[13] in _DISPOSITIONS:
        return dict(zip(_CDR_CUSTOM, fields, strict=False))
    return None


def _tail(rest: Sequence[str]) -> dict[str, str]:
    # loguniqueid, loguserfield and newcdrcolumns are on or off; the last brings three columns.
    new = rest[-3:] if len(rest) >= 3 else ()
    old = rest[: len(rest) - len(new)]
    tail = {"linkedid": new[1]} if new else {}
    found = next((value for value in old if epoch(value) is not None and "." in value), "")
    return tail | {"uniqueid": found}


def cdr_of(row: Mapping[str, Any], zone: Zone) -> Cdr | None:
    """A record whose columns have Asterisk's names, from a file or a table (where `calldate` is `start`)."""
    uniqueid = _text(row.get("uniqueid")) or _text(row.get("linkedid"))
    channel, disposition = _text(row.get("channel")), _text(row.get("disposition"))
    began = row.get("start") or row.get("calldate")
    start = _wall(began)
    if not uniqueid or not channel or start is None or disposition not in _DISPOSITIONS:
        return None
    ahead = 0 if _aware(began) else zone.ahead_s(start, uniqueid)
    end = _wall(row.get("end"))
    end = end if end is not None else start + _number(row.get("duration"))
    answer, talked = _wall(row.get("answer")), _number(row.get("billsec"))
    if answer is None and disposition == "ANSWERED":
        answer = end - talked
    return Cdr(
        uniqueid,
        _text(row.get("linkedid")) or uniqueid,
        channel,
        _text(row.get("dstchannel")),
        _text(row.get("src")),
        _text(row.get("dst")),
        _name(_text(row.get("clid"))),
        _text(row.get("lastapp")),
        _text(row.get("lastdata")),
        start - ahead,
        answer - ahead if answer is not None else None,
        max(end, start) - ahead,
        disposition,
    )


def _text(value: Any) -> str:
    """One line of it: a caller can put line ends into what he calls himself."""
    return "" if value is None else _CONTROL.split(str(value), 1)[0][:_LONGEST]


def _aware(value: Any) -> bool:
    return isinstance(value, datetime) and value.tzinfo is not None


def _wall(value: Any) -> float | None:
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    text = _text(value)
    return wall_clock(text) or seconds(text) if text and text[0] != "0" else None


def _number(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return 0.0
    return number if 0 <= number < 10_000_000 else 0.0


def _name(clid: str) -> str:
    """`"Ivan Petrov" <79161234567>` names Ivan Petrov."""
    name = clid.rpartition("<")[0].strip()
    return name[1:-1] if len(name) > 1 and name[0] == name[-1] == '"' else name


def cel(fields: Sequence[str], zone: Zone) -> Cel | None:
    """A row of the sample of cel_custom.conf."""
    if len(fields) < len(_CEL) - 1:
        return None
    row = dict(zip(_CEL, fields, strict=False))
    uniqueid, text = row["uniqueid"], row["time"]
    at = seconds(text)
    if at is None and (wall := wall_clock(text)) is not None:
        at = zone.utc(wall, uniqueid)
    if at is None or not uniqueid or not row["channel"] or not row["type"].isupper():
        return None
    return Cel(
        row["type"], at, uniqueid, row["linkedid"] or uniqueid, row["channel"], _text(row["name"]),
        _text(row["num"]), _text(row["exten"]), row["app"], row["data"][:1024], row["userdeftype"],
        _extra(row.get("extra", "")),
    )  # fmt: skip


def _extra(text: str) -> Mapping[str, Any]:
    try:
        value = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def queue_line(fields: Sequence[str], _zone: Zone) -> QueueLine | None:
    """A line `epoch|uniqueid|queue|agent|event|...`."""
    if len(fields) < 5 or fields[1] in ("NONE", "") or (at := seconds(fields[0])) is None:
        return None
    return QueueLine(at, fields[1], fields[2], fields[3], fields[4], tuple(fields[5:]))
