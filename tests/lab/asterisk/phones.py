"""Phones round a lab PBX, each call of each phone a SIPp process: operators inside, clients outside."""

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.lab.asterisk.chroot import inside
from tests.lab.asterisk.config import INSIDE, OUTSIDE
from tests.lab.asterisk.pbx import Pbx
from tests.lab.asterisk.scenario import SCENARIOS, Caller, Speak, Step, dials, rung
from tests.lab.asterisk.tone import file_name, ulaw_tone
from tests.lab.asterisk.transfer import dialog_of, transfer

LISTEN_LIMIT_S = 5


@dataclass(slots=True)
class Phone:
    """One call of one phone, or several alike, being played."""

    process: asyncio.subprocess.Process
    log: Path
    messages: Path
    address: str

    async def done(self) -> bool:
        """Wait for the phone's part to end; whether the call went as its steps foresaw."""
        return await self.process.wait() == 0


@dataclass(slots=True)
class Phones:
    """The phones of one PBX."""

    pbx: Pbx
    _played: list[Phone] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    async def rings(self, operator: str, *steps: Step, calls: int = 1) -> Phone:
        """The operator's phone waits for one call and then takes the steps; returns once it listens.

        For more `calls` it takes them for each, also at once.
        """
        self._prepare_tones(steps)
        return await self._waits(INSIDE, self.pbx.ports.phones[operator], rung(*steps), calls)

    async def client_rings(self, *steps: Step, calls: int = 1) -> Phone:
        """The outside world waits for calls through the trunk, as `rings`; returns once it listens."""
        self._prepare_tones(steps)
        return await self._waits(OUTSIDE, self.pbx.ports.trunk, rung(*steps), calls)

    async def dials(
        self, operator: str, number: str, *steps: Step, cancel_after_s: float | None = None
    ) -> Phone:
        """The operator calls `number`."""
        self._prepare_tones(steps)
        scenario = dials(number, Caller(operator), *steps, cancel_after_s=cancel_after_s)
        return await self._play(INSIDE, _free_port(INSIDE), scenario)

    async def client_dials(
        self, number: str, caller: Caller, *steps: Step, cancel_after_s: float | None = None
    ) -> Phone:
        """Somebody outside calls `number` through the trunk."""
        self._prepare_tones(steps)
        scenario = dials(number, caller, *steps, cancel_after_s=cancel_after_s)
        return await self._play(OUTSIDE, _free_port(OUTSIDE), scenario)

    async def clients_dial(self, calls: Sequence[tuple[str, str]], per_second: float, *steps: Step) -> Phone:
        """Clients call, so many a second: (own number, number called) each, all taking these steps."""
        table = self.pbx.run_dir / "sipp" / f"{next(self._numbers):04}.csv"
        table.write_text("SEQUENTIAL\n" + "".join(f"{number};{called};\n" for number, called in calls))
        scenario = dials("[field1]", Caller("[field0]"), *steps)
        options = ("-inf", f"{SCENARIOS}/{table.name}", "-r", f"{per_second:g}")
        return await self._play(OUTSIDE, _free_port(OUTSIDE), scenario, *options, calls=len(calls))

    async def connects(self, customer: Phone, colleague: Phone) -> None:
        """Attended transfer (RFC 3891): the operator who talks on both calls joins the other two parties."""
        first = dialog_of(customer.messages)
        refer = transfer(first, dialog_of(colleague.messages))
        # SIPp takes only answers that bear the Call-ID it chose itself.
        options = ("-cid_str", first.call_id)
        phone = await self._play(customer.address, _free_port(customer.address), refer, *options)
        if not await phone.done():
            raise RuntimeError(f"the transfer was refused: {phone.messages.read_text()[-500:]}")

    async def clear(self) -> None:
        """Take away whatever phone still plays, such as one that was never rung."""
        for phone in self._played:
            if phone.process.returncode is None:
                phone.process.kill()
            await phone.process.wait()
        self._played.clear()

    def _prepare_tones(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if isinstance(step, Speak):
                path = self.pbx.run_dir / "sipp" / file_name(step.hz)
                path.write_bytes(ulaw_tone(step.hz))

    async def _waits(self, address: str, port: int, scenario: str, calls: int) -> Phone:
        phone = await self._play(address, port, scenario, calls=calls)
        deadline = time.monotonic() + LISTEN_LIMIT_S
        while not _listening(address, port):
            if phone.process.returncode is not None or time.monotonic() > deadline:
                raise RuntimeError(f"SIPp does not listen: {phone.log.read_text(errors='replace')[-500:]}")
            # The kernel announces no bound port; SIPp needs about 30 ms.
            await asyncio.sleep(0.01)
        return phone

    async def _play(self, address: str, port: int, scenario: str, *options: str, calls: int = 1) -> Phone:
        name = f"{next(self._numbers):04}"
        folder = self.pbx.run_dir / "sipp"
        (folder / f"{name}.xml").write_text(scenario)
        there = f"{SCENARIOS}/{name}"
        argv = [
            "sipp", "-sf", f"{there}.xml", "-i", address, "-p", str(port), "-mi", address, "-m", str(calls),
            "-aa", "-nostdin", "-trace_msg", "-message_file", f"{there}.messages", "-trace_err",
            "-error_file", f"{there}.errors", *options, f"{INSIDE}:{self.pbx.ports.sip}",
        ]  # fmt: skip
        log = folder / f"{name}.out"
        with log.open("wb") as out:
            process = await asyncio.create_subprocess_exec(
                *inside(self.pbx.root, self.pbx.run_dir, argv),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        phone = Phone(process, log, folder / f"{name}.messages", address)
        self._played.append(phone)
        return phone


@contextlib.asynccontextmanager
async def phones(pbx: Pbx) -> AsyncIterator[Phones]:
    """Phones round `pbx`, taken away at the end."""
    street = Phones(pbx)
    try:
        yield street
    finally:
        await street.clear()


def _free_port(address: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((address, 0))
        return int(sock.getsockname()[1])


def _listening(address: str, port: int) -> bool:
    packed = int.from_bytes(socket.inet_aton(address), "little")
    wanted = f" {packed:08X}:{port:04X} "
    return any(wanted in line for line in Path("/proc/net/udp").read_text().splitlines())
