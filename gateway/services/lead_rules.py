"""The rule of leads that nobody works on: after some time a new lead becomes a task, once."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Connection, exists, select, update

from config.settings import Language, Settings
from gateway.services import tasks
from gateway.store import cards as card_store
from gateway.store.engine import Store
from gateway.store.tables import identities, leads
from gateway.store.tables_conversations import tasks as tasks_table
from gateway.supervise import until_stored

RULE = "lead_untouched"
_EVERY_S = 20.0
_AT_ONCE = 100
_OLDEST = timedelta(days=7)
"""Leads that were let lie longer than this before the rule was turned on are let lie."""
_TEXT = {
    Language.RU: "Новая заявка ждёт: свяжитесь с клиентом",
    Language.EN: "A new lead waits: get in touch",
}


async def run(store: Store, settings: Settings) -> None:
    """Apply the rule for ever."""
    after = timedelta(minutes=settings.leads.task_after_minutes)
    text = _TEXT[settings.locale.language]
    while True:
        work = partial(store.write, apply, after, text)
        while await until_stored("the rule of leads", work):
            pass
        await asyncio.sleep(_EVERY_S)


def apply(tx: Connection, after: timedelta, text: str) -> bool:
    """Make tasks of new leads older than `after`; whether more may be waiting."""
    now = datetime.now(UTC)
    made = exists().where(tasks_table.c.lead_id == leads.c.id, tasks_table.c.made_by == RULE)
    late = select(leads.c.id, leads.c.card_id).where(
        leads.c.status == "new",
        leads.c.created_at <= now - after,
        leads.c.created_at > now - _OLDEST,
        ~made,
    )
    found = tx.execute(late.order_by(leads.c.card_id, leads.c.id).limit(_AT_ONCE)).all()
    for lead in found:
        card = card_store.locked(tx, lead.card_id)
        # Whoever came first while the card was not yet ours has settled it.
        if tx.scalar(select(leads.c.id).where(leads.c.id == lead.id, leads.c.status == "new", ~made)):
            _make(tx, card.id, card.team_id, card.owner_id, lead.id, text, now)
    return len(found) == _AT_ONCE


def _make(
    tx: Connection, card_id: str, team_id: str, owner_id: str | None, lead_id: str, text: str, now: datetime
) -> None:
    phone = select(identities.c.value).where(identities.c.card_id == card_id, identities.c.kind == "phone")
    tasks.add(
        tx,
        card_id,
        team_id,
        text=text,
        action="call" if tx.scalar(phone.limit(1)) else "write",
        due_at=now,
        assignee_id=owner_id,
        lead_id=lead_id,
        made_by=RULE,
        author_id=None,
    )


def settle(tx: Connection, lead_id: str, now: datetime) -> None:
    """Somebody works on the lead: what the rule asked for is done."""
    asked = (tasks_table.c.lead_id == lead_id, tasks_table.c.made_by == RULE, tasks_table.c.state == "open")
    rows = tx.execute(select(tasks_table.c.id, tasks_table.c.team_id).where(*asked)).all()
    for row in rows:
        done = {"state": "done", "done_at": now, "updated_at": now, "version": tasks_table.c.version + 1}
        tx.execute(update(tasks_table).where(tasks_table.c.id == row.id).values(**done))
        tasks.tell(tx, row.id, row.team_id)
