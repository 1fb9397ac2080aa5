"""Many live calls at once on the stand-in PBX: recorded calls, each with a client of its own."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.demo.ami_server import AmiServer
from gateway.demo.playback import Cast, rewrite
from gateway.demo.show import streams
from tests.browser.stage import PlayedCall, acts

APART_S = 0.1
"""Each call began so much later than the one before."""


@dataclass(frozen=True, slots=True)
class Many:
    """Calls of one kind: `number` of the client → the call, whose next act may be played."""

    calls: dict[str, PlayedCall]

    async def go_on(self, numbers: Sequence[str]) -> None:
        """Play the next act of these."""
        for number in numbers:
            await self.calls[number].next_act()


async def gather(server: AmiServer, story: str, count: int, first: int, *, played: int) -> Many:
    """Begin `count` calls of that story and play so many acts of each; clients are numbered from `first`."""
    recorded = streams()[story]
    calls: dict[str, PlayedCall] = {}
    for order in range(count):
        number = f"7999{first + order:07d}"
        began = time.time() - 300 + order * APART_S
        events = rewrite(recorded, server.numbering, began, cast=Cast(number=number))
        call = calls[number] = PlayedCall(server, iter(acts(events)))
        for _ in range(played):
            await call.next_act()
    return Many(calls)


TALKING, RINGING, QUEUED = 7_000_000, 8_000_000, 9_000_000
"""First clients of a crowd: those who talk, whose phones ring, who wait in queue 400 while phones ring."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Live calls of three kinds."""

    talking: Many
    ringing: Many
    queued: Many

    @property
    def size(self) -> int:
        """How many there are."""
        return sum(len(kind.calls) for kind in (self.talking, self.ringing, self.queued))


async def crowd(server: AmiServer, count: int) -> Crowd:
    """`count` calls: four of ten talk, three ring, three wait."""
    return Crowd(
        await gather(server, "direct", count * 4 // 10, TALKING, played=2),
        await gather(server, "direct", count * 3 // 10, RINGING, played=1),
        await gather(server, "abandoned", count * 3 // 10, QUEUED, played=1),
    )
