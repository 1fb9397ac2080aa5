"""The whole service with a PBX that plays recorded calls, and Chromium before it."""

import fcntl
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

import hatch_build
from config.secret import Secret
from config.settings import Database, Queue, Server, Settings, Storage
from connectors.asterisk.settings import AsteriskSettings
from gateway import app
from gateway.app import Service
from gateway.demo import sample
from gateway.demo.ami_server import AmiServer
from gateway.demo.ami_session import AmiUser
from tests.browser.desk import Desk
from tests.browser.relay import Relay
from tests.browser.stage import Stage
from tests.lab.components import require

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE = (1440, 900)
PHONE = (390, 844)

OpenDesk = Callable[..., Awaitable[Desk]]


@pytest.fixture(scope="session")
def built_desk(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The desk as its sources stand now, built by one of the processes that test."""
    with (tmp_path_factory.getbasetemp().parent / "desk.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        hatch_build.build(ROOT)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """The PBX."""
    async with AmiServer(AmiUser("perezvon", "demo")) as server:
        yield Stage(server)


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    """The wire by which browsers come."""
    async with Relay() as wire:
        yield wire


@pytest.fixture
async def service(built_desk: None, stage: Stage, relay: Relay, tmp_path: Path) -> AsyncIterator[Service]:
    """The service with the people and clients of the demonstration, its PBX attached."""
    pbx = AsteriskSettings(
        kind="asterisk",
        name="pbx1",
        port=stage.server.port,
        username="perezvon",
        secret=Secret("demo"),
        trunks=("PJSIP/trunk",),
    )
    settings = Settings(
        server=Server(port=0, metrics="", public_url=f"http://127.0.0.1:{relay.port}"),
        database=Database(url=Secret(f"sqlite+aiosqlite:///{tmp_path}/perezvon.db")),
        storage=Storage(url=f"file://{tmp_path}/files"),
        connectors=(pbx,),
        queues=(
            Queue(name="sales", pbx_queues=("pbx1/400",)),
            Queue(name="support", pbx_queues=("pbx1/401",)),
        ),
    )
    async with app.running(settings) as running:
        relay.target = int(running.address.rstrip("/").rpartition(":")[2])
        await sample.fill(running.store, settings.locale.country)
        yield running


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    if CHROMIUM is None:
        require("no chromium: install the package of that name")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        await started.close()


@pytest.fixture
async def open_desk(browser: Browser, service: Service, relay: Relay) -> AsyncIterator[OpenDesk]:
    """Opens windows, each with cookies of its own; at the end no console may have complained."""
    desks: list[Desk] = []
    async with AsyncExitStack() as stack:

        async def open_one(size: tuple[int, int] = WIDE, **options: object) -> Desk:
            context = await browser.new_context(
                locale="ru-RU",
                timezone_id="Europe/Moscow",
                permissions=["notifications"],
                viewport={"width": size[0], "height": size[1]},
                **options,  # type: ignore[arg-type]
            )
            stack.push_async_callback(context.close)
            desks.append(Desk(await context.new_page(), f"http://127.0.0.1:{relay.port}/"))
            return desks[-1]

        yield open_one
        for desk in desks:
            assert desk.complaints == []
