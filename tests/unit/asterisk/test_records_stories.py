"""Each story, told by the PBX's files of records alone, comes out as the tracker saw it in the same run."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from gateway.domain.calls import Call, CallState, Disposition
from tests.lab.stories.truth import differences
from tests.unit.asterisk import recorded
from tests.unit.asterisk.recorded import seen, stories, told_by, wire

UNTOLD = {
    # The stream of this user has no class `dialplan`, in which the voicemail box shows.
    "voicemail": ("disposition",),
    # The manager's interface escapes quotes once more than the file does.
    "quotes-in-the-name": ("from",),
}
FIELDS = (
    "id", "linkedid", "direction", "state", "disposition", "from", "to", "did", "queue", "operator", "rang",
    "hangup_by", "hangup_cause", "wait_s", "talk_s", "hold_s", "started_at", "answered_at", "ended_at",
)  # fmt: skip
TOLD_BY_NOBODY = "killed-in-mid-call"


def in_seconds(call: Any) -> Any:
    """Times as numbers, so that they are compared with the same slack as durations."""
    times = {
        key: datetime.fromisoformat(call[key]).timestamp() if call[key] else None
        for key in ("started_at", "answered_at", "ended_at")
    }
    return call | times


def compare(story: str, recovered: Sequence[Call], fields: Sequence[str] = FIELDS) -> list[str]:
    """Where records and stream differ although the records claim to know."""
    watched = seen(story)
    assert [call.id for call in recovered] == [call.id for call in watched]
    found = []
    for one, other in zip(wire(watched), wire(recovered), strict=True):
        known = [f for f in fields if f not in other["estimated"] and f not in UNTOLD.get(story, ())]
        wanted = {key: in_seconds(one)[key] for key in known}
        found += differences(wanted, in_seconds(other), story)
    return found


@pytest.mark.parametrize("story", [s for s in stories() if s != TOLD_BY_NOBODY])
def test_records_of_all_kinds_tell_what_the_tracker_saw(story: str) -> None:
    recovered = told_by(story)

    assert compare(story, recovered) == []
    for call, watched in zip(recovered, seen(story), strict=True):
        assert set(call.legs) == set(watched.legs)
        assert set(call.estimated) - set(watched.estimated) <= {"rang"}
        assert [(s.extension, round(s.talk_s)) for s in call.segments] == [
            (s.extension, round(s.talk_s)) for s in watched.segments
        ]
        assert [(t.kind, t.from_, t.to, t.result) for t in call.transfers] == [
            (t.kind, t.from_, t.to, t.result) for t in watched.transfers
        ]


@pytest.mark.parametrize("story", stories())
def test_records_of_all_kinds_tell_the_truth(story: str) -> None:
    calls = wire(told_by(story))
    truth = recorded.truth(story)

    assert len(calls) == len(truth)
    for wanted, call in zip(truth, calls, strict=True):
        sure = {key: value for key, value in wanted.items() if key not in call["estimated"]}
        assert differences(sure, call, story) == []
        assert "disposition" not in call["estimated"]


@pytest.mark.parametrize("story", [s for s in stories() if s != TOLD_BY_NOBODY])
def test_call_detail_records_alone_name_what_they_cannot_know(story: str) -> None:
    recovered = told_by(story, "cdr")
    fields = [field for field in FIELDS if field != "from"]

    assert compare(story, recovered, fields) == []
    for call, watched in zip(recovered, seen(story), strict=True):
        assert call.state is CallState.ENDED
        assert call.from_.raw == watched.from_.raw
        if [t.to for t in call.transfers] != [t.to for t in watched.transfers]:
            assert "transfers" in call.estimated


@pytest.mark.parametrize(
    "story",
    ["abandoned", "queue-of-three", "queue-linear", "queue-declined-then-answered", "menu-then-queue"],
)
def test_the_log_of_the_queue_makes_call_detail_records_sure_of_waiting_and_talking(story: str) -> None:
    (alone,), (call,) = told_by(story, "cdr"), told_by(story, "cdr", "queue_log")

    assert compare(story, [call], [field for field in FIELDS if field != "from"]) == []
    doubts = {"disposition", "answered_at", "wait_s", "talk_s"}
    assert doubts & set(alone.estimated)
    assert not doubts & set(call.estimated)


def test_a_call_that_died_with_the_pbx_is_known_by_its_channel_events_alone() -> None:
    assert told_by(TOLD_BY_NOBODY, "cdr") == []
    (call,) = told_by(TOLD_BY_NOBODY, "cel")

    assert (call.state, call.disposition, call.extension) == (CallState.ENDED, Disposition.ANSWERED, "101")
    assert {"ended_at", "hangup_by", "talk_s"} <= set(call.estimated)
