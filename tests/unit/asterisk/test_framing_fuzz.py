"""A minute of damaged streams: framing never raises, never depends on the pieces, and always recovers."""

import random
import time
from pathlib import Path

import pytest

from connectors.asterisk.framing import MAX_MESSAGE, Framer, Message
from connectors.asterisk.tracker import EVENTS, NEEDED

ROOT = Path(__file__).parents[3]
STREAMS = sorted(
    [*(ROOT / "gateway/demo/streams").glob("*.ami"), *(ROOT / "tests/transcripts/ami").glob("*.ami")]
)
SPLINTERS = [
    b"\r\n\r\n",
    b"\r\n",
    b"\n",
    b"\n\n",
    b": ",
    b":",
    b"Event: Hangup\r\n",
    b"Response: Follows\r\n",
    b"\xd0",
    b"\x00",
]
SPLINTERS += [b"--END COMMAND--", b"Asterisk Call Manager/11.0.0\r\n", b"x" * 70_000, b"Uniqueid: 1.1\r\n"]
HANGUP = b"Event: Hangup\r\nUniqueid: 1.1\r\n\r\n"


def damaged(stream: bytes, luck: random.Random) -> bytes:
    start = luck.randrange(len(stream))
    data = bytearray(stream[start : start + luck.randrange(1, 20_000)])
    for _ in range(luck.randrange(12)):
        at = luck.randrange(len(data) + 1)
        data[at : at + luck.choice((0, 0, 1, 5, 400))] = luck.choice([*SPLINTERS, luck.randbytes(9)])
    return bytes(data)


def read(data: bytes, luck: random.Random, framer: Framer) -> list[Message]:
    found: list[Message] = []
    start = 0
    while start < len(data):
        end = start + luck.choice((1, 7, 100, 5_000, 100_000))
        found += framer.feed(data[start:end])
        start = end
    return found


def round_of(luck: random.Random, streams: list[bytes]) -> None:
    data = b"Asterisk Call Manager/11.0.0\r\n" + damaged(luck.choice(streams), luck)
    filters = luck.choice([(None, None), (EVENTS, NEEDED), (frozenset[str](), None)])
    one, other = Framer(*filters), Framer(*filters)
    assert read(data, luck, one) == other.feed(data)
    assert (one.dropped, one.oversize) == (other.dropped, other.oversize)
    assert len(one._buffer) <= MAX_MESSAGE
    fresh = Framer()
    fresh.feed(data + b"\r\n\r\n--END COMMAND--\r\n\r\n")
    assert fresh.feed(HANGUP) == [{"Event": "Hangup", "Uniqueid": "1.1"}]


@pytest.mark.parametrize("seconds", [1, pytest.param(60, marks=pytest.mark.long)])
def test_damaged_streams_are_read_alike_in_any_pieces_and_left_behind(seconds: float) -> None:
    seed = random.randrange(1 << 32)
    luck = random.Random(seed)
    streams = [path.read_bytes() for path in STREAMS]
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            round_of(luck, streams)
    except Exception as failure:
        failure.add_note(f"seed {seed}")
        raise
