"""Identifiers: UUIDv7 (RFC 9562), so that ids made later sort later."""

import hashlib
import os
import time
import uuid
from datetime import datetime


def _version7(milliseconds: int, tail: bytes) -> str:
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | int.from_bytes(tail[:10], "big")
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return str(uuid.UUID(int=value))


def new_id() -> str:
    """A fresh id of now."""
    return _version7(time.time_ns() // 1_000_000, os.urandom(10))


def call_id(pbx: str, uniqueid: str) -> str:
    """The id of the business call whose first channel is `uniqueid` on the connector `pbx`.

    The same in every process and after every restart: the time is the Uniqueid's seconds
    (Asterisk: `[systemname-]epoch.counter`), the other bits are SHA-256 of `pbx NUL uniqueid`.
    """
    seconds = uniqueid.rpartition("-")[2].partition(".")[0]
    milliseconds = int(seconds) * 1000 if seconds.isascii() and seconds.isdigit() else 0
    return _version7(milliseconds, hashlib.sha256(f"{pbx}\0{uniqueid}".encode()).digest())


def stable_id(at: datetime, *parts: str) -> str:
    """The same id wherever it is made from the same: the time is `at`, the rest SHA-256 of `parts`."""
    digest = hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()
    return _version7(int(at.timestamp() * 1000), digest)


def is_id(text: str) -> bool:
    """Whether `text` is an id in its canonical spelling."""
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
