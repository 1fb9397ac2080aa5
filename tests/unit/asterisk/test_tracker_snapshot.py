"""Attaching in the middle: a fresh tracker starts from the books and from the PBX's list of channels."""

from datetime import timedelta
from itertools import pairwise

import pytest

from connectors.asterisk.tracker import Tracker
from gateway.domain.calls import Call, CallState, Disposition, advance
from tests.unit.asterisk.streams import (
    RULES,
    Played,
    channel_list,
    events,
    honest_stories,
    play,
    queue_entries,
)

_LEAD_S = 0.001


def _books(played: Played, held: dict[str, Call] | None = None) -> dict[str, Call]:
    books = held if held is not None else {}
    for event in played.told:
        books[event.call.id] = advance(books.get(event.call.id), event)
    merged = {alias for call in books.values() for alias in call.aliases}
    return {id_: call for id_, call in books.items() if id_ not in merged}


def _cut(story: str, i: int, *, with_books: bool = True) -> tuple[dict[str, Call], Played]:
    """The books after a restart behind event `i`, and the second tracker."""
    stream = events(story)
    first = Played(Tracker(RULES), play([]).at).feed(stream[:i])
    books = _books(first) if with_books else {}
    tracker = Tracker(RULES)
    tracker.restore([call for call in books.values() if call.state is not CallState.ENDED])
    second = Played(tracker, first.at + timedelta(seconds=_LEAD_S))
    second.told += tracker.snapshot(channel_list(stream[:i], second.at), queue_entries(stream[:i]), second.at)
    second.feed(stream[i:]).wait(45).wait(45)
    return _books(second, books), second


@pytest.mark.parametrize("story", honest_stories())
def test_a_restart_at_any_moment_keeps_every_call_one_call_and_ends_it(story: str) -> None:
    base = {call.id: call for call in play(events(story)).calls()}
    for i in range(1, len(events(story))):
        books, second = _cut(story, i)

        assert second.empty(), i
        assert set(books) == set(base), i
        for id_, call in books.items():
            assert call.state is CallState.ENDED, i
            answered = base[id_].disposition is Disposition.ANSWERED
            assert (call.disposition is Disposition.ANSWERED) == answered, i


@pytest.mark.parametrize("story", ["direct", "queue-of-three", "outgoing", "hold", "attended-transfer"])
def test_a_restart_in_the_middle_of_a_talk_loses_none_of_its_time(story: str) -> None:
    stream = events(story)
    base = play(stream).calls()[0]
    talking = [i for i, e in enumerate(stream) if e["Event"] == "BridgeEnter"][1] + 1
    books, _ = _cut(story, talking)

    call = books[base.id]
    assert call.talk_s == pytest.approx(base.talk_s, abs=0.1)
    assert call.answered_at == base.answered_at
    assert [s.extension for s in call.segments] == [s.extension for s in base.segments]


def test_a_client_on_hold_before_a_restart_is_on_hold_until_he_is_taken_back() -> None:
    stream = events("hold")
    base = play(stream).calls()[0]
    held = next(i for i, e in enumerate(stream) if e["Event"] == "Hold") + 1
    books, _ = _cut("hold", held)

    call = books[base.id]
    assert call.hold_s == pytest.approx(base.hold_s, abs=0.1)
    assert call.segments[-1].hold_s == pytest.approx(base.hold_s, abs=0.1)
    assert (call.hangup_by, "hold_s" in call.estimated) == (base.hangup_by, True)


def test_a_phone_that_rings_across_a_restart_has_rung_from_the_start() -> None:
    stream = events("direct")
    base = play(stream).calls()[0]
    answered = next(i for i, e in enumerate(stream) if e["Event"] == "DialEnd")
    # Just before the answer: the list of channels knows ages in whole seconds.
    books, _ = _cut("direct", answered - 1)

    assert books[base.id].segments[0].ring_s == pytest.approx(base.segments[0].ring_s, abs=1.0)


@pytest.mark.parametrize(
    ("story", "after", "count"),
    [("direct", "BridgeEnter", 2), ("direct", "DialState", 1), ("queue-of-three", "DialState", 3)],
)
def test_a_restart_tells_nothing_of_a_call_that_just_goes_on(story: str, after: str, count: int) -> None:
    stream = events(story)
    past = stream[: [i for i, e in enumerate(stream) if e["Event"] == after][count - 1] + 1]
    first = Played(Tracker(RULES), play([]).at).feed(past)
    tracker = Tracker(RULES)
    tracker.restore(list(_books(first).values()))

    assert tracker.snapshot(channel_list(past, first.at), queue_entries(past), first.at) == []


