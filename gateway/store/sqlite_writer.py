"""The one thread that writes to SQLite, many units to a commit.

While one commit waits for the disk, the units that arrive meanwhile gather; the next transaction takes up to
GROUP of them, each in a savepoint of its own, so that a unit that fails takes nobody with it.
"""

import asyncio
import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.pool import NullPool

from gateway.domain.errors import StoreUnavailable
from gateway.store.contract import ANNOUNCED
from gateway.store.sqlite_files import connect, unavailable

log = logging.getLogger(__name__)

GROUP = 32
IDLE_S = 5.0


@dataclass(slots=True, eq=False)
class Unit:
    """A unit of work on its way: `future` belongs to the event loop, the rest to the writer."""

    run: Callable[[Connection], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None
    announced: bool = False

    def settle(self) -> None:
        """Hand the outcome to whoever waits; in the event loop."""
        if self.future.done():
            return
        if isinstance(self.error, StopIteration):  # a future does not take it
            self.future.set_exception(RuntimeError("the unit of work raised StopIteration"))
        elif self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """Owns the writing connection. `settle` is called in this thread with each group that is decided."""

    def __init__(self, path: Path, busy_timeout_s: float, settle: Callable[[list[Unit]], None]) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._settle = settle
        self._queue: SimpleQueue[Unit | None] = SimpleQueue()
        self._engine = create_engine("sqlite://", creator=self._connect, poolclass=NullPool)
        self._tx: Connection | None = None
        self._dirty = False
        self._file = (0, 0)
        self._stopping = False
        self._thread = threading.Thread(target=self._main, name="perezvon-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, unit: Unit) -> None:
        self._queue.put(unit)

    def stop(self) -> None:
        """Finish what was put before, then end; blocks."""
        self._queue.put(None)
        self._thread.join()

    def _connect(self) -> sqlite3.Connection:
        raw = connect(self._path, read_only=False, busy_timeout_s=self._busy_timeout_s)
        found = self._path.stat()
        self._file = (found.st_dev, found.st_ino)
        return raw

    def _main(self) -> None:
        while group := self._gather():
            self._decide(group)
            self._settle(group)
        self._drop(optimize=True)

    def _gather(self) -> list[Unit]:
        """The next units, waiting for the first; empty at the end."""
        group: list[Unit] = []
        while not self._stopping and len(group) < GROUP:
            try:
                unit = self._queue.get(block=not group, timeout=IDLE_S if self._dirty else None)
            except Empty:
                if group:
                    break
                self._checkpoint()
                continue
            if unit is None:
                self._stopping = True
            elif not unit.future.cancelled():
                group.append(unit)
        return group

    def _decide(self, group: list[Unit]) -> None:
        try:
            self._commit(group)
        except IntegrityError as error:
            # A deferred constraint speaks at the commit and does not say whose row it was. Everything is
            # rolled back, so each unit may have its own transaction, where it answers for itself.
            if len(group) == 1:
                group[0].error = error
                return
            for unit in group:
                if unit.error is None:
                    self._decide([unit])
        except BaseException as error:  # the thread must outlive whatever a unit or the engine does
            self._fail(group, error)

    def _fail(self, group: list[Unit], error: BaseException) -> None:
        self._drop()
        message = str(unavailable(error) or f"the transaction was lost: {error!r}")
        for unit in group:
            if unit.error is None:
                unit.error = StoreUnavailable(message)
                unit.error.__cause__ = error

    def _commit(self, group: list[Unit]) -> None:
        """One transaction for all of `group`; raises only what concerns all of them."""
        if self._tx is not None and self._moved():
            self._drop()
        tx = self._tx = self._tx or self._engine.connect()
        raw: sqlite3.Connection = tx.connection.dbapi_connection  # type: ignore[assignment]
        raw.execute("BEGIN IMMEDIATE")
        try:
            with tx.begin() as transaction:
                for unit in group:
                    self._run(tx, raw, unit, alone=len(group) == 1)
                if all(unit.error is not None for unit in group):
                    transaction.rollback()
        finally:
            if raw.in_transaction:  # a commit that was refused leaves the transaction open
                raw.execute("ROLLBACK")
        self._dirty = True

    def _run(self, tx: Connection, raw: sqlite3.Connection, unit: Unit, *, alone: bool) -> None:
        tx.info.pop(ANNOUNCED, None)
        if not alone:
            raw.execute("SAVEPOINT unit")
        try:
            unit.result = unit.run(tx)
            if not raw.in_transaction:
                raise StoreUnavailable("the engine gave the transaction up, and the unit of work hid it")
        except BaseException as error:
            if unavailable(error) or not raw.in_transaction:
                raise  # the engine has rolled back, or will: nobody's unit is left
            unit.error = error
            while nested := tx.get_nested_transaction():
                nested.rollback()
            if not alone:
                raw.execute("ROLLBACK TO unit")
        else:
            unit.announced = ANNOUNCED in tx.info
        if not alone:
            raw.execute("RELEASE unit")

    def _checkpoint(self) -> None:
        """Fold the log into the file while nobody writes; readers in its way are left alone."""
        self._dirty = False
        if self._tx is None:
            return
        raw: sqlite3.Connection = self._tx.connection.dbapi_connection  # type: ignore[assignment]
        try:
            raw.execute("pragma busy_timeout = 0")
            raw.execute("pragma wal_checkpoint(truncate)").fetchall()
        except sqlite3.Error as error:
            log.info("checkpoint put off: %s", error, extra={"action": "checkpoint_put_off"})
        finally:
            raw.execute(f"pragma busy_timeout = {int(self._busy_timeout_s * 1000)}")

    def _moved(self) -> bool:
        """Whether another file or none has the database's name: what is written to the old one is lost."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return True
        return (found.st_dev, found.st_ino) != self._file

    def _drop(self, *, optimize: bool = False) -> None:
        """Close the connection; the next group opens a new one. After an engine's error it is not trusted."""
        tx, self._tx = self._tx, None
        if tx is None:
            return
        with contextlib.suppress(Exception):  # it is thrown away either way
            if optimize:
                tx.exec_driver_sql("pragma optimize")
            tx.invalidate()
        tx.close()
