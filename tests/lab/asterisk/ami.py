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
        self._listening = asyncio.create_task(self._listen(), name="lab ami")

    async def action(self, name: str, **headers: str) -> Block:
        """Send an action and return its response. Raises TimeoutError after 10 s without one."""
        lines = [f"Action: {name}", *(f"{key}: {value}" for key, value in headers.items())]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await self._writer.drain()
        return await asyncio.wait_for(self._responses.get(), 10)

    async def event(self, name: str, *, after: int = 0, timeout_s: float = 15, **headers: str) -> Block:
        """The first event of that name with these headers, seen already (from index `after`) or to come.

        Raises TimeoutError when it does not come within `timeout_s` seconds.
        """

        def fits(block: Block) -> bool:
            return block.get("Event") == name and headers.items() <= block.items()

        return await self.until(lambda: next((b for b in self.events[after:] if fits(b)), None), timeout_s)

    async def until(self, find: Callable[[], Found | None], timeout_s: float = 15) -> Found:
        """What `find` returns once it is not None; asked again after every block received."""
        async with asyncio.timeout(timeout_s), self._changed:
            while (found := find()) is None:
                await self._changed.wait()
            return found

    async def quiet(self, for_s: float = 0.4, timeout_s: float = 60) -> None:
        """Wait until every channel seen is gone and nothing has come for `for_s` seconds."""
        async with asyncio.timeout(timeout_s):
            await self.until(lambda: True if not self.live() else None, timeout_s)
            while True:
                async with self._changed:
                    try:
                        await asyncio.wait_for(self._changed.wait(), for_s)
                    except TimeoutError:
                        if not self.live():
                            return

    def live(self) -> set[str]:
        """Uniqueids of the channels that were born and have not hung up."""
        alive: set[str] = set()
        for block in self.events:
            if block.get("Event") == "Newchannel":
                alive.add(block["Uniqueid"])
            elif block.get("Event") == "Hangup":
                alive.discard(block["Uniqueid"])
        return alive

    async def close(self) -> None:
        """End the session; what was received stays readable."""
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def _listen(self) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                raw = await self._reader.readuntil(b"\r\n\r\n")
                block = parse(raw)
                if "Response" in block:
                    self._responses.put_nowait(block)
                    continue
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
