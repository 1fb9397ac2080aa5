"""A call's books: what is known is never taken back, and what ended stays ended."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

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
    advance,
    lost,
)

BEGIN = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def _after(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


RINGING = Call(
    id="c1", pbx="pbx1", linkedid="1.0", direction=Direction.IN, state=CallState.RINGING, started_at=BEGIN,
    from_=Party("+79161234567", "79161234567", "Anna"), did="+74951000101", rang=("101",), ringing=("101",),
    legs=("1.0", "1.1"),
)  # fmt: skip
TALKING = replace(
    RINGING, state=CallState.TALKING, ringing=(), extension="101", answered_at=_after(4), wait_s=4.0,
    segments=(Segment("101", BEGIN, ring_s=4.0),),
)  # fmt: skip
ENDED = replace(
    TALKING, state=CallState.ENDED, disposition=Disposition.ANSWERED, ended_at=_after(30), talk_s=26.0,
    hangup_by=HangupBy.CALLER, hangup_cause=16,
)  # fmt: skip


def _happened(call: Call, at: float = 60) -> CallEvent:
    return CallEvent(CallEventType.UPDATED, call, _after(at))


def test_the_first_event_makes_the_call() -> None:
    assert advance(None, _happened(RINGING)) == RINGING


def test_a_tracker_that_attached_in_mid_call_takes_nothing_away() -> None:
    poorer = Call(
        id="c1", pbx="pbx1", linkedid="1.0", direction=Direction.IN, state=CallState.ENDED,
        started_at=_after(20), ended_at=_after(30), disposition=Disposition.NO_ANSWER, legs=("1.0",),
    )  # fmt: skip
    call = advance(TALKING, _happened(poorer))

    assert (call.disposition, call.answered_at, call.extension) == (Disposition.ANSWERED, _after(4), "101")
    assert (call.started_at, call.from_.name, call.rang) == (BEGIN, "Anna", ("101",))
    assert (call.segments, call.wait_s, call.legs) == (TALKING.segments, 4.0, ("1.0", "1.1"))


def test_the_direction_once_told_stays() -> None:
    assert advance(RINGING, _happened(replace(RINGING, direction=Direction.OUT))).direction is Direction.IN


@given(st.sampled_from([s for s in CallState if s is not CallState.ENDED]), st.floats(0, 1e6))
def test_a_call_that_ended_stays_ended(state: CallState, at: float) -> None:
    late = replace(RINGING, state=state, recordings=("/late.wav",), legs=("1.9",))
    call = advance(ENDED, _happened(late, at))

    assert replace(call, recordings=(), legs=ENDED.legs) == ENDED
    assert (call.recordings, call.legs) == (("/late.wav",), ("1.0", "1.1", "1.9"))


@given(st.permutations([RINGING, TALKING, ENDED]))
def test_whatever_the_order_an_ended_call_has_an_end(snapshots: list[Call]) -> None:
    call: Call | None = None
    for snapshot in snapshots:
        call = advance(call, _happened(snapshot))

    assert call is not None
    assert (call.state, call.ended_at) == (CallState.ENDED, _after(30))
    assert set(call.legs) == {"1.0", "1.1"}


def test_a_talk_that_vanished_was_a_talk_until_the_last_moment_it_may_have_lasted() -> None:
    event = lost(TALKING, _after(64))

    assert event.type is CallEventType.ENDED
    assert (event.call.disposition, event.call.talk_s, event.call.ended_at) == (
        Disposition.ANSWERED,
        60.0,
        _after(64),
    )
    assert (event.call.segments[0].end, event.call.segments[0].talk_s) == (_after(64), 60.0)
    assert {"ended_at", "hangup_by", "talk_s"} <= set(event.call.estimated)


def test_a_ringing_call_that_vanished_counts_as_given_up_and_says_that_it_was_inferred() -> None:
    call = lost(RINGING, _after(12)).call

    assert (call.disposition, call.wait_s, call.ringing) == (Disposition.ABANDONED, 12.0, ())
    assert {"disposition", "wait_s"} <= set(call.estimated)


def test_an_outgoing_call_that_vanished_unanswered_counts_as_not_answered() -> None:
    assert (
        lost(replace(RINGING, direction=Direction.OUT), _after(12)).call.disposition is Disposition.NO_ANSWER
    )
