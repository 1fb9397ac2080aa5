"""The web server: binds, mounts the table, the event socket, health and desk, and stops in good order."""

import asyncio
import dataclasses
import socket as sockets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from gateway.domain.errors import NeedsAdministrator
from gateway.services.views.common import to_json
from gateway.supervise import Supervisor
from gateway.web import desk, health, openapi, socket
from gateway.web.deps import WebDeps
from gateway.web.dispatch import mount
from gateway.web.middlewares import ALL, DEPS
from gateway.web.routes import PREFIX
from gateway.web.table import ROUTES

LARGEST_BODY = 1024 * 1024
BACKLOG = 1024
KEEPALIVE_S = 75.0
SHUTDOWN_S = 10.0


@dataclass(frozen=True, slots=True)
class RunningServer:
    """`address` is where it answers on this machine, with the port that it got."""

    address: str
    stop: Callable[[], Awaitable[None]]


async def start(deps: WebDeps) -> RunningServer:
    """Serve from now on. Raises `NeedsAdministrator` where the address cannot be listened on.

    With port 0 the system chooses a port; `public_url` follows it where it says 0 too.
    """
    listening = await _listen(deps)
    host, port = listening.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    if deps.public_url.endswith(":0"):
        deps = dataclasses.replace(deps, public_url=f"{deps.public_url[:-1]}{port}")
    runner = web.AppRunner(
        build(deps), access_log=None, keepalive_timeout=KEEPALIVE_S, shutdown_timeout=SHUTDOWN_S
    )
    await runner.setup()
    await web.SockSite(runner, listening, backlog=BACKLOG).start()
    supervisor = Supervisor()
    supervisor.add("desks", deps.hub.run)
    return RunningServer(address, partial(_stop, runner, supervisor))


async def _stop(runner: web.AppRunner, supervisor: Supervisor) -> None:
    await runner.cleanup()
    await supervisor.stop()


def build(deps: WebDeps) -> web.Application:
    """The application with everything mounted."""
    app = web.Application(middlewares=ALL, client_max_size=LARGEST_BODY)
    app[DEPS] = deps
    mount(app, deps, ROUTES)
    app.router.add_get(socket.PATH, socket.events)
    app.router.add_get(f"{PREFIX}/openapi.json", _openapi())
    app.router.add_get("/healthz", health.healthz)
    app.router.add_get("/readyz", health.readyz)
    for face in deps.faces:
        app.router.add_route(face.method, face.path, face.handler)
    desk.mount(app)
    return app


def _openapi() -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    document = to_json(openapi.describe(ROUTES))

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=document, content_type="application/json")

    return answer


async def _listen(deps: WebDeps) -> sockets.socket:
    host, port = deps.settings.server.host, deps.settings.server.port
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=sockets.SOCK_STREAM)
        family, _, _, _, place = found[0]
        listening = sockets.create_server(place[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        raise NeedsAdministrator(
            f"{host}:{port} cannot be listened on: {error.strerror or error}",
            remedy="end the program that has the port, or set server.port to another one",
        ) from None
    listening.setblocking(False)
    return listening
