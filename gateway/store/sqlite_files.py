"""The SQLite file: its connections, its rights, its lock, and which errors mean that it cannot be used."""

import contextlib
import errno
import fcntl
import os
import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from gateway.domain.errors import NeedsAdministrator, StoreUnavailable

# Result codes of the engine or the machine, not of the statement (sqlite.org/rescode.html).
_UNUSABLE = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_NOTADB,
}


def unavailable(error: BaseException) -> StoreUnavailable | None:
    """The StoreUnavailable that `error` amounts to, or None when it is the statement's own fault."""
    original = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(original, "sqlite_errorcode", None)
    if isinstance(code, int) and code & 0xFF in _UNUSABLE:
        return StoreUnavailable(f"the database cannot be used: {original}")
    return None


def prepare(path: Path) -> None:
    """Make the folder (0700) and the file (0600) where they are missing.

    A file that is there is not opened: to close it again would drop every lock that this process has on it
    (fcntl(2), sqlite.org/howtocorrupt.html 2.2), and another one would delete the WAL under us.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise NeedsAdministrator(
            f"the database {path} cannot be opened: {error.strerror}",
            remedy="let the service's user write there, or set database.url to another place",
        ) from error


def lock(path: Path) -> int:
    """Take the lock beside the database; it is held until the returned descriptor is closed.

    NeedsAdministrator when another process has it: two services on one SQLite file would each pop the same
    calls and each believe itself alone.
    """
    beside = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(beside, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.pread(beside, 32, 0).decode("ascii", "replace") or "unknown"
        os.close(beside)
        raise NeedsAdministrator(
            f"the database {path} is in use by another Perezvon (process {owner})",
            remedy="stop the other one, give this one its own database.url, or use PostgreSQL for many nodes",
        ) from error
    os.ftruncate(beside, 0)
    os.pwrite(beside, str(os.getpid()).encode(), 0)
    return beside


def connect(path: Path, *, read_only: bool, busy_timeout_s: float) -> sqlite3.Connection:
    """A connection without the driver's own transactions: BEGIN is ours.

    No memory mapping: an I/O error there is a SIGBUS, which no exception handler sees. `read_only` is held by
    `query_only`: a connection opened with mode=ro cannot read where no other has made the WAL's index.
    """
    raw = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )
    try:
        raw.execute(f"pragma cache_size = {-16384 if read_only else -65536}")
        raw.execute("pragma foreign_keys = on")
        if read_only:
            raw.execute("pragma query_only = on")
        else:
            raw.execute("pragma journal_mode = wal")
            # An acknowledged message must outlive a power cut; NORMAL may lose the last commits in WAL.
            raw.execute("pragma synchronous = full")
            raw.execute("pragma journal_size_limit = 67108864")
    except sqlite3.Error:
        raw.close()
        raise
    return raw


def copy(source: Path, target: Path) -> None:
    """A consistent copy of a database in use (sqlite.org/backup.html); `target` appears when it is whole."""
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with (
        contextlib.closing(connect(source, read_only=True, busy_timeout_s=5.0)) as here,
        contextlib.closing(sqlite3.connect(partial)) as there,
    ):
        here.backup(there)
    partial.rename(target)
