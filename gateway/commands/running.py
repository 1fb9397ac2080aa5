"""serve, check, demo."""

import argparse
import asyncio
import importlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

from config.settings import ConnectorSettings, RecordingFormat, Settings
from connectors import registry
from gateway import app
from gateway.commands import opening
from gateway.demo import show
from gateway.domain.errors import NeedsAdministrator, PerezvonError
from gateway.store import migrate
from gateway.store.engine import open_store
from recordings import encoding


def serve(options: argparse.Namespace) -> None:
    """Run the service until it is told to stop."""
    settings = opening.settings(options.config)

    def announce(service: app.Service) -> None:
        print(f"Perezvon is ready: {service.address}", flush=True)

    asyncio.run(app.serve(settings, migrates=not options.no_migrate, announce=announce))


def check(options: argparse.Namespace) -> int:
    """Say of each part whether it works and how to mend it; 1 if any does not."""
    settings = opening.settings(options.config)
    print(f"ok    configuration: {settings.source or 'embedded defaults'}")
    for notice in settings.notices:
        print(f"note  {notice}")
    if settings.storage.recordings_format is RecordingFormat.OPUS and encoding.ffmpeg() is None:
        print("note  ffmpeg is not installed: recordings stay as they come")
    return asyncio.run(_check_parts(settings))


async def _check_parts(settings: Settings) -> int:
    failed = 0
    async for part, problem in _parts(settings):
        print(f"FAIL  {part}: {problem}" if problem else f"ok    {part}", flush=True)
        failed += bool(problem)
    return 1 if failed else 0


async def _parts(settings: Settings) -> AsyncIterator[tuple[str, str]]:
    yield "database", await _database(settings)
    yield "storage", await asyncio.to_thread(_storage, settings)
    for connector in settings.connectors:
        if folder := getattr(connector, "recordings_dir", None):
            yield f"recordings of {connector.name}", await asyncio.to_thread(_recordings, folder)
        for problem in await _connector(connector) or [""]:
            yield f"connector {connector.name}", problem


async def _database(settings: Settings) -> str:
    try:
        store = await open_store(settings.database.url.reveal())
    except NeedsAdministrator as error:
        return f"{error}: {error.remedy}"
    except PerezvonError as error:
        return str(error)
    try:
        state = await migrate.state(store)
    except PerezvonError as error:
        return f"{error}; check database.url and that the server runs"
    finally:
        await store.close()
    if state.current is not None and not state.up_to_date:
        return f"its schema is {state.current}, this version needs {state.head}: run `perezvon migrate`"
    return ""


def _storage(settings: Settings) -> str:
    folder = Path(urlsplit(settings.storage.url).path)
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        return f"{existing} cannot be written: give it to the service's user, or change storage.url"
    return ""


def _recordings(folder: str) -> str:
    if not Path(folder).is_dir():
        return f"{folder} is not there: mount it, or change recordings_dir"
    if not os.access(folder, os.R_OK | os.X_OK):
        return f"{folder} cannot be read: let the service's user read it"
    return ""


async def _connector(settings: ConnectorSettings) -> list[str]:
    module = importlib.import_module(registry.KINDS[settings.kind].code.partition(":")[0])
    problems: list[str] = await module.check(settings)
    return problems


def demo(options: argparse.Namespace) -> None:
    """The demonstration."""
    asyncio.run(show.run(port=options.port, pbx=options.pbx, trunks=tuple(options.trunk)))
