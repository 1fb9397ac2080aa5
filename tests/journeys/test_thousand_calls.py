"""The service is restarted amid a thousand live calls: each goes on, and what happened meanwhile is known."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

from config.secret import Secret
from config.settings import Database, Queue, Server, Settings
from connectors.asterisk.settings import AsteriskSettings
from gateway import app
from gateway.app import Service
from gateway.demo.ami_server import AmiServer
from gateway.demo.ami_session import AmiUser
from gateway.domain.calls import Call, CallState
from gateway.services.calls import decoded
from gateway.store.tables import calls
from tests.fakes.crowd import crowd
from tests.journeys.conftest import on_both
from tests.lab.office import attached

COUNT = 1000


@pytest.fixture
async def pbx() -> AsyncIterator[AmiServer]:
    """The stand-in PBX."""
    async with AmiServer(AmiUser("perezvon", "demo")) as server:
        yield server


@pytest.fixture
def settings(url: str, pbx: AmiServer) -> Settings:
    """Those of a service attached to it."""
    connector = AsteriskSettings(
        kind="asterisk", name="pbx1", port=pbx.port, username="perezvon", secret=Secret("demo"),
        trunks=("PJSIP/trunk",),
    )  # fmt: skip
    return Settings(
        server=Server(port=0, metrics="", public_url="http://127.0.0.1:0"),
        database=Database(url=Secret(url)),
        connectors=(connector,),
        queues=(Queue(name="sales", pbx_queues=("pbx1/400",)),),
    )


async def book(service: Service) -> Mapping[str, Call]:
    """Every call of the books by its client's raw number."""

    def work(tx: Connection) -> list[Call]:
        return [decoded(row) for row in tx.execute(select(calls))]

    return {str(call.from_.raw): call for call in await service.store.read(work)}


async def all_in(service: Service, states: Mapping[str, CallState]) -> Mapping[str, Call]:
    """The books once every call is in the state given for it."""
    wanted = Counter(state.value for state in states.values())
    told = asyncio.Event()
    forget = service.feed.observe("a test", lambda _: told.set())
    async with asyncio.timeout(60):
        while True:
            # Before the look: what is told during it must not be forgotten.
            told.clear()
            if await service.store.read(_states) == wanted:
                break
            await told.wait()
    forget()
    found = await book(service)
    assert {number: call.state for number, call in found.items()} == states
    return found


def _states(tx: Connection) -> Counter[str]:
    counted = select(calls.c.state, func.count().label("number")).group_by(calls.c.state)
    return Counter({row.state: row.number for row in tx.execute(counted)})


@on_both
async def test_a_thousand_live_calls_go_on_across_a_restart(pbx: AmiServer, settings: Settings) -> None:
    async with app.running(settings) as service:
        await attached(service)
        live = await crowd(pbx, COUNT)
        states = {
            **dict.fromkeys(live.talking.calls, CallState.TALKING),
            **dict.fromkeys([*live.ringing.calls, *live.queued.calls], CallState.RINGING),
        }
        before = await all_in(service, states)
    gone, answered = list(live.talking.calls)[::4], list(live.ringing.calls)[::3]
    await live.talking.go_on(gone)
    await live.ringing.go_on(answered)
    async with app.running(settings, migrates=False) as service:
        await attached(service)
        # With the connector's own word that it is up everything is right; nothing need be waited for.
        after = await book(service)
    assert len(after) == live.size == COUNT
    wanted = states | dict.fromkeys(gone, CallState.ENDED) | dict.fromkeys(answered, CallState.TALKING)
    assert {number: call.state for number, call in after.items()} == wanted
    assert all(same(before[number], call) for number, call in after.items())
    assert {call.queue for number, call in after.items() if number in live.queued.calls} == {"400"}
    assert [n for n in gone if "ended_at" not in after[n].estimated] == []
    assert [n for n in answered if "answered_at" not in after[n].estimated] == []


def same(before: Call, after: Call) -> bool:
    """Whether the call is what it was: its beginning, from which waiting is counted, and its parties."""

    def fixed(call: Call) -> tuple[str, datetime, Any, str | None]:
        return call.id, call.started_at, call.from_, call.did

    return fixed(before) == fixed(after)
