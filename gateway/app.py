"""The composition root: settings → objects → supervised tasks. The one module that knows all."""

import asyncio
import logging
import secrets
import signal
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import version

from aiohttp import web

from config.settings import ConnectorSettings, Settings
from config.values import storage_folder
from connectors import registry
from gateway import metrics, systemd
from gateway.domain.connecting import Face
from gateway.domain.errors import NeedsAdministrator, PerezvonError
from gateway.domain.ports import Connector, LinkState
from gateway.feed import Feed
from gateway.services import (
    channels,
    conversations,
    due,
    holding,
    housekeeping,
    installation,
    lead_rules,
    recordings_tasks,
)
from gateway.services.channels import Channels, Outside
from gateway.services.intake import VoiceIntake
from gateway.services.links import Links
from gateway.store import leases, migrate
from gateway.store.engine import Store, open_store
from gateway.supervise import Supervisor
from gateway.web import server as web_server
from gateway.web.deps import PartState, WebDeps
from gateway.web.hub import DeskHub
from gateway.web.origin import client_address
from recordings.collector import PATIENT, Patience
from recordings.library import Library
from routing.broadcast import offer_to_all

log = logging.getLogger(__name__)

DRAIN_S = 25.0


@dataclass(slots=True)
class Service:
    """A running service. `address` is where the desk answers on this machine."""

    settings: Settings
    store: Store
    feed: Feed
    hub: DeskHub
    links: Links
    supervisor: Supervisor
    channels: Channels
    patience: Patience = PATIENT
    address: str = ""
    draining: bool = field(default=False)


@asynccontextmanager
async def running(
    settings: Settings, *, migrates: bool = True, patience: Patience = PATIENT, faces: Sequence[Face] = ()
) -> AsyncIterator[Service]:
    """The service, ready inside and stopped in good order after. `faces` are answered besides connectors'.

    Raises `NeedsAdministrator` where the database is held by another process or of another version; a
    connector that cannot attach is no reason not to run.
    """
    async with AsyncExitStack() as stack:
        store = await open_store(settings.database.url.reveal(), exclusive=True)
        stack.push_async_callback(store.close)
        await _bring_up_to_date(store, settings, migrates=migrates)
        supervisor = Supervisor()
        stack.push_async_callback(supervisor.stop)
        feed, links = Feed(store), Links(store)
        hub = DeskHub(store, feed)
        library = Library(storage_folder(settings.storage.url))
        outside = Outside(settings.server.public_url)
        attached = channels.attach(settings, store, library, links.reporter, outside, _address(settings))
        await store.write(attached.describe)
        feed.observe("connectors", attached.happened)
        service = Service(settings, store, feed, hub, links, supervisor, attached, patience)
        _start_loops(service)
        await feed.ready.wait()
        for connector in settings.connectors:
            links.reporter(connector.name)(LinkState.CONNECTING)
        await _start_web(stack, service, faces)
        outside.moved_to(service.address)
        _attach_connectors(service)
        yield service
        service.draining = True
        await _drain(service)


def _address(settings: Settings) -> Callable[[web.Request], str]:
    return partial(client_address, trusted=settings.server.trusted_proxies)


async def _bring_up_to_date(store: Store, settings: Settings, *, migrates: bool) -> None:
    if migrates:
        done = await migrate.migrate(settings.database.url.reveal())
        if done.backup:
            log.info("the database was copied to %s before its schema was changed", done.backup)
    else:
        found = await migrate.state(store)
        if not found.up_to_date:
            raise NeedsAdministrator(
                f"the database's schema is {found.current or 'empty'}, this version needs {found.head}",
                remedy="run `perezvon migrate`, or start without --no-migrate",
            )
    await store.write(installation.prepare, settings)
    metrics.build_info.info({"version": version("perezvon"), "schema": migrate.head()})


def _start_loops(service: Service) -> None:
    service.supervisor.add("feed", service.feed.run)
    service.supervisor.add("housekeeping", partial(housekeeping.run, service.store))
    service.supervisor.add("times", partial(due.run, service.store))
    if service.settings.leads.task_after_minutes:
        service.supervisor.add("rule of leads", partial(lead_rules.run, service.store, service.settings))
    service.supervisor.add("connector states", service.links.run)
    for name, run in recordings_tasks.tasks(service.store, service.settings, _holder(), service.patience):
        service.supervisor.add(name, run)
    for name, run in conversations.tasks(service.store, service.channels, offer_to_all, _holder()):
        service.supervisor.add(name, run)
    if systemd.watchdog_period() is not None:
        service.supervisor.add("watchdog", systemd.keep_watchdog)


