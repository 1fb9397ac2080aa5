"""A stand-in for the manager interface of Asterisk: it speaks the wire, keeps the state of what it plays, and
fails on demand. It listens on loopback only and carries no calls.

    async with AmiServer(AmiUser("perezvon", "secret")) as server:
        await server.play(rewrite(load_file(path), server.numbering, time.time()))
"""

import asyncio
import ipaddress
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

from gateway.demo.ami_session import AmiUser, Faults, Session
from gateway.demo.pbx import Pbx
from gateway.demo.playback import Headers, Numbering, Timed, render

_NOBODY_SPECIAL: frozenset[str] = frozenset()
_REPORTING = frozenset({"system", "reporting"})
_ACTIONS = {
    "ping": _NOBODY_SPECIAL,
    "events": _NOBODY_SPECIAL,
    "logoff": _NOBODY_SPECIAL,
    "listcommands": _NOBODY_SPECIAL,
    "queuestatus": _NOBODY_SPECIAL,
    "queuesummary": _NOBODY_SPECIAL,
    "coreshowchannels": _REPORTING,
    "coresettings": _REPORTING,
    "corestatus": _REPORTING,
    "status": _REPORTING | {"call"},
}
"""Actions and the write classes of which any one allows them; none: everybody who logged in."""


class AmiServer:
    """One stand-in PBX on one port."""

    def __init__(
        self,
        *users: AmiUser,
        version: str = "11.0.0",
        clock: Callable[[], float] = time.time,
        tls: ssl.SSLContext | None = None,
        refusal_delay_s: float = 1.0,
        slow_client_bytes: int = 8 << 20,
        slow_client_s: float = 5.0,
    ) -> None:
        """`clock` is the PBX's (UNIX time). Who is refused is cut off after `refusal_delay_s`, a slow client
        when `slow_client_bytes` wait for it or it has read nothing for `slow_client_s`.
        """
        self.users = {user.name: user for user in users}
        self.faults = Faults()
        self.numbering = Numbering()
        self.pbx = Pbx(clock())
        self.sessions: set[Session] = set()
        self.heard_actions: deque[dict[str, str]] = deque(maxlen=10_000)
        """What clients asked for, logins aside."""
        self.connections = 0
        """Connections accepted so far."""
        self.refusal_delay_s = refusal_delay_s
        self.slow_client_bytes = slow_client_bytes
        self.port = 0
        self._clock = clock
        self._tls = tls
        self._version = version
        self._slow_client_s = slow_client_s
        self._server: asyncio.Server | None = None
        self._host = "127.0.0.1"

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen and give the port, a free one with 0; raises ValueError when `host` is not loopback."""
        if not ipaddress.ip_address(host).is_loopback:
            raise ValueError("the stand-in PBX listens on loopback only")
        self._host = host
        self._server = await asyncio.get_running_loop().create_server(
            self._connected, host, port, ssl=self._tls, reuse_address=True
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def stop(self) -> None:
        """Stop listening and cut every client."""
        await self.refuse()
        sessions = tuple(self.sessions)
        self.cut()
        await asyncio.gather(*(session.over.wait() for session in sessions))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def emit(self, event: Headers) -> None:
        """Send one event to everybody whose classes allow it, and learn what it says of channels and queues.

        A header may be given twice, as a forger would; the state learns from the first.
        """
        headers = dict(reversed(event))
        self.pbx.saw(headers, self._clock())
        classes = frozenset(headers.get("Privilege", "all").split(",")) - {"all"}
        data = render(event)
        for session in tuple(self.sessions):
            if session.may_read(classes):
                session.send(data)

    def inject(self, data: bytes) -> None:
        """Send raw bytes to every client: garbage, forged headers, a ready-made stream."""
        for session in tuple(self.sessions):
            session.send(data)

    async def play(self, events: Iterable[Timed], *, paced: bool = True) -> None:
        """Send the events at their moments, or, not paced, as fast as the clients read."""
        for count, event in enumerate(events):
            if paced and (delay := event.at - self._clock()) > 0:
                await asyncio.sleep(delay)
            self.emit(event.headers)
            if count % 64 == 63:
                await self.drained()
        await self.drained()

    async def drained(self) -> None:
        """Returns when every client has been sent everything; one that does not read is cut off."""
        for session in tuple(self.sessions):
            try:
                async with asyncio.timeout(self._slow_client_s):
                    await session.drained()
            except TimeoutError:
                session.cut()

    def cut(self) -> None:
        """Break every connection now."""
        for session in tuple(self.sessions):
            session.cut()

    async def refuse(self) -> None:
        """Refuse new connections; the present ones go on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def accept(self) -> None:
        """Listen again on the same port."""
        if self._server is None:
            await self.start(self._host, self.port)

    def restart(self, *, graceful: bool = False) -> None:
        """The PBX starts anew: its channels are gone, its counters begin at 0, every connection ends.

        Gracefully it says so before (core stop now), otherwise it is killed.
        """
        if graceful:
            for channel in tuple(self.pbx.channels.values()):
                cause = [("Cause", "0"), ("Cause-txt", "Unknown")]
                self.emit([*self._head("Hangup", "call"), *channel.snapshot.items(), *cause])
            self.emit([*self._head("Shutdown", "system"), ("Shutdown", "Cleanly"), ("Restart", "True")])
        for session in tuple(self.sessions):
            session.end() if graceful else session.cut()
        self.pbx = Pbx(self._clock())
        self.numbering = Numbering()

    def finish_boot(self) -> None:
        """End the fault `booting`."""
        self.faults.booting = False
        for session in tuple(self.sessions):
            self.greet(session)

    def heard(self, session: Session, action: dict[str, str]) -> None:
        """Answer one action (called by the session)."""
        self.heard_actions.append(action)
        name = action.get("Action", "").lower()
        if session.user is None:
            session.reply(action, "Error", "Permission denied")
        elif name not in _ACTIONS:
            session.reply(action, "Error", f"Invalid/unknown command: {action.get('Action', '')}.")
        elif not session.may_do(_ACTIONS[name]):
            session.reply(action, "Error", "Permission denied")
        else:
            self._answer(session, name, action)

    def greet(self, session: Session) -> None:
        """Tell a client that the PBX is up, if its classes allow (called by the session after login)."""
        if session.may_read(frozenset({"system"})) and not self.faults.booting:
            uptime = str(int(self._clock() - self.pbx.booted_at))
            session.send(
                render(
                    [
                        ("Event", "FullyBooted"),
                        ("Privilege", "system,all"),
                        ("Uptime", uptime),
                        ("LastReload", uptime),
                        ("Status", "Fully Booted"),
                    ]
                )
            )

    def came(self, session: Session) -> None:
        """Remember a client (called by the session)."""
        self.sessions.add(session)

    def gone(self, session: Session) -> None:
        """Forget a client whose connection ended (called by the session)."""
        self.sessions.discard(session)

    def _head(self, name: str, privilege: str) -> Headers:
        stamp = f"{self._clock():.6f}"
        return [("Event", name), ("Privilege", f"{privilege},all"), ("Timestamp", stamp)]

    def _connected(self) -> Session:
        self.connections += 1
        return Session(self, self._version)

    def _answer(self, session: Session, name: str, action: dict[str, str]) -> None:
        now = self._clock()
        match name:
            case "ping":
                session.reply(action, "Success", rows=[("Ping", "Pong"), ("Timestamp", f"{now:.6f}")])
            case "events":
                session.listen(action.get("EventMask", "on"))
                session.reply(action, "Success", rows=[("Events", "On" if session.mask else "Off")])
            case "logoff":
                session.reply(action, "Goodbye", "Thanks for all the fish.")
                session.end()
            case "listcommands":
                allowed = [
                    (known, "(Priv: <none>)") for known, need in _ACTIONS.items() if session.may_do(need)
                ]
                session.reply(action, "Success", rows=allowed)
            case "coreshowchannels":
                items = self.pbx.core_show_channels(now)
                session.reply_list(action, "Channels will follow", items, "CoreShowChannelsComplete")
            case "status":
                self._status(session, action, now)
            case "queuestatus":
                items = self.pbx.queue_status(now)
                session.reply_list(action, "Queue status will follow", items, "QueueStatusComplete")
            case "queuesummary":
                items = self.pbx.queue_summary(now)
                session.reply_list(action, "Queue summary will follow", items, "QueueSummaryComplete")
            case _:
                session.reply(action, "Success", rows=self._core(name))

    def _status(self, session: Session, action: dict[str, str], now: float) -> None:
        wanted = action.get("Channel", "")
        items = self.pbx.status(wanted, now)
        if wanted and not items:
            session.reply(action, "Error", "No such channel")
        else:
            session.reply_list(action, "Channel status will follow", items, "StatusComplete")

    def _core(self, name: str) -> Headers:
        if name == "coresettings":
            return [("AMIversion", self._version), ("AsteriskVersion", "22.0.0"), ("SystemName", "")]
        started = time.gmtime(self.pbx.booted_at)
        return [
            ("CoreStartupDate", time.strftime("%Y-%m-%d", started)),
            ("CoreStartupTime", time.strftime("%H:%M:%S", started)),
            ("CoreCurrentCalls", str(len(self.pbx.channels))),
        ]
