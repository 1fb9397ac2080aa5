"""Verbs on cards: list, look up, make, change, delete, export."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from gateway.domain.errors import Invalid, NotFound, VersionConflict
from gateway.domain.identities import Identity, normalise, phone
from gateway.domain.ids import is_id, new_id
from gateway.domain.people import Actor, Role
from gateway.services import audit, card_changes, card_views, clients, directory, scope, search
from gateway.services import identities as identities_of_card
from gateway.services.views.cards import Card, Lookup
from gateway.services.views.common import Body, Page
from gateway.store import cards as store
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
    operators,
    teams,
    timeline,
)
from gateway.store.tables_conversations import suggestions, tasks, threads

Text = Annotated[str, msgspec.Meta(max_length=20_000)]
Line = Annotated[str, msgspec.Meta(max_length=500)]
Tag = Annotated[str, msgspec.Meta(min_length=1, max_length=50)]
Priority = Annotated[int, msgspec.Meta(ge=-10, le=10)]
Language = Annotated[str, msgspec.Meta(pattern="^[a-z]{2,3}(-[A-Z]{2})?$")]


Identities = Annotated[list[identities_of_card.NewIdentity], msgspec.Meta(max_length=50)]


class ExternalRef(Body, frozen=True):
    """The same client in an outside CRM."""

    crm: Line
    id: Line
    url: Line | None = None


class CardFields(Body, frozen=True):
    """What a person may set on a card."""

    kind: Literal["lead", "client"] | msgspec.UnsetType = msgspec.UNSET
    type: Literal["person", "company"] | msgspec.UnsetType = msgspec.UNSET
    name: Line | msgspec.UnsetType = msgspec.UNSET
    company: Line | msgspec.UnsetType | None = msgspec.UNSET
    language: Language | msgspec.UnsetType | None = msgspec.UNSET
    priority: Priority | msgspec.UnsetType = msgspec.UNSET
    owner: str | msgspec.UnsetType | None = msgspec.UNSET
    """Id of an operator."""
    team: str | msgspec.UnsetType = msgspec.UNSET
    """Name or id of a team."""
    tags: Annotated[list[Tag], msgspec.Meta(max_length=50)] | msgspec.UnsetType = msgspec.UNSET
    note: Text | msgspec.UnsetType = msgspec.UNSET
    fields: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    external: list[ExternalRef] | msgspec.UnsetType = msgspec.UNSET


class NewCard(CardFields, frozen=True):
    """A card made by a person or a program."""

    identities: Identities = msgspec.field(default_factory=list)


async def list_cards(
    store_: Store, actor: Actor, filters: search.Filters, limit: int, cursor: str | None
) -> Page[Card]:
    """One page, newest first; a number fragment in the order of numbers."""

    def work(tx: Connection) -> Page[Card]:
        rows, following = search.find(tx, actor, filters, limit, cursor)
        return Page(items=card_views.views(tx, rows), next_cursor=following)

    return await store_.read(work)


async def get(store_: Store, actor: Actor, card_id: str) -> Card:
    """The card; one that was merged away answers with the card that it became part of."""

    def work(tx: Connection) -> Card:
        return card_views.view(tx, scope.card_for(tx, actor, resolve(tx, card_id)))

    return await store_.read(work)


def resolve(tx: Connection, card_id: str) -> str:
    """Where a merged card's id leads now."""
    if not is_id(card_id):
        raise NotFound
    while (into := tx.scalar(select(cards.c.merged_into).where(cards.c.id == card_id))) is not None:
        card_id = into
    return card_id


async def lookup(store_: Store, actor: Actor, kind: str, value: str, country: str) -> Lookup:
    """Cards of an identity in any spelling: known first, then maybe."""

    def work(tx: Connection, identity: Identity) -> Lookup:
        return Lookup(items=card_views.views(tx, found_by(tx, actor, identity)))

    if kind == "phone" and phone(value, country) is None:
        return Lookup(items=[])
    return await store_.read(work, normalise(kind, value, country))


def found_by(tx: Connection, actor: Actor, identity: Identity) -> Sequence[Row[Any]]:
    """Cards that know or may mean the identity, as far as the actor sees them."""
    query = (
        select(cards)
        .join(identities, identities.c.card_id == cards.c.id)
        .where(
            identities.c.kind == identity.kind,
            identities.c.value == identity.value,
            cards.c.merged_into.is_(None),
            scope.cards(actor),
        )
        .order_by(identities.c.level, cards.c.id)
        .limit(50)
    )
    return tx.execute(query).all()


async def create(store_: Store, actor: Actor, body: NewCard, country: str) -> Card:
    """A new card with its identities. Raises `Conflict` where one of them belongs to a card already."""
    wanted = identities_of_card.normalised(body.identities, country)
    return await store_.write(_create, actor, body, wanted)


def _create(
    tx: Connection, actor: Actor, body: NewCard, wanted: list[tuple[Identity, identities_of_card.NewIdentity]]
) -> Card:
    now = datetime.now(UTC)
    values = _columns(tx, actor, body)
    team_id = values.pop("team_id", None) or _own_team(tx, actor)
    card_id = new_id()
    tx.execute(insert(cards), clients.new_card_values(card_id, team_id, now, **values))
    for identity, new in wanted:
        identities_of_card.put(tx, actor, card_id, identity, new, now)
    clients.add_card_event(tx, card_id, now, "created", {}, card_changes.author(actor))
    return card_changes.published(tx, card_id)


