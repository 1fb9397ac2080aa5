"""The waveform: right for any length, in whatever pieces the samples come."""

import io
import struct
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo.sound import tone, wav
from recordings import wav as wave_file
from recordings.peaks import MOST_PAIRS, SILENCE, Waveform
from recordings.worker import measured


def pairs(data: bytes, channels: int) -> list[list[tuple[int, int]]]:
    flat = array("h", data)
    each = len(flat) // channels
    lanes = [flat[n * each : (n + 1) * each] for n in range(channels)]
    return [list(zip(lane[::2], lane[1::2], strict=True)) for lane in lanes]


Lanes = list[list[tuple[int, int]]]


def of(samples: list[int], channels: int = 1, piece: int = 10_000) -> tuple[Waveform, Lanes]:
    wave = Waveform(channels)
    data = array("h", samples).tobytes()
    step = 2 * channels * piece
    for start in range(0, len(data), step):
        wave.feed(data[start : start + step])
    return wave, pairs(wave.finished(), channels)


@given(st.lists(st.integers(-32768, 32767), max_size=3000), st.integers(1, 700))
def test_nothing_loud_is_lost_and_pieces_make_no_difference(samples: list[int], piece: int) -> None:
    wave, (found,) = of(samples, piece=piece)
    assert wave.frames == len(samples)
    assert found == of(samples)[1][0]
    assert len(found) <= MOST_PAIRS
    if samples:
        assert (min(p[0] for p in found), max(p[1] for p in found)) == (min(samples), max(samples))
        assert wave.loudest == max(-min(samples), max(samples))
    else:
        assert found == []


@pytest.mark.parametrize("frames", [0, 1, 63, 64, 65, 153_599, 153_600, 153_601, 400_000])
def test_at_most_1200_pairs_evenly_over_any_length(frames: int) -> None:
    # Loud in the last tenth alone: that must be the last tenth of the pairs.
    samples = [0] * (frames - frames // 10) + [20_000] * (frames // 10)
    _, (found,) = of(samples)
    assert len(found) <= MOST_PAIRS
    assert bool(found) == bool(frames)
    if frames > 10_000:
        assert len(found) > MOST_PAIRS // 4
        loud = sum(1 for pair in found if pair[1])
        assert loud / len(found) == pytest.approx(0.1, abs=0.005)


def test_each_channel_has_its_own() -> None:
    samples = [value for _ in range(5000) for value in (100, -7)]
    _, (left, right) = of(samples, channels=2)
    assert set(left) == {(100, 100)}
    assert set(right) == {(-7, -7)}


@pytest.mark.parametrize(
    ("data", "seconds", "audible"),
    [
        (wav(), 0.0, False),
        (wav(tone(440, 1.0)), 1.0, True),
        (wav(tone(440, 1.0, loudness=0)), 1.0, False),
        (wav(array("h", [SILENCE] * 8000)), 1.0, False),
        (wav(array("h", [SILENCE + 1] * 8000)), 1.0, True),
        (wave_file.EMPTY, 0.0, False),
    ],
)
def test_empty_silent_and_audible_files_are_told_apart(data: bytes, seconds: float, audible: bool) -> None:
    told, _ = measured(io.BytesIO(data))
    assert (told["duration_s"], told["has_audio"]) == (seconds, audible)


def test_the_empty_file_is_the_one_asterisk_leaves() -> None:
    assert wav() == wave_file.EMPTY
    assert len(wave_file.EMPTY) == 44


def test_a_length_that_was_never_written_is_read_to_the_end() -> None:
    whole = wav(tone(440, 1.0))
    for length in (0, 0xFFFF_FFFF):
        told, _ = measured(io.BytesIO(whole[:40] + struct.pack("<I", length) + whole[44:]))
        assert told["duration_s"] == 1.0
    cut, _ = measured(io.BytesIO(whole[:-8001]))
    assert cut["duration_s"] == pytest.approx(0.5, abs=0.001)


@given(st.binary(max_size=200))
def test_anything_else_is_refused_in_words(data: bytes) -> None:
    for text in (data, b"RIFF\0\0\0\0WAVE" + data):
        try:
            told, _ = measured(io.BytesIO(text))
        except wave_file.NotWav as error:
            told = {"error": str(error)}
        assert told.get("error") or told["duration_s"] >= 0
