"""`perezvon demo`: the service with people, clients and calls, on loopback only; nothing of it is kept."""

import asyncio
import contextlib
import itertools
import logging
import random
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path

from config import log as logs
from config.secret import Secret, secrets_in
from config.settings import Database, Log, LogLevel, Queue, QueueChannel, Server, Settings, Storage
from connectors.asterisk.settings import AsteriskSettings
from gateway import app
from gateway.demo import recorded, sample, shop
from gateway.demo.ami_server import AmiServer
from gateway.demo.ami_session import AmiUser
from gateway.demo.playback import Cast, Recorded, Timed, load, rewrite
from gateway.domain.errors import Invalid

log = logging.getLogger(__name__)

FIRST_CALL_S = 12.0
BETWEEN_S = 9.0
_TRIED_PORTS = 20


async def run(*, port: int, pbx: str | None, trunks: tuple[str, ...]) -> None:
    """Show until interrupted. `pbx`: `USER:SECRET@HOST[:PORT]` of a real Asterisk; else calls are played."""
    with tempfile.TemporaryDirectory(prefix="perezvon-demo-") as folder:
        async with contextlib.AsyncExitStack() as stack:
            stand_in: AmiServer | None = None
            if pbx is None:
                user = AmiUser("perezvon", "demo")
                stand_in = await stack.enter_async_context(AmiServer(user))
                connector = _played(stand_in.port, Path(folder) / "monitor")
            else:
                connector = _real(pbx, trunks or ("PJSIP/trunk",))
            settings = _settings(Path(folder), _free_port(port), connector)
            logs.set_up(settings.log, secrets_in(settings))
            await _serve(settings, stand_in)


async def _serve(settings: Settings, stand_in: AmiServer | None) -> None:
    player: asyncio.Task[None] | None = None
    prepared = asyncio.Event()

    def announce(service: app.Service) -> None:
        nonlocal player
        player = asyncio.create_task(_play_when_ready(service, stand_in, prepared), name="demo")
        player.add_done_callback(_told)

    try:
        await app.serve(settings, announce=announce, faces=shop.faces())
    finally:
        if player is not None:
            player.cancel()


def _told(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("the demonstration's calls stopped", exc_info=task.exception())


async def _play_when_ready(service: app.Service, stand_in: AmiServer | None, prepared: asyncio.Event) -> None:
    await sample.fill(service.store, service.settings.locale.country)
    prepared.set()
    print(_welcome(service.address, played=stand_in is not None), flush=True)
    if stand_in is not None:
        folder = Path(service.settings.storage.url.removeprefix("file://")).parent / "monitor"
        await recorded.add_yesterdays_call(service.store, folder)
        await asyncio.sleep(FIRST_CALL_S)
        await _play_for_ever(stand_in, folder)


def _welcome(address: str, *, played: bool) -> str:
    lines = [f"\nPerezvon demonstration: {address}\n"]
    lines += [f"  {p.name} ({p.role}): login {p.login}, password {sample.PASSWORD}" for p in sample.PEOPLE]
    if played:
        lines.append(
            f"\nSign in as {sample.PEOPLE[0].login}, start the shift, and wait: calls are played"
            f" from {FIRST_CALL_S:.0f} s on, one each {BETWEEN_S:.0f} s."
        )
    lines.append(f"A client's site with the chat on it: {address}{shop.PATH}")
    lines.append("Ctrl+C ends it; nothing is kept.\n")
    return "\n".join(lines)


def _played(port: int, recordings: Path) -> AsteriskSettings:
    recordings.mkdir()
    return AsteriskSettings(
        kind="asterisk",
        name="pbx1",
        port=port,
        username="perezvon",
        secret=Secret("demo"),
        trunks=("PJSIP/trunk",),
        recordings_dir=str(recordings),
    )


def _real(pbx: str, trunks: tuple[str, ...]) -> AsteriskSettings:
    account, at, place = pbx.rpartition("@")
    user, colon, secret = account.partition(":")
    host, _, port = place.partition(":")
    if not (at and colon and user and host and (not port or port.isdigit())):
        raise Invalid.one("--pbx", "USER:SECRET@HOST or USER:SECRET@HOST:PORT of the AMI")
    return AsteriskSettings(
        kind="asterisk",
        name="pbx1",
        host=host,
        port=int(port or 5038),
        username=user,
        secret=Secret(secret),
        trunks=trunks,
    )


def _settings(folder: Path, port: int, connector: AsteriskSettings) -> Settings:
    return Settings(
        server=Server(port=port, metrics=""),
        database=Database(url=Secret(f"sqlite+aiosqlite:///{folder}/perezvon.db")),
        storage=Storage(url=f"file://{folder}/files"),
        log=Log(level=LogLevel.WARNING),
        connectors=(connector, shop.CHAT),
        queues=(
            Queue(name="sales", pbx_queues=("pbx1/400",)),
            Queue(name="support", pbx_queues=("pbx1/401",), channels=(QueueChannel.VOICE, QueueChannel.CHAT)),
        ),
    )


def _free_port(wanted: int) -> int:
    for port in range(wanted, wanted + _TRIED_PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Invalid.one("--port", f"none of {wanted} to {wanted + _TRIED_PORTS - 1} is free")


def streams() -> dict[str, tuple[Recorded, ...]]:
    """The recorded streams by name."""
    folder = resources.files("gateway.demo") / "streams"
    return {
        entry.name.removesuffix(".ami"): load(entry.read_bytes())
        for entry in folder.iterdir()
        if entry.name.endswith(".ami")
    }


async def _play_for_ever(server: AmiServer, folder: Path) -> None:
    stories = streams()
    callers = sample.callers(random.Random())  # noqa: S311 (a demonstration)
    playing: set[asyncio.Task[None]] = set()
    for story in _programme():
        number, name = next(callers)
        cast = Cast(number=number, name=name)
        if story in ("internal", "outgoing"):
            cast = Cast()
        events = rewrite(stories[story], server.numbering, time.time(), speed=0.6, cast=cast)
        one = asyncio.create_task(_play(server, events, folder if story in recorded.TALKED else None))
        playing.add(one)
        one.add_done_callback(_finished(playing))
        await asyncio.sleep(BETWEEN_S)


async def _play(server: AmiServer, events: Sequence[Timed], folder: Path | None) -> None:
    await server.play(events)
    if folder is not None:
        await asyncio.to_thread(recorded.record, folder, events)


def _finished(playing: "set[asyncio.Task[None]]") -> "Callable[[asyncio.Task[None]], None]":
    def done(task: "asyncio.Task[None]") -> None:
        playing.discard(task)
        _told(task)

    return done


def _programme() -> Iterator[str]:
    return itertools.cycle(
        ("queue-of-three", "direct", "queue-of-three", "outgoing", "abandoned", "direct", "busy", "internal")
    )
