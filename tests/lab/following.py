"""The connector alone on a real PBX, its books and its lights kept in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from config.secret import Secret
from connectors.asterisk.ami import Timing
from connectors.asterisk.connector import AsteriskConnector
from connectors.asterisk.settings import AsteriskSettings
from gateway.domain.ports import Clock, LinkState
from tests.fakes.books import Books, Lights
from tests.lab.asterisk.config import NARROW, AmiUser
from tests.lab.asterisk.pbx import Pbx

PATIENCE = Timing(ping_every_s=0.5, tick_s=0.1, rights_probe_s=1.0)


def settings_to(pbx: Pbx, user: AmiUser = NARROW, secret: str | None = None) -> AsteriskSettings:
    return AsteriskSettings(
        kind="asterisk",
        name="pbx1",
        port=pbx.ports.ami,
        username=user.name,
        secret=Secret(secret or user.secret),
        trunks=("PJSIP/trunk",),
    )


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def following(
    pbx: Pbx,
    books: Books,
    lights: Lights | None = None,
    user: AmiUser = NARROW,
    clock: Clock = now,
    until: LinkState = LinkState.UP,
) -> AsyncIterator["asyncio.Task[None]"]:
    lights = lights or Lights()
    connector = AsteriskConnector(settings_to(pbx, user), books, lights, clock=clock, timing=PATIENCE)
    task = asyncio.create_task(connector.run())
    try:
        await lights.until(until)
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
