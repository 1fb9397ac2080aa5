"""Desks are told how a recording stands."""

from sqlalchemy import Connection, select

from gateway.domain.calls import CallEventType
from gateway.domain.recordings import RecordingState
from gateway.services import calls as calls_service
from gateway.services import publish, recordings_rows
from gateway.services.views.recordings import Recording
from gateway.store import facts
from gateway.store.tables import calls, recording_talkers, recordings


def tell(tx: Connection, recording_id: str) -> None:
    """Tell of the recording when it is ready, and of its call in any case; of none without a call."""
    row = tx.execute(recordings_rows.query().where(recordings.c.id == recording_id)).one()
    if row.call_id is None:
        return
    call = tx.execute(select(calls).where(calls.c.id == row.call_id)).one()
    involved = tuple(dict.fromkeys(person["id"] for person in call.people.values()))
    view = calls_service.views_by_id(tx, [call.id])[call.id]
    told = [publish.call_changed(CallEventType.UPDATED, view, call.team_id, involved, None)]
    if row.state == RecordingState.READY:
        of = recording_talkers.c.recording_id == recording_id
        talkers = tuple(tx.scalars(select(recording_talkers.c.operator_id).where(of)))
        told.append(publish.recording_ready(Recording.of(row), row.team_id, talkers))
    facts.append(tx, told)