def _own_team(tx: Connection, actor: Actor) -> str:
    main = directory.main_team(tx)
    if not actor.teams - {main}:
        return main
    own = select(teams.c.id).where(teams.c.id.in_(actor.teams - {main})).order_by(teams.c.name)
    return tx.scalar(own) or main


async def change(store_: Store, actor: Actor, card_id: str, body: CardFields, version: int | None) -> Card:
    """Set what the body names. Raises `VersionConflict` when `version` is not the newest."""
    return await store_.write(_change, actor, card_id, body, version)


def _change(tx: Connection, actor: Actor, card_id: str, body: CardFields, version: int | None) -> Card:
    row = scope.card_for(tx, actor, card_id, lock=True)
    if version is not None and version != row.version:
        raise VersionConflict
    values = _columns(tx, actor, body)
    changed = {key: value for key, value in values.items() if getattr(row, key) != value}
    if not changed:
        return card_views.view(tx, row)
    now = datetime.now(UTC)
    store.changed(tx, card_id, now, **changed)
    _tell_handover(tx, actor, row, changed, now)
    return card_changes.published(tx, card_id, former_team=row.team_id)


def _tell_handover(
    tx: Connection, actor: Actor, row: Row[Any], changed: dict[str, Any], now: datetime
) -> None:
    for column, event in (
        ("owner_id", "owner_changed"),
        ("team_id", "team_changed"),
        ("kind", "kind_changed"),
    ):
        if column in changed:
            detail = {"from": getattr(row, column), "to": changed[column]}
            clients.add_card_event(tx, row.id, now, event, detail, card_changes.author(actor))


def _columns(tx: Connection, actor: Actor, body: CardFields) -> dict[str, Any]:
    named = {name: getattr(body, name) for name in CardFields.__struct_fields__}
    given = {name: value for name, value in named.items() if value is not msgspec.UNSET}
    if "owner" in given:
        given["owner_id"] = _owner(tx, given.pop("owner"))
    if "team" in given:
        given["team_id"] = _team(tx, actor, given.pop("team"))
    if "tags" in given:
        given["tags"] = list(dict.fromkeys(tag.strip() for tag in given["tags"] if tag.strip()))
    if "external" in given:
        given["external"] = [msgspec.structs.asdict(e) for e in given["external"]]
    return given


def _owner(tx: Connection, operator_id: str | None) -> str | None:
    if operator_id is None:
        return None
    query = select(operators.c.id).where(operators.c.id == operator_id, operators.c.active)
    if not is_id(operator_id) or tx.scalar(query) is None:
        raise Invalid.one("owner", "the id of an active operator, or null")
    return operator_id


def _team(tx: Connection, actor: Actor, name: str) -> str:
    team_id = directory.team_id_of(tx, name)
    if team_id is None or not scope.may_use_team(actor, team_id):
        raise Invalid.one("team", "the name of one of your teams")
    return team_id


async def remove(store_: Store, actor: Actor, card_id: str) -> None:
    """Delete the card and what hangs on it (supervisors); its calls stay, without a card."""
    scope.require(actor, Role.SUPERVISOR)
    await store_.write(_remove, actor, card_id)


def _remove(tx: Connection, actor: Actor, card_id: str) -> None:
    row = scope.card_for(tx, actor, card_id, lock=True)
    audit.note(tx, actor, "card.deleted", "card", card_id, {"name": row.name}, team_id=row.team_id)
    erase(tx, [card_id])


def erase(tx: Connection, card_ids: Sequence[str]) -> None:
    """Take cards and all that hangs on them out of the books, and with them the cards merged into them."""
    everything = [*card_ids, *_merged_into(tx, card_ids)]
    for table in (calls, contacts, contact_people):
        tx.execute(update(table).where(table.c.card_id.in_(everything)).values(card_id=None))
    gone = select(merges.c.id).where(merges.c.into_id.in_(everything) | merges.c.from_id.in_(everything))
    tx.execute(delete(merge_moves).where(merge_moves.c.merge_id.in_(gone)))
    tx.execute(delete(merges).where(merges.c.into_id.in_(everything) | merges.c.from_id.in_(everything)))
    tx.execute(update(threads).where(threads.c.card_id.in_(everything)).values(card_id=None))
    paired = suggestions.c.card_id.in_(everything) | suggestions.c.other_id.in_(everything)
    tx.execute(delete(suggestions).where(paired))
    for table in (timeline, tasks, leads, identities, card_terms):
        tx.execute(delete(table).where(table.c.card_id.in_(everything)))
    tx.execute(delete(cards).where(cards.c.id.in_(everything)))


def _merged_into(tx: Connection, card_ids: Sequence[str]) -> list[str]:
    found: list[str] = []
    level = list(card_ids)
    while level:
        level = list(tx.scalars(select(cards.c.id).where(cards.c.merged_into.in_(level))))
        found += level
    return found
