"""Recorded streams played again: new ids that fit each other, other people, other times."""

import math
import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.playback import Cast, Numbering, Timed, load, load_file, messages, render, rewrite

STREAMS = sorted((Path(__file__).parents[3] / "gateway/demo/streams").glob("*.ami"))
QUEUE = load_file(next(path for path in STREAMS if path.stem == "queue-of-three"))
START = 1_900_000_000.25


def values(events: Iterable[Timed], *keys: str) -> list[str]:
    return [value for event in events for key, value in event.headers if key in keys]


@pytest.mark.parametrize("stream", STREAMS, ids=lambda path: path.stem)
def test_every_recorded_event_is_there_and_only_link_events_are_left_out(stream: Path) -> None:
    data = stream.read_bytes()
    assert len(load(data)) == data.count(b"Event: ") - data.count(b"Event: FullyBooted")
    assert b"".join(map(render, messages(data))) == data


def test_uniqueids_linkedids_channels_and_bridges_are_new_in_each_round_and_fit_each_other() -> None:
    numbering = Numbering()
    _, one, two = (rewrite(QUEUE, numbering, START) for _ in range(3))
    for keys in (
        ("Uniqueid", "DestUniqueid"),
        ("Linkedid", "DestLinkedid"),
        ("Channel", "DestChannel"),
        ("BridgeUniqueid",),
    ):
        old = values([Timed(0, event.headers) for event in QUEUE], *keys)
        first, second = values(one, *keys), values(two, *keys)
        assert set(first).isdisjoint(second)
        assert set(first).isdisjoint(old)
        assert dict(zip(old, first, strict=True)) == dict(reversed(list(zip(old, first, strict=True))))
    assert set(values(one, "Linkedid")) <= set(values(one, "Uniqueid"))
    assert set(values(one + two, "Uniqueid")) == {f"1900000000.{n}" for n in range(4, 12)}


def test_no_old_id_survives_anywhere_not_even_inside_a_file_name() -> None:
    stream = (
        b"Event: Newchannel\r\nUniqueid: 1795491050.1\r\nChannel: Local/101@q-00000007;1\r\n\r\n"
        b"Event: VarSet\r\nUniqueid: 1795491050.1\r\nValue: /rec/in-1795491050.1.wav,1795491050.12\r\n\r\n"
    )
    newchannel, varset = rewrite(load(stream), Numbering(), START)
    assert dict(newchannel.headers)["Channel"] == "Local/101@q-00000000;1"
    assert dict(varset.headers)["Value"] == "/rec/in-1900000000.0.wav,1795491050.12"


def test_both_halves_of_a_local_channel_keep_one_counter() -> None:
    stream = b"".join(
        f"Event: Newchannel\r\nUniqueid: 1.{half}\r\nChannel: Local/101@q-0000000a;{half}\r\n\r\n".encode()
        for half in (1, 2)
    )
    channels = values(rewrite(load(stream), Numbering(), START), "Channel")
    assert channels == ["Local/101@q-00000000;1", "Local/101@q-00000000;2"]


@pytest.mark.parametrize("speed", [0.5, 1.0, 4.0])
def test_moments_keep_their_distances_at_any_speed(speed: float) -> None:
    events = rewrite(QUEUE, Numbering(), START, speed=speed)
    assert events[0].at == START
    length = (QUEUE[-1].at - QUEUE[0].at) / speed
    assert events[-1].at - START == pytest.approx(length, abs=1e-5)
    assert [float(stamp) for stamp in values(events, "Timestamp")] == pytest.approx(
        [e.at for e in events], abs=1e-5
    )


def test_at_infinite_speed_everything_happens_at_once() -> None:
    assert {event.at for event in rewrite(QUEUE, Numbering(), START, speed=math.inf)} == {START}


def test_another_caller_plays_with_number_and_name_and_leaves_nothing_of_the_recorded_one() -> None:
    events = rewrite(QUEUE, Numbering(), START, cast=Cast(number="79990001122", name="Анна «Ёж» 🙂"))
    text = b"".join(render(event.headers) for event in events).decode()
    assert "79161234567" not in text
    assert "Ivan Petrov" not in text
    first = dict(events[0].headers)
    assert (first["CallerIDNum"], first["CallerIDName"]) == ("79990001122", "Анна «Ёж» 🙂")
    assert "Operator 101" in text


def test_extensions_change_places_but_figures_and_longer_numbers_stay() -> None:
    cast = Cast(words={"101": "102", "102": "101"})
    old, new = rewrite(QUEUE, Numbering(), START), rewrite(QUEUE, Numbering(), START, cast=cast)

    def swapped(value: str) -> str:
        return re.sub(r"\b10[12]\b", lambda found: cast.words[found[0]], value)

    for key in ("Interface", "MemberName", "Channel", "CallerIDNum", "Exten"):
        assert values(new, key) == [swapped(value) for value in values(old, key)]
    for key in ("Uniqueid", "RingTime", "HoldTime", "Timestamp", "LoginTime"):
        assert values(new, key) == values(old, key)


def test_a_header_given_twice_stays_twice() -> None:
    stream = b"Event: Newchannel\r\nUniqueid: 1.1\r\nEvent: Hangup\r\nUniqueid: 9.9\r\n\r\n"
    (event,) = rewrite(load(stream), Numbering(), START)
    assert [key for key, _ in event.headers] == ["Event", "Uniqueid", "Event", "Uniqueid"]


@given(st.binary(max_size=300))
def test_any_bytes_are_loaded_and_sent_again_unharmed(noise: bytes) -> None:
    load(noise)
    stream = b"Event: Newchannel\r\nCallerIDName: " + "Иван".encode("cp1251") + b"\r\n\r\n"
    assert render(load(stream)[0].headers) == stream
