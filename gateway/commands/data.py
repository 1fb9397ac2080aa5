"""migrate, backup, restore."""

import argparse
import asyncio
from pathlib import Path
from urllib.parse import urlsplit

from config.settings import Settings
from gateway.commands import opening
from gateway.store import backup as backups
from gateway.store import migrate as migrations


def migrate(options: argparse.Namespace) -> None:
    """Bring the schema to the newest."""
    settings = opening.settings(options.config)
    done = asyncio.run(migrations.migrate(settings.database.url.reveal()))
    if done.before == done.after:
        print(f"the schema is {done.after} already")
        return
    print(f"schema: {done.before or 'nothing'} → {done.after}")
    if done.backup:
        print(f"copy made before: {done.backup}")


def backup(options: argparse.Namespace) -> None:
    """Copy everything while the service may be running."""
    settings = opening.settings(options.config)
    asyncio.run(backups.backup(settings.database.url.reveal(), _files(settings), options.directory))
    print(f"backed up to {options.directory}")


def restore(options: argparse.Namespace) -> None:
    """Put a copy back into an empty place."""
    settings = opening.settings(options.config)
    asyncio.run(backups.restore(options.directory, settings.database.url.reveal(), _files(settings)))
    print(f"restored from {options.directory}")


def _files(settings: Settings) -> Path:
    return Path(urlsplit(settings.storage.url).path)
