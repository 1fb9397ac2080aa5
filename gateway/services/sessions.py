"""Sign-in of people: random tokens of which only SHA-256 is stored, so that a sign-out takes effect at once.

Failed attempts are counted per login and per address in the database, before the password is looked at: a
restart forgets nothing, and a hundred attempts at once are a hundred attempts.
"""

import contextlib
import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from config.settings import People
from gateway.domain.errors import StoreUnavailable, Unauthenticated
from gateway.domain.people import Actor, Presence, Role
from gateway.services import audit, passwords, seats, throttle
from gateway.store.engine import Store
from gateway.store.tables import operator_teams, operators, sessions

WRONG = "login or password is wrong"
_SEEN_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in by the desk."""

    token_hash: str
    csrf_token: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`token` goes into the cookie and nowhere else."""

    token: str
    session: Session


def hash_of(token: str) -> str:
    """What is stored of a token. It has 256 random bits, so one plain SHA-256 is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


async def sign_in(
    store: Store, limits: People, login: str, password: str, address: str, former: str | None = None
) -> SignedIn:
    """A new session, ending the `former` one (its token) of this browser.

    Raises `Unauthenticated` with the same words and after the same time whatever was wrong, `TooMany`.
    """
    login = login.strip().lower()
    row = await store.write(_attempt, login, address)
    stored = row.password_hash if row else passwords.NOBODYS
    if not await passwords.matches(stored, password) or row is None:
        await store.write(throttle.failed, address)
        raise Unauthenticated(WRONG)
    rehashed = await passwords.make_hash(password) if passwords.is_outdated(stored) else None
    return await store.write(_open, limits, row, address, former, rehashed)


def _attempt(tx: Connection, login: str, address: str) -> Row[Any] | None:
    throttle.attempt(tx, login, address)
    query = select(operators).where(operators.c.login == login, operators.c.active)
    return tx.execute(query).one_or_none()


def _open(
    tx: Connection, limits: People, row: Row[Any], address: str, former: str | None, rehashed: str | None
) -> SignedIn:
    now = datetime.now(UTC)
    unchanged = (operators.c.id == row.id, operators.c.password_hash == row.password_hash)
    if tx.execute(select(operators.c.id).where(*unchanged, operators.c.active)).one_or_none() is None:
        raise Unauthenticated(WRONG)
    throttle.succeeded(tx, row.login)
    if former:
        tx.execute(delete(sessions).where(sessions.c.token_hash == hash_of(former)))
    tx.execute(delete(sessions).where(sessions.c.operator_id == row.id, ~_alive(limits, now)))
    token = secrets.token_urlsafe(32)
    values = {
        "token_hash": hash_of(token),
        "operator_id": row.id,
        "csrf_token": secrets.token_urlsafe(32),
        "address": address,
        "created_at": now,
        "seen_at": now,
        "expires_at": now + timedelta(hours=limits.session_max_hours),
    }
    tx.execute(insert(sessions), values)
    if rehashed is not None:
        tx.execute(update(operators).where(operators.c.id == row.id).values(password_hash=rehashed))
    actor = actor_of(tx, row, address)
    audit.note(tx, actor, "session.started", "operator", row.id)
    return SignedIn(token, Session(values["token_hash"], values["csrf_token"], actor))


def actor_of(tx: Connection, row: Row[Any], address: str | None) -> Actor:
    """The person of this row of `operators`, with the teams that he has now."""
    teams = tx.scalars(select(operator_teams.c.team_id).where(operator_teams.c.operator_id == row.id))
    return Actor(row.id, row.name, Role(row.role), frozenset(teams), address=address)


def _alive(limits: People, now: datetime) -> ColumnElement[bool]:
    idle_since = now - timedelta(hours=limits.session_idle_hours)
    return (sessions.c.expires_at > now) & (sessions.c.seen_at > idle_since)


async def find(store: Store, limits: People, token: str, address: str) -> Session:
    """The session of this cookie. Raises `Unauthenticated` when it has ended."""
    session, seen_at = await store.read(_find, limits, hash_of(token), address)
    if datetime.now(UTC) - seen_at > _SEEN_EVERY:
        with contextlib.suppress(StoreUnavailable):  # a full disk is no reason not to read
            await store.write(_seen, session.token_hash)
    return session


def _find(tx: Connection, limits: People, token_hash: str, address: str) -> tuple[Session, datetime]:
    row = _row(tx, limits, token_hash)
    if row is None:
        raise Unauthenticated("your session has ended: sign in again")
    return Session(token_hash, row.csrf_token, actor_of(tx, row, address)), row.seen_at


def _row(tx: Connection, limits: People, token_hash: str) -> Row[Any] | None:
    query = (
        select(operators, sessions.c.csrf_token, sessions.c.seen_at)
        .join(sessions, sessions.c.operator_id == operators.c.id)
        .where(sessions.c.token_hash == token_hash, _alive(limits, datetime.now(UTC)), operators.c.active)
    )
    return tx.execute(query).one_or_none()


def again(tx: Connection, limits: People, session: Session) -> Session | None:
    """The session with the rights of now, for open sockets; None when it has ended."""
    row = _row(tx, limits, session.token_hash)
    if row is None:
        return None
    return Session(session.token_hash, row.csrf_token, actor_of(tx, row, session.actor.address))


def _seen(tx: Connection, token_hash: str) -> None:
    now = datetime.now(UTC)
    tx.execute(update(sessions).where(sessions.c.token_hash == token_hash).values(seen_at=now))


async def sign_out(store: Store, limits: People, session: Session) -> None:
    """End this session. Who signs out of the last one is offline from then on."""
    await store.write(_sign_out, limits, session)


def _sign_out(tx: Connection, limits: People, session: Session) -> None:
    actor = session.actor
    tx.execute(delete(sessions).where(sessions.c.token_hash == session.token_hash))
    audit.note(tx, actor, "session.ended", "operator", actor.id)
    others = select(sessions.c.token_hash).where(
        sessions.c.operator_id == actor.id, _alive(limits, datetime.now(UTC))
    )
    row = tx.execute(select(operators).where(operators.c.id == actor.id)).one()
    if tx.execute(others).first() is None and row.presence != Presence.OFFLINE:
        seats.be(tx, row, Presence.OFFLINE)


def end_all(tx: Connection, operator_id: str, keep: Collection[str] = ()) -> None:
    """End the operator's sessions but those whose hashes are in `keep`."""
    his = sessions.c.operator_id == operator_id
    tx.execute(delete(sessions).where(his, sessions.c.token_hash.not_in(keep)))
