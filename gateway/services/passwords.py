"""Passwords: argon2id off the event loop, in a bounded pool; and what counts as one.

Parameters are OWASP's minimum (19 MiB, 2 passes, 1 lane): the library's default would hold 64 MiB and a
fifth of a second for each sign-in at the start of a shift.
"""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.domain.errors import Invalid, TooMany

T = TypeVar("T")

SHORTEST = 8
LONGEST = 256
_WORKERS = 2
_WAITING = 64

_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="perezvon-argon2")
_places = BoundedSemaphore(_WAITING)

NOBODYS = _hasher.hash(secrets.token_urlsafe())
"""Verified for logins that do not exist, so that they take the same time."""


def generate() -> str:
    """A fresh password of 96 random bits."""
    return secrets.token_urlsafe(12)


def judge(password: str, login: str, field: str = "password") -> None:
    """Raises `Invalid` for a password that will not do."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid.one(field, f"{SHORTEST} to {LONGEST} characters")
    if password.lower() == login.lower():
        raise Invalid.one(field, "something else than the login")


async def make_hash(password: str) -> str:
    """What is stored in place of the password."""
    return await _in_pool(lambda: _hasher.hash(password))


async def matches(stored: str, password: str) -> bool:
    """Whether `password` is the one behind the hash `stored`."""
    return await _in_pool(lambda: _matches(stored, password))


def is_outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than are used now."""
    return _hasher.check_needs_rehash(stored)


def _matches(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


async def _in_pool(work: Callable[[], T]) -> T:
    # Nothing may queue without end: beyond this the caller is told to come again.
    if not _places.acquire(blocking=False):
        raise TooMany("too many sign-ins at once", retry_after_s=2)
    try:
        return await asyncio.get_running_loop().run_in_executor(_pool, work)
    finally:
        _places.release()
