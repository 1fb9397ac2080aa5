"""Everything that is kept of one client, as one document (GDPR article 15, 152-FZ article 14)."""

from datetime import UTC, datetime

from sqlalchemy import Connection, select

from gateway.domain.people import Actor, Role
from gateway.domain.recordings import RecordingState
from gateway.services import audit, card_views, recordings_rows, scope
from gateway.services.timeline import entries
from gateway.services.views.cards import Card, TimelineEntry
from gateway.services.views.common import View, at
from gateway.services.views.recordings import Recording
from gateway.store.engine import Store
from gateway.store.tables import calls, recordings, timeline

MOST_ENTRIES = 50_000


class CardExport(View, frozen=True):
    """The card and all that lies on it, oldest first; `complete`: no older entries were left out.

    The sound of `recordings` is had one by one, each of which is written down.
    """

    exported_at: str
    card: Card
    timeline: list[TimelineEntry]
    recordings: list[Recording]
    complete: bool


async def export(store: Store, actor: Actor, card_id: str) -> CardExport:
    """The document; stands in the audit log. For supervisors."""
    scope.require(actor, Role.SUPERVISOR)
    return await store.write(_export, actor, card_id)


def _export(tx: Connection, actor: Actor, card_id: str) -> CardExport:
    row = scope.card_for(tx, actor, card_id)
    newest = (timeline.c.at.desc(), timeline.c.id.desc())
    mine = select(timeline).where(timeline.c.card_id == card_id).order_by(*newest)
    rows = tx.execute(mine.limit(MOST_ENTRIES + 1)).all()
    audit.note(tx, actor, "card.exported", "card", card_id, {"entries": len(rows)}, team_id=row.team_id)
    return CardExport(
        exported_at=at(datetime.now(UTC)),
        card=card_views.view(tx, row),
        timeline=list(reversed(entries(tx, rows[:MOST_ENTRIES]))),
        recordings=_recordings(tx, card_id),
        complete=len(rows) <= MOST_ENTRIES,
    )


def _recordings(tx: Connection, card_id: str) -> list[Recording]:
    of_card = recordings_rows.query().where(calls.c.card_id == card_id)
    kept = of_card.where(recordings.c.state != RecordingState.DELETED)
    return [Recording.of(row) for row in tx.execute(kept.order_by(recordings.c.at, recordings.c.id))]
