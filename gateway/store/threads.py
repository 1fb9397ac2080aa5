"""Queries on threads and messages; built once, for they lie on the hot path."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, insert, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store.tables import contact_people, contacts, operators, queues
from gateway.store.tables_conversations import attachments, messages, thread_reads, threads

OPEN = text("state <> 'closed'")
_open = select(threads).where(
    threads.c.connector == bindparam("connector"),
    threads.c.thread_key == bindparam("thread_key"),
    text("threads.state <> 'closed'"),
)
_locked_open = _open.with_for_update(key_share=True)
_last = (
    select(threads)
    .where(threads.c.connector == bindparam("connector"), threads.c.thread_key == bindparam("thread_key"))
    .order_by(threads.c.id.desc())
    .limit(1)
)
_locked = select(threads).where(threads.c.id == bindparam("thread_id")).with_for_update(key_share=True)
_add = {
    dialect: insert_of(threads)
    .on_conflict_do_nothing(index_elements=["connector", "thread_key"], index_where=OPEN)
    .returning(threads)
    for dialect, insert_of in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}
_change = update(threads).where(threads.c.id == bindparam("thread_id_")).returning(threads)
_add_message = {
    dialect: insert_of(messages).on_conflict_do_nothing().returning(messages)
    for dialect, insert_of in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}
_by_external = select(messages).where(
    messages.c.connector == bindparam("connector"), messages.c.external_id == bindparam("external_id")
)
_files = (
    select(attachments)
    .where(attachments.c.message_id.in_(bindparam("ids", expanding=True)))
    .order_by(attachments.c.message_id, attachments.c.place)
)
_add_files = insert(attachments)
_holders = (
    select(contact_people.c.operator_id)
    .join(contacts, contacts.c.id == contact_people.c.contact_id)
    .where(contacts.c.thread_id == bindparam("thread_id"))
)


def open_thread(tx: Connection, connector: str, thread_key: str, *, lock: bool = False) -> Row[Any] | None:
    """The thread of this conversation that is not closed; `lock` holds it until the transaction ends."""
    wanted = {"connector": connector, "thread_key": thread_key}
    return tx.execute(_locked_open if lock else _open, wanted).one_or_none()


def last_thread(tx: Connection, connector: str, thread_key: str) -> Row[Any] | None:
    """The newest thread of this conversation, closed or not."""
    return tx.execute(_last, {"connector": connector, "thread_key": thread_key}).one_or_none()


def locked(tx: Connection, thread_id: str) -> Row[Any]:
    """The thread's row, held until the transaction ends."""
    return tx.execute(_locked, {"thread_id": thread_id}).one()


def add(tx: Connection, row: Mapping[str, Any]) -> Row[Any] | None:
    """A new thread; None where the conversation has an open one. PostgreSQL waits for who makes it now."""
    return tx.execute(_add[tx.dialect.name], row).one_or_none()


def change(tx: Connection, thread_id: str, values: Mapping[str, Any]) -> Row[Any]:
    """Set columns; the row as it stands after."""
    return tx.execute(_change, {"thread_id_": thread_id, **values}).one()


def add_message(tx: Connection, row: Mapping[str, Any]) -> Row[Any] | None:
    """A new message; None where its external id, or the sender's own, is known."""
    return tx.execute(_add_message[tx.dialect.name], row).one_or_none()


def by_external(tx: Connection, connector: str, external_id: str, *, lock: bool = False) -> Row[Any] | None:
    """The message that the other side calls so."""
    query = _by_external.with_for_update() if lock else _by_external
    return tx.execute(query, {"connector": connector, "external_id": external_id}).one_or_none()


def files_of(tx: Connection, message_ids: Sequence[str]) -> Mapping[str, list[Row[Any]]]:
    """Message id → its files, in their order."""
    found: dict[str, list[Row[Any]]] = {}
    if message_ids:
        for row in tx.execute(_files, {"ids": list(message_ids)}):
            found.setdefault(row.message_id, []).append(row)
    return found


def add_files(tx: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Files of messages."""
    if rows:
        tx.execute(_add_files, rows)


def holders(tx: Connection, thread_id: str) -> tuple[str, ...]:
    """Who is offered or holds the open contact of the thread."""
    return tuple(tx.scalars(_holders, {"thread_id": thread_id}))


def query(reader_id: str | None = None) -> Select[Any]:
    """Threads with the names of queue and assignee, and how much the reader has read (none: the assignee)."""
    reader = threads.c.assignee_id if reader_id is None else reader_id
    mine = (thread_reads.c.thread_id == threads.c.id) & (thread_reads.c.operator_id == reader)
    return (
        select(
            threads,
            queues.c.name.label("queue_name"),
            operators.c.name.label("assignee_name"),
            thread_reads.c.inbound.label("read"),
        )
        .outerjoin(queues, queues.c.id == threads.c.queue_id)
        .outerjoin(operators, operators.c.id == threads.c.assignee_id)
        .outerjoin(thread_reads, mine)
    )
