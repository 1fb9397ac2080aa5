"""From a file in the PBX's folder until it can be played: what one processor makes in an hour.

Each is three minutes of two people talking, once in one channel as MixMonitor writes it and once in two. The
time is the processor's, of the service and of the workers it starts, everything included: looking, copying,
checksums, the database (SQLite), measuring and Opus.
"""

import asyncio
import resource
import time
from array import array
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, func, select

from bench import office
from bench.measure import Figure, machine
from config.secret import Secret
from config.settings import Settings, Storage
from connectors.asterisk.settings import AsteriskSettings
from gateway.demo.sound import conversation, wav
from gateway.domain.calls import Call, CallEvent, CallEventType, CallState, Direction, Disposition
from gateway.domain.ids import call_id
from gateway.services import installation, recordings_tasks
from gateway.services.intake import VoiceIntake
from gateway.store.engine import Store
from gateway.store.tables import recordings
from gateway.supervise import Supervisor
from recordings.collector import Patience
from recordings.encoding import ffmpeg

NAME = "recordings"
MINUTES = 3
COUNT = 8
_TURN_S = 4.0
_HEADER = 44
_QUICK = Patience(look_s=0.1, still_s=0.1)
_FIRST = 1763974800


def run() -> list[Figure]:
    """Nothing where ffmpeg is missing: WAV files are only copied then."""
    if ffmpeg() is None:
        return [Figure(NAME, "no ffmpeg here", "not measured")]
    stereo = conversation([_TURN_S] * round(MINUTES * 60 / _TURN_S))
    with office.folder() as where:
        figures = [machine(NAME, where)]
        for sides, data in (("one channel", _mixed(stereo)), ("two channels", stereo)):
            figures += asyncio.run(_measured(where / sides.replace(" ", "-"), sides, data))
    return figures


def _mixed(stereo: bytes) -> bytes:
    """The left channel alone."""
    return wav(array("h", stereo[_HEADER:])[::2])


async def _measured(where: Path, sides: str, data: bytes) -> list[Figure]:
    spool = where / "monitor"
    spool.mkdir(parents=True)
    async with office.opened(f"sqlite+aiosqlite:///{where}/perezvon.db") as store:
        await store.write(installation.prepare, office.SETTINGS)
        for n in range(COUNT):
            await _call(store, spool, n, data)
        began, cpu = time.perf_counter(), _cpu()
        await _until_ready(store, spool, where)
        wall, used = time.perf_counter() - began, _cpu() - cpu
        sizes = await store.read(lambda tx: tx.scalar(select(func.sum(recordings.c.size)))) or 0
    per_hour = COUNT / used * 3600
    what = f"{sides}, {MINUTES} minutes each"
    smaller = COUNT * len(data) / int(sizes)
    talk_h = per_hour * MINUTES / 60
    return [
        Figure(NAME, f"{what}: recordings per CPU hour", f"{per_hour:,.0f} ({talk_h:,.0f} h of talk)"),
        Figure(
            NAME, f"{what}: {COUNT} of them", f"{wall:.1f} s, Opus is {smaller:.1f} times smaller than WAV"
        ),
    ]


def _cpu() -> float:
    """Seconds of processor time of this process and of those it has waited for."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


async def _call(store: Store, spool: Path, n: int, data: bytes) -> None:
    now, uniqueid = datetime.now(UTC), f"{_FIRST}.{n}"
    call = Call(
        id=call_id("pbx1", uniqueid),
        pbx="pbx1",
        linkedid=uniqueid,
        direction=Direction.IN,
        state=CallState.ENDED,
        started_at=now,
        disposition=Disposition.ANSWERED,
        ended_at=now,
        legs=(uniqueid,),
    )
    await VoiceIntake(store).calls_happened([CallEvent(CallEventType.ENDED, call, now)])
    # No two sound alike, as no two bytes may be.
    one = data[:_HEADER] + n.to_bytes(2, "little") + data[_HEADER + 2 :]
    await asyncio.to_thread((spool / f"{uniqueid}.wav").write_bytes, one)


async def _until_ready(store: Store, spool: Path, where: Path) -> None:
    pbx = AsteriskSettings(
        kind="asterisk", name="pbx1", username="x", secret=Secret("x"), recordings_dir=str(spool)
    )
    settings = Settings(storage=Storage(url=f"file://{where}/files"), connectors=(pbx,))
    supervisor = Supervisor()
    for name, task in recordings_tasks.tasks(store, settings, "bench", _QUICK):
        supervisor.add(name, task)
    while True:
        if await store.read(_ready) == COUNT:
            break
        await asyncio.sleep(0.1)
    await supervisor.stop()


def _ready(tx: Connection) -> int:
    return tx.scalar(select(func.count(recordings.c.id)).where(recordings.c.state == "ready")) or 0
