"""The client's side of the channel `json`: somebody's shop that posts messages in and takes replies."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from connectors.json.signing import HEADER, signature

SECRET = "a shop's long secret"


@dataclass
class Shop:
    """A receiver on loopback; `replies` are what operators wrote, in order of arrival."""

    service: str = ""
    port: int = 0
    replies: asyncio.Queue[dict[str, Any]] = field(default_factory=lambda: asyncio.Queue(maxsize=1000))
    _count: int = 0

    async def start(self) -> web.AppRunner:
        """Listen; the runner is to be cleaned up."""
        app = web.Application()
        app.router.add_post("/", self._taken)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        return runner

    async def _taken(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["type"] != "message":
            return web.json_response({})
        self.replies.put_nowait(body)
        return web.json_response({"id": f"reply-{body['id']}"})

    async def writes(self, chat: str, *texts: str, name: str = "Вера", **more: Any) -> list[str]:
        """The client of that chat writes; the messages' ids."""
        made = []
        updates = []
        for text in texts:
            self._count += 1
            made.append(f"m{self._count}")
            update = {"type": "message", "id": made[-1], "update": made[-1], "chat": chat, "text": text}
            updates.append(update | {"from": {"id": chat, "name": name}} | more)
        await self.posts(updates)
        return made

    async def posts(self, updates: list[dict[str, Any]]) -> None:
        """Anything the channel takes."""
        body = json.dumps(updates).encode()
        headers = {HEADER: signature(SECRET, body, int(time.time())), "Content-Type": "application/json"}
        url = f"{self.service.rstrip('/')}/hooks/shop"
        async with aiohttp.ClientSession() as http, http.post(url, data=body, headers=headers) as answer:
            assert answer.status == 202, await answer.text()
