"""Verbs on the identities of a card."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Connection, delete, select, update

from gateway.domain.errors import Conflict, FieldError, Invalid
from gateway.domain.identities import Identity, normalise
from gateway.domain.people import Actor
from gateway.services import clients, scope
from gateway.services.card_changes import author, published
from gateway.services.views.cards import Card
from gateway.services.views.common import Body
from gateway.store import cards as store
from gateway.store.engine import Store
from gateway.store.tables import cards, identities

Line = Annotated[str, msgspec.Meta(max_length=500)]


class NewIdentity(Body, frozen=True):
    """An address to put on a card; any spelling."""

    kind: str
    value: Line
    label: Line | None = None
    level: Literal["known", "maybe"] = "known"


def normalised(given: Sequence[NewIdentity], country: str) -> list[tuple[Identity, NewIdentity]]:
    found, errors = [], []
    for position, new in enumerate(given):
        try:
            found.append((normalise(new.kind, new.value, country), new))
        except Invalid as wrong:
            errors += [FieldError(f"identities[{position}].{e.field}", e.message) for e in wrong.errors]
    if errors:
        raise Invalid(errors)
    return found


async def add_identity(store_: Store, actor: Actor, card_id: str, body: NewIdentity, country: str) -> Card:
    """Put an address on the card. Raises `Conflict` naming the card that has it."""
    return await store_.write(_add_identity, actor, card_id, normalise(body.kind, body.value, country), body)


def _add_identity(tx: Connection, actor: Actor, card_id: str, identity: Identity, body: NewIdentity) -> Card:
    scope.card_for(tx, actor, card_id, lock=True)
    now = datetime.now(UTC)
    put(tx, actor, card_id, identity, body, now)
    store.changed(tx, card_id, now)
    return published(tx, card_id)


def put(
    tx: Connection, actor: Actor, card_id: str, identity: Identity, body: NewIdentity, now: datetime
) -> None:
    mine = (
        identities.c.card_id == card_id,
        identities.c.kind == identity.kind,
        identities.c.value == identity.value,
    )
    if tx.scalar(select(identities.c.id).where(*mine)) is not None and body.level == "known":
        # It is listed as `maybe` so far (or known already): raise it.
        _refuse_taken(tx, actor, card_id, identity)
        tx.execute(update(identities).where(*mine).values(level="known", label=body.label))
        return
    placed = (
        store.claim_identity(tx, identity, card_id, now) is not None
        if body.level == "known"
        else store.add_maybe(tx, identity, card_id, now)
    )
    if not placed:
        _refuse_taken(tx, actor, card_id, identity)
        raise Conflict(f"this card has {identity.value} already")
    if body.label:
        tx.execute(update(identities).where(*mine).values(label=body.label))


def _refuse_taken(tx: Connection, actor: Actor, card_id: str, identity: Identity) -> None:
    owner = store.card_knowing(tx, identity)
    if owner is None or owner == card_id:
        return
    seen = tx.execute(select(cards.c.name).where(cards.c.id == owner, scope.cards(actor))).one_or_none()
    whose = f"the card {owner} ({seen.name or 'without a name'})" if seen else "a card of another team"
    raise Conflict(f"{identity.value} belongs to {whose}: merge the two, or add it with level maybe")


async def remove_identity(
    store_: Store, actor: Actor, card_id: str, kind: str, value: str, country: str
) -> Card:
    """Take an address off the card. Raises `Invalid` when the card does not have it."""
    return await store_.write(_remove_identity, actor, card_id, normalise(kind, value, country))


def _remove_identity(tx: Connection, actor: Actor, card_id: str, identity: Identity) -> Card:
    scope.card_for(tx, actor, card_id, lock=True)
    gone = tx.execute(delete(identities).where(*_on_card(card_id, identity)))
    if not gone.rowcount:
        raise Invalid.one("value", "this card does not have it")
    now = datetime.now(UTC)
    detail = {"kind": identity.kind, "value": identity.value}
    clients.add_card_event(tx, card_id, now, "identity_removed", detail, author(actor))
    store.changed(tx, card_id, now)
    return published(tx, card_id)


def _on_card(card_id: str, identity: Identity) -> tuple[Any, ...]:
    return (
        identities.c.card_id == card_id,
        identities.c.kind == identity.kind,
        identities.c.value == identity.value,
    )


class IdentityFields(Body, frozen=True):
    """What a person may set on an identity."""

    label: Line | msgspec.UnsetType | None = msgspec.UNSET
    blocked: bool | msgspec.UnsetType = msgspec.UNSET


async def change_identity(
    store_: Store, actor: Actor, card_id: str, kind: str, value: str, body: IdentityFields, country: str
) -> Card:
    """Label or block an address. Raises `Invalid` when the card does not have it."""
    return await store_.write(_change_identity, actor, card_id, normalise(kind, value, country), body)


def _change_identity(
    tx: Connection, actor: Actor, card_id: str, identity: Identity, body: IdentityFields
) -> Card:
    scope.card_for(tx, actor, card_id, lock=True)
    values = {k: v for k, v in msgspec.structs.asdict(body).items() if v is not msgspec.UNSET}
    if (
        values
        and not tx.execute(update(identities).where(*_on_card(card_id, identity)).values(**values)).rowcount
    ):
        raise Invalid.one("value", "this card does not have it")
    store.changed(tx, card_id, datetime.now(UTC))
    return published(tx, card_id)
