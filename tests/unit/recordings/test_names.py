"""What the name of a file says of its call, whatever somebody put into it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.recordings import channel_number, moment_of, same_file, uniqueid_in
from recordings.formats import DEMUXER, extension_of


@pytest.mark.parametrize(
    ("name", "uniqueid"),
    [
        ("1763974800.12.wav", "1763974800.12"),
        ("q-400-79161234567-20251124-120000-1763974800.12.wav", "1763974800.12"),
        ("out-89161234567-101-20251124-120000-1763974800.123456.WAV", "1763974800.123456"),
        ("pbx-1763974800.12-in.wav", "1763974800.12"),
        ("1763974800.1-1763974801.2.wav", "1763974801.2"),
        ("79161234567.wav", None),
        ("17639748001.12.wav", None),
        ("1.1763974800.12.wav", None),
        ("1763974800.12345678901.wav", None),
        ("1763974800..12.wav", None),
        ("\n1763974800.12\r\n.wav", "1763974800.12"),
        ("١٧٦٣٩٧٤٨٠٠.١٢.wav", None),
        ("", None),
    ],
)
def test_the_uniqueid_in_a_name(name: str, uniqueid: str | None) -> None:
    assert uniqueid_in(name) == uniqueid


@given(st.text(), st.text(), st.integers(1_000_000_000, 9_999_999_999), st.integers(0, 10**9))
def test_a_uniqueid_set_apart_is_found_amid_anything(before: str, after: str, epoch: int, count: int) -> None:
    found = uniqueid_in(f"{before}_{epoch}.{count}_{after}")
    assert found is not None
    later = uniqueid_in(after) or uniqueid_in(f"_{after}")
    assert later or found == f"{epoch}.{count}"


@given(st.text())
def test_any_name_gives_a_channel_number_and_a_moment_or_nothing(name: str) -> None:
    found = uniqueid_in(name)
    if found is not None:
        assert found in name
        assert moment_of(found).tzinfo is UTC
    assert "-" not in channel_number(name)


def test_the_moment_is_that_of_the_channel() -> None:
    assert moment_of("1763974800.12") == datetime(2025, 11, 24, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/var/spool/asterisk/monitor/2026/a.wav", "2026/a.wav", True),
        ("a.wav", "/monitor/a.wav", True),
        ("ba.wav", "/monitor/a.wav", False),
        ("2025/a.wav", "2026/a.wav", False),
        ("a.wav", "a.wav", True),
    ],
)
def test_two_spellings_of_one_file(one: str, other: str, same: bool) -> None:
    assert same_file(one, other) is same_file(other, one) is same


@pytest.mark.parametrize(
    ("name", "ext"),
    [
        ("a.wav", "wav"),
        ("a.WAV", "wav49"),
        ("a.Mp3", "mp3"),
        ("a.wav.part", None),
        (".wav", None),
        ("..wav", None),
        ("wav", None),
        ("a.m3u8", None),
        ("a.wav/", None),
        ("a.concat", None),
    ],
)
def test_the_kind_of_file_by_its_name(name: str, ext: str | None) -> None:
    assert extension_of(name) == ext
    assert ext is None or ext in DEMUXER
