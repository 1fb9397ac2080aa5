"""Files of incoming messages: expected at once as placeholders, fetched in the background."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, update

from gateway.domain.messages import InboundAttachment
from gateway.services import file_keeping
from gateway.services.file_keeping import KEPT, Draft
from gateway.store import threads as store
from gateway.store import work
from gateway.store.tables_conversations import attachments

MOST = 50


def work_kind(connector: str) -> str:
    """The work of fetching files from a connector."""
    return f"fetch:{connector}"


def expect(tx: Connection, message: Row[Any], files: Sequence[InboundAttachment], connector: str) -> None:
    """Rows for the files of a message: here already, or to be fetched."""
    fresh = []
    for place, one in enumerate(files[:MOST]):
        if one.reference.startswith(KEPT):
            _adopt(tx, message, one, connector, place)
            continue
        row = file_keeping.new_row(Draft(one.name, one.mime, connector=connector))
        row |= {"message_id": message.id, "reference": one.reference, "size": one.size, "place": place}
        fresh.append(row | {"mime": one.mime[:255] or row["mime"]})
    store.add_files(tx, fresh)
    for row in fresh:
        work.put(tx, work_kind(connector), row["id"], key=row["id"])


def _adopt(tx: Connection, message: Row[Any], one: InboundAttachment, connector: str, place: int) -> None:
    """A file that the connector has stored before belongs to the message now; nobody else's can be had so."""
    mine = (
        attachments.c.id == one.reference.removeprefix(KEPT),
        attachments.c.connector == connector,
        attachments.c.message_id.is_(None),
    )
    tx.execute(update(attachments).where(*mine).values(message_id=message.id, place=place))


def of_message(tx: Connection, message_id: str) -> Sequence[Row[Any]]:
    """The files of a message."""
    mine = select(attachments).where(attachments.c.message_id == message_id)
    return tx.execute(mine.order_by(attachments.c.place)).all()
