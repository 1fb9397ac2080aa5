"""What a caller writes into AMI through his SIP address ends no other call and hides none."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.asterisk.framing import Framer
from connectors.asterisk.tracker import EVENTS, NEEDED, Tracker
from gateway.domain.calls import CallState, Disposition
from tests.unit.asterisk.streams import RULES, Event, Played, events, outcome, paths, play, renamed

VICTIM = events("direct")
TALKING = next(i for i, e in enumerate(VICTIM) if e["Event"] == "HangupRequest")


def _forged(**headers: Any) -> Event:
    return {"Event": "Hangup", "Privilege": "call,all", "Cause": "16", **headers}


@pytest.mark.parametrize(
    "forged",
    [
        _forged(Uniqueid=VICTIM[0]["Uniqueid"]),
        _forged(Uniqueid=VICTIM[0]["Uniqueid"], Channel=VICTIM[0]["Channel"]),
        _forged(
            Uniqueid=VICTIM[0]["Uniqueid"], Channel="PJSIP/trunk-0000000", Linkedid=VICTIM[0]["Linkedid"]
        ),
        _forged(Uniqueid=VICTIM[0]["Uniqueid"], Channel=VICTIM[0]["Channel"], Linkedid="1.1"),
        _forged(Uniqueid=["1.1", VICTIM[0]["Uniqueid"]], Channel=VICTIM[0]["Channel"], Linkedid="1.1"),
        {"Event": "Shutdown", "Privilege": "system,all", "Shutdown": "Cleanly", "Restart": "False"},
        {"Event": "FullyBooted", "Privilege": "system,all", "Uptime": "0"},
        {"Event": "CoreShowChannelsComplete", "EventList": "Complete", "ListItems": "0"},
    ],
)
def test_a_forged_end_does_not_end_the_call(forged: Event) -> None:
    played = Played(Tracker(RULES), play([]).at).feed([*VICTIM[:TALKING], forged])
    assert played.calls()[0].state is CallState.TALKING

    played.feed(VICTIM[TALKING:])
    assert outcome(played.calls()[0]) == outcome(play(VICTIM).calls()[0])


def test_a_hangup_that_does_not_fit_waits_for_the_pbxs_confirmation() -> None:
    unstamped = [{k: v for k, v in e.items() if k != "Timestamp"} for e in VICTIM]
    played = Played(Tracker(RULES), datetime(2026, 11, 24, tzinfo=UTC)).feed(unstamped[:TALKING])
    played.feed([_forged(Uniqueid=VICTIM[0]["Uniqueid"], Channel="PJSIP/trunk-0000000", Linkedid="1.1")])

    assert played.tracker.wants_confirmation == {VICTIM[0]["Uniqueid"]}
    assert played.tracker.confirm(VICTIM[0]["Uniqueid"], True, played.at) == []
    assert played.tracker.wants_confirmation == set()
    assert played.tracker.suspicious["unlikely"] == 1


def test_a_confirmed_hangup_ends_the_call_although_it_looked_wrong() -> None:
    stream = [{**e, "Channel": "PJSIP/other-00000009"} if e["Event"] == "Hangup" else e for e in VICTIM]
    played = Played(Tracker(RULES), play([]).at).feed(stream)
    assert not played.empty()
    for uniqueid in sorted(played.tracker.wants_confirmation):
        played.told += played.tracker.confirm(uniqueid, False, played.at)

    assert played.empty()
    assert played.calls()[0].disposition is Disposition.ANSWERED


def test_where_the_pbx_stamps_its_events_a_whole_forged_one_without_stamp_is_refused() -> None:
    last = VICTIM[TALKING - 1]
    perfect = _forged(**{k: last[k] for k in ("Channel", "Uniqueid", "Linkedid")})
    played = Played(Tracker(RULES), play([]).at).feed([*VICTIM[:TALKING], perfect, perfect])

    assert played.tracker.suspicious["unstamped"] == 2
    assert played.calls()[0].state is CallState.TALKING
    assert played.tracker.wants_confirmation == set()


def test_where_the_pbx_numbers_its_events_one_out_of_sequence_is_refused() -> None:
    numbered = [{**event, "SequenceNumber": str(5000 + 10 * i)} for i, event in enumerate(VICTIM)]
    last = numbered[TALKING - 1]
    perfect = _forged(
        **{k: last[k] for k in ("Channel", "Uniqueid", "Linkedid", "Timestamp")}, SequenceNumber="17"
    )
    played = Played(Tracker(RULES), play([]).at).feed([*numbered[:TALKING], perfect])
    assert played.calls()[0].state is CallState.TALKING

    assert outcome(played.feed(numbered[TALKING:]).calls()[0]) == outcome(play(VICTIM).calls()[0])
    assert played.tracker.suspicious["unstamped"] == 1


def test_a_pbx_that_stops_stamping_its_events_is_believed_again_after_a_while() -> None:
    bare = [{k: v for k, v in event.items() if k != "Timestamp"} for event in VICTIM]
    played = Played(Tracker(RULES), play([]).at).feed(VICTIM).feed(bare * 40)
    played.feed(renamed(bare, "5"))

    assert VICTIM[0]["Uniqueid"] + "5" in {call.linkedid for call in played.calls()}


def test_a_recorded_attack_leaves_the_talk_beside_it_alone_and_counts_itself() -> None:
    stream = Framer(EVENTS, NEEDED).feed(paths("forged-hangup")[0].read_bytes())
    played = play(stream)
    victim, attacker = played.calls()

    assert (victim.disposition, victim.extension) == (Disposition.ANSWERED, "102")
    assert victim.talk_s == pytest.approx(8.0, abs=0.5)
    assert (attacker.did, attacker.extension) == ("+74951000101", "101")
    assert sum(played.tracker.suspicious.values()) > 0
    assert played.empty()


def _injected(event: Mapping[str, Any], lines: str) -> bytes:
    """The event as the PBX would write it if this caller's number held `lines`."""
    callers = "trunk" in event.get("Channel", "")
    fields = {"CallerIDNum" if callers else "ConnectedLineNum", "DestConnectedLineNum"}
    text = "".join(f"{key}: {value}{lines if key in fields else ''}\r\n" for key, value in event.items())
    return (text + "\r\n").encode()


