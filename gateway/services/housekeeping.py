"""What grows and is of no use any more is taken away, a little at a time."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete

from gateway.store import facts, raw
from gateway.store.engine import Store
from gateway.store.tables import idempotency, login_failures, sessions

KEEP_FACTS = timedelta(days=7)
KEEP_UPDATES = timedelta(days=30)
"""Longer than any messenger repeats an update that was not acknowledged (7 days)."""
KEEP_ANSWERS = timedelta(days=2)
_EVERY_S = 600.0


async def run(store: Store) -> None:
    """Clean up for ever, each ten minutes."""
    while True:
        more = True
        while more:
            more = await store.write(_prune_facts)
        while await store.write(raw.prune, datetime.now(UTC) - KEEP_UPDATES):
            pass
        await store.write(_prune_rest)
        await asyncio.sleep(_EVERY_S)


def _prune_facts(tx: Connection) -> bool:
    return facts.prune(tx, datetime.now(UTC) - KEEP_FACTS) > 0


def _prune_rest(tx: Connection) -> None:
    now = datetime.now(UTC)
    tx.execute(delete(sessions).where(sessions.c.expires_at < now))
    tx.execute(delete(idempotency).where(idempotency.c.created_at < now - KEEP_ANSWERS))
    tx.execute(delete(login_failures).where(login_failures.c.blocked_until < now - timedelta(days=1)))
