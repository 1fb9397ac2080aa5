"""`GET /api/v1/events`: the event socket's life from the handshake to its close."""

import asyncio
import contextlib
import logging
import socket as sockets
from typing import Any

from aiohttp import web

from gateway.domain.errors import Refused, StoreUnavailable
from gateway.services import tokens
from gateway.web import auth, origin
from gateway.web.deps import WebDeps
from gateway.web.desk_socket import BROKEN, RESTARTING, Closing, DeskSocket, Wanted
from gateway.web.hub import DeskHub
from gateway.web.middlewares import DEPS

log = logging.getLogger(__name__)

PATH = "/api/v1/events"
SCOPE = "events:read"
HEARTBEAT_S = 20.0
LARGEST_MESSAGE = 64 * 1024
SEND_BUFFER = 64 * 1024
"""Small, so that a desk that does not read shows soon: the kernel would hide half a megabyte."""
GOODBYE_S = 10.0


async def events(http: web.Request) -> web.StreamResponse:
    """Upgrade, send `hello`, then whatever happens, until one side has enough."""
    deps = http.app[DEPS]
    address = origin.client_address(http, deps.settings.server.trusted_proxies)
    caller = await auth.identify(http, deps, address)
    _permit(http, deps, caller)
    wanted = Wanted(http.query.get("types"))
    # No compression: it costs half as much processor again and saves no memory.
    ws = web.WebSocketResponse(
        heartbeat=HEARTBEAT_S,
        compress=False,
        max_msg_size=LARGEST_MESSAGE,
        timeout=GOODBYE_S,
        writer_limit=SEND_BUFFER,
    )
    await ws.prepare(http)
    _shrink_buffers(http)
    desk = DeskSocket(ws, deps.settings.people, caller.actor, caller.session, wanted)
    deps.hub.add(desk)
    try:
        await _say_goodbye(http, ws, await _until_end(ws, desk, deps.hub))
    finally:
        deps.hub.remove(desk)
    return ws


def _permit(http: web.Request, deps: WebDeps, caller: auth.Caller) -> None:
    # The handshake is a plain GET that any site can make a browser send, cookie included.
    if not origin.is_ours(http, deps.public_url):
        raise Refused(f"event sockets of browsers must come from {deps.public_url}")
    if not tokens.allows(caller.actor, SCOPE):
        raise Refused(f"this token lacks the scope {SCOPE}")
    if deps.draining():
        raise StoreUnavailable("the service is about to stop; come back in a moment")


def _shrink_buffers(http: web.Request) -> None:
    transport = http.transport
    if isinstance(transport, asyncio.WriteTransport):
        transport.set_write_buffer_limits(high=SEND_BUFFER)
        raw = transport.get_extra_info("socket")
        raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, SEND_BUFFER)


async def _until_end(ws: web.WebSocketResponse, desk: DeskSocket, hub: DeskHub) -> Closing | None:
    """Read and write until the desk leaves (None), or is to be closed."""
    reading = asyncio.create_task(_read(ws))
    writing = asyncio.create_task(_write(desk, hub))
    try:
        ends: set[asyncio.Future[Any]] = {reading, writing, desk.ended}
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if desk.ended.done():
            return desk.ended.result()
        if writing.done():
            return writing.result()
        return None
    finally:
        for task in (reading, writing):
            task.cancel()
        await asyncio.gather(reading, writing, return_exceptions=True)


async def _read(ws: web.WebSocketResponse) -> None:
    # A desk says nothing; reading is what answers pings and notices that it left.
    async for _ in ws:
        pass


async def _write(desk: DeskSocket, hub: DeskHub) -> Closing | None:
    try:
        while True:
            await desk.wait()
            if desk.must_join:
                await hub.join(desk)
            await desk.flush()
    except StoreUnavailable:
        return Closing(RESTARTING, "the database is away")
    except ConnectionError:
        return None
    except Exception:
        log.exception("an event socket failed", extra={"action": "socket_failed"})
        return Closing(BROKEN, "the service failed")


async def _say_goodbye(http: web.Request, ws: web.WebSocketResponse, closing: Closing | None) -> None:
    if closing is None:
        return
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with asyncio.timeout(GOODBYE_S):
            await ws.close(code=closing.code, message=closing.reason.encode())
            return
    if http.transport is not None:
        http.transport.abort()
