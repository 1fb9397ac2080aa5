"""How far the PBX's clock is from ours, measured by its answers to Ping."""

from collections import deque

_REMEMBERED = 12
_SET_S = 0.5
_BELIEVABLE_S = 1e9
"""A clock further away than that (30 years) is no clock."""


class ClockOffset:
    """Of the last answers the quickest is nearest to the truth: the PBX read its clock on the way."""

    def __init__(self) -> None:
        self.seconds: float | None = None
        """The PBX's clock minus ours; None until measured."""
        self._measured: deque[tuple[float, float]] = deque(maxlen=_REMEMBERED)

    def learn(self, sent: float, received: float, theirs: float) -> None:
        """One question and answer: when they were sent and received (ours), and the PBX's clock (UNIX time).

        An answer that no slowness explains means that a clock was set: what was measured before is forgotten.
        """
        round_trip, offset = received - sent, theirs - (sent + received) / 2
        if not abs(offset) < _BELIEVABLE_S:
            return
        if self.seconds is not None and abs(offset - self.seconds) > round_trip + _SET_S:
            self._measured.clear()
        self._measured.append((round_trip, offset))
        self.seconds = min(self._measured)[1]
