"""One open event socket: its frames in order, its sequence numbers, its end.

Frames wait in a bounded queue with a writer of its own, so that a desk that does not read holds up nobody
else: it is closed with 4008 and starts again from `hello`.
"""

import asyncio
import re
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web
from aiohttp.http import WSMsgType

from config.settings import People
from gateway import metrics
from gateway.domain.errors import Invalid
from gateway.domain.facts import CommittedFact
from gateway.domain.people import Actor
from gateway.services.sessions import Session
from gateway.services.views.common import at
from gateway.store.facts import Position
from gateway.web.audience import sees

WAITING_FRAMES = 256
WAITING_S = 10.0
BURST_FRAMES = 4096
BURST_S = 1.0
"""More frames than WAITING_FRAMES may wait for so long: many facts may be read in one go."""
WAITING_FACTS = 4096
"""While its state is read a socket keeps everybody's facts, to pick its own once its rights are known."""

SIGNED_OUT = 4001
TOO_SLOW = 4008
RESTARTING = 1012
BROKEN = 1011

_PATTERN = re.compile(r"\*|[a-z_]+(\.([a-z_]+|\*))?")


@dataclass(frozen=True, slots=True)
class Closing:
    """How a socket ends: WebSocket close code (RFC 6455, 7.4) and reason."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event as bytes, but for the sequence number between head and tail."""

    type: str
    head: bytes
    tail: bytes

    @classmethod
    def of(cls, event: str, moment: datetime, data: bytes) -> "Frame":
        """`data` is JSON already and is spliced in as it stands."""
        head = b'{"type":"%s","seq":' % event.encode()
        return cls(event, head, b',"at":"%s","data":%s}' % (at(moment).encode(), data))

    @classmethod
    def of_fact(cls, committed: CommittedFact) -> "Frame":
        """The frame that tells of a fact."""
        return cls.of(committed.fact.type, committed.at, committed.fact.data)


class Wanted:
    """Which types a desk asked for: `call.*,message.*`; without a word all of them. Raises `Invalid`."""

    def __init__(self, patterns: str | None) -> None:
        names = [name.strip() for name in (patterns or "*").split(",")]
        if not all(_PATTERN.fullmatch(name) for name in names):
            raise Invalid.one("types", "names of events parted by commas, such as call.*,card.opened")
        self._all = "*" in names
        self._exact = frozenset(names)
        self._families = tuple(name.removesuffix("*") for name in names if name.endswith(".*"))

    def __contains__(self, event: str) -> bool:
        return self._all or event in self._exact or event.startswith(self._families)


class DeskSocket:
    """The service's end of one socket; all plain calls in the event loop but `wait` and `flush`."""

    def __init__(
        self,
        ws: web.WebSocketResponse,
        limits: People,
        actor: Actor,
        session: Session | None,
        wanted: Wanted,
    ) -> None:
        self.actor = actor
        self.session = session
        self.limits = limits
        self.begun = False
        self.must_join = True
        self.ended: asyncio.Future[Closing] = asyncio.get_running_loop().create_future()
        self._ws = ws
        self._wanted = wanted
        self._frames: deque[tuple[float, Frame]] = deque()
        self._held: list[CommittedFact] | None = []
        self._seq = 0
        self._wake = asyncio.Event()
        self._wake.set()

    def hold(self) -> None:
        """Keep facts back: what this desk may see is about to be read anew."""
        if self._held is None:
            self._held = []
        self.must_join = True
        self._wake.set()

    def keep(self, committed: CommittedFact) -> None:
        """A fact, whoever may see it, while holding."""
        if self._held is None or self.ended.done():
            return
        if len(self._held) >= WAITING_FACTS:
            self.close(TOO_SLOW, "too slow")
        else:
            self._held.append(committed)

    def begin(self, hello: bytes, known: Position) -> None:
        """Send the whole state, as of `known`, and then what happened after it."""
        self.begun = True
        self._put(Frame.of("hello", datetime.now(UTC), hello))
        self._release(known)

    def resume(self) -> None:
        """Nothing changed for this desk: go on with what was kept back."""
        self._release(None)

    def _release(self, known: Position | None) -> None:
        held, self._held = self._held or [], None
        for committed in held:
            after = known is None or Position.parse(committed.position) > known
            if after and sees(self.actor, committed.fact):
                self.send(Frame.of_fact(committed))

    def send(self, frame: Frame) -> None:
        """Queue a frame that this desk may see; a desk too far behind is closed instead."""
        if self.ended.done() or frame.type not in self._wanted:
            return
        if self.is_behind():
            self.close(TOO_SLOW, "too slow")
        else:
            self._put(frame)

    def is_behind(self) -> bool:
        """Whether too many frames wait, or the oldest has waited too long."""
        if not self._frames:
            return False
        waited_s = time.monotonic() - self._frames[0][0]
        many = len(self._frames) >= WAITING_FRAMES
        return waited_s > WAITING_S or (many and waited_s > BURST_S) or len(self._frames) >= BURST_FRAMES

    def _put(self, frame: Frame) -> None:
        self._frames.append((time.monotonic(), frame))
        self._wake.set()

    def close(self, code: int, reason: str = "") -> None:
        """End the socket; the first reason given is the one told."""
        if self.ended.done():
            return
        self._frames.clear()
        self.ended.set_result(Closing(code, reason))
        if code == TOO_SLOW:
            metrics.desk_slow_closed_total.inc()

    async def wait(self) -> None:
        """Until there is something to write or to read anew."""
        await self._wake.wait()
        self._wake.clear()

    async def flush(self) -> None:
        """Write what waits, as fast as the other side reads."""
        while self._frames:
            queued, frame = self._frames.popleft()
            self._seq += 1
            message = b"%s%d%s" % (frame.head, self._seq, frame.tail)
            await self._ws.send_frame(message, WSMsgType.TEXT)
            metrics.desk_frames_total.inc()
            metrics.event_to_frame_seconds.observe(time.monotonic() - queued)
