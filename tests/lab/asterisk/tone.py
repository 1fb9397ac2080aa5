"""Sound for the phones: a pure tone as G.711, so that a recording can be asked who is heard in it."""

import math
from itertools import takewhile

RATE = 8000
"""Samples a second of G.711."""
BIAS, CLIP = 132, 32635


def file_name(hz: int) -> str:
    """Name of a tone's file among the scenarios."""
    return f"tone-{hz}.ulaw"


def ulaw_tone(hz: int, seconds: float = 1.0, loudness: int = 12000) -> bytes:
    """A sine of `hz` as mu-law bytes (ITU-T G.711); whole seconds of whole hertz repeat without a click."""
    count = round(RATE * seconds)
    return bytes(ulaw(round(loudness * math.sin(2 * math.pi * hz * n / RATE))) for n in range(count))


def ulaw(sample: int) -> int:
    """One linear sample of 16 bits as a mu-law byte."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), CLIP) + BIAS
    segment = sum(1 for _ in takewhile(lambda edge: magnitude >= edge, (1 << n for n in range(8, 15))))
    return ~(sign | segment << 4 | magnitude >> (segment + 3) & 0x0F) & 0xFF
