"""Recordings of the demonstration: made up by code, in a folder such as a PBX records into."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gateway.demo.playback import Timed
from gateway.demo.sound import conversation
from gateway.domain.calls import (
    Call,
    CallEvent,
    CallEventType,
    CallState,
    Direction,
    Disposition,
    HangupBy,
    Party,
    Segment,
)
from gateway.domain.ids import call_id
from gateway.services.intake import VoiceIntake
from gateway.store.contract import Store

TALKED = frozenset({"queue-of-three", "direct", "outgoing"})
"""Stories in which people talk."""
_TURNS_S = (2.5, 4.0, 3.0, 1.5, 5.0, 2.0, 3.5, 2.5)
_CALLER = "+79265550142"


def record(folder: Path, events: Sequence[Timed]) -> None:
    """Leave the recording of a call that was played, named by its first channel as MixMonitor would."""
    uniqueid = next((dict(event.headers).get("Uniqueid") for event in events), None)
    if uniqueid:
        _write(folder, uniqueid, _TURNS_S[:4])


def _write(folder: Path, uniqueid: str, turns: tuple[float, ...]) -> None:
    (folder / f"{uniqueid}.wav").write_bytes(conversation(turns))


async def add_yesterdays_call(store: Store, folder: Path) -> None:
    """A call of a known client that Anna answered, so that there is something to listen to at once."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=25)
    talk_s = sum(_TURNS_S)
    uniqueid = f"{int(at.timestamp())}.1"
    answered, over = at + timedelta(seconds=7), at + timedelta(seconds=7 + talk_s)
    ringing = Call(
        id=call_id("pbx1", uniqueid),
        pbx="pbx1",
        linkedid=uniqueid,
        direction=Direction.IN,
        state=CallState.RINGING,
        started_at=at,
        from_=Party(_CALLER, _CALLER.removeprefix("+")),
        did="+74951000101",
        rang=("101",),
        legs=(uniqueid,),
    )
    ended = replace(
        ringing,
        state=CallState.ENDED,
        disposition=Disposition.ANSWERED,
        extension="101",
        answered_at=answered,
        ended_at=over,
        hangup_by=HangupBy.CALLER,
        wait_s=7.0,
        talk_s=talk_s,
        segments=(Segment("101", at, over, ring_s=7.0, talk_s=talk_s),),
    )
    _write(folder, uniqueid, _TURNS_S)
    events = [CallEvent(CallEventType.STARTED, ringing, at), CallEvent(CallEventType.ENDED, ended, over)]
    await VoiceIntake(store).calls_happened(events)
