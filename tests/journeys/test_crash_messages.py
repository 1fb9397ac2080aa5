"""The service dies amid conversations: nothing lost, doubled or out of order, in or out."""

import asyncio
import contextlib
import itertools
import json
import os
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import Connection, Select, func, select

from connectors.json.signing import HEADER, signature
from gateway.domain.people import Actor, Role
from gateway.services import installation, replies
from gateway.services.replies import NewMessage
from gateway.store.engine import Store, open_store
from gateway.store.tables import cards, contacts, leads, timeline
from gateway.store.tables_conversations import messages, raw_updates, threads
from gateway.store.tables_core import facts
from tests.journeys.crash import channel

both = pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)
ADMIN = Actor("01a20bae-0000-7000-8000-000000000000", "script", Role.ADMIN, is_token=True)


async def until(condition: Callable[[], Awaitable[bool]], every_s: float) -> None:
    """Return when the condition holds; it is of another process or program, which tells us nothing."""
    async with asyncio.timeout(120):
        for _ in itertools.count():
            if await condition():
                return
            await asyncio.sleep(every_s)


async def _passed(count: Callable[[], int], moment: int) -> bool:
    return count() >= moment


async def _has(store: Store, query: Select[Any], total: int) -> bool:
    return (await store.read(lambda tx: tx.scalar(query)) or 0) >= total


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        found: int = free.getsockname()[1]
    return found


@pytest.fixture
def chance() -> random.Random:
    """The moments of a run; its seed is printed when the test fails."""
    long = os.environ.get("PEREZVON_LONG")
    seed = int(os.environ.get("PEREZVON_SEED") or (random.randrange(10**6) if long else 20261124))
    print(f"PEREZVON_SEED={seed}")
    return random.Random(seed)


@dataclass
class Lives:
    """One service after another on the same database and address."""

    url: str
    folder: Path
    port: int = field(default_factory=free_port)
    hook: int = field(default_factory=free_port)
    process: Any = None

    async def begin(self) -> None:
        arguments = (self.url, str(self.folder), str(self.port), str(self.hook))
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.journeys.crash.channel", *arguments),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        line = await asyncio.wait_for(self.process.stdout.readline(), 60)
        assert line == b"ready\n"

    async def end(self) -> None:
        self.process.kill()
        await self.process.wait()


@contextlib.asynccontextmanager
async def living(url: str, folder: Path) -> AsyncIterator[Lives]:
    lives = Lives(url, folder)
    await lives.begin()
    try:
        yield lives
    finally:
        await lives.end()


@dataclass
class Sender:
    """Posts the messages of its chats, each in order, again and again until it hears that they are stored."""

    lives: Lives
    count: int
    acknowledged: int = 0
    each_s: float = 0.0
    began: float = field(default_factory=time.monotonic)

    async def chat(self, http: aiohttp.ClientSession, name: str, offset: int, chats: int) -> None:
        for number in range(self.count):
            due = self.began + (number * chats + offset) * self.each_s
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await until(partial(self._post, http, name, number), 0.05)
            self.acknowledged += 1

    async def _post(self, http: aiohttp.ClientSession, name: str, number: int) -> bool:
        update = {
            "type": "message",
            "id": f"{name}-{number}",
            "chat": name,
            "from": {"id": name, "name": name},
            "text": f"{number}",
        }
        body = json.dumps(update).encode()
        headers = {HEADER: signature(channel.SECRET, body, int(time.time()))}
        try:
            url = f"http://127.0.0.1:{self.lives.port}/hooks/shop"
            async with http.post(url, data=body, headers=headers) as answer:
                return answer.status == 202
        except aiohttp.ClientError:
            return False


