"""What could not be worked on: listed with its error, tried again when a person says so. For admins."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import Connection, delete, select

from gateway.domain.errors import Conflict, NotFound
from gateway.domain.people import Actor, Role
from gateway.services import audit, call_intake, scope
from gateway.services.intake import POISON_KIND
from gateway.services.views.common import Body, Page, View, at
from gateway.store import raw, work
from gateway.store.engine import Store
from gateway.store.tables_core import WorkState
from gateway.store.tables_core import work as work_table

_ID = re.compile(r"(update|work)-([0-9]{1,18})")
MOST = 200
_LONGEST = 4000


class PoisonList(Body, frozen=True):
    """One kind of what was set aside."""

    what: Literal["update", "work"] | None = None


class Poison(View, frozen=True):
    """`update`: what a connector brought; `work`: what the service meant to do. `body` is cut off after 4,000
    characters."""

    id: str
    what: Literal["update", "work"]
    about: str
    received_at: str | None
    attempts: int
    error: str
    body: str


async def list_poison(store: Store, actor: Actor, listing: PoisonList) -> Page[Poison]:
    """The oldest 200 of each."""
    scope.require(actor, Role.ADMIN)
    return await store.read(_list, listing.what)


def _list(tx: Connection, what: str | None) -> Page[Poison]:
    found = [*(_updates(tx) if what != "work" else ()), *(_work(tx) if what != "update" else ())]
    return Page(items=found)


def _updates(tx: Connection) -> Iterator[Poison]:
    for row in raw.poisoned(tx, 0, MOST):
        yield Poison(
            id=f"update-{row.id}",
            what="update",
            about=row.connector,
            received_at=at(row.received_at),
            attempts=row.attempts,
            error=row.error or "",
            body=row.body[:_LONGEST].decode(errors="replace"),
        )


def _work(tx: Connection) -> Iterator[Poison]:
    aside = select(work_table).where(work_table.c.state == WorkState.POISON)
    for row in tx.execute(aside.order_by(work_table.c.id).limit(MOST)):
        yield Poison(
            id=f"work-{row.id}",
            what="work",
            about=row.kind,
            received_at=at(row.created_at),
            attempts=row.attempts,
            error=row.error or "",
            body=row.payload[:_LONGEST],
        )


async def replay(store: Store, actor: Actor, poison_id: str) -> None:
    """Have it tried again. Raises `NotFound`."""
    scope.require(actor, Role.ADMIN)
    await store.write(_replay, actor, poison_id)


def _replay(tx: Connection, actor: Actor, poison_id: str) -> None:
    found = _ID.fullmatch(poison_id)
    again = {"update": raw.replay, "work": _work_again}
    if found is None or not again[found[1]](tx, int(found[2])):
        raise NotFound
    audit.note(tx, actor, "poison.replayed", detail={"poison": poison_id})


def _work_again(tx: Connection, row_id: int) -> bool:
    aside = (work_table.c.id == row_id, work_table.c.state == WorkState.POISON)
    row = tx.execute(select(work_table).where(*aside)).one_or_none()
    if row is None or row.kind != POISON_KIND:
        return work.replay(tx, row_id)
    # An event of a call has no loop that waits for it: it is recorded here, or stays with its new error.
    try:
        with tx.begin_nested():
            call_intake.record(tx, call_intake.revived(row.payload), datetime.now(UTC))
    except Exception as error:
        raise Conflict(f"it cannot be recorded: {type(error).__name__}: {error}") from error
    tx.execute(delete(work_table).where(*aside))
    return True
