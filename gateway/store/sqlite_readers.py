"""A few threads with read-only connections: WAL lets them read beside the writer."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, create_engine
from sqlalchemy.pool import NullPool

from gateway.store.sqlite_files import connect, unavailable

T = TypeVar("T")


class Readers:
    """`run` is called in one of the threads of `executor`."""

    def __init__(self, path: Path, count: int, busy_timeout_s: float) -> None:
        self.executor = ThreadPoolExecutor(count, thread_name_prefix="perezvon-reader")
        self._own = threading.local()
        self._open: set[Connection] = set()
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: connect(path, read_only=True, busy_timeout_s=busy_timeout_s),
            poolclass=NullPool,
        )

    def run(self, work: Callable[[Connection], T]) -> T:
        """Run `work` on one snapshot of the database."""
        try:
            tx = self._connection()
            raw: sqlite3.Connection = tx.connection.dbapi_connection  # type: ignore[assignment]
            raw.execute("BEGIN")
            with tx.begin():
                return work(tx)
        except Exception as error:
            shown = unavailable(error)
            if shown is None:
                raise
            self._drop()
            raise shown from error

    def close(self) -> None:
        """Wait for the threads, then close their connections; blocks."""
        self.executor.shutdown(wait=True)
        for tx in self._open:
            tx.close()

    def _connection(self) -> Connection:
        tx: Connection | None = getattr(self._own, "tx", None)
        if tx is None:
            tx = self._own.tx = self._engine.connect()
            self._open.add(tx)
        return tx

    def _drop(self) -> None:
        tx: Connection | None = getattr(self._own, "tx", None)
        if tx is None:
            return
        self._own.tx = None
        self._open.discard(tx)
        with contextlib.suppress(Exception):  # it is thrown away either way
            tx.invalidate()
        tx.close()
