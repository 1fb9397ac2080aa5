"""Outgoing messages as rows: put in order of their thread, taken up, settled; each step tells the desks.

Work of the kind `send:NAME` under the thread's id as its key: one sender per thread, in order. The message's
thread is held in each step, so that a message is never withdrawn and sent at once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, Row, delete, select, update

from gateway.domain.facts import Fact
from gateway.domain.identities import Identity
from gateway.domain.messages import (
    Delivered,
    MessageStatus,
    OutgoingFile,
    OutgoingMessage,
    OutgoingVerb,
)
from gateway.services import changes, entering, file_keeping, inbound, thread_views
from gateway.store import facts, work
from gateway.store import threads as store
from gateway.store.tables import timeline
from gateway.store.tables_conversations import attachments, messages, threads
from gateway.store.work import Claim
from recordings.library import Library

LATER = "send_later"
"""Kind of the work of handing scheduled messages on."""
GIVE_UP = timedelta(hours=12)
"""A message that nobody could take for so long has failed."""
CLAIM_S = 900.0


class Errand(msgspec.Struct, frozen=True):
    """What a row of work asks for."""

    message_id: str
    verb: Literal["send", "edit", "delete"] = "send"


_errand = msgspec.json.Decoder(Errand)


@dataclass(frozen=True, slots=True)
class Job:
    """A message in hand."""

    claim: Claim
    message: OutgoingMessage
    queued_at: datetime


def work_kind(connector: str) -> str:
    """The work of sending through a connector."""
    return f"send:{connector}"


def put(tx: Connection, message: Row[Any], verb: Literal["send", "edit", "delete"] = "send") -> None:
    """Have the message sent (edited, deleted) at the other side, after all that waits in its thread."""
    payload = msgspec.json.encode(Errand(message.id, verb)).decode()
    work.put(tx, work_kind(message.connector), payload, key=message.thread_id)


def release_due(tx: Connection, limit: int = 50) -> int:
    """Hand scheduled messages on whose time has come; how many."""
    claims = sorted(work.claim(tx, LATER, limit=limit), key=lambda one: one.payload)
    for claim in claims:
        message = _held(tx, claim.payload)
        if message is not None and message.status == MessageStatus.QUEUED and message.send_at is not None:
            release(tx, message)
        work.done(tx, claim)
    return len(claims)


def release(tx: Connection, message: Row[Any]) -> None:
    """The scheduled message is sent now; its thread is held."""
    now = datetime.now(UTC)
    row = _change(tx, message, send_at=None, at=now, received_at=now)
    thread = store.locked(tx, row.thread_id)
    team_id = entering.team_of_card(tx, thread.card_id)
    facts.append(tx, entering.enter(tx, thread, row, "message.status", team_id))
    put(tx, row)


def take_up(tx: Connection, connector: str, library: Library, limit: int, idempotent: bool) -> list[Job]:
    """Claim what may be sent now, at most one message of each thread, and mark it as being sent.

    What is found as being sent already was in the hands of a process that died: nobody knows whether it
    went out. Where the other side takes the same id once it is sent again.
    """
    jobs = []
    claims = work.claim(tx, work_kind(connector), limit=limit, ttl_s=CLAIM_S)
    for claim in sorted(claims, key=lambda one: one.key or ""):
        errand = _errand.decode(claim.payload.encode())
        message = _held(tx, errand.message_id)
        if message is None or not _wanted(message, errand):
            work.done(tx, claim)
        elif errand.verb == "send" and message.status == MessageStatus.SENDING and not idempotent:
            unknown(tx, claim, message.id, "the service stopped while it was being sent")
        else:
            jobs.append(_begin(tx, claim, message, errand, library))
    return jobs


def _wanted(message: Row[Any], errand: Errand) -> bool:
    if errand.verb != "send":
        return message.external_id is not None
    return message.status in (MessageStatus.QUEUED, MessageStatus.SENDING) and message.deleted_at is None


def _begin(tx: Connection, claim: Claim, message: Row[Any], errand: Errand, library: Library) -> Job:
    if errand.verb == "send" and message.status != MessageStatus.SENDING:
        values: dict[str, Any] = {"status": MessageStatus.SENDING.value, "attempts": message.attempts + 1}
        if message.seq is None:
            thread = store.locked(tx, message.thread_id)
            values["seq"] = thread.seq + 1
            store.change(tx, thread.id, {"seq": thread.seq + 1})
        message = _change(tx, message, **values)
        _tell(tx, message)
    return Job(claim, _outgoing(tx, message, errand, library), message.received_at)


def _outgoing(tx: Connection, message: Row[Any], errand: Errand, library: Library) -> OutgoingMessage:
    thread = tx.execute(select(threads).where(threads.c.id == message.thread_id)).one()
    files = store.files_of(tx, [message.id]).get(message.id, [])
    addresses = message.addresses
    return OutgoingMessage(
        message_id=message.id,
        thread_key=thread.thread_key,
        attempt=max(1, message.attempts),
        verb=OutgoingVerb(errand.verb),
        text=message.text,
        html=message.html,
        subject=message.subject,
        to=tuple(addresses.get("to", ())),
        cc=tuple(addresses.get("cc", ())),
        bcc=tuple(addresses.get("bcc", ())),
        reply_to=_external_id(tx, message.reply_to),
        external_id=message.external_id,
        files=tuple(_file(library, row) for row in files if row.state == "ready"),
        author=message.author["name"],
    )


def _external_id(tx: Connection, message_id: str | None) -> str | None:
    if message_id is None:
        return None
    found: str | None = tx.scalar(select(messages.c.external_id).where(messages.c.id == message_id))
    return found


def _file(library: Library, row: Row[Any]) -> OutgoingFile:
    path = str(library.place(file_keeping.blob_of(row)))
    return OutgoingFile(row.id, path, row.name, row.mime, row.size)


def delivered(tx: Connection, job: Job, outcome: Delivered) -> None:
    """The other side took it."""
    message = _held(tx, job.message.message_id)
    work.done(tx, job.claim)
    if message is None or job.message.verb is not OutgoingVerb.SEND:
        return
    if outcome.external_id is not None:
        _forget_echo(tx, message, outcome.external_id)
    refused = [{"address": one, "status": "failed", "error": why} for one, why in outcome.recipients.items()]
    row = _change(
        tx,
        message,
        status=MessageStatus.SENT.value,
        external_id=outcome.external_id,
        recipients=refused,
        error=None,
    )
    _tell(tx, row)
    if outcome.external_id is not None:
        facts.append(tx, changes.apply_parked(tx, row))


def _forget_echo(tx: Connection, message: Row[Any], external_id: str) -> None:
    """What we sent may have come back, as if written elsewhere, before we heard that it was taken."""
    echo = store.by_external(tx, message.connector, external_id)
    if echo is not None and echo.id != message.id:
        tx.execute(delete(timeline).where(timeline.c.ref_id == echo.id))
        tx.execute(update(attachments).where(attachments.c.message_id == echo.id).values(message_id=None))
        tx.execute(delete(messages).where(messages.c.id == echo.id))


def unknown(tx: Connection, claim: Claim, message_id: str, why: str) -> None:
    """Nobody can say whether it was taken: a person decides whether it is sent again."""
    _settle(tx, claim, message_id, MessageStatus.UNKNOWN, why)


def failed(tx: Connection, job: Job, why: str) -> None:
    """It was refused, or nobody could take it for too long."""
    if job.message.verb is OutgoingVerb.SEND:
        _settle(tx, job.claim, job.message.message_id, MessageStatus.FAILED, why)
        return
    message = _held(tx, job.message.message_id)
    work.done(tx, job.claim)
    if message is not None:
        _tell(tx, _change(tx, message, error=f"the client still sees it as it was: {why}"))


def unreachable(tx: Connection, job: Job, why: str) -> None:
    """The client cannot be reached: marked so, and what else waits for him fails too."""
    failed(tx, job, why)
    message = _held(tx, job.message.message_id)
    if message is None:
        return
    thread = store.locked(tx, message.thread_id)
    inbound.reachable(tx, Identity(thread.client["kind"], thread.client["value"]), yes=False)
    waiting = (messages.c.thread_id == thread.id, messages.c.status == MessageStatus.QUEUED.value)
    for row in tx.execute(select(messages).where(*waiting, messages.c.send_at.is_(None))).all():
        _tell(tx, _change(tx, row, status=MessageStatus.FAILED.value, error=why))


def later(tx: Connection, job: Job, due_at: datetime, why: str) -> None:
    """It was surely not taken and is tried again."""
    message = _held(tx, job.message.message_id)
    work.retry_at(tx, job.claim, due_at, why)
    if message is not None and job.message.verb is OutgoingVerb.SEND:
        _tell(tx, _change(tx, message, status=MessageStatus.QUEUED.value, error=why))


def _settle(tx: Connection, claim: Claim, message_id: str, status: MessageStatus, why: str) -> None:
    message = _held(tx, message_id)
    work.done(tx, claim)
    if message is not None:
        _tell(tx, _change(tx, message, status=status.value, error=why))


def _held(tx: Connection, message_id: str) -> Row[Any] | None:
    """The message as it stands, its thread held: a thread before its work, as whoever writes in it does."""
    of = select(messages.c.thread_id).where(messages.c.id == message_id)
    thread_id = tx.scalar(of)
    if thread_id is None:
        return None
    store.locked(tx, thread_id)
    return tx.execute(select(messages).where(messages.c.id == message_id)).one_or_none()


def _change(tx: Connection, message: Row[Any], **values: Any) -> Row[Any]:
    mine = update(messages).where(messages.c.id == message.id)
    return tx.execute(mine.values(**values).returning(messages)).one()


def _tell(tx: Connection, message: Row[Any]) -> None:
    thread = tx.execute(select(threads).where(threads.c.id == message.thread_id)).one()
    told: list[Fact] = [thread_views.told(tx, "message.status", message, thread)]
    facts.append(tx, told)
