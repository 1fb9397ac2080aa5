"""The open windows of visitors: told that there is something new, never what."""

import asyncio
import json
from collections import defaultdict
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web

from connectors.webchat.limits import Limit
from gateway.domain.errors import Unauthenticated

MOST_WINDOWS = 10
LARGEST_FRAME = 4096
HEARTBEAT_S = 20.0
HELLO_S = 10.0
TOO_MANY = 4029
NOT_KNOWN = 4001


class Window:
    """One socket. What does not fit into its queue is dropped: it was only a hint."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self.socket = socket
        self._waiting: asyncio.Queue[str] = asyncio.Queue(maxsize=16)

    def tell(self, what: str) -> None:
        """That something of this kind happened."""
        if not self._waiting.full():
            self._waiting.put_nowait(what)

    async def write(self) -> None:
        """Send what is told, until the socket is closed."""
        while not self.socket.closed:
            what = await self._waiting.get()
            if not self.socket.closed:
                await self.socket.send_json({"type": what})

    async def next(self) -> dict[str, Any] | None:
        """The next frame; None at the end."""
        heard = await self.socket.receive()
        if heard.type is not WSMsgType.TEXT:
            return None
        try:
            frame = json.loads(heard.data)
        except ValueError:
            return {}
        return frame if isinstance(frame, dict) else {}


class Rooms:
    """Windows by conversation."""

    def __init__(self) -> None:
        self._windows: dict[str, set[Window]] = defaultdict(set)
        self.frames = Limit(30, 3)

    def tell(self, key: str, what: str) -> None:
        """Tell every window of the conversation."""
        for window in self._windows.get(key, ()):
            window.tell(what)

    async def close(self) -> None:
        """Send everybody away; windows come back by themselves."""
        windows = [one for many in self._windows.values() for one in many]
        going = [one.socket.close(code=WSCloseCode.GOING_AWAY) for one in windows]
        await asyncio.gather(*going, return_exceptions=True)

    async def hello(self, window: Window) -> str:
        """The token with which a window introduces itself; raises `Unauthenticated`."""
        try:
            async with asyncio.timeout(HELLO_S):
                frame = await window.next()
        except TimeoutError:
            raise Unauthenticated from None
        token = frame.get("token") if frame and frame.get("type") == "hello" else None
        if not isinstance(token, str):
            raise Unauthenticated
        return token

    async def stay(self, key: str, window: Window, typing: Any) -> None:
        """Serve the window until it goes; `typing(key)` when its visitor types."""
        room = self._windows[key]
        if len(room) >= MOST_WINDOWS:
            await window.socket.close(code=TOO_MANY)
            return
        room.add(window)
        writing = asyncio.create_task(window.write())
        try:
            window.tell("hello")
            await self._listen(key, window, typing)
        finally:
            writing.cancel()
            room.discard(window)
            if not room:
                self._windows.pop(key, None)
            await asyncio.gather(writing, return_exceptions=True)

    async def _listen(self, key: str, window: Window, typing: Any) -> None:
        while (frame := await window.next()) is not None:
            if not self.frames.allows(key):
                await window.socket.close(code=TOO_MANY)
                return
            if frame.get("type") == "ping":
                window.tell("pong")
            elif frame.get("type") == "typing":
                await typing(key)
