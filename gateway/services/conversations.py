"""The endless tasks of conversations, each on one node."""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from gateway.domain.contacts import Dispatch
from gateway.services import file_sweep, holding
from gateway.services.channels import Channels
from gateway.services.dispatcher import Dispatcher
from gateway.services.inbound_loop import InboundLoop
from gateway.store import leases
from gateway.store.engine import Store

Task = tuple[str, Callable[[], Awaitable[None]]]


def tasks(store: Store, channels: Channels, dispatch: Dispatch, holder: str) -> Iterator[Task]:
    """Name and run of each."""

    async def take_in(lease: leases.Lease) -> None:
        await InboundLoop(store, channels.translators, dispatch, lease).run()

    async def follow(_: leases.Lease) -> None:
        await Dispatcher(store, dispatch).run()

    async def sweep(_: leases.Lease) -> None:
        await file_sweep.run(store, channels.library)

    yield "unused uploads", partial(holding.while_held, store, "unused uploads", holder, sweep)
    if channels.by_name:
        yield "message intake", partial(holding.while_held, store, "message intake", holder, take_in)
        yield "dispatcher", partial(holding.while_held, store, "dispatcher", holder, follow)
