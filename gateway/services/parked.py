"""What speaks of a message that is not there yet waits for it: replies, edits, reactions, receipts."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from gateway.domain.ids import new_id
from gateway.domain.messages import InboundDeletion, InboundEdit, InboundReaction, InboundReceipt
from gateway.store import threads as store
from gateway.store.tables_conversations import messages, parked

Change = InboundEdit | InboundDeletion | InboundReaction | InboundReceipt
_KINDS: dict[str, type[Any]] = {
    one.__name__: one for one in (InboundEdit, InboundDeletion, InboundReaction, InboundReceipt)
}
_REPLY = "reply"
_waiting = (
    select(parked)
    .where(parked.c.connector == bindparam("connector"), parked.c.external_id == bindparam("external_id"))
    .order_by(parked.c.id)
)


def reply_target(tx: Connection, connector: str, external_id: str | None) -> str | None:
    """The id of the message that is replied to; None as long as it is not here."""
    if external_id is None:
        return None
    found = store.by_external(tx, connector, external_id)
    return found.id if found is not None else None


def wait_for_reply(tx: Connection, row: Row[Any], external_id: str, now: datetime) -> None:
    """The message replies to one that is not here."""
    _put(tx, row.connector, external_id, _REPLY, {"message_id": row.id}, now)


def park(tx: Connection, connector: str, external_id: str, change: Change, now: datetime) -> None:
    """Keep the change until its message is here."""
    _put(tx, connector, external_id, type(change).__name__, msgspec.to_builtins(change), now)


def _put(tx: Connection, connector: str, external_id: str, kind: str, what: Any, now: datetime) -> None:
    row = {
        "id": new_id(),
        "connector": connector,
        "external_id": external_id,
        "payload": msgspec.json.encode([kind, what]).decode(),
        "at": now,
    }
    tx.execute(insert(parked), row)


def fetch(tx: Connection, row: Row[Any]) -> list[Change]:
    """The changes that waited for this message, in their order; replies to it are tied to it at once."""
    rows = tx.execute(_waiting, {"connector": row.connector, "external_id": row.external_id}).all()
    found: list[Change] = []
    for one in rows:
        kind, what = msgspec.json.decode(one.payload)
        if kind == _REPLY:
            replying = update(messages).where(messages.c.id == what["message_id"])
            tx.execute(replying.values(reply_to=row.id))
        else:
            found.append(msgspec.convert(what, _KINDS[kind]))
    if rows:
        tx.execute(delete(parked).where(parked.c.id.in_([one.id for one in rows])))
    return found
