"""The steps of a recording, each a unit of work: what is due, what will be its bytes, how it came out.

A recording is locked before its work, as wherever both change.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, delete, insert, or_, select, update

from gateway.domain.calls import CallState
from gateway.domain.recordings import Blob, FileStamp, RecordingJob, RecordingState, Sound, Unwanted
from gateway.services import recordings_intake
from gateway.services.recordings_deletion import leave
from gateway.services.recordings_rows import COLLECT
from gateway.services.recordings_told import tell
from gateway.store import work
from gateway.store.tables import calls, recording_peaks, recordings

TTL_S = 20.0
_CODEC = {"ogg": "opus", "opus": "opus", "wav": "pcm", "wav16": "pcm"}


def _claim(job: RecordingJob | Unwanted) -> work.Claim:
    assert isinstance(job.ticket, work.Claim)
    return job.ticket


def _in(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def _locked(tx: Connection, job: RecordingJob) -> Row[Any]:
    """The recording, held until the transaction ends: always before its work, as wherever both change.

    It is tied to its call if that has come to be known while the file was found.
    """
    held = select(recordings).where(recordings.c.id == job.id).with_for_update()
    row = tx.execute(held).one()
    if row.call_id is None and (call_id := _its_call(tx, row)) is not None:
        _change(tx, job, {"call_id": call_id})
        recordings_intake.remember_talkers(tx, job.id, call_id)
        row = tx.execute(held).one()
    return row


def _change(tx: Connection, job: RecordingJob, values: dict[str, Any]) -> None:
    tx.execute(update(recordings).where(recordings.c.id == job.id).values(**values))


def unwanted(tx: Connection, kind: str, limit: int) -> list[Unwanted]:
    """Bytes that may have to go."""
    found = []
    for claim in work.claim(tx, kind, limit=limit, ttl_s=TTL_S):
        sha256, _, ext = claim.payload.partition(".")
        found.append(Unwanted(claim, Blob(sha256, ext, 0)))
    return found


def hold(tx: Connection, job: RecordingJob) -> None:
    """Keep the job."""
    work.extend(tx, _claim(job), TTL_S)


def gone(tx: Connection, unwanted: Unwanted) -> None:
    """Done with the bytes."""
    work.done(tx, _claim(unwanted))


def looked(tx: Connection, job: RecordingJob, stamp: FileStamp, again_in_s: float) -> None:
    """The file looked so, and is to be looked at again."""
    _locked(tx, job)
    if job.stamp != stamp:
        seen = {"seen_size": stamp.size, "seen_mtime_ns": stamp.mtime_ns}
        _change(tx, job, seen | {"seen_since": datetime.now(UTC)})
    work.retry_at(tx, _claim(job), _in(again_in_s), "")


def later(tx: Connection, job: RecordingJob, again_in_s: float, why: str) -> None:
    """It cannot be done now."""
    row = _locked(tx, job)
    if row.error != why:
        _change(tx, job, {"error": why, "version": row.version + 1})
    work.retry_at(tx, _claim(job), _in(again_in_s), why)


def collected(tx: Connection, job: RecordingJob) -> None:
    """The file's bytes are in the library: it is to be encoded."""
    row = _locked(tx, job)
    work.done(tx, _claim(job))
    recordings_intake.begin_encoding(tx, row)
    tell(tx, job.id)


def jobs(tx: Connection, kind: str, limit: int) -> list[RecordingJob]:
    """What is due; one whose recording needs it no more is done."""
    found = []
    for claim in work.claim(tx, kind, limit=limit, ttl_s=TTL_S):
        row = tx.execute(select(recordings).where(recordings.c.id == claim.payload)).one()
        state = RecordingState.RECORDING if claim.kind == COLLECT else RecordingState.PROCESSING
        if row.state == state:
            found.append(_job(tx, claim, row))
        else:
            work.done(tx, claim)
    return found


