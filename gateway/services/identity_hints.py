"""Other addresses of whoever writes: what the channel answers for, and what he merely says.

Cards are never merged by it: two that may be one person are suggested to people.
"""

from datetime import datetime

from sqlalchemy import Connection

from gateway.domain.facts import Fact
from gateway.domain.identities import Identity
from gateway.domain.messages import Correspondent
from gateway.services import card_changes, suggestions
from gateway.store import cards as store


def join(tx: Connection, author: Correspondent, now: datetime) -> None:
    """A new address whose owner the channel vouches for belongs to his card at once."""
    if not author.vouched or store.card_knowing(tx, author.identity) is not None:
        return
    for identity in author.vouched:
        card_id = store.card_knowing(tx, identity)
        if card_id is not None:
            store.claim_identity(tx, author.identity, card_id, now)
            return


def follow(tx: Connection, card_id: str, author: Correspondent, now: datetime) -> list[Fact]:
    """Put his other addresses on the card; whose they are already is suggested to be the same person."""
    told: list[Fact] = []
    added = False
    for identity in author.vouched:
        owner = _owner(tx, identity)
        if owner is None:
            added |= store.claim_identity(tx, identity, card_id, now) is not None
        elif owner != card_id:
            told += suggestions.suggest(tx, card_id, owner, f"both have {identity.value}", now)
    for identity in author.told:
        owner = _owner(tx, identity)
        if owner == card_id:
            continue
        added |= store.add_maybe(tx, identity, card_id, now)
        if owner is not None:
            told += suggestions.suggest(tx, card_id, owner, f"says that {identity.value} is his", now)
    if added:
        card_changes.reindex(tx, store.card(tx, card_id))
    return told


def _owner(tx: Connection, identity: Identity) -> str | None:
    return store.card_knowing(tx, identity)
