"""One running Asterisk: started in its own folder on its own ports, stopped, killed; several side by side."""

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.lab.asterisk import ami
from tests.lab.asterisk.chroot import chroot, inside
from tests.lab.asterisk.config import FULL, AmiUser, Ports, free_ports, write
from tests.lab.components import Unavailable

START_LIMIT_S = 20


@dataclass(frozen=True, slots=True)
class Pbx:
    """A PBX that is up: where it listens, and the folder that holds its configuration, spool and logs."""

    root: Path
    run_dir: Path
    ports: Ports
    process: asyncio.subprocess.Process

    def session(self, user: AmiUser) -> contextlib.AbstractAsyncContextManager[ami.Ami]:
        """A manager session as `user`."""
        return ami.session(self.ports.ami, user)

    @property
    def recordings(self) -> Path:
        """The folder into which MixMonitor writes."""
        return self.run_dir / "spool" / "monitor"

    @property
    def cdr(self) -> Path:
        """The file of call records (cdr_csv)."""
        return self.run_dir / "log" / "cdr-csv" / "Master.csv"

    @property
    def cel(self) -> Path:
        """The file of channel events (cel_custom)."""
        return self.run_dir / "log" / "cel-custom" / "Master.csv"

    @property
    def queue_log(self) -> Path:
        """The file of app_queue's own log."""
        return self.run_dir / "log" / "queue_log"


@contextlib.asynccontextmanager
async def asterisk(own: Mapping[str, str] | None = None) -> AsyncIterator[Pbx]:
    """A PBX of its own, up and fully booted; stopped and swept away at the end.

    Files of `own` take the place of the lab's configuration: see `config.write`.

    Raises `Unavailable` with the reason where no chroot can be had.
    """
    root = await asyncio.to_thread(chroot)
    run_dir = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="perezvon-pbx-"))
    try:
        pbx = await _on_free_ports(root, run_dir, own)
        try:
            yield pbx
        finally:
            await stop(pbx)
    finally:
        await asyncio.to_thread(shutil.rmtree, run_dir, ignore_errors=True)


async def _on_free_ports(root: Path, run_dir: Path, own: Mapping[str, str] | None) -> Pbx:
    for left in (2, 1, 0):
        ports = free_ports()
        write(run_dir, ports, own)
        try:
            return await start(root, run_dir, ports)
        except Unavailable:
            # Somebody else may have taken one of the ports between their choice and their use.
            if not left:
                raise
    raise AssertionError


async def start(root: Path, run_dir: Path, ports: Ports) -> Pbx:
    """Start Asterisk on what stands in `run_dir` and wait for its FullyBooted event."""
    command = inside(root, run_dir, ["asterisk", "-f", "-C", "/etc/asterisk/asterisk.conf"])
    with (run_dir / "log" / "console").open("ab") as console:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=console, stderr=console
        )
    pbx = Pbx(root, run_dir, ports, process)
    try:
        await _booted(pbx)
    except BaseException:
        await kill(pbx)
        raise
    return pbx


async def stop(pbx: Pbx) -> None:
    """End Asterisk as `core stop now` does: every call is hung up."""
    if pbx.process.returncode is None:
        pbx.process.terminate()
    try:
        await asyncio.wait_for(pbx.process.wait(), 15)
    except TimeoutError:
        await kill(pbx)


async def kill(pbx: Pbx) -> None:
    """End Asterisk as a power cut does."""
    if pbx.process.returncode is None:
        pbx.process.kill()
    await pbx.process.wait()


async def _booted(pbx: Pbx) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if pbx.process.returncode is not None:
            raise Unavailable(f"Asterisk ended at start: {_last_words(pbx.run_dir)}")
        try:
            async with pbx.session(FULL) as session:
                await session.event("FullyBooted", timeout_s=deadline - time.monotonic())
                return
        except ConnectionRefusedError:
            # Nothing announces that a port is open; 20 ms is far below what starting takes.
            await asyncio.sleep(0.02)
    raise Unavailable(f"Asterisk was not up after {START_LIMIT_S} s: {_last_words(pbx.run_dir)}")


def _last_words(run_dir: Path) -> str:
    lines = (run_dir / "log" / "console").read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
