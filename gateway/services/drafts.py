"""Drafts on the server: what an operator has written and not sent, on whichever machine he goes on."""

from datetime import UTC, datetime
from typing import Annotated

import msgspec
from sqlalchemy import Connection, delete, select

from gateway.domain.people import Actor
from gateway.services import scope
from gateway.services.views.common import Body, View, at_or_none
from gateway.store import upsert
from gateway.store.engine import Store
from gateway.store.tables_conversations import drafts

_KIND = "reply"


class DraftFields(Body, frozen=True):
    """What was written so far; `attachments` are ids of uploads."""

    text: Annotated[str, msgspec.Meta(max_length=100_000)] = ""
    attachments: Annotated[list[str], msgspec.Meta(max_length=50)] = msgspec.field(default_factory=list)


class Draft(View, frozen=True):
    """One's own draft in a thread."""

    text: str
    attachments: list[str]
    updated_at: str | None


async def get(store: Store, actor: Actor, thread_id: str) -> Draft:
    """The actor's draft, empty where there is none. Raises `NotFound`."""
    return await store.read(_get, actor, thread_id)


def _get(tx: Connection, actor: Actor, thread_id: str) -> Draft:
    scope.thread_for(tx, actor, thread_id)
    mine = (drafts.c.thread_id == thread_id, drafts.c.operator_id == actor.id, drafts.c.kind == _KIND)
    row = tx.execute(select(drafts).where(*mine)).one_or_none()
    if row is None:
        return Draft(text="", attachments=[], updated_at=None)
    return Draft(text=row.text, attachments=row.attachments, updated_at=at_or_none(row.updated_at))


async def keep(store: Store, actor: Actor, thread_id: str, body: DraftFields) -> Draft:
    """Keep it; an empty one is taken away. Raises `NotFound`; a program has no drafts (`Refused`)."""
    return await store.write(_keep, actor, thread_id, body)


def _keep(tx: Connection, actor: Actor, thread_id: str, body: DraftFields) -> Draft:
    scope.thread_for(tx, actor, thread_id)
    scope.require_person(actor)
    mine = (drafts.c.thread_id == thread_id, drafts.c.operator_id == actor.id, drafts.c.kind == _KIND)
    if not body.text and not body.attachments:
        tx.execute(delete(drafts).where(*mine))
    else:
        values = {"text": body.text, "attachments": body.attachments, "updated_at": datetime.now(UTC)}
        key = {"thread_id": thread_id, "operator_id": actor.id, "kind": _KIND}
        kept = upsert.insert(tx, drafts).values(key | values)
        tx.execute(kept.on_conflict_do_update(index_elements=list(key), set_=values))
    return _get(tx, actor, thread_id)
