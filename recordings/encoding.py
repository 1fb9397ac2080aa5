"""A recording is measured and, where wanted, encoded: by a process of its own, with limits.

ffmpeg is told what each file is by its extension; it never guesses, opens no other file and no network.
"""

import asyncio
import contextlib
import errno
import json
import os
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.domain.errors import PermanentFailure, TemporaryFailure
from gateway.domain.recordings import Sound
from recordings.formats import DEMUXER

_ROOT = str(Path(__file__).parents[1])
_RUN = "import sys; sys.path.insert(0, sys.argv.pop(1)); from recordings.worker import main; main()"
_LONGEST_H = 24
_BASE_S = 120.0
_SLOWEST = 16_000.0
"""Bytes a second at which the limit of time takes a file: ten times the pace of GSM, the densest format."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """What was made of a file; `made`: the target was written."""

    sound: Sound
    made: bool


def ffmpeg() -> str | None:
    """ffmpeg's path, where it is installed."""
    return shutil.which("ffmpeg")


def limit_s(size: int) -> float:
    """Seconds that a file of so many bytes may take."""
    return _BASE_S + size / _SLOWEST


def command(program: str, source: Path, ext: str, target: Path | None) -> list[str]:
    """ffmpeg's arguments: decode to its standard output as WAV and, with a target, encode by its suffix."""
    read = [program, "-nostdin", "-hide_banner", "-loglevel", "error", "-threads", "1"]
    # With one protocol allowed, a file that names others reaches nothing.
    read += ["-protocol_whitelist", "file", *DEMUXER[ext], "-i", f"file:{source}"]
    sound = ["-map", "0:a:0", "-map_metadata", "-1", "-t", str(_LONGEST_H * 3600)]
    sound += ["-af", "aformat=channel_layouts=mono|stereo", "-threads", "1"]
    # bitexact: the same bytes each time, so that an attempt after a crash leaves nothing behind.
    plain = ["-fflags", "+bitexact", "-flags:a", "+bitexact"]
    written: list[str] = []
    if target is not None and target.suffix == ".ogg":
        # Level 5 of 10 takes two thirds of the time; on telephone speech nobody hears a difference.
        voice = ["-c:a", "libopus", "-b:a", "32k", "-application", "voip", "-compression_level", "5"]
        written = [*sound, *voice, *plain, "-f", "ogg", f"file:{target}"]
    elif target is not None:
        written = [*sound, "-c:a", "pcm_s16le", *plain, "-f", "wav", f"file:{target}"]
    return [*read, *written, *sound, "-c:a", "pcm_s16le", *plain, "-f", "wav", "pipe:1"]


async def encode(source: Path, ext: str, size: int, target: Path | None, program: str | None) -> Encoded:
    """Measure the file of `size` bytes; encode it to `target` (.ogg: Opus, .wav) if one is given.

    Without `program`, ffmpeg's path, there is no encoding, and plain WAV files alone can be measured.
    Raises `PermanentFailure` for a file that cannot be read, `TemporaryFailure` where it took too long,
    `OSError` where the storage is full.
    """
    if size == 0:
        return Encoded(Sound(0.0, 1, False, b""), made=False)
    limit = limit_s(size)
    asked = {
        "limit_s": limit,
        "file": str(source),
        "command": command(program, source, ext, target) if program else None,
    }
    told, peaks = await _work(json.dumps(asked), limit)
    if os.strerror(errno.ENOSPC) in told.get("error", ""):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if "error" in told:
        raise PermanentFailure(f"{told['error']}".replace(str(source), source.name))
    sound = Sound(told["duration_s"], told["channels"], told["has_audio"], peaks)
    # Of no sample at all ffmpeg makes a file without sound, which some players refuse.
    return Encoded(sound, made=target is not None and sound.duration_s > 0)


async def _work(asked: str, limit: float) -> tuple[dict[str, Any], bytes]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-I", "-S", "-c", _RUN, _ROOT, asked),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C"},
    )
    try:
        async with asyncio.timeout(limit):
            written, said = await process.communicate()
    except TimeoutError:
        raise TemporaryFailure(f"reading it took more than {limit:.0f} s") from None
    finally:
        await _ended(process)
    if process.returncode != 0:
        words = said.decode("utf-8", "replace").strip().splitlines()
        raise TemporaryFailure(
            f"the worker ended with {process.returncode}: {(words or ['no word'])[-1][:300]}"
        )
    line, _, peaks = written.partition(b"\n")
    return json.loads(line), peaks


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        # ffmpeg is the worker's child: the whole group goes.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