async def _start_web(stack: AsyncExitStack, service: Service, faces: Sequence[Face]) -> None:
    deps = WebDeps(
        store=service.store,
        hub=service.hub,
        settings=service.settings,
        public_url=service.settings.server.public_url,
        connectors=partial(_parts, service),
        draining=lambda: service.draining,
        faces=(*service.channels.faces, *faces),
        senders=service.channels.senders,
        dispatch=offer_to_all,
    )
    running_server = await web_server.start(deps)
    stack.push_async_callback(running_server.stop)
    service.address = running_server.address
    if service.settings.server.metrics:
        await _start_metrics(stack, service.settings.server.metrics)


async def _start_metrics(stack: AsyncExitStack, address: str) -> None:
    host, _, port = address.rpartition(":")

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=metrics.render(), headers={"Content-Type": metrics.CONTENT_TYPE})

    app = web.Application()
    app.router.add_get("/metrics", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port)).start()
    except OSError as error:
        # The service is worth more than its figures.
        log.error("no metrics: %s cannot be listened on (%s); change server.metrics", address, error.strerror)


def _parts(service: Service) -> Sequence[PartState]:
    return [
        PartState(name, link.state, link.since, link.detail, link.remedy)
        for name, link in service.links().items()
    ]


def _holder() -> str:
    return f"{socket.gethostname()}-{secrets.token_hex(8)}"


def _attach_connectors(service: Service) -> None:
    holder = _holder()
    for settings in service.settings.connectors:
        service.supervisor.add(
            f"connector {settings.name}", partial(_follow, service, settings, holder), settled_s=5.0
        )


async def _follow(service: Service, settings: ConnectorSettings, holder: str) -> None:
    """One run of a connector, on the one node that holds its lease; its failure is shown and raised."""
    report = service.links.reporter(settings.name)
    country = service.settings.locale.country

    async def attached(lease: leases.Lease) -> None:
        if settings.name in service.channels.by_name:
            await service.channels.run(settings.name)
        else:
            make: Callable[..., Connector] = registry.factory(settings.kind)
            await make(settings, VoiceIntake(service.store, lease), report, country).run()

    try:
        await holding.while_held(
            service.store,
            f"connector:{settings.name}",
            holder,
            attached,
            waiting=lambda: report(LinkState.CONNECTING, "another node holds this connector"),
        )
    except NeedsAdministrator as failure:
        report(LinkState.NEEDS_ADMINISTRATOR, str(failure), remedy=failure.remedy)
        raise
    except (PerezvonError, OSError) as failure:
        report(LinkState.DOWN, str(failure), remedy=getattr(failure, "remedy", ""))
        raise
    except Exception as failure:
        report(LinkState.DOWN, f"a fault of ours: {type(failure).__name__}", remedy="see the log")
        raise


async def _drain(service: Service) -> None:
    """Connectors first, so that their leases are free at once; then the desks are told to come back."""
    try:
        async with asyncio.timeout(DRAIN_S):
            for settings in service.settings.connectors:
                await service.supervisor.remove(f"connector {settings.name}")
            await service.hub.drain()
    except TimeoutError:
        log.warning("draining took longer than %s s and was cut short", DRAIN_S)


async def serve(
    settings: Settings,
    *,
    migrates: bool = True,
    announce: Callable[[Service], None],
    faces: Sequence[Face] = (),
) -> None:
    """Run until SIGTERM or SIGINT, then drain."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    for notice in settings.notices:
        log.warning("%s", notice)
    async with running(settings, migrates=migrates, faces=faces) as service:
        announce(service)
        systemd.notify(systemd.READY)
        await stop.wait()
        systemd.notify(systemd.STOPPING)
        log.info("stopping: work in hand is finished first")


def on_port(settings: Settings, port: int) -> Settings:
    """The same settings on another port of the same host (0: any free one)."""
    host = settings.server.host
    return replace(settings, server=replace(settings.server, port=port, public_url=f"http://{host}:{port}"))
