"""What the tracker makes of streams recorded from a real Asterisk, against what truly happened in them."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.asterisk.framing import Framer
from connectors.asterisk.tracker import EVENTS, NEEDED, Tracker
from gateway.domain.calls import CallEventType, CallState, Disposition
from gateway.domain.ids import call_id
from tests.lab.stories.truth import differences
from tests.unit.asterisk.streams import (
    RULES,
    UNFINISHED,
    Played,
    channel_list,
    events,
    honest_stories,
    outcome,
    paths,
    play,
    stories,
    truth,
)


def _recordings() -> list[Any]:
    return [pytest.param(story, path, id=path.name) for story in stories() for path in paths(story)]


@pytest.mark.parametrize(("story", "path"), _recordings())
def test_every_recorded_story_comes_out_as_it_was_played(story: str, path: Any) -> None:
    played = play(Framer(EVENTS, NEEDED).feed(path.read_bytes()))
    wanted = truth(story)
    if path.name == "voicemail.ami":
        # Recorded without read class `dialplan`: nothing in it tells that a voicemail box picked up.
        wanted[0]["disposition"] = "no_answer"

    assert differences(wanted, played.wires()) == []
    assert played.empty() or story in UNFINISHED


def _told(story: str) -> list[tuple[str, str | None]]:
    return [(event.type.value, event.extension) for event in play(events(story)).told]


def test_the_phone_rings_on_the_desk_before_anybody_answers() -> None:
    assert _told("direct") == [
        ("call.started", None),
        ("call.ringing", "101"),
        ("call.answered", "101"),
        ("call.ended", None),
    ]


def test_a_queued_call_is_queued_rings_three_phones_and_stops_ringing_at_the_losers() -> None:
    told = _told("queue-of-three")

    assert told[:6] == [
        ("call.started", None),
        ("call.menu", None),
        ("call.queued", None),
        ("call.ringing", "101"),
        ("call.ringing", "102"),
        ("call.ringing", "103"),
    ]
    assert told[-2:] == [("call.answered", "102"), ("call.ended", None)]


def test_ringing_names_the_phones_that_ring_at_that_moment() -> None:
    played = play(events("queue-of-three"))
    ringing = [e.call.ringing for e in played.told if e.type is CallEventType.RINGING]

    assert ringing == [("101",), ("101", "102"), ("101", "102", "103")]
    assert played.calls()[0].ringing == ()


def test_a_call_has_the_id_of_its_first_channel_from_its_first_event_on() -> None:
    stream = events("direct")
    told = play(stream).told

    assert {event.call.id for event in told} == {call_id("pbx1", stream[0]["Uniqueid"])}


def test_hold_is_told_and_counted_and_stays_part_of_the_talk() -> None:
    played = play(events("hold"))
    states = [event.call.state for event in played.told]

    assert CallState.HELD in states
    assert [e.type for e in played.told].index(CallEventType.HELD) < [e.type for e in played.told].index(
        CallEventType.RESUMED
    )
    call = played.calls()[0]
    assert 0 < call.hold_s < call.talk_s


def test_a_consultation_call_becomes_part_of_the_clients_call() -> None:
    played = play(events("attended-transfer"))
    transferred = next(e for e in played.told if e.type is CallEventType.TRANSFERRED)
    consultation = {e.call.id for e in played.told} - {played.calls()[0].id}

    assert set(transferred.call.aliases) == consultation
    assert not any(e.type is CallEventType.ENDED and e.call.id in consultation for e in played.told)


def test_only_one_end_is_told_for_each_call() -> None:
    for story in honest_stories():
        ends = [e.call.id for e in play(events(story)).told if e.type is CallEventType.ENDED]
        assert len(ends) == len(set(ends)), story


def test_a_call_is_told_of_as_ended_with_the_last_persons_hangup() -> None:
    for story in honest_stories():
        played = Played(Tracker(RULES), play([]).at).feed(events(story))
        assert all(call.state is CallState.ENDED for call in played.calls()), story


def test_the_measured_clock_offset_moves_every_time_told() -> None:
    tracker = Tracker(RULES)
    tracker.clock_offset_s = 7.5
    moved = Played(tracker, play([]).at).feed(events("direct")).calls()[0]
    plain = play(events("direct")).calls()[0]

    assert plain.ended_at is not None
    assert moved.started_at - plain.started_at == timedelta(seconds=7.5)
    assert moved.ended_at == plain.ended_at + timedelta(seconds=7.5)
    assert moved.id == plain.id


def test_without_timestamps_the_time_of_receipt_counts() -> None:
    bare = [{k: v for k, v in event.items() if k != "Timestamp"} for event in events("direct")]
    tracker, at = Tracker(RULES), play(events("direct")).at
    played = Played(tracker, at)
    for event in bare:
        played.at += timedelta(seconds=1)
        played.told += tracker.feed(event, played.at)

    call = played.calls()[0]
    assert outcome(call) == outcome(play(events("direct")).calls()[0])
    assert at < call.started_at < played.at


def test_recordings_are_named_by_the_file_that_mixmonitor_writes() -> None:
    stream = events("direct")
    named = {
        "Event": "VarSet", "Timestamp": stream[0]["Timestamp"], "Channel": stream[0]["Channel"],
        "Uniqueid": stream[0]["Uniqueid"], "Linkedid": stream[0]["Linkedid"],
        "Variable": "MIXMONITOR_FILENAME", "Value": "/var/spool/asterisk/monitor/1.0.wav",
    }  # fmt: skip
    call = play([stream[0], named, named, *stream[1:]]).calls()[0]

    assert call.recordings == ("/var/spool/asterisk/monitor/1.0.wav",)


def test_a_call_that_ended_keeps_nothing_behind_and_late_events_make_nothing_new() -> None:
    stream = events("direct")
    played = play(stream)
    late = [event for event in stream if event["Event"] in ("Newstate", "BridgeEnter", "DialEnd", "Hangup")]
    again = len(played.told)
    for event in late:
        played.told += played.tracker.feed(event, played.at - timedelta(seconds=80))

    assert len(played.told) > again or played.empty()


def test_a_channel_list_without_the_call_ends_it_as_lost() -> None:
    stream = events("direct")
    talking = next(i for i, e in enumerate(stream) if e["Event"] == "HangupRequest")
    played = Played(Tracker(RULES), play([]).at).feed(stream[:talking])
    gone_by = played.at + timedelta(seconds=30)
    played.told += played.tracker.snapshot([], [], gone_by)

    call = played.calls()[0]
    assert (call.state, call.disposition) == (CallState.ENDED, Disposition.ANSWERED)
    assert {"ended_at", "hangup_by"} <= set(call.estimated)
    assert played.empty()


def test_channels_that_appeared_after_the_list_was_asked_for_are_left_alone() -> None:
    stream = events("direct")
    played = Played(Tracker(RULES), play([]).at).feed(stream[:4])
    asked = played.at - timedelta(seconds=10)
    played.told += played.tracker.snapshot([], [], asked)

    assert not any(e.type is CallEventType.ENDED for e in played.told)
    assert channel_list(stream[:4], played.at)
