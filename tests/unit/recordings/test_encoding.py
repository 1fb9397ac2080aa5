"""The process that reads recordings: what it makes, and what it does not let a file do."""

import shutil
from pathlib import Path

import pytest

from gateway.demo.sound import conversation, tone, wav
from gateway.domain.errors import PermanentFailure, TemporaryFailure
from recordings import encoding
from recordings.encoding import Encoded, encode, ffmpeg

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg here")


async def made(tmp_path: Path, data: bytes, ext: str = "wav", *, program: str | None) -> Encoded:
    source = tmp_path / f"source.{ext}"
    source.write_bytes(data)
    target = tmp_path / "played.ogg" if program else None
    return await encode(source, ext, len(data), target, program)


async def test_a_plain_file_is_measured_without_ffmpeg_as_with_it(tmp_path: Path) -> None:
    data = conversation((0.5, 0.5))
    without = await made(tmp_path, data, program=None)
    assert (without.sound.duration_s, without.sound.channels, without.sound.has_audio) == (1.0, 2, True)
    assert not without.made
    if ffmpeg():
        assert (await made(tmp_path, data, program=ffmpeg())).sound == without.sound


@needs_ffmpeg
async def test_encoding_is_smaller_stereo_and_the_same_each_time(tmp_path: Path) -> None:
    data = conversation((2.0, 2.0))
    first = await made(tmp_path, data, program=ffmpeg())
    once = (tmp_path / "played.ogg").read_bytes()
    (tmp_path / "played.ogg").unlink()
    assert await made(tmp_path, data, program=ffmpeg()) == first
    assert (tmp_path / "played.ogg").read_bytes() == once
    assert len(once) < len(data) / 4
    assert once[28:36] == b"OpusHead"
    assert once[37] == 2


@needs_ffmpeg
@pytest.mark.parametrize("data", [b"", wav(), wav()[:44]])
async def test_of_no_sound_no_file_is_made(tmp_path: Path, data: bytes) -> None:
    empty = await made(tmp_path, data, program=ffmpeg())
    assert (empty.made, empty.sound.duration_s, empty.sound.has_audio) == (False, 0, False)


@needs_ffmpeg
@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\nfile:///etc/hostname\n",
        b"ffconcat version 1.0\nfile /etc/hostname\n",
        b"\0" * 1000,
        b"RIFF\xff\xff\xff\x7fWAVEfmt " + b"\xff" * 500,
    ],
)
@pytest.mark.parametrize("ext", ["wav", "mp3", "ogg"])
async def test_a_file_that_is_not_what_its_name_says_is_refused_in_words(
    tmp_path: Path, data: bytes, ext: str
) -> None:
    with pytest.raises(PermanentFailure) as refused:
        await made(tmp_path, data, ext, program=ffmpeg())
    assert str(tmp_path) not in str(refused.value)


async def test_a_file_that_takes_too_long_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "limit_s", lambda size: 0.05)
    with pytest.raises(TemporaryFailure, match="more than"):
        await made(tmp_path, wav(tone(440, 60.0)), program=None)


def test_ffmpeg_is_told_what_each_file_is_and_reaches_nothing_else() -> None:
    told = encoding.command("ffmpeg", Path("/x/a.gsm"), "gsm", Path("/y/played.ogg"))
    before = told[: told.index("-i")]
    assert before[-2:] == ["-f", "gsm"]
    assert told[told.index("-i") + 1] == "file:/x/a.gsm"
    assert before[before.index("-protocol_whitelist") + 1] == "file"
