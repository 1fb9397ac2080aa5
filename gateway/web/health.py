"""`/healthz`: the process lives. `/readyz`: whether it can work, and what to mend where it cannot.

A connector in trouble is told and does not make the service unready: the others, the desk and the API work
on, and a load balancer that took the node away would take them too.
"""

import asyncio
import os
import time
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from aiohttp import web
from sqlalchemy import Connection, select

from gateway.domain.errors import StoreUnavailable
from gateway.domain.ports import LinkState
from gateway.services.views.common import View, at, to_json
from gateway.web.deps import PartState, WebDeps
from gateway.web.middlewares import DEPS

DATABASE_S = 2.0


class Alive(View, frozen=True):
    """The event loop turns."""

    status: Literal["ok"]


class Part(View, frozen=True):
    """How one part stands; `remedy` says what to mend."""

    name: str
    state: Literal["up", "connecting", "down", "needs_administrator"]
    detail: str = ""
    remedy: str = ""
    since: str | None = None


class Readiness(View, frozen=True):
    """`degraded`: it works, but for what is not up."""

    status: Literal["ready", "degraded", "unavailable", "draining"]
    database: Part
    storage: Part
    connectors: list[Part]


async def healthz(_: web.Request) -> web.Response:
    """200 while the process lives."""
    return _json(Alive(status="ok"), 200)


async def readyz(request: web.Request) -> web.Response:
    """200 while it can work, 503 while it cannot or is about to stop."""
    deps = request.app[DEPS]
    database, storage = await asyncio.gather(_database(deps), asyncio.to_thread(_storage, deps))
    connectors = [_part(state) for state in deps.connectors()]
    if deps.draining():
        status: Literal["ready", "degraded", "unavailable", "draining"] = "draining"
    elif database.state != "up":
        status = "unavailable"
    else:
        well = storage.state == "up" and all(part.state == "up" for part in connectors)
        status = "ready" if well else "degraded"
    body = Readiness(status=status, database=database, storage=storage, connectors=connectors)
    return _json(body, 200 if status in ("ready", "degraded") else 503)


def _json(body: View, status: int) -> web.Response:
    return web.Response(
        body=to_json(body),
        status=status,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


async def _database(deps: WebDeps) -> Part:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(DATABASE_S):
            await deps.store.read(_look)
    except (StoreUnavailable, TimeoutError) as error:
        told = str(error) or f"no answer within {DATABASE_S} s"
        remedy = "see that the database server runs, has room and is reached under database.url"
        return Part(name="database", state="down", detail=told, remedy=remedy)
    elapsed_ms = (time.perf_counter() - started) * 1000
    return Part(name="database", state="up", detail=f"{deps.store.dialect}, {elapsed_ms:.1f} ms")


def _look(tx: Connection) -> None:
    tx.execute(select(1)).one()


def _storage(deps: WebDeps) -> Part:
    folder = Path(unquote(deps.settings.storage.url.removeprefix("file:").removeprefix("//")))
    existing = next((p for p in (folder, *folder.parents) if p.exists()), folder)
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return Part(name="storage", state="up")
    remedy = "let the service's user write there, or set storage.url to another folder"
    return Part(name="storage", state="down", detail=f"{folder} cannot be written", remedy=remedy)


def _part(state: PartState) -> Part:
    return Part(
        name=state.name,
        state=LinkState(state.state).value,
        detail=state.detail,
        remedy=state.remedy,
        since=at(state.since),
    )