_LINES = st.lists(
    st.sampled_from(
        [
            "\r\nEvent: Hangup", "\r\n\r\nEvent: Hangup", "\r\nUniqueid: {victim}", "\r\nChannel: {channel}",
            "\r\nLinkedid: {linkedid}", "\r\nCause: 16", "\r\n\r\n", "\r\nEvent: BridgeLeave",
            "\r\nChannelState: 6",
            "\r\n\r\nEvent: Newstate", "\r\nUniqueid: 1.1", "\r\nPrivilege: call,all",
        ]
    ),
    max_size=9,
).map("".join)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(_LINES, st.integers(1, TALKING), st.sampled_from(["given-up-while-ringing", "direct", "abandoned"]))
def test_whatever_a_caller_injects_the_other_call_comes_out_as_if_alone(
    lines: str, start: int, story: str
) -> None:
    text = lines.format(
        victim=VICTIM[0]["Uniqueid"], channel=VICTIM[0]["Channel"], linkedid=VICTIM[0]["Linkedid"]
    )
    attacker = [_injected(event, text) for event in renamed(events(story), "7")]
    stamp = VICTIM[TALKING]["Timestamp"]
    raw = [_injected(event, "") for event in VICTIM]
    wire = b"".join([*raw[:start], *attacker, *raw[start:]])
    played = play(Framer(EVENTS, NEEDED).feed(b"Asterisk Call Manager/11.0.0\r\n" + wire))

    ours = [call for call in played.calls() if call.linkedid == VICTIM[0]["Linkedid"]]
    assert [call.disposition for call in ours] == [Disposition.ANSWERED]
    assert ours[0].talk_s == pytest.approx(6.0, abs=0.1)
    assert ours[0].ended_at is not None
    assert ours[0].ended_at.timestamp() >= float(stamp)
