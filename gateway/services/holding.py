"""Doing a thing on exactly one of several nodes: run it for as long as its lease is held."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from gateway.domain.errors import StoreUnavailable, TemporaryFailure
from gateway.store import leases
from gateway.store.engine import Store

log = logging.getLogger(__name__)

_TRY_S = 0.5


async def while_held(
    store: Store,
    name: str,
    holder: str,
    work: Callable[[leases.Lease], Awaitable[None]],
    *,
    waiting: Callable[[], None] = lambda: None,
) -> None:
    """Wait for the lease `name`, then run `work` under it; raises what `work` raises.

    Raises `TemporaryFailure` when the lease is lost meanwhile: `work` is cancelled before another node begins
    (it lapses 3 s after the last renewal, and each renewal that fails counts as lost after 2 s). `waiting` is
    called once when another node holds it.
    """
    lease = await _acquired(store, name, holder, waiting)
    try:
        async with asyncio.TaskGroup() as group:
            keeper = group.create_task(_keep(store, lease))
            await work(lease)
            keeper.cancel()
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    finally:
        await _let_go(store, lease)


async def _acquired(store: Store, name: str, holder: str, waiting: Callable[[], None]) -> leases.Lease:
    told = False
    while (lease := await store.write(leases.acquire, name, holder)) is None:
        if not told:
            waiting()
        told = True
        await asyncio.sleep(_TRY_S)
    return lease


async def _keep(store: Store, lease: leases.Lease) -> None:
    loop = asyncio.get_running_loop()
    renewed = loop.time()
    while True:
        await asyncio.sleep(leases.RENEW_S)
        try:
            async with asyncio.timeout(leases.RENEW_S):
                held = await store.write(leases.renew, lease)
        except (StoreUnavailable, TimeoutError):
            if store.dialect == "sqlite":
                # One process has the file to itself, so nobody else can have taken over.
                continue
            held = loop.time() - renewed < leases.TTL_S - leases.RENEW_S
        else:
            renewed = loop.time()
        if not held:
            raise TemporaryFailure(f"the lease {lease.name} was lost to another node")


async def _let_go(store: Store, lease: leases.Lease) -> None:
    try:
        async with asyncio.timeout(leases.RENEW_S):
            await store.write(leases.release, lease)
    except (StoreUnavailable, TimeoutError):
        log.info("the lease %s could not be released and will lapse", lease.name)
