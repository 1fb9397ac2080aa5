"""One AMI connection: opened, logged in, watched, and over when it is lost.

    async with connect(settings, wanted, clock=clock) as link:
        channels = await link.list_action(core_show_channels())
        arrivals = await link.take(256, wait_s=1.0)

Raises TemporaryFailure when the PBX cannot be reached or the link was lost, NeedsAdministrator when login,
rights or certificates are wrong. Nothing here waits to try again.
"""

import asyncio
import contextlib
import logging
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from connectors.asterisk import failures
from connectors.asterisk.actions import LIST_ITEMS, Action, ami_value, ping
from connectors.asterisk.clock_offset import ClockOffset
from connectors.asterisk.framing import Framer, Message
from connectors.asterisk.settings import AsteriskSettings
from connectors.asterisk.transport import OneConnection, Wire
from gateway.domain.errors import PerezvonError, PermanentFailure, TemporaryFailure
from gateway.domain.ports import Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Timing:
    """Patience with a PBX, in seconds. A dead link is noticed within ping_every_s + ping_timeout_s."""

    connect_s: float = 5.0
    login_s: float = 5.0
    action_s: float = 10.0
    ping_every_s: float = 5.0
    ping_timeout_s: float = 4.5
    booted_s: float = 1.0
    """How long after login FullyBooted may take; a user without read class system never gets it."""
    tick_s: float = 1.0
    """How often the tracker hears that time passes."""
    rights_probe_s: float = 60.0
    """How often, until the first event of a call, it is checked that calls do not pass unseen."""
    events_waiting: int = 100_000
    """Events (not seconds) that may wait for the tracker before the link is given up."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of the PBX's events a link delivers."""

    events: frozenset[str] = frozenset()
    """Names of events."""
    needed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of these events only those in which one of the texts stands."""
    classes: str = "system,call,agent,dialplan"
    """Classes that the PBX is asked for at login (manager.conf: read). It does not even send the rest, which
    is much of its stream: CEL, CDR, RTCP, tests. No right is needed for that."""


class Arrival(NamedTuple):
    """Events that came with one read, in order, and the moment (UTC, our clock)."""

    at: datetime
    events: list[Message]


class Link:
    """A logged-in connection; made by `connect`."""

    def __init__(self, wanted: Wanted, clock: Clock, timing: Timing) -> None:
        self.version = ""
        """AMI version of the banner, such as 11.0.0."""
        self.username = ""
        """Our user's name on the PBX."""
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Holds the reason once the link is over."""
        self._wanted = wanted
        self._clock = clock
        self._timing = timing
        self._arrivals: deque[Arrival] = deque()
        self._waiting = 0
        self._ready = asyncio.Event()
        self._booted: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._offset = ClockOffset()
        self._framer = Framer(wanted.events | LIST_ITEMS | {"FullyBooted"}, wanted.needed)
        self._wire = Wire(self._framer, self._arrived, self.lose)
        self._manager: OneConnection | None = None

    async def action(self, action: Action, timeout_s: float | None = None) -> Message:
        """The answer to one action. An error of the PBX is raised as PermanentFailure, a missing right as
        NeedsAdministrator, no answer in time as TemporaryFailure. Nothing is ever sent twice.
        """
        return (await self._request(action, timeout_s))[0]

    async def list_action(self, action: Action, timeout_s: float | None = None) -> list[Message]:
        """The items of a list, without its first answer and its closing event; raises as `action` does."""
        answers = await self._request(action, timeout_s)
        return [item for item in answers[1:] if not str(item.get("Event", "")).endswith("Complete")]

    async def take(self, limit: int, *, wait_s: float) -> list[Arrival]:
        """The waiting events in order, about `limit` of them; none when none came within `wait_s` seconds.

        Raises TemporaryFailure with the reason when the link is lost and every event of it has been taken.
        """
        if self._arrivals or self.lost.done():
            await asyncio.sleep(0)
        else:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._ready.wait()
        if self.lost.done() and not self._arrivals:
            raise TemporaryFailure(self.lost.result())
        batch: list[Arrival] = []
        enough = self._waiting - limit
        while self._arrivals and (self._waiting > enough or not batch):
            batch.append(self._arrivals.popleft())
            self._waiting -= len(batch[-1].events)
        if not self._arrivals and not self.lost.done():
            self._ready.clear()
        return batch

    async def uptime_s(self) -> float | None:
        """Seconds since the PBX booted, by its FullyBooted after login; None when that does not come."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timing.booted_s):
                return await asyncio.shield(self._booted)
        return None

    @property
    def clock_offset_s(self) -> float | None:
        """The PBX's clock minus ours, in seconds; None when its Ping does not tell."""
        return self._offset.seconds

    @property
    def booted(self) -> bool:
        """Whether the PBX has said that it is up; one that is still booting says so later."""
        return self._booted.done()

    @property
    def waiting(self) -> int:
        """Events that arrived and were not yet taken."""
        return self._waiting

    def lose(self, reason: str) -> None:
        """Give the link up; the first reason stays."""
        if not self.lost.done():
            self.lost.set_result(reason)
        self._ready.set()
        if self._manager is not None and self._manager.protocol is not None:
            self._manager.protocol.close()

    async def _open(self, settings: AsteriskSettings) -> None:
        manager = OneConnection(
            loop=asyncio.get_running_loop(),
            log=log,
            host=settings.host,
            port=settings.port,
            ssl=await _tls(settings),
            username=ami_value(settings.username, "username"),
            secret=ami_value(settings.secret.reveal(), "secret"),
            events=self._wanted.classes,
            protocol_factory=lambda: self._wire,
        )
        try:
            async with asyncio.timeout(self._timing.connect_s):
                await manager.connect()
        except OSError as error:
            raise failures.unreachable(settings, error) from error
        self._manager, self.username = manager, settings.username
        await self._login(settings, manager)

    async def _login(self, settings: AsteriskSettings, manager: OneConnection) -> None:
        login = manager.authenticated_future
        if login is not None:
            await self._either(login, self._timing.login_s)
        if login is None or not login.done():
            why = self.lost.result() if self.lost.done() else f"nothing within {self._timing.login_s:g} s"
            raise failures.no_login(settings, self._framer.banner, why)
        answers = [answer for kept in self._wire.answers.values() for answer in kept]
        self._wire.answers.clear()
        if not manager.authenticated:
            raise failures.refused(settings, str(answers[0].get("Message", "")))
        self.version = self._framer.banner.rpartition("/")[2]

    async def _request(self, action: Action, timeout_s: float | None) -> list[Message]:
        if self.lost.done() or self._manager is None:
            raise TemporaryFailure(self.lost.result() if self.lost.done() else "not connected")
        request = self._manager.begin(action)
        patience = self._timing.action_s if timeout_s is None else timeout_s
        await self._either(request.future, patience)
        answers = self._wire.forget(request)
        if not request.future.done():
            gone = f"no answer to {action['Action']} within {patience:g} s"
            raise TemporaryFailure(self.lost.result() if self.lost.done() else gone)
        if answers[0].get("Response") == "Error":
            raise failures.denied(action, answers[0])
        return answers

    async def _either(self, future: asyncio.Future[Any], timeout_s: float) -> None:
        """Wait until `future` is done, the link is lost or the time is over."""
        both: set[asyncio.Future[Any]] = {future, self.lost}
        await asyncio.wait(both, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)

    async def _ping(self) -> None:
        sent = self._clock().timestamp()
        answer = await self.action(ping(), self._timing.ping_timeout_s)
        with contextlib.suppress(ValueError):
            self._offset.learn(sent, self._clock().timestamp(), float(str(answer.get("Timestamp"))))

    async def _watch(self) -> None:
        """Ask the PBX for a sign of life until there is none."""
        while not self.lost.done():
            await asyncio.sleep(self._timing.ping_every_s)
            try:
                await self._ping()
            except PermanentFailure as refusal:
                # It answered. One that is shutting down refuses all, and has yet to tell of its calls' ends.
                log.info("the PBX refuses a sign of life: %s", refusal)
            except PerezvonError as failure:
                self.lose(f"the PBX does not answer: {failure}")

    def _watch_ended(self, watchdog: asyncio.Task[None]) -> None:
        if not watchdog.cancelled() and (error := watchdog.exception()) is not None:
            log.error("the watchdog of a link failed", exc_info=error)
            self.lose("its watchdog failed; the traceback stands in the log")

    def _arrived(self, events: list[Message]) -> None:
        if self.lost.done():
            return
        if not self._booted.done():
            events = [event for event in events if not self._tells_of_boot(event)]
        room = self._timing.events_waiting - self._waiting
        too_many = len(events) > room
        if kept := events[:room] if too_many else events:
            self._arrivals.append(Arrival(self._clock(), kept))
            self._waiting += len(kept)
            self._ready.set()
        if too_many:
            self.lose(f"more than {self._timing.events_waiting} events wait: they come faster than we work")

    def _tells_of_boot(self, event: Message) -> bool:
        if event.get("Event") != "FullyBooted":
            return False
        uptime = str(event.get("Uptime"))
        if uptime.isascii() and uptime.isdigit() and len(uptime) < 12 and not self._booted.done():
            self._booted.set_result(float(uptime))
        return True


@contextlib.asynccontextmanager
async def connect(
    settings: AsteriskSettings, wanted: Wanted, *, clock: Clock, timing: Timing | None = None
) -> AsyncIterator[Link]:
    """A logged-in link, its clock compared and its pulse watched; closed on leaving.

    Of the PBX's events only the `wanted` are delivered.
    """
    link = Link(wanted, clock, timing or Timing())
    watchdog: asyncio.Task[None] | None = None
    try:
        await link._open(settings)
        await link._ping()
        watchdog = asyncio.create_task(link._watch(), name=f"{settings.name}: watchdog")
        watchdog.add_done_callback(link._watch_ended)
        yield link
    finally:
        if watchdog is not None:
            watchdog.cancel()
            await asyncio.gather(watchdog, return_exceptions=True)
        link.lose("closed by us")


async def _tls(settings: AsteriskSettings) -> ssl.SSLContext | bool:
    if not settings.tls:
        return False
    try:
        context = await asyncio.to_thread(ssl.create_default_context, cafile=settings.ca_file)
    except OSError as error:
        raise failures.bad_ca_file(settings, error) from error
    if settings.ca_file:
        # Asterisk's own ast_tls_cert makes a CA without the extensions that Python 3.13 began to insist on.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context
