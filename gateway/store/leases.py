"""Leases: who of several nodes does a thing, with a growing token that every write under the lease names.

A session's advisory lock would not do: a frozen holder keeps it for ever and never learns that it should not.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from gateway.domain.errors import PerezvonError
from gateway.store import clock
from gateway.store.tables_core import leases
from gateway.store.types import EPOCH
from gateway.store.upsert import insert

TTL_S = 3.0
RENEW_S = 1.0


class LeaseLost(PerezvonError):
    """Another node has taken over: nothing more may be written under this lease."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A lease held: `token` is greater than that of every holder before."""

    name: str
    holder: str
    token: int


def acquire(tx: Connection, name: str, holder: str, ttl_s: float = TTL_S) -> Lease | None:
    """Take the lease when it is free, lapsed or already `holder`'s; None while another has it.

    `holder` is one running process: made anew at each start, or its own former self could still write.
    """
    statement = insert(tx, leases).values(
        name=name, holder=holder, token=1, expires_at=clock.after(tx, ttl_s)
    )
    statement = statement.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": holder, "token": leases.c.token + 1, "expires_at": clock.after(tx, ttl_s)},
        where=(leases.c.expires_at <= clock.after(tx)) | (leases.c.holder == holder),
    )
    token = tx.execute(statement.returning(leases.c.token)).scalar_one_or_none()
    return None if token is None else Lease(name, holder, token)


def renew(tx: Connection, lease: Lease, ttl_s: float = TTL_S) -> bool:
    """Hold on for `ttl_s` more; False when another has taken over.

    A lapsed lease that nobody took is still the holder's: its token is the newest.
    """
    held = (leases.c.name == lease.name) & (leases.c.token == lease.token)
    return tx.execute(update(leases).where(held).values(expires_at=clock.after(tx, ttl_s))).rowcount == 1


def release(tx: Connection, lease: Lease) -> None:
    """Let go at once; nothing when another has it. The row stays, so that tokens go on growing."""
    held = (leases.c.name == lease.name) & (leases.c.token == lease.token)
    tx.execute(update(leases).where(held).values(expires_at=EPOCH, token=leases.c.token + 1))


def fenced(tx: Connection, name: str, token: int) -> None:
    """Make sure that `token` is the newest and stays so until this transaction is over, else LeaseLost."""
    query = select(leases.c.token).where(leases.c.name == name).with_for_update(read=True)
    if tx.execute(query).scalar_one_or_none() != token:
        raise LeaseLost
