"""Files that a PBX records into become rows: named by its events, found in its folder, or sent to us.

A file is one row, whoever tells of it first. Its call is the one whose events named it, else the one that had
the channel in the file's name; a file of a call that nobody saw waits for it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, func, or_, select, update

from gateway.domain.calls import Call, CallState
from gateway.domain.ids import call_id as id_of_call
from gateway.domain.ids import stable_id
from gateway.domain.recordings import (
    FileStamp,
    RecordingState,
    SpoolFile,
    channel_number,
    file_name,
    moment_of,
    same_file,
    uniqueid_in,
)
from gateway.services import recordings_rows
from gateway.services.recordings_rows import COLLECT, ENCODE
from gateway.services.views.common import PersonRef
from gateway.store import upsert, work
from gateway.store.tables import call_legs, calls, recording_scans, recordings
from gateway.store.types import from_microseconds
from gateway.store.upsert import insert_or_skip

Phones = Mapping[str, PersonRef]


LONGEST_CALL = timedelta(hours=4)
"""When a file that a call named is looked at although nobody told that the call is over."""
LOOK_AGAIN = timedelta(minutes=1)
"""The same for a file found in the folder: it may have been found while its call ended."""
_decoder = msgspec.json.Decoder(Call)


def follow(
    tx: Connection, known: Call | None, call: Call, phones: Phones, at: datetime, now: datetime
) -> Sequence[str]:
    """Keep the recordings in step with the call, `known` being what the books held of it; their ids.

    `at` is when the PBX told it. Costs nothing as long as the call names no file and has not ended.
    """
    moved = call.aliases != (known.aliases if known else ()) and _take_over(tx, call)
    for path in call.recordings[len(known.recordings) if known else 0 :]:
        _named_by(tx, call, path, at, now)
    is_over = call.state is CallState.ENDED
    ends_now = is_over and (known is None or known.state is not CallState.ENDED or known.legs != call.legs)
    if ends_now:
        _attach_orphans(tx, call)
    if not (call.recordings or moved or ends_now):
        return ()
    found = recordings_rows.of_calls(tx, [call.id]).get(call.id, [])
    if is_over:
        for recording_id in sorted(found):
            recordings_rows.add_talkers(tx, recording_id, _talkers(call, phones))
            work.hasten(tx, COLLECT, recording_id)
    return found


def _take_over(tx: Connection, call: Call) -> bool:
    absorbed = [alias for alias in call.aliases if alias != call.id]
    tx.execute(update(call_legs).where(call_legs.c.call_id.in_(absorbed)).values(call_id=call.id))
    taken = update(recordings).where(recordings.c.call_id.in_(absorbed)).values(call_id=call.id)
    return tx.execute(taken).rowcount > 0


def _named_by(tx: Connection, call: Call, path: str, at: datetime, now: datetime) -> None:
    name = short_name(path)
    lock_name(tx, call.pbx, name)
    numbers = {channel_number(leg) for leg in call.legs}
    for row in named(tx, call.pbx, path):
        is_open = row.state == RecordingState.RECORDING
        if row.call_id == call.id:
            return
        if row.call_id is None and (is_open or row.uniqueid in numbers):
            tx.execute(update(recordings).where(recordings.c.id == row.id).values(call_id=call.id))
            return
        if is_open:
            # Asterisk overwrites: what was in the file of that other call is lost.
            _overwritten(tx, row)
    recording_id = stable_id(at, call.pbx, path, call.id)
    insert_row(tx, recording_id, call.pbx, path, at, call_id=call.id, uniqueid=uniqueid_in(name))
    # Looked for once the call is over, which is told; the long wait is for calls whose end nobody tells.
    work.put(tx, COLLECT, recording_id, key=recording_id, due_at=now + LONGEST_CALL)


def _overwritten(tx: Connection, row: Row[Any]) -> None:
    why = "the PBX recorded another call into the same file: let its name hold ${UNIQUEID}"
    failed = update(recordings).where(recordings.c.id == row.id)
    tx.execute(failed.values(state=RecordingState.FAILED, error=why, version=row.version + 1))
    work.drop(tx, COLLECT, row.id)


def _attach_orphans(tx: Connection, call: Call) -> None:
    numbers = list(dict.fromkeys(channel_number(leg) for leg in call.legs))
    for number in sorted(numbers):
        row = {"pbx": call.pbx, "uniqueid": number, "call_id": call.id}
        insert_or_skip(tx, call_legs, row, on=["pbx", "uniqueid"])
    orphans = update(recordings).where(
        recordings.c.pbx == call.pbx, recordings.c.uniqueid.in_(numbers), recordings.c.call_id.is_(None)
    )
    tx.execute(orphans.values(call_id=call.id))


def _talkers(call: Call, phones: Phones) -> list[str]:
    extensions = [segment.extension for segment in call.segments if segment.talk_s > 0]
    if call.answered_at and call.extension:
        extensions.append(call.extension)
    return [phones[extension].id for extension in extensions if extension in phones]


def found(tx: Connection, pbx: str, files: Sequence[SpoolFile], scanned_to_ns: int, now: datetime) -> None:
    """Files seen in the PBX's folder: those not known yet become rows; the place reached is kept."""
    _hold_calls(tx, pbx, files)
    for file in sorted(files, key=lambda file: short_name(file.path)):
        lock_name(tx, pbx, short_name(file.path))
        _found(tx, pbx, file, now)
    reached = upsert.insert(tx, recording_scans).values(pbx=pbx, scanned_to_ns=scanned_to_ns)
    tx.execute(reached.on_conflict_do_update(index_elements=["pbx"], set_={"scanned_to_ns": scanned_to_ns}))


