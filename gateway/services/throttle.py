"""Delays after failed sign-ins, per login and per address.

A login has ten free attempts, an address twenty (an office shares one); each further failure doubles the
delay. The login's delay stays short, since anybody can make somebody else's attempts fail; who guesses at
many logins runs into the longer one of his address. An hour without a failure forgets.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from gateway.domain.errors import TooMany
from gateway.store.tables import login_failures
from gateway.store.upsert import insert_or_skip

FORGET = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Allowance:
    """`free` attempts, then a delay of 1 s that doubles up to `longest_s`."""

    free: int
    longest_s: float

    def delay_s(self, failures: int) -> float:
        """Seconds to wait after so many failures."""
        return min(2.0 ** min(failures - self.free, 20), self.longest_s) if failures >= self.free else 0.0


PER_LOGIN = Allowance(free=10, longest_s=60)
PER_ADDRESS = Allowance(free=20, longest_s=900)


def attempt(tx: Connection, login: str, address: str) -> None:
    """Count an attempt at the login as failed until `succeeded` says otherwise. Raises `TooMany`.

    The address is only looked at: sixty people who sign in at once from one office have not failed.
    """
    now = datetime.now(UTC)
    tx.execute(delete(login_failures).where(login_failures.c.blocked_until < now - FORGET))
    until = max(_blocked_until(tx, _login(login), now), _blocked_until(tx, _address(address), now))
    if until > now:
        wait_s = (until - now).total_seconds()
        raise TooMany("too many failed sign-ins; wait a little", retry_after_s=wait_s + 1)
    _count(tx, _login(login), PER_LOGIN, now)


def failed(tx: Connection, address: str) -> None:
    """The attempt came to nothing."""
    now = datetime.now(UTC)
    _blocked_until(tx, _address(address), now)
    _count(tx, _address(address), PER_ADDRESS, now)


def succeeded(tx: Connection, login: str) -> None:
    """The attempt was none: the login starts anew.

    The address does not: somebody with an account of his own could clear it for his guesses at others.
    """
    tx.execute(delete(login_failures).where(login_failures.c.key == _login(login)))


def _login(login: str) -> str:
    return f"login {login}"[:255]


def _address(address: str) -> str:
    return f"address {address}"


def _blocked_until(tx: Connection, key: str, now: datetime) -> datetime:
    """When its delay ends; holds the row, made where there is none, until the transaction ends."""
    insert_or_skip(tx, login_failures, {"key": key, "failures": 0, "blocked_until": now}, on=["key"])
    query = select(login_failures.c.blocked_until).where(login_failures.c.key == key).with_for_update()
    until: datetime = tx.execute(query).scalar_one()
    return until


def _count(tx: Connection, key: str, allowance: Allowance, now: datetime) -> None:
    here = login_failures.c.key == key
    failures = tx.execute(select(login_failures.c.failures).where(here)).scalar_one() + 1
    blocked_until = now + timedelta(seconds=allowance.delay_s(failures))
    tx.execute(update(login_failures).where(here).values(failures=failures, blocked_until=blocked_until))
