"""Where an operator sits and whether he is there: phones, presence."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from gateway.domain.errors import Invalid, NotFound, Refused
from gateway.domain.people import Actor, Presence, Role
from gateway.services import audit, people_facts, scope
from gateway.services.people_input import EndpointFields, PhoneOf, PresenceFields
from gateway.services.views.people import Operator
from gateway.store.engine import Store
from gateway.store.tables import connectors, endpoints, operators


def target(tx: Connection, actor: Actor, operator_id: str, *, lock: bool = False) -> Row[Any]:
    """The operator meant by `operator_id`, which may be `me`. Raises `NotFound`."""
    if operator_id == "me":
        if actor.operator_id is None:
            raise NotFound("a program is no operator: name one by id")
        operator_id = actor.operator_id
    return scope.operator_for(tx, actor, operator_id, lock=lock)


def refuse_unless_leading(actor: Actor, row: Row[Any]) -> None:
    """Raises `Refused` unless the actor is an admin or a supervisor above this colleague."""
    if actor.role is Role.ADMIN:
        return
    scope.require(actor, Role.SUPERVISOR)
    if Role(row.role).rank >= actor.role.rank:
        raise Refused("only an admin may do this to a supervisor or an admin")


def _his_own_or_led(actor: Actor, row: Row[Any]) -> None:
    if row.id != actor.operator_id:
        refuse_unless_leading(actor, row)


async def set_presence(store: Store, actor: Actor, operator_id: str, body: PresenceFields) -> Operator:
    """He takes contacts, or not: for himself, or by a supervisor of his team."""
    return await store.write(_set_presence, actor, operator_id, body)


def _set_presence(tx: Connection, actor: Actor, operator_id: str, body: PresenceFields) -> Operator:
    row = target(tx, actor, operator_id, lock=True)
    _his_own_or_led(actor, row)
    if not row.active:
        raise Invalid.one("state", "this person does not work here any more")
    reason = body.reason.strip() or None if body.reason else None
    return be(tx, row, Presence(body.state), reason)


def be(tx: Connection, row: Row[Any], state: Presence, reason: str | None = None) -> Operator:
    """Write the presence down and tell; `since` stays where only the reason changes."""
    since = row.presence_since if row.presence == state else datetime.now(UTC)
    values = {"presence": state, "presence_reason": reason, "presence_since": since}
    tx.execute(update(operators).where(operators.c.id == row.id).values(**values))
    return people_facts.tell(tx, row.id, "presence.changed")


async def sign_in_at(store: Store, actor: Actor, operator_id: str, body: EndpointFields) -> Operator:
    """He sits at this phone now, whoever was there is signed out, and he left his former one on that PBX."""
    return await store.write(_sign_in_at, actor, operator_id, body)


def _sign_in_at(tx: Connection, actor: Actor, operator_id: str, body: EndpointFields) -> Operator:
    row = target(tx, actor, operator_id, lock=True)
    _his_own_or_led(actor, row)
    if not row.active:
        raise Invalid.one("extension", "this person does not work here any more")
    if body.interface is not None and actor.role is not Role.ADMIN:
        raise Refused("only an admin may name the interface of a phone")
    former = (
        endpoints.c.operator_id == row.id,
        endpoints.c.pbx == body.pbx,
        endpoints.c.kind == body.kind,
        endpoints.c.extension != body.extension,
    )
    tx.execute(delete(endpoints).where(*former))
    place(tx, row.id, body)
    detail = {"pbx": body.pbx, "extension": body.extension}
    audit.note(tx, actor, "endpoint.signed_in", "operator", row.id, detail)
    return people_facts.tell(tx, row.id)


def place(tx: Connection, operator_id: str, body: EndpointFields) -> None:
    """Put the operator at the phone, and tell of whoever was there."""
    _refuse_unknown_pbx(tx, body.pbx)
    here = (endpoints.c.pbx == body.pbx, endpoints.c.extension == body.extension)
    former = tx.scalar(select(endpoints.c.operator_id).where(*here).with_for_update())
    tx.execute(delete(endpoints).where(*here))
    tx.execute(insert(endpoints), {"operator_id": operator_id, **msgspec.structs.asdict(body)})
    if former not in (None, operator_id):
        people_facts.tell(tx, former)


def _refuse_unknown_pbx(tx: Connection, name: str) -> None:
    known = tx.scalars(select(connectors.c.name).where(connectors.c.kind == "asterisk")).all()
    # None is known before the first start; the command line has judged the name by the settings then.
    if known and name not in known:
        raise Invalid.one("pbx", f"one of {', '.join(sorted(known))}")


async def sign_out_of(store: Store, actor: Actor, operator_id: str, phone: PhoneOf) -> Operator:
    """He sits there no longer. Raises `Invalid` for a phone that is not his."""
    return await store.write(_sign_out_of, actor, operator_id, phone)


def _sign_out_of(tx: Connection, actor: Actor, operator_id: str, phone: PhoneOf) -> Operator:
    row = target(tx, actor, operator_id, lock=True)
    _his_own_or_led(actor, row)
    there = [endpoints.c.operator_id == row.id]
    if phone.pbx is not None:
        there.append(endpoints.c.pbx == phone.pbx)
    if phone.extension is not None:
        there.append(endpoints.c.extension == phone.extension)
    left = tx.execute(delete(endpoints).where(*there)).rowcount
    if not left and len(there) > 1:
        raise Invalid.one("extension", "not a phone at which this person is signed in")
    audit.note(tx, actor, "endpoint.signed_out", "operator", row.id, {"phones": left})
    return people_facts.tell(tx, row.id)
