"""What a WAV file's header says (RIFF WAVE, Microsoft/IBM 1991), and its samples of 16 bits.

The standard library's `wave` refuses a header that promises more or less than follows; those of PBXs do:
Asterisk writes the length last, and a killed one never does.
"""

import struct
from dataclasses import dataclass
from typing import IO

PCM = 1
EMPTY = struct.pack(
    "<4sI4s4sIHHIIHH4sI", b"RIFF", 36, b"WAVE", b"fmt ", 16, PCM, 1, 8000, 16000, 2, 16, b"data", 0
)
"""A file without a sample: the 44 bytes that Asterisk leaves of a call that nobody answered."""
_EXTENSIBLE = 0xFFFE
_UNKNOWN = (0, 0xFFFF_FFFF)
_MOST_HEADER = 1 << 20


class NotWav(Exception):
    """This is no WAV file."""


@dataclass(frozen=True, slots=True)
class Format:
    """`coding`: 1 for plain samples; `bytes`: how many follow, None for all up to the end."""

    coding: int
    channels: int
    rate: int
    bits: int
    bytes: int | None

    @property
    def is_plain(self) -> bool:
        """Whether the samples are linear of 16 bits, in one or two channels."""
        return self.coding == PCM and self.bits == 16 and self.channels in (1, 2) and self.rate > 0


def header(file: IO[bytes]) -> Format:
    """Read up to the first sample. Raises `NotWav`."""
    start = _exactly(file, 12)
    if start[:4] != b"RIFF" or start[8:] != b"WAVE":
        raise NotWav("it does not begin like a WAV file")
    known: Format | None = None
    while True:
        name, size = struct.unpack("<4sI", _exactly(file, 8))
        if name == b"data":
            if known is None:
                raise NotWav("its samples come before their format")
            length = None if size in _UNKNOWN else size
            return Format(known.coding, known.channels, known.rate, known.bits, length)
        if size > _MOST_HEADER:
            raise NotWav("its header is too long")
        body = _exactly(file, size + size % 2)
        if name == b"fmt ":
            known = _format(body)


def _format(body: bytes) -> Format:
    if len(body) < 16:
        raise NotWav("its format is cut off")
    coding, channels, rate, _, _, bits = struct.unpack("<HHIIHH", body[:16])
    if coding == _EXTENSIBLE and len(body) >= 26:
        coding = struct.unpack("<H", body[24:26])[0]
    return Format(coding, channels, rate, bits, None)


def _exactly(file: IO[bytes], size: int) -> bytes:
    found = file.read(size)
    if len(found) != size:
        raise NotWav("it is cut off in its header")
    return found
