"""Messages in → the frame at a desk: posted over HTTP at a steady rate, seen on an event socket.

The service is a process of its own on SQLite; the clock runs from before the request until the frame with
that message is read.
"""

import asyncio
import json
import socket
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp

from bench import office
from bench.measure import Figure, machine, median, milliseconds, percentile
from connectors.json.signing import HEADER, signature
from gateway.domain.people import Role
from gateway.services import people, tokens
from tests.journeys.crash import channel

NAME = "messages"
RATE = 100
SECONDS = 8
CHATS = 100
RUNS = 3
MOST_MS = 100.0


def run() -> list[Figure]:
    """The median run of three."""
    with office.folder() as where:
        runs = [asyncio.run(_once(where / str(number))) for number in range(RUNS)]
        middle = median([percentile(taken, 99) for taken in runs])
        chosen = next(taken for taken in runs if percentile(taken, 99) == middle)
        what = f"message in → desk, {RATE}/s, {CHATS} chats, SQLite"
        return [machine(NAME, where), milliseconds(NAME, what, chosen, MOST_MS)]


async def _once(where: Path) -> list[float]:
    await asyncio.to_thread(where.mkdir)
    url, ports = f"sqlite+aiosqlite:///{where}/perezvon.db", (_free_port(), _free_port())
    async with office.opened(url) as store:
        await office.furnish(store)
        wanted = tokens.NewToken("bench", Role.ADMIN, (), (), None)
        token, _ = await tokens.create(store, people.CONSOLE, wanted)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.journeys.crash.channel", url, str(where / "files")),
        *map(str, ports),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        await process.stdout.readline()
        return await _talk(f"http://127.0.0.1:{ports[0]}", token)
    finally:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        found: int = free.getsockname()[1]
    return found


async def _talk(address: str, token: str) -> list[float]:
    began: dict[str, float] = {}
    taken: list[float] = []
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as http:
        events = f"{address}/api/v1/events?types=message.received"
        async with http.ws_connect(events, headers=headers) as desk:
            await desk.receive()
            warm_up = RATE
            posting = asyncio.create_task(_post_all(http, address, began, warm_up + RATE * SECONDS))
            for number in range(warm_up + RATE * SECONDS):
                frame = json.loads((await desk.receive(timeout=30)).data)
                seen = time.perf_counter()
                if number >= warm_up:
                    taken.append(seen - began[frame["data"]["message"]["text"]])
            await posting
    return taken


async def _post_all(http: aiohttp.ClientSession, address: str, began: dict[str, float], count: int) -> None:
    start = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            await asyncio.sleep(max(0.0, start + number / RATE - time.perf_counter()))
            group.create_task(_post(http, address, began, number))


async def _post(http: aiohttp.ClientSession, address: str, began: dict[str, float], number: int) -> None:
    chat = f"chat{number % CHATS}"
    update: dict[str, Any] = {"type": "message", "id": str(number), "chat": chat, "text": str(number)}
    body = json.dumps(update | {"from": {"id": chat, "name": chat}}).encode()
    headers = {HEADER: signature(channel.SECRET, body, int(time.time()))}
    began[str(number)] = time.perf_counter()
    async with http.post(f"{address}/hooks/shop", data=body, headers=headers) as answer:
        assert answer.status == 202
