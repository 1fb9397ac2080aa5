"""The store as its users see it: units of work on one of two engines.

A unit of work is a plain function of a SQLAlchemy Core connection. It reads and writes through that
connection only, touches nothing else, never commits, and does not block: on SQLite it runs in the one
writer's thread, on PostgreSQL in a greenlet of the event loop. When `write` returns, the unit is durable;
when it raises, the unit left nothing behind. The one thing in between: when the connection dies during the
commit, or the caller is cancelled, nobody can say, so whatever must not be doubled is an insert-or-skip.

A unit is short: on SQLite everybody waits for it, on PostgreSQL it is given up after 20 s; large imports go
in portions. It may run a second time when a neighbour's deferred constraint broke their common commit. What
it wants to outlive a failed statement goes into `tx.begin_nested()`: PostgreSQL refuses the rest otherwise.
"""

from collections.abc import Callable
from typing import Concatenate, Literal, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection

P = ParamSpec("P")
T = TypeVar("T")

ANNOUNCED = "perezvon_announced"


def announce(tx: Connection) -> None:
    """Have the `on_commit` callbacks called, here and on other nodes, once this transaction is committed."""
    tx.info[ANNOUNCED] = True


class Store(Protocol):
    """The database. All methods belong to the event loop that opened it."""

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]: ...

    @property
    def url(self) -> str:
        """As configured, password included: never log it."""
        ...

    async def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kw: P.kwargs) -> T:
        """Run `work` in one transaction and return its result after the commit.

        A unit once begun is finished even when the caller is cancelled. StoreUnavailable: the database is
        locked, full or gone; whatever `work` raises rolls back this unit alone and is raised here.
        """
        ...

    async def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kw: P.kwargs) -> T:
        """Run `work` read-only on one snapshot. StoreUnavailable as for `write`."""
        ...

    def on_commit(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call `callback` in the event loop after commits that announced something; returns the way to stop.

        Only a hint: several commits may come as one call, other nodes' may be missed, some calls are for
        nothing. `callback` must neither block nor raise.
        """
        ...

    async def close(self) -> None:
        """Finish the units in hand, then let go of the database."""
        ...
