"""`me`: who is signed in, and what he may change about himself."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select, update

from gateway.domain.errors import FieldError, Invalid, NotFound
from gateway.domain.people import Actor
from gateway.services import audit, passwords, people_facts, people_views, sessions, throttle
from gateway.services.people_input import Language
from gateway.services.sessions import Session
from gateway.services.views.common import Body
from gateway.services.views.people import Me
from gateway.store.engine import Store
from gateway.store.tables import operators, teams


class MeUpdate(Body, frozen=True):
    """A person's own language and password; the password needs the current one beside it."""

    language: Language | msgspec.UnsetType = msgspec.UNSET
    password: str | msgspec.UnsetType = msgspec.UNSET
    current_password: str | msgspec.UnsetType = msgspec.UNSET


async def get(store: Store, actor: Actor, session: Session | None) -> Me:
    """Who is signed in."""
    return await store.read(view, actor, session)


def view(tx: Connection, actor: Actor, session: Session | None) -> Me:
    """The same, in a transaction."""
    if actor.operator_id is None:
        return _program(tx, actor)
    one = people_views.fresh(tx, actor.operator_id)
    return Me(
        id=one.id,
        login=one.login,
        name=one.name,
        role=one.role,
        teams=one.teams,
        language=one.language,
        endpoints=one.endpoints,
        presence=one.presence,
        csrf_token=session.csrf_token if session else None,
    )


def _program(tx: Connection, actor: Actor) -> Me:
    names = tx.scalars(select(teams.c.name).where(teams.c.id.in_(actor.teams)).order_by(teams.c.name))
    return Me(
        id=actor.id,
        login=None,
        name=actor.name,
        role=actor.role.value,
        teams=list(names),
        language="en",
        endpoints=[],
        presence=None,
        csrf_token=None,
        scopes=sorted(actor.scopes) or None,
    )


async def change(store: Store, actor: Actor, session: Session | None, body: MeUpdate) -> Me:
    """Language, password. A new password ends the person's other sessions. Raises `Invalid`, `TooMany`."""
    if actor.operator_id is None:
        raise NotFound("a program has nothing to change about itself")
    hashed = None
    if body.password is not msgspec.UNSET:
        hashed = await _judged_hash(store, actor, body.password, body.current_password)
    return await store.write(_change, actor, session, body.language, hashed)


async def _judged_hash(store: Store, actor: Actor, password: str, current: str | msgspec.UnsetType) -> str:
    if current is msgspec.UNSET:
        raise Invalid([FieldError("current_password", "is required to change the password")])
    row = await store.read(_row, actor.id)
    passwords.judge(password, row.login)
    # A stolen session must not be good for guessing the password either.
    await store.write(throttle.attempt, row.login, actor.address or "")
    if not await passwords.matches(row.password_hash, current):
        raise Invalid.one("current_password", "is not your password")
    await store.write(throttle.succeeded, row.login)
    return await passwords.make_hash(password)


def _row(tx: Connection, operator_id: str) -> Row[Any]:
    return tx.execute(select(operators).where(operators.c.id == operator_id)).one()


def _change(
    tx: Connection,
    actor: Actor,
    session: Session | None,
    language: str | msgspec.UnsetType,
    hashed: str | None,
) -> Me:
    values = {"version": operators.c.version + 1, "updated_at": datetime.now(UTC)}
    if language is not msgspec.UNSET:
        values["language"] = language
    if hashed is not None:
        values["password_hash"] = hashed
        sessions.end_all(tx, actor.id, keep=[session.token_hash] if session else ())
        audit.note(tx, actor, "password.changed", "operator", actor.id)
    tx.execute(update(operators).where(operators.c.id == actor.id).values(**values))
    people_facts.tell(tx, actor.id)
    return view(tx, actor, session)
