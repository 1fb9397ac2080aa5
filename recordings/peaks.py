"""The waveform of a recording while its samples pass by: what a player draws, and whether there is any sound.

Standard library only: it runs in the worker, which starts with nothing else.
"""

import sys
from array import array
from collections.abc import Sequence
from itertools import pairwise

MOST_PAIRS = 1200
"""Of each channel: more than a desk has pixels for it."""
SILENCE = 164
"""The loudest sample of what counts as silent: 0.5 % of full scale, -46 dB. Comfort noise stays below."""
_FIRST_BUCKET = 64


class Waveform:
    """Least and greatest sample of each stretch; stretches grow, so that any length takes the same room."""

    def __init__(self, channels: int) -> None:
        self.channels = channels
        self.frames = 0
        self._per_bucket = _FIRST_BUCKET
        self._pairs: list[list[tuple[int, int]]] = [[] for _ in range(channels)]
        self._rest = array("h")

    def feed(self, samples: bytes) -> None:
        """Take in whole frames of 16 bits, little-endian, the channels in turn."""
        found = array("h", samples)
        if sys.byteorder == "big":
            found.byteswap()
        self.frames += len(found) // self.channels
        self._rest += found
        self._take_whole_buckets()

    def _take_whole_buckets(self) -> None:
        start = 0
        while start + (width := self._per_bucket * self.channels) <= len(self._rest):
            self._add(self._rest[start : start + width])
            start += width
            if len(self._pairs[0]) == 2 * MOST_PAIRS:
                self._pairs = [_merged(pairs) for pairs in self._pairs]
                self._per_bucket *= 2
        self._rest = self._rest[start:]

    def _add(self, bucket: "array[int]") -> None:
        for channel, pairs in enumerate(self._pairs):
            own = bucket[channel :: self.channels] if self.channels > 1 else bucket
            pairs.append((min(own), max(own)))

    def finished(self) -> bytes:
        """The pairs of each channel, at most `MOST_PAIRS`, one channel after the other, little-endian."""
        if self._rest:
            self._add(self._rest)
            self._rest = array("h")
        flat = array("h")
        for pairs in self._pairs:
            for least, greatest in _thinned(pairs):
                flat.extend((least, greatest))
        if sys.byteorder == "big":
            flat.byteswap()
        return flat.tobytes()

    @property
    def loudest(self) -> int:
        """The sample farthest from silence, after `finished`."""
        ends = (max(-least, greatest) for pairs in self._pairs for least, greatest in pairs)
        return max(ends, default=0)


def _merged(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    return [_joined(pairs[n : n + 2]) for n in range(0, len(pairs), 2)]


def _thinned(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    if len(pairs) <= MOST_PAIRS:
        return list(pairs)
    edges = [n * len(pairs) // MOST_PAIRS for n in range(MOST_PAIRS + 1)]
    return [_joined(pairs[start:end]) for start, end in pairwise(edges)]


def _joined(pairs: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return min(pair[0] for pair in pairs), max(pair[1] for pair in pairs)
