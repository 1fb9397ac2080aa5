"""Rows of recordings as the services share them."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, insert, select

from gateway.domain.recordings import RecordingState
from gateway.store.tables import calls, recording_talkers, recordings

COLLECT = "recording"
ENCODE = "recording_encode"
REMOVE = "recording_remove"
"""Kinds of work: a file to fetch, one to encode, bytes to take away."""


def query() -> Select[Any]:
    """Recordings with the card and the team of their calls."""
    joined = select(recordings, calls.c.card_id, calls.c.team_id)
    return joined.outerjoin(calls, calls.c.id == recordings.c.call_id)


def of_calls(tx: Connection, call_ids: Sequence[str]) -> Mapping[str, list[str]]:
    """Call → ids of its recordings, in order of time."""
    if not call_ids:
        return {}
    wanted = select(recordings.c.id, recordings.c.call_id).where(
        recordings.c.call_id.in_(call_ids), recordings.c.state != RecordingState.DELETED
    )
    found: dict[str, list[str]] = {}
    for recording_id, call_id in tx.execute(wanted.order_by(recordings.c.at, recordings.c.id)):
        found.setdefault(call_id, []).append(recording_id)
    return found


def add_talkers(tx: Connection, recording_id: str, operator_ids: list[str]) -> None:
    """These people talked in it."""
    known = set(
        tx.scalars(
            select(recording_talkers.c.operator_id).where(recording_talkers.c.recording_id == recording_id)
        )
    )
    fresh = [one for one in dict.fromkeys(operator_ids) if one not in known]
    if fresh:
        tx.execute(
            insert(recording_talkers), [{"recording_id": recording_id, "operator_id": one} for one in fresh]
        )
