"""One client of the stand-in AMI server: what it may do, what it says, what it is sent."""

import asyncio
import hashlib
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from gateway.demo.pbx import Row
from gateway.demo.playback import Headers, messages, render

ALL = frozenset({"all"})


@dataclass(frozen=True, slots=True)
class AmiUser:
    """A section of manager.conf: its name, secret and classes; the class `all` stands for every other."""

    name: str
    secret: str
    read: frozenset[str] = ALL
    write: frozenset[str] = ALL


@dataclass
class Faults:
    """How the server misbehaves now; all of it may be changed at any time."""

    silent: bool = False
    """Nothing is sent or heard while the connection stays open: a half-open link."""
    segment: int | None = None
    """Bytes written at a time, so that messages and characters arrive in pieces."""
    bytes_left: int | None = None
    """Bytes until the connection is cut, in the middle of whatever is being sent."""
    booting: bool = False
    """Who logs in is not told that the PBX is up; `AmiServer.finish_boot` tells them all."""
    unanswered: set[str] = field(default_factory=set)
    """Names of actions, in small letters, that get no answer."""


class Host(Protocol):
    """What a session needs of its server."""

    faults: Faults
    users: dict[str, AmiUser]
    refusal_delay_s: float
    slow_client_bytes: int

    def heard(self, session: "Session", action: dict[str, str]) -> None:
        """Answer one action of a client that is logged in, or note that it was refused."""
        ...

    def came(self, session: "Session") -> None:
        """Called when the connection stands."""
        ...

    def greet(self, session: "Session") -> None:
        """Called when a client has logged in."""
        ...

    def gone(self, session: "Session") -> None:
        """Called when the connection ended."""
        ...


