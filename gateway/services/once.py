"""Doing nothing twice: a store whose write answers a repeated Idempotency-Key with what it answered before.

The record is a row of the verb's own transaction: a crash between the two cannot happen, and of two requests
with one key at the same moment the database lets one go on while the other waits for its row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Concatenate, Literal, ParamSpec, TypeVar

from sqlalchemy import ColumnElement, Connection, delete, select, update

from gateway.domain.errors import Invalid
from gateway.domain.people import Actor
from gateway.services.views.common import to_json
from gateway.store.engine import Store
from gateway.store.tables import idempotency
from gateway.store.upsert import insert_or_skip

P = ParamSpec("P")
T = TypeVar("T")

KEPT = timedelta(hours=24)


class AlreadyDone(Exception):
    """The request was done before: `body` is what it answered. Not an error; raised past the verb."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__("done before")
        self.status = status
        self.body = body


@dataclass(frozen=True, slots=True)
class Key:
    """Whose key, and a hash of what was asked with it."""

    actor: Actor
    value: str
    request_hash: str
    status: int
    """What the route answers on success."""


class OnceStore:
    """A store for one request; the result of its one write is what a repetition will answer."""

    def __init__(self, store: Store, key: Key) -> None:
        self._store = store
        self._key = key

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        return self._store.dialect

    @property
    def url(self) -> str:
        return self._store.url

    async def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kw: P.kwargs) -> T:
        """As the store's. Raises `AlreadyDone`, and `Invalid` where the key was used for something else."""

        def once(tx: Connection) -> T:
            _begin(tx, self._key)
            result = work(tx, *args, **kw)
            _finish(tx, self._key, to_json(result))
            return result

        return await self._store.write(once)

    async def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kw: P.kwargs) -> T:
        return await self._store.read(work, *args, **kw)

    def on_commit(self, callback: Callable[[], None]) -> Callable[[], None]:
        return self._store.on_commit(callback)

    async def close(self) -> None:
        await self._store.close()


def _begin(tx: Connection, key: Key) -> None:
    now = datetime.now(UTC)
    tx.execute(delete(idempotency).where(idempotency.c.created_at < now - KEPT))
    row = {
        "actor_id": key.actor.id,
        "key": key.value,
        "request_hash": key.request_hash,
        "status": key.status,
        "body": "",
        "created_at": now,
    }
    if insert_or_skip(tx, idempotency, row, on=["actor_id", "key"]):
        return
    done = tx.execute(select(idempotency).where(_is(key))).one()
    if done.request_hash != key.request_hash:
        raise Invalid.one("Idempotency-Key", "was used for another request; make a new key for each")
    raise AlreadyDone(done.status, done.body.encode())


def _finish(tx: Connection, key: Key, body: bytes) -> None:
    tx.execute(update(idempotency).where(_is(key)).values(body=body.decode()))


def _is(key: Key) -> ColumnElement[bool]:
    return (idempotency.c.actor_id == key.actor.id) & (idempotency.c.key == key.value)
