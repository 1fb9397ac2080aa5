"""Made-up recordings: WAV files by code, for the demonstration and for tests."""

import io
import math
import wave
from array import array
from collections.abc import Sequence

RATE = 8000
"""Samples a second of a telephone line."""


def tone(hz: float, seconds: float, loudness: float = 0.4) -> "array[int]":
    """A sine; `loudness` 1 is full scale, 0 silence."""
    step, top = 2 * math.pi * hz / RATE, loudness * 32767
    return array("h", (round(top * math.sin(step * n)) for n in range(round(RATE * seconds))))


def wav(*channels: "array[int]") -> bytes:
    """A file of these channels, all of one length; of none the empty one that Asterisk leaves."""
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(len(channels) or 1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        mixed = array("h", bytes(2 * sum(map(len, channels))))
        for number, channel in enumerate(channels):
            mixed[number :: len(channels)] = channel
        file.writeframes(mixed.tobytes())
    return held.getvalue()


def conversation(turns: Sequence[float]) -> bytes:
    """Two voices, one a channel, that hum in turn for so many seconds each."""
    sides = (array("h"), array("h"))
    for number, seconds in enumerate(turns):
        speaks, listens = sides[number % 2], sides[1 - number % 2]
        speaks.extend(_hum((150.0, 220.0)[number % 2], seconds))
        listens.extend(array("h", bytes(2 * round(RATE * seconds))))
    return wav(*sides)


def _hum(pitch: float, seconds: float) -> "array[int]":
    """Like a voice behind a wall: a few harmonics, four syllables a second, a fall at the end."""
    count = round(RATE * seconds)
    samples = array("h")
    for n in range(count):
        at = n / RATE
        syllable = max(0.0, math.sin(2 * math.pi * 2.1 * at + math.sin(at * 3)))
        tune = 2 * math.pi * pitch * (at + 0.004 * math.sin(5 * at))
        voice = math.sin(tune) + 0.5 * math.sin(2 * tune) + 0.3 * math.sin(3 * tune)
        samples.append(round(7000 * voice * syllable * min(1.0, 4 * (count - n) / count)))
    return samples
