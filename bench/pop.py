"""20 new calls a second through a real Asterisk: from the PBX's event to the frame at the operator's desk.

SIPp plays clients and phones; the service is a process of its own on SQLite. The time begins with the stamp
that Asterisk gives the event "this phone rings" (same machine and clock) and ends when the desk's socket has
the frame `card.opened`, so the PBX's own way to the socket counts. Every caller is new: card, lead, contact.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from bench import office
from bench.measure import Figure, machine, milliseconds
from gateway.store.migrate import migrate
from tests.lab.asterisk.ami import Block
from tests.lab.asterisk.config import RECORDER
from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.pbx import asterisk
from tests.lab.asterisk.phones import phones
from tests.lab.asterisk.scenario import Answer, HangUp, Ring, Talk
from tests.lab.ledger.life import Life, prepared
from tests.lab.office import PASSWORD, PHONES

NAME = "pop"
PER_SECOND = 20
CALLS = 400
WARM_UP = 40
"""The first calls are not counted: nothing has been read or compiled yet."""
MOST_MS = 50.0


def run() -> list[Figure]:
    """One run of 20 s."""
    with office.folder() as where:
        taken = asyncio.run(_run(where))
        what = f"sqlite: event on a real Asterisk to card.opened at a desk, {PER_SECOND} calls/s"
        return [
            machine(NAME, where),
            milliseconds(NAME, what, taken[WARM_UP:], MOST_MS),
            Figure(NAME, "pops that came, of calls made", f"{len(taken)} of {CALLS}"),
        ]


async def _run(where: Path) -> list[float]:
    url = f"sqlite+aiosqlite:///{where}/perezvon.db"
    await migrate(url)
    async with asterisk() as pbx, phones(pbx) as street, pbx.session(RECORDER) as ami:
        life = await prepared(where, url, pbx.ports.ami, staffed=True)
        await life.start()
        for extension in PHONES.values():
            await street.rings(extension, Ring(0.5), Answer(), Talk(), calls=CALLS)
        numbers = list(PHONES.values())
        calls = [(f"7999{n:07d}", did(numbers[n % len(numbers)])) for n in range(CALLS)]
        popped: dict[str, float] = {}
        there = asyncio.Semaphore(0)
        async with asyncio.TaskGroup() as desks:
            watching = [desks.create_task(_watch(life, login, popped, there)) for login in PHONES]
            for _ in PHONES:
                await there.acquire()
            clients = await street.clients_dial(calls, PER_SECOND, Talk(1), HangUp())
            await clients.done()
            await ami.quiet()
            for desk in watching:
                desk.cancel()
        await life.stop()
        rang = _rang(ami.events)
        return [at - rang[linkedid] for linkedid, at in popped.items() if linkedid in rang]


async def _watch(life: Life, login: str, popped: dict[str, float], there: asyncio.Semaphore) -> None:
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        entry = {"login": login, "password": PASSWORD}
        async with http.post(f"{life.address}/api/v1/session", json=entry) as answer:
            answer.raise_for_status()
        async with http.ws_connect(f"{life.address}/api/v1/events?types=card.opened") as frames:
            there.release()
            async for frame in frames:
                at = time.time()
                data = json.loads(frame.data)
                if data["type"] == "card.opened":
                    popped[data["data"]["call"]["linkedid"]] = at


def _rang(events: list[Block]) -> Mapping[str, float]:
    """Linkedid → when its phone began to ring, by the PBX's stamp."""
    rang: dict[str, float] = {}
    for event in events:
        if event.get("Event") == "Newstate" and event.get("ChannelState") == "5":
            rang.setdefault(event["Linkedid"], float(event["Timestamp"]))
    return rang
