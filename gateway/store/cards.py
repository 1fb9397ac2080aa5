"""Queries on cards and what hangs on them; the session (connection) first."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.domain.identities import Identity
from gateway.domain.ids import new_id
from gateway.store import upsert
from gateway.store.tables import card_terms, cards, identities, leads, merges
from gateway.store.types import UtcDateTime

KNOWN = identities.c.level == "known"
_OPEN_LEAD = leads.c.status.in_(("new", "in_work"))
# What calls are recorded with is built once: making a statement costs as much as running it.
_known_card = select(identities.c.card_id).where(
    identities.c.kind == bindparam("kind"), identities.c.value == bindparam("value"), KNOWN
)
_card = select(cards).where(cards.c.id == bindparam("card_id"))
# Of the strength of an UPDATE: rows that refer to a card are not held up by who changes it.
_locked_card = _card.with_for_update(key_share=True)
_identities = select(identities).where(identities.c.card_id == bindparam("card_id")).order_by(identities.c.id)
_leads = select(leads).where(leads.c.card_id == bindparam("card_id")).order_by(leads.c.id.desc())
_claims = {
    dialect: insert_of(identities)
    .on_conflict_do_nothing(index_elements=["kind", "value"], index_where=text("level = 'known'"))
    .returning(identities)
    for dialect, insert_of in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}
_add_terms = insert(card_terms)
_maybe = (
    select(cards)
    .join(identities, identities.c.card_id == cards.c.id)
    .where(
        identities.c.kind == bindparam("kind"),
        identities.c.value == bindparam("value"),
        identities.c.level == "maybe",
        cards.c.merged_into.is_(None),
    )
    .order_by(cards.c.id)
    .limit(bindparam("most"))
)
_touch = update(cards).where(
    cards.c.id == bindparam("card_id"),
    (cards.c.last_contact_at.is_(None)) | (cards.c.last_contact_at < bindparam("at", type_=UtcDateTime)),
)


def card_knowing(tx: Connection, identity: Identity) -> str | None:
    """The id of the card to which the identity belongs."""
    card_id: str | None = tx.scalar(_known_card, {"kind": identity.kind, "value": identity.value})
    return card_id


def claim_identity(tx: Connection, identity: Identity, card_id: str, now: datetime) -> Row[Any] | None:
    """Give the identity to `card_id`; its row, or None if it belongs to a card already.

    On PostgreSQL this waits for a concurrent claimer: when it returns None, his card can be read.
    """
    return tx.execute(_claims[tx.dialect.name], _identity_row(identity, card_id, now)).one_or_none()


def _identity_row(identity: Identity, card_id: str, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "kind": identity.kind,
        "value": identity.value,
        "card_id": card_id,
        "level": "known",
        "label": None,
        "blocked": False,
        "undeliverable": False,
        "created_at": now,
    }


def add_maybe(tx: Connection, identity: Identity, card_id: str, now: datetime) -> bool:
    """List the identity on the card as one that may be meant; False if the card has it already."""
    row = {**_identity_row(identity, card_id, now), "level": "maybe"}
    return upsert.insert_or_skip(tx, identities, row, on=["card_id", "kind", "value"])


def locked(tx: Connection, card_id: str) -> Row[Any]:
    """The card's row, held until the transaction ends."""
    return tx.execute(_locked_card, {"card_id": card_id}).one()


def card(tx: Connection, card_id: str) -> Row[Any]:
    """The card's row."""
    return tx.execute(_card, {"card_id": card_id}).one()


def open_lead(tx: Connection, card_id: str) -> Row[Any] | None:
    """The newest lead in new | in_work, if there is one."""
    query = select(leads).where(leads.c.card_id == card_id, _OPEN_LEAD).order_by(leads.c.id.desc()).limit(1)
    return tx.execute(query).one_or_none()


def identities_of(tx: Connection, card_ids: Sequence[str]) -> Mapping[str, list[Row[Any]]]:
    """Card id → its identities, oldest first."""
    if len(card_ids) == 1:
        return _grouped(tx.execute(_identities, {"card_id": card_ids[0]}))
    query = select(identities).where(identities.c.card_id.in_(card_ids)).order_by(identities.c.id)
    return _grouped(tx.execute(query))


def leads_of(tx: Connection, card_ids: Sequence[str]) -> Mapping[str, list[Row[Any]]]:
    """Card id → its leads, newest first."""
    if len(card_ids) == 1:
        return _grouped(tx.execute(_leads, {"card_id": card_ids[0]}))
    query = select(leads).where(leads.c.card_id.in_(card_ids)).order_by(leads.c.id.desc())
    return _grouped(tx.execute(query))


def _grouped(rows: Iterable[Row[Any]]) -> dict[str, list[Row[Any]]]:
    groups: dict[str, list[Row[Any]]] = {}
    for row in rows:
        groups.setdefault(row.card_id, []).append(row)
    return groups


def maybe_cards(tx: Connection, identity: Identity, limit: int = 10) -> Sequence[Row[Any]]:
    """Cards that list the identity as one that may be meant."""
    wanted = {"kind": identity.kind, "value": identity.value, "most": limit}
    return tx.execute(_maybe, wanted).all()


def touch(tx: Connection, card_id: str, at: datetime) -> None:
    """The card was contacted at `at`; no new version, since no person's edit is in the way of it."""
    tx.execute(_touch, {"card_id": card_id, "at": at, "last_contact_at": at})


def changed(tx: Connection, card_id: str, now: datetime, **values: Any) -> None:
    """Set columns and raise the version."""
    values |= {"version": cards.c.version + 1, "updated_at": now}
    tx.execute(update(cards).where(cards.c.id == card_id).values(**values))


def set_terms(tx: Connection, card_id: str, terms: Iterable[str], *, fresh: bool = False) -> None:
    """The index terms of the card from now on; `fresh`: it had none."""
    if not fresh:
        tx.execute(delete(card_terms).where(card_terms.c.card_id == card_id))
    rows = [{"term": term, "card_id": card_id} for term in sorted(terms)]
    if rows:
        tx.execute(_add_terms, rows)


def last_merge(tx: Connection, into_id: str) -> Row[Any] | None:
    """The newest merge into this card that was not undone."""
    query = (
        select(merges)
        .where(merges.c.into_id == into_id, merges.c.undone_at.is_(None))
        .order_by(merges.c.id.desc())
        .limit(1)
    )
    return tx.execute(query).one_or_none()