def test_a_phone_that_stopped_ringing_during_a_restart_rings_no_more_in_the_books() -> None:
    stream = events("queue-of-three")
    ringing = [i for i, e in enumerate(stream) if e["Event"] == "DialState"][2] + 1
    first = Played(Tracker(RULES), play([]).at).feed(stream[:ringing])
    tracker = Tracker(RULES)
    tracker.restore(list(_books(first).values()))
    rows = channel_list(stream[:ringing], first.at)
    rows = [row for row in rows if not row["Channel"].startswith("PJSIP/103")]
    (told,) = tracker.snapshot(rows, queue_entries(stream[:ringing]), first.at)

    assert (told.call.state, sorted(told.call.ringing)) == (CallState.RINGING, ["101", "102"])


@pytest.mark.parametrize("story", honest_stories())
def test_without_any_books_the_calls_that_go_on_are_found_and_ended(story: str) -> None:
    for i in range(1, len(events(story))):
        books, second = _cut(story, i, with_books=False)

        assert second.empty(), i
        assert all(call.state is CallState.ENDED for call in books.values()), i


def test_a_talk_found_on_attaching_is_a_talk_and_says_what_was_inferred() -> None:
    stream = events("direct")
    talking = next(i for i, e in enumerate(stream) if e["Event"] == "HangupRequest")
    books, _ = _cut("direct", talking, with_books=False)

    call = next(iter(books.values()))
    assert (call.disposition, call.extension) == (Disposition.ANSWERED, "101")
    assert {"answered_at", "talk_s"} <= set(call.estimated)


@pytest.mark.parametrize("story", ["outgoing", "internal", "direct", "freepbx-outgoing"])
def test_a_call_found_on_attaching_goes_the_way_it_goes(story: str) -> None:
    stream = events(story)
    base = play(stream).calls()[0]
    ringing = next(i for i, e in enumerate(stream) if e["Event"] == "DialState") + 1
    for i in range(ringing, len(stream)):
        if stream[i - 1]["Event"] == "HangupRequest":
            break
        books, _ = _cut(story, i, with_books=False)

        (call,) = books.values()
        told = (call.direction, call.from_.number, call.to.number, call.disposition)
        assert told == (base.direction, base.from_.number, base.to.number, base.disposition), i


def test_a_caller_found_waiting_is_queued() -> None:
    stream = events("abandoned")
    waiting = next(i for i, e in enumerate(stream) if e["Event"] == "QueueCallerJoin") + 1
    tracker = Tracker(RULES)
    played = Played(tracker, play([]).at).feed(())
    at = Played(Tracker(RULES), played.at).feed(stream[:waiting]).at
    told = tracker.snapshot(channel_list(stream[:waiting], at), queue_entries(stream[:waiting]), at)

    assert told[-1].call.state is CallState.QUEUED
    assert told[-1].call.queue == "400"


def test_a_call_of_the_books_that_the_pbx_no_longer_has_ends_as_lost() -> None:
    stream = events("direct")
    ringing = next(i for i, e in enumerate(stream) if e["Event"] == "DialState") + 1
    first = Played(Tracker(RULES), play([]).at).feed(stream[:ringing])
    tracker = Tracker(RULES)
    tracker.restore(list(_books(first).values()))
    told = tracker.snapshot([], [], first.at + timedelta(minutes=5))

    assert [(e.call.state, e.call.disposition) for e in told] == [(CallState.ENDED, Disposition.ABANDONED)]
    assert "disposition" in told[0].call.estimated
    assert not any(tracker.leftovers().values())


def test_the_same_list_twice_changes_nothing() -> None:
    stream = events("hold")
    for i in range(1, len(stream)):
        tracker = Tracker(RULES)
        played = Played(tracker, play([]).at).feed(stream[:i])
        rows, entries = channel_list(stream[:i], played.at), queue_entries(stream[:i])
        tracker.snapshot(rows, entries, played.at)
        before = tracker.leftovers()
        again = tracker.snapshot(rows, entries, played.at)

        assert tracker.leftovers() == before
        assert all(a.call.state is b.call.state for a, b in pairwise(again))
