"""Recordings of calls: their states, and what a file's name says of its call."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class RecordingState(StrEnum):
    """`recording`: the PBX writes or has written, the file is not ours yet; `processing`: it is ours."""

    RECORDING = "recording"
    PROCESSING = "processing"
    READY = "ready"
    FAILED = "failed"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class FileStamp:
    """What tells whether a file has changed: bytes, and nanoseconds since 1970 by the file system's clock."""

    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class SpoolFile:
    """A file in a PBX's folder: its path below that folder, and when anything of it changed last (ns)."""

    path: str
    stamp: FileStamp
    changed_ns: int


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes in the library, addressed by their SHA-256; `ext` is the suffix without its dot."""

    sha256: str
    ext: str
    size: int


@dataclass(frozen=True, slots=True)
class Sound:
    """What was measured in a recording. `peaks`: for each channel pairs of least and greatest sample."""

    duration_s: float
    channels: int
    has_audio: bool
    peaks: bytes
    """16 bits, little-endian, one channel after the other."""


@dataclass(frozen=True, slots=True)
class RecordingJob:
    """A recording in hand; `ticket` is the book's own and says whose turn it is."""

    ticket: object
    id: str
    pbx: str
    path: str
    call_over: bool | None
    """None: no call is known."""
    waiting_since: datetime
    """When it was known, or its call was over if that was later (UTC)."""
    stamp: FileStamp | None
    stamp_since: datetime | None
    original: Blob | None
    played: Blob | None
    failures: int


class Stage(StrEnum):
    """What is to be done with a recording: fetch the PBX's file, or make it fit to be played."""

    COLLECT = "collect"
    ENCODE = "encode"


@dataclass(frozen=True, slots=True)
class Unwanted:
    """Bytes that may have to go; `ticket` as in `RecordingJob`."""

    ticket: object
    blob: Blob


# Asterisk: [systemname-]epoch.counter; the epoch has ten digits until the year 2286.
_UNIQUEID = re.compile(r"(?<![0-9.])([0-9]{10}\.[0-9]{1,10})(?![0-9])")


def channel_number(uniqueid: str) -> str:
    """The part of a Uniqueid that every channel has: `epoch.counter`, without a system's name."""
    return uniqueid.rpartition("-")[2]


def uniqueid_in(name: str) -> str | None:
    """The `epoch.counter` in a file's name, the last one where there are several; None without one."""
    found = _UNIQUEID.findall(name)
    return found[-1] if found else None


def moment_of(uniqueid: str) -> datetime:
    """When the channel `epoch.counter` was born, to the second."""
    return datetime.fromtimestamp(int(uniqueid.partition(".")[0]), UTC)


def file_name(path: str) -> str:
    """The last part of a PBX's path."""
    return path.rpartition("/")[2]


def same_file(one: str, other: str) -> bool:
    """Whether two spellings may be one file: equal, or one the end of the other (`a/b.wav`, `/x/a/b.wav`)."""
    long, short = sorted((one.lstrip("/"), other.lstrip("/")), key=len, reverse=True)
    return long == short or long.endswith(f"/{short}")
