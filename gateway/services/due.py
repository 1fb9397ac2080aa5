"""The loop for times: what is due is done, each thing in its own transaction, once.

Work rows of these kinds hold the times; a thing that fails is set aside with its error and holds nothing up.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial

from sqlalchemy import Connection

from gateway.services import tasks
from gateway.store import work
from gateway.store.engine import Store
from gateway.supervise import until_stored

log = logging.getLogger(__name__)

POLL_S = 5.0
KINDS: Mapping[str, Callable[[Connection, str], None]] = {tasks.DUE: tasks.come_due}
"""Kind of work → what is done when it is due, by the row's payload."""


async def run(store: Store, kinds: Mapping[str, Callable[[Connection, str], None]] = KINDS) -> None:
    """Do what becomes due, for ever. Several nodes may: each row is one's."""
    woken = asyncio.Event()
    stop = store.on_commit(woken.set)
    try:
        while True:
            woken.clear()
            done = [
                await until_stored("what is due", partial(store.write, _step, kind, do))
                for kind, do in kinds.items()
            ]
            if not any(done):
                await _rest(store, kinds, woken)
    finally:
        stop()


def _step(tx: Connection, kind: str, do: Callable[[Connection, str], None]) -> bool:
    """Do one thing; whether there was one."""
    claims = work.claim(tx, kind)
    for held in claims:
        try:
            with tx.begin_nested():
                do(tx, held.payload)
                work.done(tx, held)
        except Exception as error:
            log.exception("what was due could not be done", extra={"action": "due_failed", "kind": kind})
            work.poison(tx, held, f"{type(error).__name__}: {error}")
    return bool(claims)


async def _rest(store: Store, kinds: Mapping[str, object], woken: asyncio.Event) -> None:
    """Until the next thing is due, something was committed, or some seconds have passed."""
    moments = [
        moment
        for kind in kinds
        if (moment := await until_stored("what is due", partial(store.read, work.next_due, kind)))
    ]
    left = [POLL_S, *((moment - datetime.now(UTC)).total_seconds() for moment in moments)]
    try:
        async with asyncio.timeout(max(0.01, min(left))):
            await woken.wait()
    except TimeoutError:
        return
