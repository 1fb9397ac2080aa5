"""Finding cards: by words, by fragments of numbers, by owner, kind and tag; newest first, paged by key."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, func, select

from gateway.domain.errors import Invalid
from gateway.domain.people import Actor
from gateway.services import scope, terms
from gateway.store import paging
from gateway.store.tables import card_terms, cards

_MOST_COMPLETIONS = 64
_RARE = 1000
"""So many cards are named by their ids."""


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /cards` may be narrowed by."""

    q: str | None = None
    kind: str | None = None
    owner: str | None = None
    tag: str | None = None


def find(
    tx: Connection, actor: Actor, filters: Filters, limit: int, cursor: str | None
) -> tuple[Sequence[Row[Any]], str | None]:
    """One page of cards and the cursor of the next. Raises `Invalid` for a query of too few letters."""
    wanted = _wanted(filters)
    if filters.q and len(wanted) - bool(filters.tag) == 0:
        raise Invalid.one("q", f"at least one letter, or {terms.MIN_DIGITS} digits of a number")
    condition = and_(scope.cards(actor), cards.c.merged_into.is_(None), *_plain_filters(filters))
    if len(wanted) == 1 and wanted[0][0].startswith("d:"):
        return _by_number(tx, _spelled(tx, wanted[0]), condition, limit, cursor)
    groups = [_completed(tx, alternatives) for alternatives in wanted]
    if not all(groups):
        return [], None
    matches = [_has_term(group) for group in groups]
    query = select(cards).where(condition, *_rarest(tx, groups), *matches)
    page = paging.page(tx, query, [cards.c.id], cursor=cursor, limit=limit)
    return page.rows, page.next_cursor


def _wanted(filters: Filters) -> list[tuple[str, ...]]:
    found = terms.of_query(filters.q) if filters.q else []
    return [*found, (terms.tag_term(filters.tag),)] if filters.tag else found


def _spelled(tx: Connection, spellings: tuple[str, ...]) -> str:
    """The first spelling of a number that any card has."""
    prefixes = [spelling[:-1] for spelling in spellings]
    return next((prefix for prefix in prefixes if _completions(tx, prefix, most=1)), prefixes[0])


def _plain_filters(filters: Filters) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if filters.kind:
        found.append(cards.c.kind == filters.kind)
    if filters.owner:
        found.append(cards.c.owner_id == filters.owner)
    return found


def _by_number(
    tx: Connection, prefix: str, condition: ColumnElement[bool], limit: int, cursor: str | None
) -> tuple[Sequence[Row[Any]], str | None]:
    # In the order of the index: a short fragment matches a large part of all numbers, and any other order
    # would have to read them all.
    query = (
        select(cards, *card_terms.c)
        .join(cards, cards.c.id == card_terms.c.card_id)
        .where(card_terms.c.term >= prefix, card_terms.c.term < _beyond(prefix), condition)
    )
    order = [card_terms.c.term, card_terms.c.card_id]
    page = paging.page(tx, query, order, cursor=cursor, limit=limit, ascending=True)
    return list({row.id: row for row in page.rows}.values()), page.next_cursor


def _completed(tx: Connection, alternatives: tuple[str, ...]) -> list[str]:
    """The terms in the index that are meant; none where no card can have one."""
    exact = [term for term in alternatives if not term.endswith("*")]
    half = [found for term in alternatives if term.endswith("*") for found in _completions(tx, term[:-1])]
    return list(dict.fromkeys([*exact, *half]))


def _has_term(group: list[str]) -> ColumnElement[bool]:
    listed = card_terms.c.term.in_(group)
    return exists(select(1).where(card_terms.c.card_id == cards.c.id, listed))


def _rarest(tx: Connection, groups: list[list[str]]) -> list[ColumnElement[bool]]:
    """The cards of a rare term, to begin with; nothing where each term is common.

    Common terms are found soon by going through the cards from the newest on; to look for a rare one so would
    read them all.
    """
    for group in groups:
        having = select(card_terms.c.card_id).where(card_terms.c.term.in_(group)).limit(_RARE + 1)
        ids = list(tx.scalars(having))
        if len(ids) <= _RARE:
            return [cards.c.id.in_(ids)]
    return []


def _completions(tx: Connection, prefix: str, most: int = _MOST_COMPLETIONS) -> list[str]:
    """The first terms that begin with `prefix`, by skipping from one distinct term to the next."""
    first = select(func.min(card_terms.c.term).label("term")).where(
        card_terms.c.term >= prefix, card_terms.c.term < _beyond(prefix)
    )
    found = first.cte("found", recursive=True)
    following: Select[Any] = select(
        select(func.min(card_terms.c.term))
        .where(card_terms.c.term > found.c.term, card_terms.c.term < _beyond(prefix))
        .scalar_subquery()
    ).where(found.c.term.is_not(None))
    steps = found.union_all(following)
    query = select(steps.c.term).where(steps.c.term.is_not(None)).limit(most)
    return [row.term for row in tx.execute(query)]


def _beyond(prefix: str) -> str:
    # The first text that no longer begins with `prefix`, in the order of code points.
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
