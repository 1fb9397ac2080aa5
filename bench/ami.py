"""An AMI stream on a socket → tracked calls, beside panoramisk alone and panoramisk with cacofonisk.

The stream is that of recorded calls, each round with numbers of its own, sent by a process of its own as fast
as the reader takes it. Ours is the connector's link and its tracker; panoramisk alone counts the events
that it hands out; cacofonisk's own runner is used with a reporter that does nothing. All in one run.
"""

import asyncio
import contextlib
import itertools
import logging
import math
import re
import socket
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from cacofonisk.reporters import BaseReporter
from cacofonisk.runners.ami_runner import AmiRunner
from panoramisk import Manager

from bench.measure import Figure, median, ratio
from config.secret import Secret
from connectors.asterisk.ami import Timing, Wanted, connect
from connectors.asterisk.connector import utc_now
from connectors.asterisk.settings import AsteriskSettings
from connectors.asterisk.tracker import EVENTS, NEEDED, Tracker
from gateway.demo.playback import Numbering, load_file, render, rewrite
from gateway.domain.calls import CallEventType, PbxRules

NAME = "ami"
ROUNDS = 3
CALLS = 1_200
LEAST = 2.0
STREAMS = Path(__file__).parents[1] / "gateway" / "demo" / "streams"
BEGIN = 1_790_000_000.0
BOOTED = b"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 1000\r\nStatus: Fully Booted\r\n\r\n"
DONE = b"Event: BenchDone\r\nPrivilege: system,all\r\n\r\n"


def run() -> list[Figure]:
    """Median of three turns."""
    logging.getLogger("panoramisk").setLevel(logging.CRITICAL)
    payload, events = _payload()
    taken: dict[str, list[float]] = {"ours": [], "panoramisk": [], "cacofonisk": []}
    for _ in range(ROUNDS):
        for name, read in (("ours", _ours), ("panoramisk", _panoramisk), ("cacofonisk", _cacofonisk)):
            taken[name].append(asyncio.run(_timed(payload, read)))
    beside = {
        name: median([other / own for other, own in zip(taken[name], taken["ours"], strict=True)])
        for name in ("panoramisk", "cacofonisk")
    }
    speed = {name: events / median(seconds) for name, seconds in taken.items()}
    return [
        ratio(NAME, "ours ÷ panoramisk + cacofonisk", beside["cacofonisk"], LEAST),
        ratio(NAME, "ours ÷ panoramisk alone, which tracks nothing", beside["panoramisk"]),
        *(Figure(NAME, f"events/s, {name}", f"{value:,.0f}") for name, value in speed.items()),
    ]


def _payload() -> tuple[bytes, int]:
    """The bytes of so many calls, and how many events they are."""
    recorded = [load_file(path) for path in sorted(STREAMS.glob("*.ami"))]
    numbering, parts = Numbering(1), []
    for number, story in zip(range(CALLS), itertools.cycle(recorded), strict=False):
        parts += [render(e.headers) for e in rewrite(story, numbering, BEGIN + number, speed=math.inf)]
    return b"".join(parts), len(parts)


async def _timed(payload: bytes, read: Callable[[int], Awaitable[float]]) -> float:
    """Seconds from the first byte that is sent until the last event is worked on, with a fresh sender."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = int(listening.getsockname()[1])
        sender = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.ami", str(listening.fileno())),
            pass_fds=[listening.fileno()],
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert sender.stdin is not None
        assert sender.stdout is not None
        sender.stdin.write(payload)
        sender.stdin.close()
        try:
            # Both processes read one monotonic clock.
            ended = await read(port)
            return ended - float(await sender.stdout.readline())
        finally:
            if sender.returncode is None:
                sender.terminate()
            await sender.wait()


async def _ours(port: int) -> float:
    settings = AsteriskSettings(
        kind="asterisk", name="pbx1", port=port, username="u", secret=Secret("s"), trunks=("PJSIP/trunk",)
    )
    tracker, ended = Tracker(PbxRules(pbx="pbx1", trunks=("PJSIP/trunk",), country="RU")), 0
    wanted = Wanted(EVENTS, NEEDED)
    async with connect(settings, wanted, clock=utc_now, timing=Timing(ping_every_s=600.0)) as link:
        while ended < CALLS:
            for arrival in await link.take(5_000, wait_s=1.0):
                for event in arrival.events:
                    for happened in tracker.feed(event, arrival.at):
                        ended += happened.type is CallEventType.ENDED
            if tracker.wants_confirmation:
                for uniqueid in tuple(tracker.wants_confirmation):
                    tracker.confirm(uniqueid, False, arrival.at)
        return time.perf_counter()


async def _panoramisk(port: int) -> float:
    loop = asyncio.get_running_loop()
    manager = Manager(loop=loop, host="127.0.0.1", port=port, username="u", secret="s", ping_delay=600)
    done: asyncio.Future[float] = loop.create_future()
    seen = itertools.count()

    def heard(_: Manager, event: object) -> None:
        next(seen)
        if event.event == "BenchDone":  # type: ignore[attr-defined]
            done.set_result(time.perf_counter())

    manager.register_event("*", heard)
    await manager.connect()
    assert manager.authenticated_future is not None
    await manager.authenticated_future
    ended = await done
    manager.close()
    return ended


async def _cacofonisk(port: int) -> float:
    loop = asyncio.get_running_loop()
    runner = AmiRunner([f"tcp://u:s@127.0.0.1:{port}"], BaseReporter(), logger=_quiet())
    done: asyncio.Future[float] = loop.create_future()
    runner.attach_all()
    (manager,) = runner.ami_managers
    manager.register_event("BenchDone", lambda *_: done.done() or done.set_result(time.perf_counter()))
    ended = await done
    manager.close()
    return ended


def _quiet() -> logging.Logger:
    logger = logging.getLogger("cacofonisk")
    logger.setLevel(logging.CRITICAL)
    return logger


def _asked(client: socket.socket) -> str:
    """The ActionID of what the client asks next."""
    asked = b""
    while b"\r\n\r\n" not in asked:
        asked += client.recv(4096)
    return re.findall(r"(?i)^actionid: (.*?)\r$", asked.decode(), re.MULTILINE)[-1]


def _answer(action: str) -> bytes:
    return f"Response: Success\r\nActionID: {action}\r\nPing: Pong\r\nMessage: accepted\r\n\r\n".encode()


def _send(number: int) -> None:
    """The sending process: lets one client log in, then sends all that came on its input."""
    payload = sys.stdin.buffer.read()
    with socket.socket(fileno=number) as listening:
        client, _ = listening.accept()
    with client:
        client.sendall(b"Asterisk Call Manager/11.0.0\r\n")
        client.sendall(_answer(_asked(client)) + BOOTED)
        # Ours asks for the PBX's clock before it listens.
        client.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            client.sendall(_answer(_asked(client)))
        client.settimeout(None)
        print(time.perf_counter(), flush=True)
        client.sendall(payload + DONE)
        while client.recv(4096):
            pass


if __name__ == "__main__":
    _send(int(sys.argv[1]))
