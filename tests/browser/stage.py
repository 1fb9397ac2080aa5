"""The PBX of these tests: recorded calls played act by act, so that a test decides when somebody answers."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.demo.ami_server import AmiServer
from gateway.demo.playback import Cast, Timed, rewrite
from gateway.demo.show import streams

_PAUSE_S = 1.5
"""A recorded call stands still this long only between its acts: it rings, people talk, it is over."""


@dataclass
class PlayedCall:
    """One call on the stage; each `next_act` sends what follows up to the next pause."""

    server: AmiServer
    acts: Iterator[Sequence[Timed]]

    async def next_act(self) -> None:
        """Ring, then answer (or give up), then hang up."""
        await self.server.play(next(self.acts), paced=False)


@dataclass
class Stage:
    """Plays recorded calls by their names."""

    server: AmiServer
    calls: list[PlayedCall] = field(default_factory=list)

    async def ring(self, story: str, *, number: str | None = None, name: str | None = None) -> PlayedCall:
        """Begin a call and let it ring."""
        recorded = streams()[story]
        cast = Cast(number=number, name=name)
        events = rewrite(recorded, self.server.numbering, time.time(), cast=cast)
        call = PlayedCall(self.server, iter(acts(events)))
        self.calls.append(call)
        await call.next_act()
        return call


def acts(events: Sequence[Timed]) -> list[list[Timed]]:
    """The events up to each pause, all to be sent now."""
    now = time.time()
    acts: list[list[Timed]] = []
    before = -math.inf
    for event in events:
        if event.at - before > _PAUSE_S:
            acts.append([])
        before = event.at
        acts[-1].append(Timed(now, event.headers))
    return acts