def _job(tx: Connection, claim: work.Claim, row: Row[Any]) -> RecordingJob:
    over, since = _call(tx, row.call_id or _its_call(tx, row))
    stamp = FileStamp(row.seen_size, row.seen_mtime_ns) if row.seen_size is not None else None
    return RecordingJob(
        ticket=claim,
        id=row.id,
        pbx=row.pbx,
        path=row.path,
        call_over=over,
        waiting_since=max(row.created_at, since) if since else row.created_at,
        stamp=stamp,
        stamp_since=row.seen_since,
        original=_blob(row.original_sha256, row.original_ext, row.original_size),
        played=_blob(row.sha256, row.ext, row.size),
        failures=row.failures,
    )


def _blob(sha256: str | None, ext: str | None, size: int | None) -> Blob | None:
    return Blob(sha256, ext or "", size or 0) if sha256 else None


def _its_call(tx: Connection, row: Row[Any]) -> str | None:
    return recordings_intake.call_with(tx, row.pbx, row.uniqueid) if row.uniqueid else None


def _call(tx: Connection, call_id: str | None) -> tuple[bool | None, datetime | None]:
    """Whether the call is over, and when it ended; None where no call is known."""
    wanted = select(calls.c.state, calls.c.ended_at).where(calls.c.id == call_id)
    call = tx.execute(wanted).one_or_none() if call_id else None
    return (None, None) if call is None else (call.state == CallState.ENDED, call.ended_at)


def refer(tx: Connection, job: RecordingJob, blob: Blob) -> None:
    """The recording's bytes will be these, those of the PBX or those to play; others are left."""
    row = _locked(tx, job)
    work.extend(tx, _claim(job), TTL_S)
    if row.state == RecordingState.RECORDING:
        before, prefix = _blob(row.original_sha256, row.original_ext, row.original_size), "original_"
    else:
        before, prefix = _blob(row.sha256, row.ext, row.size), ""
    values = {f"{prefix}sha256": blob.sha256, f"{prefix}ext": blob.ext, f"{prefix}size": blob.size}
    _change(tx, job, values)
    if before is not None and before != blob:
        leave(tx, before.sha256, before.ext)


def ready(tx: Connection, job: RecordingJob, sound: Sound | None) -> datetime | None:
    """It can be played, and the PBX's bytes are left; when its call ended."""
    row = _locked(tx, job)
    work.done(tx, _claim(job))
    values: dict[str, Any] = {
        "state": RecordingState.READY,
        "codec": _CODEC.get(row.ext, row.ext),
        "failures": 0,
        "error": None,
        "version": row.version + 1,
    }
    tx.execute(delete(recording_peaks).where(recording_peaks.c.recording_id == job.id))
    if sound is not None:
        values |= {"duration_s": sound.duration_s, "channels": sound.channels, "has_audio": sound.has_audio}
        tx.execute(insert(recording_peaks), {"recording_id": job.id, "data": sound.peaks})
    _change(tx, job, values)
    if (row.original_sha256, row.original_ext) != (row.sha256, row.ext):
        leave(tx, row.original_sha256, row.original_ext)
    tell(tx, job.id)
    return tx.scalar(select(calls.c.ended_at).where(calls.c.id == row.call_id)) if row.call_id else None


def failed(tx: Connection, job: RecordingJob, error: str, again_in_s: float | None) -> None:
    """An attempt failed; None gives it up."""
    row = _locked(tx, job)
    values = {"failures": row.failures + 1, "error": error[:1000], "version": row.version + 1}
    if again_in_s is None:
        _change(tx, job, values | {"state": RecordingState.FAILED})
        work.poison(tx, _claim(job), error)
        tell(tx, job.id)
    else:
        _change(tx, job, values)
        work.retry_at(tx, _claim(job), _in(again_in_s), error)


def is_wanted(tx: Connection, blob: Blob) -> bool:
    """What is played, and what is still to be encoded or failed in it; a copy that was encoded is not."""
    played = and_(recordings.c.sha256 == blob.sha256, recordings.c.ext == blob.ext)
    original = and_(
        recordings.c.original_sha256 == blob.sha256,
        recordings.c.original_ext == blob.ext,
        recordings.c.state != RecordingState.READY,
    )
    wanted = select(recordings.c.id).where(
        or_(played, original), recordings.c.state != RecordingState.DELETED
    )
    return tx.execute(wanted.limit(1)).first() is not None