class Session(asyncio.Protocol):
    """One connection, written in order by one task; a client that does not read is cut off."""

    def __init__(self, host: Host, banner: str) -> None:
        self.user: AmiUser | None = None
        self.mask = ALL
        """Classes of events that the client asked for."""
        self.over = asyncio.Event()
        """Set when the connection has ended."""
        self._host = host
        self._banner = banner
        self._inbox = b""
        self._challenge = ""
        self._outbox: deque[bytes] = deque()
        self._pending = 0
        self._ending = False
        self._work = asyncio.Event()
        self._writable = asyncio.Event()
        self._drained = asyncio.Event()
        self._writable.set()
        self._drained.set()
        self._writer: asyncio.Task[None] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greets with the banner."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._host.came(self)
        self._writer = asyncio.get_running_loop().create_task(self._write(), name="ami session")
        self.send(f"Asterisk Call Manager/{self._banner}\r\n".encode())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's signature)
        """Forgets the client."""
        if self._writer is not None:
            self._writer.cancel()
        self._drained.set()
        self.over.set()
        self._host.gone(self)

    def pause_writing(self) -> None:
        """The client reads too slowly for the moment."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The client caught up."""
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        """Takes whole actions out of what arrived."""
        if self._host.faults.silent:
            return
        self._inbox += data
        *whole, self._inbox = self._inbox.replace(b"\r\n", b"\n").split(b"\n\n")
        for block in whole:
            for headers in messages(block):
                self._act(dict(headers))

    def send(self, data: bytes) -> None:
        """Queue bytes for the client."""
        if self._host.faults.silent or self._transport is None:
            return
        self._outbox.append(data)
        self._pending += len(data)
        self._drained.clear()
        self._work.set()
        if self._pending > self._host.slow_client_bytes:
            self.cut()

    def reply(
        self, action: dict[str, str], response: str, message: str = "", rows: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Send one answer with the action's ActionID."""
        said = [("Message", message)] if message else []
        self.send(render([("Response", response), *_id_of(action), *rows, *said]))

    def reply_list(self, action: dict[str, str], message: str, items: Sequence[Row], complete: str) -> None:
        """Send a list: the answer, its items, its closing event."""
        self.reply(action, "Success", message, [("EventList", "start")])
        for first, *rest in items:
            self.send(render([first, *_id_of(action), *rest]))
        closing = [("EventList", "Complete"), ("ListItems", str(len(items)))]
        self.send(render([("Event", complete), *_id_of(action), *closing]))

    def may_read(self, classes: frozenset[str]) -> bool:
        """Whether events of these classes reach this client (main/manager.c, process_events)."""
        if self.user is None:
            return False
        return _within(classes, self.user.read) and _within(classes, self.mask)

    def may_do(self, classes: frozenset[str]) -> bool:
        """Whether an action that needs any one of these classes is allowed; none: to everybody."""
        if self.user is None:
            return False
        return not classes or "all" in self.user.write or bool(classes & self.user.write)

    async def drained(self) -> None:
        """Returns when all that was queued is on its way, or the connection is over."""
        await self._drained.wait()

    def cut(self) -> None:
        """End the connection at once."""
        self._outbox.clear()
        self._pending = 0
        if self._transport is not None:
            self._transport.abort()

    def end(self) -> None:
        """End the connection when what is queued has been sent."""
        self._ending = True
        self._work.set()

    async def _write(self) -> None:
        while self._transport is not None and not self._transport.is_closing():
            await self._work.wait()
            while self._outbox:
                await self._writable.wait()
                data = self._outbox.popleft()
                self._pending -= len(data)
                await self._transmit(data, self._transport)
            self._work.clear()
            self._drained.set()
            if self._ending:
                self._transport.close()

    async def _transmit(self, data: bytes, transport: asyncio.Transport) -> None:
        faults = self._host.faults
        size = faults.segment or len(data)
        for start in range(0, len(data), size):
            if faults.silent or transport.is_closing():
                return
            piece = data[start : start + size]
            if faults.bytes_left is not None:
                piece = piece[: faults.bytes_left]
                faults.bytes_left -= len(piece)
            transport.write(piece)
            if faults.bytes_left == 0:
                faults.bytes_left = None
                transport.close()
                return
            if faults.segment:
                await asyncio.sleep(0)

    def _act(self, action: dict[str, str]) -> None:
        name = action.get("Action", "").lower()
        if name in self._host.faults.unanswered:
            return
        if name == "challenge":
            self._challenge = str(secrets.randbelow(10**9))
            self.reply(action, "Success", rows=[("Challenge", self._challenge)])
        elif name == "login":
            self._login(action)
        else:
            self._host.heard(self, action)

    def _login(self, action: dict[str, str]) -> None:
        user = self._host.users.get(action.get("Username", ""))
        if user is None or not self._proves(action, user):
            self.reply(action, "Error", "Authentication failed")
            asyncio.get_running_loop().call_later(self._host.refusal_delay_s, self.cut)
            return
        self.user = user
        self.listen(action.get("Events", "on"))
        self.reply(action, "Success", "Authentication accepted")
        self._host.greet(self)

    def listen(self, events: str) -> None:
        """Take the header Events: on, off, or the classes wanted."""
        known: dict[str, frozenset[str]] = {"on": ALL, "off": frozenset(), "": ALL}
        self.mask = known.get(events.strip().lower(), frozenset(events.lower().replace(" ", "").split(",")))

    def _proves(self, action: dict[str, str], user: AmiUser) -> bool:
        if action.get("AuthType", "").upper() == "MD5":
            proof = hashlib.md5((self._challenge + user.secret).encode(), usedforsecurity=False).hexdigest()
            return bool(self._challenge) and secrets.compare_digest(action.get("Key", ""), proof)
        return secrets.compare_digest(action.get("Secret", "").encode(), user.secret.encode())


def _id_of(action: dict[str, str]) -> Headers:
    return [("ActionID", action["ActionID"])] if "ActionID" in action else []


def _within(classes: frozenset[str], allowed: frozenset[str]) -> bool:
    return "all" in allowed or classes <= allowed
