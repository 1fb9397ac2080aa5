"""Verbs and queries on recordings on behalf of people."""

import sys
from array import array
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from gateway.domain.errors import Conflict, NotFound, Refused
from gateway.domain.ids import is_id
from gateway.domain.people import Actor
from gateway.domain.recordings import Blob, RecordingState
from gateway.services import audit, recordings_rows, scope
from gateway.services.views.common import Page
from gateway.services.views.recordings import Peaks, Recording, RecordingStateName
from gateway.store import paging
from gateway.store.engine import Store
from gateway.store.tables import audit as audit_table
from gateway.store.tables import calls, recording_peaks, recordings

PLAYED_AS_IT_CAME = ("wav", "wav16", "mp3", "ogg", "opus")
_LISTENING = timedelta(minutes=15)


class RecordingFilters(msgspec.Struct, frozen=True, kw_only=True):
    """What `GET /recordings` may be narrowed by; deleted ones are shown when asked for by `state`."""

    call_id: str | None = None
    card_id: str | None = None
    state: RecordingStateName | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Played:
    """The bytes to play; `name` is how a browser may call them."""

    blob: Blob
    name: str

    @property
    def ascii_name(self) -> str:
        """The name as an HTTP header may hold it: a PBX's files can be called anything."""
        return "".join(c if c.isascii() and (c.isalnum() or c in "._-+ ") else "_" for c in self.name)


async def list_recordings(
    store_: Store, actor: Actor, filters: RecordingFilters, limit: int, cursor: str | None
) -> Page[Recording]:
    """One page, newest first."""
    return await store_.read(_list, actor, filters, limit, cursor)


def _list(
    tx: Connection, actor: Actor, filters: RecordingFilters, limit: int, cursor: str | None
) -> Page[Recording]:
    wanted = recordings_rows.query().where(scope.recordings(actor), *_narrowed(filters))
    page = paging.page(tx, wanted, [recordings.c.at, recordings.c.id], cursor=cursor, limit=limit)
    return Page(items=[Recording.of(row) for row in page.rows], next_cursor=page.next_cursor)


def _narrowed(filters: RecordingFilters) -> list[Any]:
    state = recordings.c.state
    found = [state == filters.state if filters.state else state != RecordingState.DELETED]
    if filters.call_id:
        found.append(recordings.c.call_id == filters.call_id)
    if filters.card_id:
        found.append(calls.c.card_id == filters.card_id)
    if filters.since:
        found.append(recordings.c.at >= filters.since)
    if filters.until:
        found.append(recordings.c.at < filters.until)
    return found


async def get(store_: Store, actor: Actor, recording_id: str) -> Recording:
    """The recording. Raises `NotFound`."""
    return Recording.of(await store_.read(seen, actor, recording_id))


def seen(tx: Connection, actor: Actor, recording_id: str) -> Row[Any]:
    """The row, if the actor may see it. Raises `NotFound`."""
    if not is_id(recording_id):
        raise NotFound
    row = tx.execute(
        recordings_rows.query().where(recordings.c.id == recording_id, scope.recordings(actor))
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def _heard(tx: Connection, actor: Actor, recording_id: str) -> Row[Any]:
    """The row, if the actor may listen to it."""
    row = seen(tx, actor, recording_id)
    may = select(recordings.c.id).where(recordings.c.id == recording_id, scope.listening(actor))
    if tx.scalar(may) is None:
        raise Refused("you may listen to the calls in which you talked and to those of a contact you hold")
    return row


async def listen(store_: Store, actor: Actor, recording_id: str) -> Played:
    """What to play, after it was written down who listens: once a sitting, not for every range asked for.

    Raises `NotFound`, `Refused`, and `Conflict` where there is nothing to play. When the listening cannot be
    written down there is none: `StoreUnavailable`.
    """
    row, noted = await store_.read(_listened, actor, recording_id)
    if not noted:
        row = await store_.write(_note_listening, actor, recording_id)
    return played(row)


async def look(store_: Store, actor: Actor, recording_id: str) -> Played:
    """What would be played, without listening. Raises as `listen`."""
    return played(await store_.read(_heard, actor, recording_id))


def _listened(tx: Connection, actor: Actor, recording_id: str) -> tuple[Row[Any], bool]:
    row = _heard(tx, actor, recording_id)
    sitting = datetime.now(UTC) - _LISTENING - timedelta(seconds=row.duration_s or 0)
    note = select(audit_table.c.id).where(
        audit_table.c.at > sitting,
        audit_table.c.action == "recording.listened",
        audit_table.c.object_id == recording_id,
        audit_table.c.actor_id == actor.id,
        audit_table.c.address.is_not_distinct_from(actor.address),
    )
    return row, tx.scalar(note.limit(1)) is not None


def _note_listening(tx: Connection, actor: Actor, recording_id: str) -> Row[Any]:
    # Of several ranges asked for at once one writes it down.
    tx.execute(select(recordings.c.id).where(recordings.c.id == recording_id).with_for_update())
    row, noted = _listened(tx, actor, recording_id)
    played(row)
    if not noted:
        detail = {"call_id": row.call_id, "name": row.name}
        audit.note(tx, actor, "recording.listened", "recording", recording_id, detail, team_id=row.team_id)
    return row


def played(row: Row[Any]) -> Played:
    """The bytes that are played. Raises `Conflict` where there are none."""
    stem = row.name.rpartition(".")[0] or row.name
    if row.state == RecordingState.READY:
        return Played(Blob(row.sha256, row.ext, row.size), f"{stem}.{row.ext}")
    if row.state in (RecordingState.PROCESSING, RecordingState.FAILED) and (
        row.original_ext in PLAYED_AS_IT_CAME
    ):
        return Played(
            Blob(row.original_sha256, row.original_ext, row.original_size), f"{stem}.{row.original_ext}"
        )
    raise Conflict(f"the recording is {row.state}: there is nothing to play")


async def peaks(store_: Store, actor: Actor, recording_id: str) -> Peaks:
    """The waveform. Raises `NotFound`, `Refused`, `Conflict` as long as there is none."""
    return await store_.read(_peaks, actor, recording_id)


def _peaks(tx: Connection, actor: Actor, recording_id: str) -> Peaks:
    row = _heard(tx, actor, recording_id)
    data = tx.scalar(select(recording_peaks.c.data).where(recording_peaks.c.recording_id == recording_id))
    if data is None:
        raise Conflict(f"the recording is {row.state}: it has no waveform")
    samples = array("h", data)
    if sys.byteorder == "big":
        samples.byteswap()
    each = len(samples) // row.channels
    return Peaks(
        recording_id=row.id,
        duration_s=row.duration_s,
        channels=row.channels,
        peaks=[
            [round(s / 32768, 4) for s in samples[n * each : (n + 1) * each]] for n in range(row.channels)
        ],
    )
