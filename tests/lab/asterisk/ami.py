"""A plain manager session for the lab: it keeps every byte after the login and waits for events.

Kept apart from the product's connector on purpose: what proves that code must not be that code.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

from tests.lab.asterisk.config import INSIDE, AmiUser

Block = dict[str, str]
"""One event or response: header to value; of a repeated header the first one."""
Found = TypeVar("Found")


class Ami:
    """One logged-in session. `raw` holds the event blocks as received, `events` the same parsed, in order."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.raw = bytearray()
        self.events: list[Block] = []
        self._responses: asyncio.Queue[Block] = asyncio.Queue(maxsize=1000)
        self._reader, self._writer = reader, writer
        self._changed = asyncio.Condition()
        self._ended = False
        self._listening = asyncio.create_task(self._listen(), name="lab ami")

    async def action(self, name: str, **headers: str) -> Block:
        """Send an action and return its response. Raises TimeoutError after 10 s without one."""
        lines = [f"Action: {name}", *(f"{key}: {value}" for key, value in headers.items())]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await self._writer.drain()
        return await asyncio.wait_for(self._responses.get(), 10)

    async def command(self, line: str) -> None:
        """Give a command of the console, without waiting for an answer: some end the PBX."""
        self._writer.write(f"Action: Command\r\nCommand: {line}\r\n\r\n".encode())
        await self._writer.drain()

    async def event(self, name: str, *, after: int = 0, timeout_s: float = 15, **headers: str) -> Block:
        """The first event of that name with these headers, seen already (from index `after`) or to come.

        Raises TimeoutError when it does not come within `timeout_s` seconds.
        """

        def fits(block: Block) -> bool:
            return block.get("Event") == name and headers.items() <= block.items()

        return await self.until(lambda: next((b for b in self.events[after:] if fits(b)), None), timeout_s)

    async def until(self, find: Callable[[], Found | None], timeout_s: float = 15) -> Found:
        """What `find` returns once it is not None; asked again after every block received.

        Raises TimeoutError after `timeout_s` seconds, ConnectionError when the PBX has gone without it.
        """
        async with asyncio.timeout(timeout_s), self._changed:
            while (found := find()) is None:
                if self._ended:
                    raise ConnectionError("the PBX has closed the session")
                await self._changed.wait()
            return found

    async def quiet(self, for_s: float = 0.4, timeout_s: float = 60) -> None:
        """Wait until nothing has come for `for_s` seconds, or the PBX is gone."""
        async with asyncio.timeout(timeout_s), self._changed:
            while not self._ended:
                try:
                    await asyncio.wait_for(self._changed.wait(), for_s)
                except TimeoutError:
                    return

    async def idle(self, timeout_s: float = 60) -> None:
        """Wait until the PBX has no channel left, or is gone; needs a user with write class `command`.

        The PBX is asked and its events are not, because a caller can forge those.
        """
        async with asyncio.timeout(timeout_s):
            while not self._ended:
                answer = await self.action("Command", Command="core show channels count")
                if answer.get("Output", "").startswith("0 active channel"):
                    return
                await self.quiet(0.1, timeout_s)

    async def close(self) -> None:
        """End the session; what was received stays readable."""
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _listen(self) -> None:
        try:
            while True:
                await self._take(await self._reader.readuntil(b"\r\n\r\n"))
        except asyncio.IncompleteReadError as cut:
            self.raw += cut.partial
        except ConnectionError:
            # A killed PBX resets the connection; what came before is all there is.
            pass
        finally:
            async with self._changed:
                self._ended = True
                self._changed.notify_all()

    async def _take(self, raw: bytes) -> None:
        block = parse(raw)
        # OriginateResponse is an event that bears a Response header.
        if "Response" in block and "Event" not in block:
            self._responses.put_nowait(block)
            return
        async with self._changed:
            self.raw += raw
            self.events.append(block)
            self._changed.notify_all()


def parse(raw: bytes) -> Block:
    """Headers of one block; bytes that are no UTF-8 become U+FFFD."""
    block: Block = {}
    for line in raw.decode("utf-8", "replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            block.setdefault(name, value.strip())
    return block


@contextlib.asynccontextmanager
async def session(port: int, user: AmiUser, host: str = INSIDE) -> AsyncIterator[Ami]:
    """A session logged in as `user`.

    Raises ConnectionRefusedError where no PBX listens, PermissionError when the login is refused.
    """
    reader, writer = await asyncio.open_connection(host, port)
    await reader.readline()
    ami = Ami(reader, writer)
    try:
        answer = await ami.action("Login", Username=user.name, Secret=user.secret)
        if answer["Response"] != "Success":
            raise PermissionError(answer.get("Message", "login refused"))
        yield ami
    finally:
        await ami.close()
