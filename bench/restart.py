"""The service is started amid 1,000 live calls: until each of them and its waiting is right in the books.

The time begins with the start of the service and ends with the connector's word that it is up; a tenth of the
calls changed while the service was away. Every start is checked: a call missing or in a wrong state fails it.
"""

import asyncio
import time
from dataclasses import replace

from sqlalchemy import Connection, func, select

from bench import office
from bench.measure import Figure, machine, median
from config.secret import Secret
from config.settings import Database, Queue, Server, Settings
from connectors.asterisk.settings import AsteriskSettings
from gateway import app
from gateway.app import Service
from gateway.demo.ami_server import AmiServer
from gateway.demo.ami_session import AmiUser
from gateway.store.tables import calls
from tests.fakes.crowd import Crowd, crowd
from tests.lab.office import attached

NAME = "restart"
CALLS = 1000
STARTS = 5
MOST_S = 2.0
SERVER = Server(port=0, metrics="", public_url="http://127.0.0.1:0")


def run() -> list[Figure]:
    """Both engines."""
    return [figure for engine in office.ENGINES for figure in _engine(engine)]


def _engine(engine: str) -> list[Figure]:
    with office.database(engine) as url, office.folder() as disk:
        taken = asyncio.run(_starts(url))
        value = median(taken)
        what = f"{engine}: start to {CALLS} live calls right, median of {STARTS}"
        return [
            machine(NAME, disk),
            Figure(NAME, what, f"{value:.2f} s", f"≤ {MOST_S:g} s", value <= MOST_S),
        ]


async def _starts(url: str) -> list[float]:
    async with AmiServer(AmiUser("perezvon", "demo")) as pbx:
        settings = _settings(url, pbx)
        async with app.running(settings) as service:
            await attached(service)
            live = await crowd(pbx, CALLS)
            await _until(service, len(live.talking.calls))
        return [await _start(settings, live, number) for number in range(STARTS)]


async def _start(settings: Settings, live: Crowd, number: int) -> float:
    share = list(live.ringing.calls)[number * CALLS // 20 : (number + 1) * CALLS // 20]
    await live.ringing.go_on(share)
    began = time.perf_counter()
    async with app.running(replace(settings, server=SERVER), migrates=False) as service:
        await attached(service)
        taken = time.perf_counter() - began
        answered = len(live.talking.calls) + CALLS // 20 * (number + 1)
        assert await service.store.read(_states) == {"talking": answered, "ringing": CALLS - answered}
        return taken


async def _until(service: Service, talking: int) -> None:
    wanted = {"talking": talking, "ringing": CALLS - talking}
    told = asyncio.Event()
    service.feed.observe("the bench", lambda _: told.set())
    while await service.store.read(_states) != wanted:
        told.clear()
        await told.wait()


def _states(tx: Connection) -> dict[str, int]:
    counted = select(calls.c.state, func.count().label("number")).group_by(calls.c.state)
    return {row.state: row.number for row in tx.execute(counted)}


def _settings(url: str, pbx: AmiServer) -> Settings:
    connector = AsteriskSettings(
        kind="asterisk",
        name="pbx1",
        port=pbx.port,
        username="perezvon",
        secret=Secret("demo"),
        trunks=("PJSIP/trunk",),
    )
    queue = Queue(name="sales", pbx_queues=("pbx1/400",))
    return Settings(
        server=SERVER, database=Database(url=Secret(url)), connectors=(connector,), queues=(queue,)
    )
