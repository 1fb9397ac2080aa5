"""Limits of rate: token buckets, in memory of this node."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from gateway.domain.errors import TooMany

MOST_BUCKETS = 10_000


class Limit:
    """`burst` at once, `per_s` a second from then on, for each key; the longest unused keys are forgotten."""

    def __init__(self, burst: int, per_s: float, clock: Callable[[], float] = monotonic) -> None:
        self._burst = burst
        self._per_s = per_s
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, key: str) -> bool:
        """Take one; False where there is none left."""
        now = self._clock()
        left, at = self._buckets.pop(key, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._per_s)
        allowed = left >= 1
        self._buckets[key] = (left - allowed, now)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        return allowed

    def take(self, key: str) -> None:
        """Take one; raises `TooMany`."""
        if not self.allows(key):
            raise TooMany(retry_after_s=max(1.0, 1 / self._per_s))
