"""A recording goes for good: by a person or by retention, written down, and its bytes with it."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from gateway.domain.errors import Conflict
from gateway.domain.people import Actor, Role
from gateway.domain.recordings import RecordingState
from gateway.services import audit, recordings_rows, scope
from gateway.services.recordings import seen
from gateway.services.recordings_rows import ENCODE, REMOVE
from gateway.services.recordings_told import tell
from gateway.store import work
from gateway.store.engine import Store
from gateway.store.tables import recording_peaks, recordings

RETENTION = Actor(id="", name="retention", role=Role.ADMIN)
"""In whose name the service deletes what is past its time."""
_AT_ONCE = 100
_EVERY_S = 600.0


async def remove(store_: Store, actor: Actor, recording_id: str) -> None:
    """Delete the recording for good: its bytes go unless another recording has the same."""
    scope.require(actor, Role.SUPERVISOR)
    await store_.write(_remove, actor, recording_id)


def _remove(tx: Connection, actor: Actor, recording_id: str) -> None:
    seen(tx, actor, recording_id)
    tx.execute(select(recordings.c.id).where(recordings.c.id == recording_id).with_for_update())
    row = seen(tx, actor, recording_id)
    if row.state == RecordingState.RECORDING:
        raise Conflict("the recording is still being made; delete it when it is ready")
    if row.state != RecordingState.DELETED:
        erase(tx, actor, row)


def erase(tx: Connection, actor: Actor, row: Row[Any], because: str = "by hand") -> None:
    """Mark the row of `query()` deleted, in the actor's name, and have its bytes taken away."""
    deleted = update(recordings).where(recordings.c.id == row.id)
    tx.execute(deleted.values(state=RecordingState.DELETED, version=row.version + 1))
    tx.execute(delete(recording_peaks).where(recording_peaks.c.recording_id == row.id))
    work.drop(tx, ENCODE, row.id)
    blobs = {row.original_sha256: row.original_ext, row.sha256: row.ext}
    for sha256 in sorted(filter(None, blobs)):
        leave(tx, sha256, blobs[sha256])
    detail = {"call_id": row.call_id, "name": row.name, "sha256": row.sha256, "because": because}
    audit.note(tx, actor, "recording.deleted", "recording", row.id, detail, team_id=row.team_id)
    tell(tx, row.id)


def leave(tx: Connection, sha256: str, ext: str) -> None:
    """Have the bytes taken away if nothing refers to them when their turn comes."""
    work.put(tx, REMOVE, f"{sha256}.{ext}", key=sha256)


async def keep_to(store_: Store, keep_days: float) -> None:
    """Delete what is past its time, for ever, each ten minutes; by one node at a time."""
    while True:
        await remove_old(store_, keep_days)
        await asyncio.sleep(_EVERY_S)


async def remove_old(store_: Store, keep_days: float) -> None:
    """Delete what began more than `keep_days` days ago; 0 keeps everything."""
    if keep_days == 0:
        return
    while await store_.write(_remove_old, datetime.now(UTC) - timedelta(days=keep_days), keep_days):
        pass


def _remove_old(tx: Connection, before: datetime, keep_days: float) -> bool:
    over = (RecordingState.READY, RecordingState.FAILED, RecordingState.PROCESSING)
    query = recordings_rows.query().where(recordings.c.at < before, recordings.c.state.in_(over))
    rows = tx.execute(query.order_by(recordings.c.at).limit(_AT_ONCE)).all()
    for row in sorted(rows, key=lambda row: str(row.id)):
        erase(tx, RETENTION, row, f"older than {keep_days:g} days")
    return len(rows) == _AT_ONCE
