"""Who talks to the service in these tests: people with a browser's cookie, programs with a token."""

import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from gateway.app import Service


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: Any
    headers: Any

    @property
    def fields(self) -> dict[str, str]:
        """Mistakes by field, of a problem."""
        return {e["field"]: e["message"] for e in self.body.get("errors") or []}


@dataclass
class Client:
    """Somebody at the other end of the API; `headers` go with every request."""

    service: Service
    http: aiohttp.ClientSession
    me: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        """One request below /api/v1 (or, for a path that begins with //, at the root)."""
        url = f"{self.service.address}{path[1:] if path.startswith('//') else '/api/v1' + path}"
        sent = {"json": body} if body is not None else {}
        headers = self.headers | more.pop("headers", {})
        async with self.http.request(method, url, headers=headers, **sent, **more) as response:
            text = await response.text(errors="replace")
            is_json = "json" in response.headers.get("Content-Type", "")
            return Answer(response.status, json.loads(text) if is_json else text, response.headers)

    async def get(self, path: str, **more: Any) -> Answer:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, body: Any = None, **more: Any) -> Answer:
        return await self.ask("POST", path, body, **more)

    async def put(self, path: str, body: Any = None, **more: Any) -> Answer:
        return await self.ask("PUT", path, body, **more)

    async def patch(self, path: str, body: Any = None, **more: Any) -> Answer:
        return await self.ask("PATCH", path, body, **more)

    async def delete(self, path: str, **more: Any) -> Answer:
        return await self.ask("DELETE", path, **more)

    async def made(self, path: str, body: Any) -> Any:
        """The thing that a POST made."""
        answer = await self.post(path, body)
        assert answer.status == 201, answer.body
        return answer.body

    async def sign_in(self, login: str, password: str) -> Answer:
        """Get the cookie, and the header that changes need."""
        answer = await self.post("/session", {"login": login, "password": password})
        if answer.status == 200:
            self.me = answer.body
            self.headers["X-CSRF-Token"] = answer.body["csrf_token"]
        return answer

    async def events(self, types: str | None = None, **more: Any) -> "Events":
        """An open event socket."""
        query = f"?types={types}" if types else ""
        url = f"{self.service.address}/api/v1/events{query}"
        return Events(await self.http.ws_connect(url, headers=self.headers | more.pop("headers", {}), **more))


@dataclass
class Events:
    """Frames of a socket, each checked to carry the next number."""

    ws: aiohttp.ClientWebSocketResponse
    seq: int = 0

    async def next(self, *types: str) -> Any:
        """The next frame, or the next one of these types; raises `ConnectionResetError` at the end."""
        while True:
            message = await self.ws.receive(timeout=10)
            if message.type is not aiohttp.WSMsgType.TEXT:
                raise ConnectionResetError(self.ws.close_code)
            frame = json.loads(message.data)
            self.seq += 1
            assert frame["seq"] == self.seq, "a gap in the numbers"
            if not types or frame["type"] in types:
                return frame

    async def closed(self) -> int | None:
        """The close code, after whatever came before it."""
        try:
            while True:
                await self.next()
        except ConnectionResetError:
            return self.ws.close_code

    async def close(self) -> None:
        await self.ws.close()
