"""A visitor of a site, as the widget would ask for him."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import aiohttp

from gateway.app import Service
from tests.journeys.clients import Answer

SITE = "https://shop.example.org"


@dataclass
class Visitor:
    """One browser; `token` once it has introduced itself."""

    service: Service
    http: aiohttp.ClientSession
    token: str = ""
    origin: str | None = SITE

    @property
    def root(self) -> str:
        return f"{self.service.address}/chat/site"

    def headers(self) -> dict[str, str]:
        origin = {"Origin": self.origin} if self.origin else {}
        return origin | ({"Authorization": f"Bearer {self.token}"} if self.token else {})

    async def ask(self, method: str, path: str, **more: Any) -> Answer:
        more["headers"] = self.headers() | more.get("headers", {})
        async with self.http.request(method, self.root + path, **more) as response:
            return Answer(response.status, await response.json(content_type=None), response.headers)

    async def come(self, identity: str | None = None) -> "Visitor":
        body = {"identity": identity} if identity else {}
        answer = await self.ask("POST", "/session", json=body)
        assert answer.status == 201, answer.body
        self.token = answer.body["token"]
        return self

    async def say(self, text: str, **more: Any) -> Answer:
        return await self.ask("POST", "/messages", json={"id": str(uuid4()), "text": text} | more)

    async def history(self, query: str = "") -> list[Any]:
        answer = await self.ask("GET", f"/messages{query}")
        assert answer.status == 200, answer.body
        items: list[Any] = answer.body["items"]
        return items

    async def window(self) -> "Window":
        socket = await self.http.ws_connect(f"{self.root}/socket", headers={"Origin": self.origin or ""})
        await socket.send_json({"type": "hello", "token": self.token})
        window = Window(socket)
        await window.heard("hello")
        return window

    async def until(self, window: "Window", *texts: str) -> list[Any]:
        """The history once it holds these texts; looked at whenever the window hears of something."""
        async with asyncio.timeout(10):
            while True:
                items = await self.history()
                if set(texts) <= {one["text"] for one in items}:
                    return items
                await window.heard("message")


@dataclass
class Window:
    """Its socket."""

    socket: aiohttp.ClientWebSocketResponse

    async def heard(self, what: str) -> None:
        async with asyncio.timeout(10):
            while (await self.socket.receive_json())["type"] != what:
                pass
