"""Two cards that are one client become one, and can be taken apart again.

Every row that changes its card is written down (`merge_moves`), so undo gives back exactly those; what came
after the merge stays where it is.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, insert, literal, select, update

from gateway.domain.errors import Conflict, Invalid
from gateway.domain.ids import new_id
from gateway.domain.people import Actor
from gateway.services import audit, card_changes, card_views, clients, publish, scope
from gateway.services.views.cards import Card, CardMerged
from gateway.store import cards as store
from gateway.store import facts
from gateway.store.engine import Store
from gateway.store.tables import (
    calls,
    card_terms,
    cards,
    contact_people,
    contacts,
    identities,
    leads,
    merge_moves,
    merges,
    timeline,
)
from gateway.store.tables_conversations import tasks, threads

_MOVED = (identities, leads, timeline, calls, contacts, threads, tasks)
_FILLED = ("name", "company", "language", "owner_id", "last_contact_at")
_KEPT = (*_FILLED, "kind", "tags", "note", "fields", "external", "priority")


async def merge(store_: Store, actor: Actor, card_id: str, other_id: str) -> Card:
    """Make `other_id` part of `card_id`. Raises `NotFound`, `Invalid` when they are the same card."""
    if card_id == other_id:
        raise Invalid.one("other_id", "another card than this one")
    return await store_.write(merged, actor, card_id, other_id)


def merged(tx: Connection, actor: Actor, into_id: str, from_id: str) -> Card:
    """As `merge`, in a transaction."""
    into, other = _both_locked(tx, actor, into_id, from_id)
    now = datetime.now(UTC)
    merge_id = new_id()
    before = {name: _plain(getattr(into, name)) for name in _KEPT}
    record = {"id": merge_id, "into_id": into_id, "from_id": from_id, "before": before, "at": now}
    tx.execute(insert(merges), record | {"by_id": actor.id})
    _drop_shared_maybes(tx, into_id, from_id)
    for table in _MOVED:
        _move(tx, table, merge_id, from_id, into_id)
    _point(tx, other, into_id)
    held = update(contact_people).where(contact_people.c.card_id == from_id)
    tx.execute(held.values(card_id=into_id))
    tx.execute(card_terms.delete().where(card_terms.c.card_id == from_id))
    store.changed(tx, into_id, now, **_united(into._asdict(), other._asdict()))
    detail = {"from_id": from_id, "name": other.name}
    clients.add_card_event(tx, into_id, now, "merged", detail, card_changes.author(actor))
    audit.note(tx, actor, "card.merged", "card", into_id, detail, team_id=into.team_id)
    return _told(tx, into_id, from_id, {into.team_id, other.team_id}, undone=False)


def _point(tx: Connection, card: Row[Any], into_id: str | None) -> None:
    pointed = update(cards).where(cards.c.id == card.id)
    tx.execute(pointed.values(merged_into=into_id, version=card.version + 1))


def _both_locked(tx: Connection, actor: Actor, one: str, other: str) -> tuple[Row[Any], Row[Any]]:
    # Always in the order of ids, so that two merges of the same cards wait for each other and no more.
    rows = {card_id: scope.card_for(tx, actor, card_id, lock=True) for card_id in sorted((one, other))}
    return rows[one], rows[other]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _drop_shared_maybes(tx: Connection, into_id: str, from_id: str) -> None:
    # An address that both cards list would be there twice; what is known wins.
    columns = (identities.c.kind, identities.c.value, identities.c.level)
    mine = select(*columns).where(identities.c.card_id == into_id)
    for row in tx.execute(mine).all():
        same = and_(identities.c.kind == row.kind, identities.c.value == row.value)
        loser = into_id if row.level == "maybe" and _has_known(tx, from_id, same) else from_id
        tx.execute(identities.delete().where(same, identities.c.card_id == loser))


def _has_known(tx: Connection, card_id: str, same: Any) -> bool:
    known = (identities.c.card_id == card_id, identities.c.level == "known")
    return tx.scalar(select(identities.c.id).where(same, *known)) is not None


def _move(tx: Connection, table: Table, merge_id: str, from_id: str, into_id: str) -> None:
    moved = select(literal(merge_id, merges.c.id.type), literal(table.name), table.c.id).where(
        table.c.card_id == from_id
    )
    tx.execute(insert(merge_moves).from_select(["merge_id", "kind", "row_id"], moved))
    tx.execute(update(table).where(table.c.card_id == from_id).values(card_id=into_id))


def _united(into: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {name: into[name] or other[name] for name in _FILLED}
    contacted = [side["last_contact_at"] for side in (into, other) if side["last_contact_at"]]
    values["last_contact_at"] = max(contacted, default=None)
    values["kind"] = "client" if "client" in (into["kind"], other["kind"]) else "lead"
    values["tags"] = list(dict.fromkeys([*into["tags"], *other["tags"]]))
    values["note"] = "\n\n".join(note for note in dict.fromkeys((into["note"], other["note"])) if note)
    values["fields"] = {**other["fields"], **into["fields"]}
    values["external"] = [*into["external"], *(e for e in other["external"] if e not in into["external"])]
    values["priority"] = max(into["priority"], other["priority"])
    return values


async def unmerge(store_: Store, actor: Actor, card_id: str) -> Card:
    """Undo the newest merge into the card; answers the card that is independent again.

    Raises `Conflict` where nothing was merged into it.
    """
    return await store_.write(_unmerge, actor, card_id)


def _unmerge(tx: Connection, actor: Actor, into_id: str) -> Card:
    into = scope.card_for(tx, actor, into_id, lock=True)
    last = store.last_merge(tx, into_id)
    if last is None:
        raise Conflict("nothing was merged into this card, or it was undone already")
    other = store.locked(tx, last.from_id)
    now = datetime.now(UTC)
    for table in _MOVED:
        _give_back(tx, table, last, into_id)
    _point(tx, other, None)
    tx.execute(update(merges).where(merges.c.id == last.id).values(undone_at=now))
    store.changed(tx, into_id, now, **_as_before(into, other, last.before))
    detail = {"from_id": other.id, "name": other.name}
    clients.add_card_event(tx, into_id, now, "unmerged", detail, card_changes.author(actor))
    audit.note(tx, actor, "card.unmerged", "card", into_id, detail, team_id=into.team_id)
    _told(tx, into_id, other.id, {into.team_id, other.team_id}, undone=True)
    return card_changes.published(tx, other.id)


def _give_back(tx: Connection, table: Table, last: Row[Any], into_id: str) -> None:
    moves = (merge_moves.c.merge_id == last.id, merge_moves.c.kind == table.name)
    moved = select(merge_moves.c.row_id).where(*moves)
    back = update(table).where(table.c.id.in_(moved), table.c.card_id == into_id)
    tx.execute(back.values(card_id=last.from_id))


def _as_before(into: Row[Any], other: Row[Any], before: dict[str, Any]) -> dict[str, Any]:
    # Only what nobody changed since the merge goes back: later edits are the person's and stay.
    was = before | {"last_contact_at": _moment(before["last_contact_at"])}
    united = _united(was, other._asdict())
    unchanged = (name for name in _KEPT if into._mapping[name] == united[name])
    return {name: was[name] for name in unchanged if name != "last_contact_at"}


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _told(tx: Connection, into_id: str, from_id: str, teams: set[str], *, undone: bool) -> Card:
    card_changes.published(tx, into_id)
    card, _ = card_views.fresh(tx, into_id)
    values = {name: getattr(card, name) for name in Card.__struct_fields__}
    merged = CardMerged(**values, from_id=from_id, undone=undone)
    facts.append(tx, [publish.card_merged(merged, team_id) for team_id in sorted(teams)])
    return card
