"""The service as a process of its own: started, attached, killed."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from connectors import registry
from gateway.domain.people import Role
from gateway.services import installation, people, tokens
from gateway.store.engine import open_store
from tests.lab.asterisk.config import NARROW
from tests.lab.office import hire

PATIENCE_S = 30


@dataclass
class Life:
    """One life of `perezvon serve` on a configuration; `token` is of a program that sees everything."""

    config: Path
    token: str
    process: asyncio.subprocess.Process | None = None
    address: str = ""

    async def start(self) -> None:
        """Start it; returns when it is attached to its PBX."""
        with self.config.with_suffix(".log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway", "serve", "--config", str(self.config)),
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            ready = (await self.process.stdout.readline()).decode()
        assert ready, self.config.with_suffix(".log").read_text()
        self.address = ready.rpartition(" ")[2].strip()
        await self.attached()

    async def attached(self) -> None:
        """Wait until its PBX is up."""
        async with self._asking() as http, http.ws_connect(f"{self.address}/api/v1/events") as events:
            async with asyncio.timeout(PATIENCE_S):
                while await self._state(http) != "up":
                    await events.receive()

    async def _state(self, http: aiohttp.ClientSession) -> Any:
        async with http.get(f"{self.address}/readyz") as answer:
            (connector,) = (await answer.json())["connectors"]
            return connector["state"]

    async def once(self, what: str, fits: Callable[[list[Any]], bool]) -> list[Any]:
        """The list of `what` in its API, once it fits; as it stands after 30 s."""
        async with self._asking() as http, http.ws_connect(f"{self.address}/api/v1/events") as events:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    while not fits(found := await self._list(http, what)):
                        await events.receive()
                    return found
            return await self._list(http, what)

    async def _list(self, http: aiohttp.ClientSession, what: str) -> list[Any]:
        async with http.get(f"{self.address}/api/v1/{what}?limit=200") as answer:
            items: list[Any] = (await answer.json())["items"]
            return items

    async def kill(self) -> None:
        """kill -9."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """SIGTERM."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        await self.process.communicate()

    @contextlib.asynccontextmanager
    async def _asking(self) -> AsyncIterator[aiohttp.ClientSession]:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {self.token}"}) as http:
            yield http


async def prepared(
    folder: Path,
    url: str,
    pbx_port: int,
    *,
    staffed: bool = False,
    connector: Mapping[str, Path] | None = None,
) -> Life:
    """A service not yet started, on the database `url` at the newest schema, its PBX at `pbx_port`.

    `staffed`: the lab's people are in the books, each at the phone that is his. `connector`: more settings.
    """
    more = "".join(f'{key} = "{value}"\n' for key, value in (connector or {}).items())
    config, port = folder / "perezvon.toml", free_port()
    config.write_text(
        CONFIG.format(
            url=url, folder=folder, port=port, pbx_port=pbx_port, user=NARROW.name, secret=NARROW.secret
        )
        + more
    )
    store = await open_store(url)
    await store.write(installation.prepare, registry.load_settings(config, {}))
    wanted = tokens.NewToken("ledger", Role.ADMIN, (), ("main",), None)
    token, _ = await tokens.create(store, people.CONSOLE, wanted)
    if staffed:
        await hire(store)
    await store.close()
    return Life(config, token)


def free_port() -> int:
    """One that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


CONFIG = """\
[server]
port = {port}
metrics = ""
public_url = "http://127.0.0.1:{port}"

[database]
url = "{url}"

[storage]
url = "file://{folder}/files"

[[connectors]]
kind = "asterisk"
name = "pbx1"
port = {pbx_port}
username = "{user}"
secret = "{secret}"
trunks = ["PJSIP/trunk"]
"""
