"""A recording that was given up is tried again, because a person says so."""

from sqlalchemy import Connection, select, update

from gateway.domain.errors import Conflict
from gateway.domain.people import Actor, Role
from gateway.domain.recordings import Blob, RecordingState
from gateway.services import recordings_intake, scope
from gateway.services.recordings import seen
from gateway.services.recordings_rows import COLLECT, ENCODE
from gateway.services.recordings_told import tell
from gateway.services.views.recordings import Recording
from gateway.store import work
from gateway.store.engine import Store
from gateway.store.tables import recordings


async def original_of(store_: Store, actor: Actor, recording_id: str) -> Blob | None:
    """The bytes that the PBX wrote, as far as they were taken. Raises `NotFound`, `Refused`."""
    scope.require(actor, Role.ADMIN)
    row = await store_.read(seen, actor, recording_id)
    return Blob(row.original_sha256, row.original_ext, row.original_size) if row.original_sha256 else None


async def retry(store_: Store, actor: Actor, recording_id: str, *, is_here: bool) -> Recording:
    """Encode it anew if its bytes are here, else fetch it. Raises `Conflict` if it did not fail."""
    scope.require(actor, Role.ADMIN)
    return await store_.write(_retry, actor, recording_id, is_here)


def _retry(tx: Connection, actor: Actor, recording_id: str, is_here: bool) -> Recording:
    seen(tx, actor, recording_id)
    row = tx.execute(select(recordings).where(recordings.c.id == recording_id).with_for_update()).one()
    if row.state != RecordingState.FAILED:
        raise Conflict(f"the recording is {row.state}: only one that failed is tried again")
    if is_here:
        work.drop(tx, ENCODE, row.id)
        recordings_intake.begin_encoding(tx, row)
    else:
        _fetch_anew(tx, row.id, row.version)
    tell(tx, recording_id)
    return Recording.of(seen(tx, actor, recording_id))


def _fetch_anew(tx: Connection, recording_id: str, version: int) -> None:
    anew = {"state": RecordingState.RECORDING, "failures": 0, "error": None, "version": version + 1}
    unseen = {"seen_size": None, "seen_mtime_ns": None, "seen_since": None}
    none = {"original_sha256": None, "original_ext": None, "original_size": None}
    again = update(recordings).where(recordings.c.id == recording_id)
    tx.execute(again.values(**anew, **unseen, **none))
    work.drop(tx, COLLECT, recording_id)
    work.put(tx, COLLECT, recording_id, key=recording_id)
