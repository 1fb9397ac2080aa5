"""The dispatcher's loop: keeps offers in step with who is there, brings back what was put off in its time.

What the client writes is offered in its own transaction already; this loop follows people who come and go.
One node runs it.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import Connection, Row, select, text

from gateway.domain.contacts import Candidate, Dispatch, Waiting
from gateway.services import offers, outbox, thread_contacts
from gateway.store import facts, work
from gateway.store import threads as store
from gateway.store.engine import Store
from gateway.store.tables import OPEN_CONTACT, contacts
from gateway.supervise import until_stored

POLL_S = 1.0
LEAST_S = 0.2
"""Pause between two looks, however much happens."""
MOST = 2000
"""Waiting contacts that are looked at, the longest waiting first."""
_NAME = "the dispatcher"
_OPEN = text(OPEN_CONTACT)
_waiting = (
    select(contacts)
    .where(_OPEN, contacts.c.state.in_(offers.WAITING), contacts.c.thread_id.is_not(None))
    .order_by(contacts.c.priority.desc(), contacts.c.queued_at, contacts.c.id)
    .limit(MOST)
)


class Dispatcher:
    """Follows the operators and the clock."""

    def __init__(self, store_: Store, dispatch: Dispatch) -> None:
        self._store = store_
        self._dispatch = dispatch
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """For ever."""
        stop = self._store.on_commit(self._wake.set)
        try:
            while True:
                self._wake.clear()
                await self.step()
                await asyncio.sleep(LEAST_S)
                await self._woken()
        finally:
            stop()

    async def _woken(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
        except TimeoutError:
            return

    async def step(self) -> None:
        """Do what is due now."""
        found = await until_stored(_NAME, lambda: self._store.read(_due, self._dispatch, datetime.now(UTC)))
        for contact_id in found:
            await until_stored(_NAME, partial(self._store.write, _again, contact_id, self._dispatch))
        if await until_stored(_NAME, lambda: self._store.read(_has_scheduled)):
            await until_stored(_NAME, lambda: self._store.write(outbox.release_due))


def _has_scheduled(tx: Connection) -> bool:
    due_at = work.next_due(tx, outbox.LATER)
    return due_at is not None and due_at <= datetime.now(UTC)


def _due(tx: Connection, dispatch: Dispatch, now: datetime) -> list[str]:
    """Contacts that should stand otherwise than they do."""
    put_off = select(contacts.c.id).where(_OPEN, contacts.c.state == "deferred", contacts.c.due_at <= now)
    found = list(tx.scalars(put_off.where(contacts.c.thread_id.is_not(None)).limit(MOST)))
    known: dict[tuple[Any, ...], Sequence[Candidate]] = {}
    for row in tx.execute(_waiting):
        kind = (row.team_id, row.channel, *row.skills)
        if kind not in known:
            known[kind] = offers.candidates(tx, row)
        decided = dispatch(_asked(row), known[kind])
        if list(decided.operators) != row.offered_to:
            found.append(row.id)
    return found


def _asked(row: Row[Any]) -> Waiting:
    return Waiting(row.id, row.channel, row.preferred_id, frozenset(row.declined_by))


def _again(tx: Connection, contact_id: str, dispatch: Dispatch) -> None:
    """Decide on the contact anew, its thread held."""
    seen = select(contacts.c.thread_id).where(contacts.c.id == contact_id)
    store.locked(tx, str(tx.scalar(seen)))
    row = tx.execute(select(contacts).where(contacts.c.id == contact_id)).one()
    now = datetime.now(UTC)
    if row.state == "deferred" and row.due_at is not None and row.due_at <= now:
        told = thread_contacts.requeue(tx, row, row.operator_id, dispatch, now, event="contact.queued")
        store.change(tx, row.thread_id, {"snoozed_until": None})
        facts.append(tx, told)
    elif row.state in offers.WAITING:
        facts.append(tx, offers.offer(tx, row, dispatch, now))