def _hold_calls(tx: Connection, pbx: str, files: Sequence[SpoolFile]) -> None:
    """Keep the files' calls from ending meanwhile; calls are locked before names, as in `follow`."""
    numbers = {uniqueid_in(short_name(file.path)) for file in files} - {None}
    known = sorted(filter(None, {call_with(tx, pbx, number) for number in numbers if number}))
    tx.execute(
        select(calls.c.id).where(calls.c.id.in_(known)).order_by(calls.c.id).with_for_update(read=True)
    )


def _found(tx: Connection, pbx: str, file: SpoolFile, now: datetime) -> None:
    rows = named(tx, pbx, file.path)
    uniqueid = uniqueid_in(short_name(file.path))
    for row in rows:
        if row.state == RecordingState.RECORDING or _is_that(row, file, uniqueid):
            return
        if row.state == RecordingState.FAILED and row.original_sha256 is None and row.seen_size is None:
            _revive(tx, row)
            return
    at = moment_of(uniqueid) if uniqueid else from_microseconds(file.changed_ns // 1000)
    call_id = call_with(tx, pbx, uniqueid) if uniqueid else None
    recording_id = stable_id(at, pbx, file.path, call_id or "", str(len(rows)))
    insert_row(tx, recording_id, pbx, file.path, at, call_id=call_id, uniqueid=uniqueid)
    over = remember_talkers(tx, recording_id, call_id)
    # A call that goes on tells when it is over.
    due_at = now if over or call_id is None else now + LOOK_AGAIN
    work.put(tx, COLLECT, recording_id, key=recording_id, due_at=due_at)


def _is_that(row: Row[Any], file: SpoolFile, uniqueid: str | None) -> bool:
    """Whether the row was made from this very file, by upload too, or the file has only been touched."""
    if row.seen_size is None:
        return row.original_sha256 is not None and row.uniqueid is not None and row.uniqueid == uniqueid
    return FileStamp(row.seen_size, row.seen_mtime_ns) == file.stamp


def _revive(tx: Connection, row: Row[Any]) -> None:
    """The file that was given up is there after all."""
    again = update(recordings).where(recordings.c.id == row.id)
    tx.execute(again.values(state=RecordingState.RECORDING, error=None, failures=0, version=row.version + 1))
    work.drop(tx, COLLECT, row.id)
    work.put(tx, COLLECT, row.id, key=row.id)


def remember_talkers(tx: Connection, recording_id: str, call_id: str | None) -> bool:
    """Let those who talked in the call listen; whether the call is known and over."""
    row = tx.execute(select(calls).where(calls.c.id == call_id)).one_or_none() if call_id else None
    if row is None or row.state != CallState.ENDED:
        return False
    phones = msgspec.convert(row.people, dict[str, PersonRef])
    recordings_rows.add_talkers(tx, recording_id, _talkers(_decoder.decode(row.call), phones))
    return True


def call_with(tx: Connection, pbx: str, uniqueid: str) -> str | None:
    """The call to which the channel `epoch.counter` belonged; None as long as it is not known."""
    wanted = id_of_call(pbx, uniqueid)
    by_leg = select(call_legs.c.call_id).where(call_legs.c.pbx == pbx, call_legs.c.uniqueid == uniqueid)
    query = select(calls.c.id, calls.c.merged_into).where(or_(calls.c.id == wanted, calls.c.id.in_(by_leg)))
    for row in tx.execute(query.order_by(calls.c.id == wanted)):
        return str(row.merged_into or row.id)
    return None


def insert_row(
    tx: Connection, recording_id: str, pbx: str, path: str, at: datetime, **more: str | None
) -> None:
    """Add the recording unless it is there; `more`: its call_id and uniqueid."""
    row = {
        "id": recording_id,
        "pbx": pbx,
        "path": path,
        "name": short_name(path),
        "at": at,
        "state": RecordingState.RECORDING.value,
        "failures": 0,
        "created_at": datetime.now(UTC),
        "version": 1,
    }
    insert_or_skip(tx, recordings, row | more, on=["id"])


def named(tx: Connection, pbx: str, path: str) -> list[Row[Any]]:
    """Rows of the file, however the PBX spelt its path; the oldest first."""
    query = select(recordings).where(recordings.c.pbx == pbx, recordings.c.name == short_name(path))
    return [row for row in tx.execute(query.order_by(recordings.c.id)) if same_file(row.path, path)]


def short_name(path: str) -> str:
    """The file's name as rows hold it."""
    return file_name(path)[-255:]


def lock_name(tx: Connection, pbx: str, name: str) -> None:
    """Until the transaction ends nobody else makes a row of a file of this name (SQLite: nobody can)."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"recording/{pbx}/{name}", 0))))


def begin_encoding(tx: Connection, row: Row[Any]) -> None:
    """The file's bytes are in the library: what comes next is to encode them."""
    safe = update(recordings).where(recordings.c.id == row.id)
    values = {"state": RecordingState.PROCESSING, "failures": 0, "error": None, "version": row.version + 1}
    tx.execute(safe.values(**values))
    work.drop(tx, COLLECT, row.id)
    work.put(tx, ENCODE, row.id, key=row.id)
