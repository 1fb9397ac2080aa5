"""A message comes in: card, lead, thread, message, timeline, contact and screen-pop in one transaction."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from gateway.domain.contacts import Dispatch
from gateway.domain.facts import Fact
from gateway.domain.identities import Identity
from gateway.domain.ids import new_id
from gateway.domain.messages import InboundMessage, MessageStatus, ThreadState
from gateway.domain.names import clean
from gateway.services import (
    card_views,
    changes,
    clients,
    entering,
    file_intake,
    identity_hints,
    parked,
    publish,
    thread_contacts,
)
from gateway.services.clients import FirstContact, Opened
from gateway.services.offers import Pop
from gateway.services.places import Place
from gateway.services.views.cards import Card, Lead, LeadSource
from gateway.store import cards as card_store
from gateway.store import facts
from gateway.store import threads as store
from gateway.store.tables import identities

_AHEAD = timedelta(minutes=1)
_LONGEST_TEXT = 100_000
_known = select(identities.c.blocked, identities.c.undeliverable).where(
    identities.c.kind == bindparam("kind"), identities.c.value == bindparam("value"), card_store.KNOWN
)


def take(tx: Connection, message: InboundMessage, place: Place, dispatch: Dispatch, now: datetime) -> None:
    """Lay the message into the books and tell of it; one that is known changes nothing."""
    if store.by_external(tx, place.connector, message.external_id) is not None:
        return
    if _is_blocked(tx, message.author.identity) and not message.outgoing:
        _put_away(tx, message, place, now)
        return
    before = store.open_thread(tx, place.connector, message.thread_key)
    contact = thread_contacts.open_of(tx, before.id) if before is not None else None
    card, opened = _card(tx, message, before, place, now, contacted=contact is None)
    hints = identity_hints.follow(tx, card.id, message.author, now)
    thread, preferred = _thread(tx, message, before, card.id, place, now)
    row = _message(tx, thread, message, now)
    told = [*_told_of_card(tx, message, opened), *hints]
    told += entering.enter(tx, thread, row, _event(message), card.team_id)
    if not message.outgoing:
        told += _contact(tx, thread, contact, card, opened, message, preferred, place, dispatch, now)
    told += changes.apply_parked(tx, row)
    facts.append(tx, told)


def _event(message: InboundMessage) -> str:
    return "message.sent" if message.outgoing else "message.received"


def _is_blocked(tx: Connection, identity: Identity) -> bool:
    """Whether a person blocked him; that he writes shows that he can be reached."""
    row = tx.execute(_known, {"kind": identity.kind, "value": identity.value}).one_or_none()
    if row is not None and row.undeliverable:
        reachable(tx, identity, yes=True)
    return row is not None and bool(row.blocked)


def reachable(tx: Connection, identity: Identity, *, yes: bool) -> None:
    """Mark the identity as one at which the client can be reached, or not."""
    mine = (identities.c.kind == identity.kind, identities.c.value == identity.value)
    tx.execute(update(identities).where(*mine).values(undeliverable=not yes))


def _put_away(tx: Connection, message: InboundMessage, place: Place, now: datetime) -> None:
    """What a blocked client writes is kept in a closed thread and told to nobody."""
    thread = store.last_thread(tx, place.connector, message.thread_key)
    if thread is None:
        values = _new_thread(message, card_store.card_knowing(tx, message.author.identity), place, now)
        thread = store.add(tx, values | {"state": ThreadState.CLOSED.value, "closed_at": now})
        assert thread is not None, "a closed thread stands in nobody's way"
    thread = store.locked(tx, thread.id)
    row = _message(tx, thread, message, now)
    store.change(tx, thread.id, entering.counted(thread, row) | {"seq": row.seq})


def _card(
    tx: Connection,
    message: InboundMessage,
    thread: Row[Any] | None,
    place: Place,
    now: datetime,
    *,
    contacted: bool,
) -> tuple[Row[Any], Opened | None]:
    """The card of whoever wrote. The rule of leads is applied where a contact begins, not at each message."""
    author = message.author
    source = LeadSource(connector=place.connector, channel=place.channel, campaign=message.origin.campaign)
    first = FirstContact(author.identity, clean(author.name), place.team_id, source, message.at)
    if thread is not None and thread.card_id is not None:
        card = card_store.locked(tx, thread.card_id)
        card_store.touch(tx, card.id, message.at)
        return card, clients.contacted(tx, card, first, now) if contacted else None
    identity_hints.join(tx, author, now)
    opened = clients.open_card(tx, first, now)
    card_store.touch(tx, opened.card.id, message.at)
    return opened.card, opened


def _thread(
    tx: Connection,
    message: InboundMessage,
    before: Row[Any] | None,
    card_id: str,
    place: Place,
    now: datetime,
) -> tuple[Row[Any], str | None]:
    """The open thread, held, and for a new one who handled the one before it."""
    if before is not None:
        held = store.locked(tx, before.id)
        if held.card_id is None:
            # Its card was deleted meanwhile.
            held = store.change(tx, held.id, {"card_id": card_id})
            thread_contacts.put_on_card(tx, held.id, card_id)
        return held, thread_contacts.last_operator(tx, held.id)
    last = store.last_thread(tx, place.connector, message.thread_key)
    values = _new_thread(message, card_id, place, now, seq=last.seq if last is not None else 0)
    made = store.add(tx, values) or store.open_thread(tx, place.connector, message.thread_key, lock=True)
    assert made is not None, "a thread that could not be made is there already"
    return made, thread_contacts.last_operator(tx, last.id) if last is not None else None


def _new_thread(
    message: InboundMessage, card_id: str | None, place: Place, now: datetime, seq: int = 0
) -> dict[str, Any]:
    origin = message.origin
    identity = message.author.identity
    return {
        "id": new_id(),
        "channel": place.channel,
        "connector": place.connector,
        "thread_key": message.thread_key,
        "card_id": card_id,
        "client": {"kind": identity.kind, "value": identity.value, "name": clean(message.author.name)},
        "subject": message.subject,
        "state": ThreadState.OPEN.value,
        "queue_id": place.queue_id,
        "team_id": place.team_id,
        "origin": {
            "page": origin.page,
            "referrer": origin.referrer,
            "campaign": origin.campaign,
            "payload": origin.payload,
        },
        "preview": "",
        "messages": 0,
        "inbound": 0,
        "answered": 0,
        "seq": seq,
        "last_message_at": message.at,
        "version": 1,
        "created_at": now,
    }


def _message(tx: Connection, thread: Row[Any], message: InboundMessage, now: datetime) -> Row[Any]:
    """The message's row, with its files, and the place of what it replies to."""
    out = message.outgoing
    text = message.text[:_LONGEST_TEXT]
    row = store.add_message(
        tx,
        {
            "id": new_id(),
            "thread_id": thread.id,
            "connector": thread.connector,
            "external_id": message.external_id,
            "client_id": message.client_id,
            "direction": "out" if out else "in",
            "kind": message.kind.value,
            # A clock that is ahead would keep the message at the end of the thread for ever.
            "at": min(message.at, now) if message.at > now + _AHEAD else message.at,
            "received_at": now,
            "sequence": message.sequence,
            "seq": thread.seq + 1,
            "author": _author(message),
            "text": text,
            "html": message.html,
            "subject": message.subject,
            "addresses": {"from": message.author.identity.value, "to": message.to, "cc": message.cc},
            "reply_to": parked.reply_target(tx, thread.connector, message.reply_to),
            "reactions": [],
            "revisions": 0,
            "status": (MessageStatus.SENT if out else MessageStatus.RECEIVED).value,
            "recipients": [],
            "attempts": 1 if out else 0,
        },
    )
    if row is None:
        raise Doubled(message.external_id)
    file_intake.expect(tx, row, message.attachments, thread.connector)
    if message.reply_to is not None and row.reply_to is None:
        parked.wait_for_reply(tx, row, message.reply_to, now)
    return row


