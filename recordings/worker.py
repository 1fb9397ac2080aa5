"""The process that reads a recording: small, nice, limited; whatever a file holds, it harms nothing else.

Run by `recordings.encoding` as `python -I -S`, with one argument, a JSON object. It writes one JSON line and
the peaks to its standard output. Standard library only.
"""

import json
import os
import resource
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import IO, Any

from recordings import wav
from recordings.peaks import SILENCE, Waveform

NICE = 10
MEMORY = 1 << 30
_CHUNK = 1 << 18
_WORDS = 400


def main() -> None:
    """Limit oneself, measure, tell. Exit 0 also where the file cannot be read: the answer says why."""
    asked = json.loads(sys.argv[1])
    os.nice(NICE)
    cpu = int(asked["limit_s"]) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer, peaks = decoded(asked["command"]) if asked["command"] else plain(asked["file"])
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n" + peaks)


def plain(path: str) -> tuple[dict[str, Any], bytes]:
    """Measure a WAV file of linear samples, without ffmpeg."""
    try:
        with Path(path).open("rb") as file:
            return measured(file)
    except wav.NotWav as error:
        return {"error": str(error)}, b""


def decoded(command: list[str]) -> tuple[dict[str, Any], bytes]:
    """Run ffmpeg, which encodes to a file and decodes to us."""
    with subprocess.Popen(  # noqa: S603 (a list of ours, no shell)
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as ffmpeg:
        assert ffmpeg.stdout is not None
        assert ffmpeg.stderr is not None
        said: deque[bytes] = deque(maxlen=3)
        # Read at the same time: a pipe that is full stops ffmpeg.
        hearing = threading.Thread(target=said.extend, args=(ffmpeg.stderr,))
        hearing.start()
        try:
            answer, peaks = measured(ffmpeg.stdout)
        except wav.NotWav as error:
            answer, peaks = {"error": str(error)}, b""
        ffmpeg.stdout.close()
        hearing.join()
    words = b"".join(said).decode("utf-8", "replace").strip()
    if ffmpeg.returncode != 0 or "error" in answer:
        return {"error": f"ffmpeg: {words[-_WORDS:] or answer.get('error') or ffmpeg.returncode}"}, b""
    return answer, peaks


def measured(file: IO[bytes]) -> tuple[dict[str, Any], bytes]:
    """Read a WAV stream to its end. Raises `wav.NotWav`."""
    form = wav.header(file)
    if not form.is_plain:
        return {"error": "its samples are not linear of 16 bits; ffmpeg reads it"}, b""
    wave, frame = Waveform(form.channels), 2 * form.channels
    left, rest = form.bytes, b""
    while chunk := file.read(_CHUNK if left is None else min(left, _CHUNK)):
        left = None if left is None else left - len(chunk)
        chunk = rest + chunk
        whole = len(chunk) - len(chunk) % frame
        wave.feed(chunk[:whole])
        rest = chunk[whole:]
    peaks = wave.finished()
    told = {
        "duration_s": round(wave.frames / form.rate, 3),
        "channels": form.channels,
        "has_audio": wave.loudest > SILENCE,
    }
    return told, peaks


if __name__ == "__main__":
    main()
