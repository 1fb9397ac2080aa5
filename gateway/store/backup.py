"""A consistent copy of everything while the service runs, and back into an empty place of either engine.

DIR holds `manifest.json`, `tables/NAME.jsonl` and `files/...`. Rows are of one snapshot, files are copied
after it: a file is stored before the row that names it, so none is missing. The manifest is written last and
holds a SHA-256 of every other file: what has none is no backup.
"""

import asyncio
import hashlib
import os
import shutil
from datetime import UTC, datetime
from importlib import metadata as distribution
from pathlib import Path

import msgspec
from sqlalchemy import Connection, make_url

from gateway.domain.errors import NeedsAdministrator
from gateway.store import migrate, rows
from gateway.store.apart import apart
from gateway.store.migrations.options import METADATA
from gateway.store.sqlite import sqlite_path

FORMAT = 1
CHUNK = 1 << 20


class StoredFile(msgspec.Struct, frozen=True):
    """A stored file in the manifest; `path` is relative to the storage."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds: `schema` is the revision of its tables, `tables` each after those it refers to."""

    format: int
    version: str
    schema: str
    made_at: datetime
    tables: list[rows.TableFile]
    files: list[StoredFile]


async def backup(url: str, files: Path | None, directory: Path) -> Manifest:
    """Copy the database at `url` and the stored `files` into `directory`, which must be new or empty.

    NeedsAdministrator: something is there already, or cannot be written, or the schema is not this version's.
    StoreUnavailable: the database cannot be read.
    """
    await asyncio.to_thread(_begin, directory)
    schema, dumped = await apart(url, True, _dump, directory / "tables")
    copied = await asyncio.to_thread(_copy_files, url, files, directory) if files else []
    manifest = Manifest(FORMAT, _version(), schema, datetime.now(UTC), dumped, copied)
    await asyncio.to_thread(_finish, directory, manifest)
    return manifest


async def restore(directory: Path, url: str, files: Path | None) -> Manifest:
    """Bring the backup in `directory` into the empty database at `url` and the empty folder `files`.

    Everything is verified before anything is written, and the rows come in one transaction.
    NeedsAdministrator: the place is not empty, or the backup is damaged, unfinished or of a newer version.
    """
    manifest = await asyncio.to_thread(_verify, directory)
    if manifest.files and files is None:
        raise NeedsAdministrator(
            "the backup holds stored files and there is no place for them", remedy="set storage.url"
        )
    there = await asyncio.to_thread(_stored, url, files, directory) if files else []
    if there:
        raise NeedsAdministrator(f"{files} is not empty", remedy="restore into an empty storage.url")
    await apart(url, False, _load, directory / "tables", manifest)
    if files is not None:
        await asyncio.to_thread(_put_files, directory / "files", manifest, files)
    await migrate.migrate(url)
    return manifest


def _begin(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise NeedsAdministrator(f"{directory} is not empty", remedy="name a new or an empty folder")
        (directory / "tables").mkdir(mode=0o700)
    except OSError as error:
        raise NeedsAdministrator(
            f"{directory} cannot be written: {error.strerror}", remedy="name a folder that can be written"
        ) from error


def _dump(tx: Connection, folder: Path) -> tuple[str, list[rows.TableFile]]:
    schema = migrate.current(tx)
    if schema != migrate.head():
        raise NeedsAdministrator(
            f"the database's schema ({schema or 'none'}) is not that of this version ({migrate.head()})",
            remedy="run `perezvon migrate`, or the version that made the database",
        )
    return schema, [rows.dump(tx, table, folder) for table in rows.kept(METADATA)]


def _load(tx: Connection, folder: Path, manifest: Manifest) -> None:
    if name := rows.holds_rows(tx, METADATA):
        raise NeedsAdministrator(
            f"the database is not empty: {name} has rows", remedy="restore into an empty database"
        )
    if migrate.current(tx) not in (None, manifest.schema):
        raise NeedsAdministrator(
            "the database has the schema of another version", remedy="restore into an empty database"
        )
    migrate.upgrade(tx, manifest.schema)
    for table in manifest.tables:
        rows.load(tx, folder, table)
    rows.advance_numbers(tx, METADATA)


def _copy_files(url: str, files: Path, directory: Path) -> list[StoredFile]:
    copied = []
    for source in _stored(url, files, directory):
        path = source.relative_to(files)
        target = directory / "files" / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            copied.append(_copy(source, target, path.as_posix()))
        except FileNotFoundError:
            continue  # deleted by retention or a person after the snapshot, as its row will be
    return copied


def _stored(url: str, files: Path, directory: Path) -> list[Path]:
    """Every stored file; the database and the backup itself may lie below the same folder."""
    database = sqlite_path(url).absolute() if make_url(url).get_backend_name() == "sqlite" else None
    found = []
    for path in sorted(files.absolute().rglob("*")):
        beside_database = database and path.parent == database.parent and path.name.startswith(database.name)
        if path.is_file() and not beside_database and not path.is_relative_to(directory.absolute()):
            found.append(files / path.relative_to(files.absolute()))
    return found


def _copy(source: Path, target: Path, name: str) -> StoredFile:
    digest = hashlib.sha256()
    size = 0
    with source.open("rb") as reading, target.open("wb") as writing:
        while chunk := reading.read(CHUNK):
            writing.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return StoredFile(name, size, digest.hexdigest())


def _finish(directory: Path, manifest: Manifest) -> None:
    partial = directory / "manifest.json.partial"
    with partial.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        file.flush()
        os.fsync(file.fileno())
    partial.rename(directory / "manifest.json")


def _verify(directory: Path) -> Manifest:
    damaged = "take another backup; this one cannot be trusted"
    try:
        manifest = msgspec.json.decode((directory / "manifest.json").read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise NeedsAdministrator(
            f"{directory} holds no finished backup: manifest.json is missing", remedy=damaged
        ) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise NeedsAdministrator(f"the manifest cannot be read: {error}", remedy=damaged) from error
    if manifest.format != FORMAT or manifest.schema not in migrate.revisions():
        raise NeedsAdministrator(
            f"the backup was made by version {manifest.version}, which is newer than this one",
            remedy=f"restore it with version {manifest.version}, then upgrade",
        )
    known = {table.name for table in METADATA.sorted_tables}
    for table in manifest.tables:
        if table.name not in known:
            raise NeedsAdministrator(f"the backup names an unknown table {table.name!r}", remedy=damaged)
        _check(directory / "tables" / f"{table.name}.jsonl", table.sha256, damaged)
    for file in manifest.files:
        place = directory / "files" / file.path
        if not place.resolve().is_relative_to((directory / "files").resolve()):
            raise NeedsAdministrator(f"the backup names a file outside itself: {file.path}", remedy=damaged)
        _check(place, file.sha256, damaged)
    return manifest


def _check(path: Path, sha256: str, remedy: str) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise NeedsAdministrator(f"{path} cannot be read: {error.strerror}", remedy=remedy) from error
    if found != sha256:
        raise NeedsAdministrator(f"{path} is not as it was when the backup was made", remedy=remedy)


def _put_files(source: Path, manifest: Manifest, files: Path) -> None:
    for file in manifest.files:
        target = files / file.path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(source / file.path, target)
        target.chmod(0o600)


def _version() -> str:
    try:
        return distribution.version("perezvon")
    except distribution.PackageNotFoundError:
        return "unknown"
