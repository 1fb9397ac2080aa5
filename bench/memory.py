"""Memory of the whole service at rest: just started, and with 50 desks signed in and listening.

PSS counts what the process shares with others by its share (proc(5), smaps_rollup).
"""

import asyncio
import re
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp

from bench import office
from bench.measure import Figure

NAME = "memory"
DESKS = 50


def run() -> list[Figure]:
    """SQLite, without connectors."""
    with office.folder() as where:
        return asyncio.run(_measured(where))


async def _measured(where: Path) -> list[Figure]:
    url = f"sqlite+aiosqlite:///{where}/perezvon.db"
    async with office.opened(url) as store:
        await office.furnish(store, DESKS)
    config = where / "perezvon.toml"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = f"""
[server]
port = {port}
public_url = "http://127.0.0.1:{port}"
metrics = ""
[database]
url = "{url}"
[storage]
url = "file:{where}/files"
"""
    await asyncio.to_thread(config.write_text, text)
    await asyncio.to_thread(config.chmod, 0o600)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway", "serve", "--config", str(config)), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        address = (await process.stdout.readline()).decode().rpartition(" ")[2].strip()
        alone = await asyncio.to_thread(_memory, process.pid)
        async with AsyncExitStack() as stack:
            await asyncio.gather(*(_desk(stack, address, number) for number in range(DESKS)))
            crowded = await asyncio.to_thread(_memory, process.pid)
    finally:
        process.terminate()
        await process.wait()
    return [_figure("started", alone), _figure(f"{DESKS} desks listening", crowded)]


async def _desk(stack: AsyncExitStack, address: str, number: int) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
    who = {"login": f"operator{number}", "password": office.PASSWORD}
    async with http.post(f"{address}/api/v1/session", json=who) as answer:
        assert answer.status == 200, await answer.text()
    desk = await stack.enter_async_context(http.ws_connect(f"{address}/api/v1/events"))
    assert (await desk.receive_json())["type"] == "hello"


def _memory(pid: int) -> tuple[float, float]:
    """RSS and PSS in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    rss, pss = (int(re.findall(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)[0]) for name in ("Rss", "Pss"))
    return rss / 1000, pss / 1000


def _figure(what: str, memory: tuple[float, float]) -> Figure:
    return Figure(NAME, what, f"RSS {memory[0]:.0f} MB, PSS {memory[1]:.0f} MB")
