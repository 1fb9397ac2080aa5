"""A wire between browser and service that can be cut."""

import asyncio
from types import TracebackType
from typing import Self


class Relay:
    """Forwards TCP from a port of its own to `target` on loopback, while it is whole."""

    def __init__(self) -> None:
        self.port = 0
        self.target = 0
        self._whole = True
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cut()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def cut(self) -> None:
        """Break what runs, and everything that is tried until `mend`."""
        self._whole = False
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def mend(self) -> None:
        """Let connections through again."""
        self._whole = True
        self._flows.set()

    def stall(self) -> None:
        """Pass nothing on any more, though every connection stays and new ones are taken: half-open."""
        self._flows.clear()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._whole:
            writer.transport.abort()
            return
        task = asyncio.create_task(self._forward(reader, writer))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there: asyncio.StreamWriter | None = None
        try:
            back, there = await asyncio.open_connection("127.0.0.1", self.target)
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(reader, there, self._flows))
                both.create_task(_copy(back, writer, self._flows))
        except* OSError:
            pass
        finally:
            for end in (writer, there):
                if end is not None:
                    end.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flows: asyncio.Event) -> None:
    while data := await reader.read(65536):
        await flows.wait()
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