@pytest.mark.timeout(600)
@both
@pytest.mark.parametrize(
    ("chats", "count", "kills", "per_second"),
    [(12, 25, 3, 150.0), pytest.param(40, 100, 5, 500.0, marks=pytest.mark.long)],
)
async def test_killing_the_service_amid_conversations_loses_doubles_and_disorders_nothing(
    url: str, tmp_path: Path, chance: random.Random, chats: int, count: int, kills: int, per_second: float
) -> None:
    total = chats * count
    moments = sorted(chance.sample(range(total // 10, total * 9 // 10), kills))
    async with living(url, tmp_path) as lives, aiohttp.ClientSession() as http:
        sender = Sender(lives, count, each_s=1 / per_second)
        names = [f"chat{number}" for number in range(chats)]
        talking = asyncio.gather(*(sender.chat(http, name, i, chats) for i, name in enumerate(names)))
        for moment in moments:
            await until(partial(_passed, lambda: sender.acknowledged, moment), 0.005)
            await lives.end()
            await lives.begin()
        await talking
        await _worked_on(url, total)
    store = await open_store(url)
    try:
        assert await store.read(_wrong, chats, count) == {}
        said = await store.read(_said)
    finally:
        await store.close()
    assert said == {name: [str(number) for number in range(count)] for name in names}


async def _worked_on(url: str, total: int) -> None:
    """Return when every update was worked on."""
    store = await open_store(url)
    done = select(func.count()).where(raw_updates.c.state == "done")
    try:
        await until(partial(_has, store, done, total), 0.1)
    finally:
        await store.close()


def _wrong(tx: Connection, chats: int, count: int) -> dict[str, tuple[int, int]]:
    """Of each kind of row that is not there in the right number: how many there are and should be."""

    def rows(column: Any, *conditions: Any) -> int:
        return tx.scalar(select(func.count(column)).where(*conditions)) or 0

    total = chats * count
    found = {
        "messages": (rows(messages.c.id), total),
        "threads": (rows(threads.c.id), chats),
        "cards": (rows(cards.c.id), chats),
        "leads": (rows(leads.c.id), chats),
        "contacts": (rows(contacts.c.thread_id.distinct()), chats),
        "on timelines": (rows(timeline.c.ref_id.distinct(), timeline.c.kind == "message"), total),
        "told": (rows(facts.c.id, facts.c.type == "message.received"), total),
        "counted": (tx.scalar(select(func.sum(threads.c.messages))) or 0, total),
    }
    return {what: pair for what, pair in found.items() if pair[0] != pair[1]}


def _said(tx: Connection) -> dict[str, list[str]]:
    """What each chat says, in the order of its `seq`, which has no gaps."""
    query = select(threads.c.thread_key, messages.c.text, messages.c.seq).join(
        messages, messages.c.thread_id == threads.c.id
    )
    found: dict[str, list[str]] = {}
    for row in tx.execute(query.order_by(threads.c.thread_key, messages.c.seq)):
        own = found.setdefault(row.thread_key, [])
        own.append(row.text)
        assert row.seq == len(own)
    return found


@dataclass
class Receiver:
    """The other side: what it took, in order."""

    taken: list[tuple[str, str]] = field(default_factory=list)

    async def hook(self, request: web.Request) -> web.Response:
        told = await request.json()
        self.taken.append((told["chat"], told["text"]))
        await asyncio.sleep(0.005)
        return web.json_response({"id": told["id"]})


@pytest.mark.timeout(600)
@both
@pytest.mark.parametrize("kills", [3, pytest.param(12, marks=pytest.mark.long)])
async def test_killing_the_service_while_it_sends_doubles_nothing_and_says_what_is_unknown(
    url: str, tmp_path: Path, chance: random.Random, kills: int
) -> None:
    chats, count = 6, 10 * kills
    receiver = Receiver()
    async with living(url, tmp_path) as lives, aiohttp.ClientSession() as http:
        sender = Sender(lives, 1)
        await asyncio.gather(*(sender.chat(http, f"chat{i}", i, chats) for i in range(chats)))
        await _worked_on(url, chats)
        await lives.end()
        await _write(url, tmp_path, count)
        total = chats * count
        async with _receiving(receiver, lives.hook):
            await lives.begin()
            # What was in hand at a kill, at most one of each thread, may never be taken.
            for moment in sorted(chance.sample(range(5, total - kills * chats - 5), kills)):
                await until(partial(_passed, lambda: len(receiver.taken), moment), 0.002)
                await lives.end()
                await lives.begin()
            states = await _settled(url, total)
    doubled = [one for one, times in Counter(receiver.taken).items() if times > 1]
    assert doubled == []
    taken = set(receiver.taken)
    assert {one for one, state in states.items() if state == "sent"} <= taken
    assert {one for one, state in states.items() if state != "sent"} == {
        one for one, state in states.items() if state == "unknown"
    }
    for i in range(chats):
        own = [int(text) for chat, text in receiver.taken if chat == f"chat{i}"]
        assert own == sorted(own)
    assert sum(state == "unknown" for state in states.values()) <= kills * chats


@contextlib.asynccontextmanager
async def _receiving(receiver: Receiver, port: int) -> AsyncIterator[None]:
    app = web.Application()
    app.router.add_post("/hook", receiver.hook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield
    finally:
        await runner.cleanup()


async def _write(url: str, folder: Path, count: int) -> None:
    """So many replies in each thread, while no service runs."""
    store = await open_store(url)
    try:
        await store.write(installation.prepare, channel.settings(url, str(folder), 1, 1))
        ids = await store.read(lambda tx: list(tx.scalars(select(threads.c.id))))
        for number in range(count):
            for thread_id in ids:
                await replies.send_reply(store, ADMIN, thread_id, NewMessage(text=str(number)))
    finally:
        await store.close()


async def _settled(url: str, total: int) -> dict[tuple[str, str], str]:
    """(chat, text) → its state, once every reply has one that lasts."""
    store = await open_store(url)
    try:
        lasting = (messages.c.direction == "out", messages.c.status.in_(("sent", "unknown", "failed")))
        await until(partial(_has, store, select(func.count()).where(*lasting), total), 0.1)
        return await store.read(_states)
    finally:
        await store.close()


def _states(tx: Connection) -> dict[tuple[str, str], str]:
    query = (
        select(threads.c.thread_key, messages.c.text, messages.c.status)
        .join(messages, messages.c.thread_id == threads.c.id)
        .where(messages.c.direction == "out")
    )
    return {(row.thread_key, row.text): row.status for row in tx.execute(query)}