class Doubled(Exception):
    """Somebody stored the same message at this moment: looked at again, it is known."""


def _author(message: InboundMessage) -> dict[str, Any]:
    if message.outgoing:
        return {"kind": "system", "id": None, "name": ""}
    return {"kind": "client", "id": None, "name": clean(message.author.name)}


def _told_of_card(tx: Connection, message: InboundMessage, opened: Opened | None) -> list[Fact]:
    if opened is None or opened.lead is None:
        return []
    card = _shown(tx, message, opened)
    return [
        publish.card_updated(card, opened.card.team_id),
        publish.lead_updated(Lead.of(opened.lead), opened.card.team_id),
    ]


def _shown(tx: Connection, message: InboundMessage, opened: Opened) -> Card:
    # What a new card shows is known, unless other addresses were put on it.
    known = None if message.author.vouched or message.author.told else opened.shown()
    return known or card_views.fresh(tx, opened.card.id)[0]


def _contact(
    tx: Connection,
    thread: Row[Any],
    contact: Row[Any] | None,
    card: Row[Any],
    opened: Opened | None,
    message: InboundMessage,
    preferred: str | None,
    place: Place,
    dispatch: Dispatch,
    now: datetime,
) -> list[Fact]:
    # Read again: the thread is held now.
    contact = thread_contacts.open_of(tx, thread.id) if contact is not None else None
    if contact is not None:
        return thread_contacts.heard(tx, contact, dispatch, now)
    made = thread_contacts.make(tx, thread, place, card.priority, preferred, now)
    shown = _shown(tx, message, opened) if opened is not None else card_views.fresh(tx, card.id)[0]
    created = opened is not None and opened.created
    return thread_contacts.queued(tx, made, dispatch, now, Pop(shown, created))
