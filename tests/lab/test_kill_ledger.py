"""Service and link die again and again under sixty calls: sixty calls are in the books, none twice."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.browser.relay import Relay
from tests.lab.asterisk.config import FULL
from tests.lab.asterisk.pbx import Pbx
from tests.lab.asterisk.phones import phones
from tests.lab.ledger import traffic
from tests.lab.ledger.life import Life, prepared
from tests.lab.ledger.traffic import DISPOSITIONS, Plan

CALLS = 60


@pytest.fixture
def chance() -> random.Random:
    """The moments of a run; its seed is printed when the test fails."""
    long = os.environ.get("PEREZVON_LONG")
    seed = int(os.environ.get("PEREZVON_SEED") or (random.randrange(10**6) if long else 20261124))
    print(f"PEREZVON_SEED={seed}")
    return random.Random(seed)


@pytest.fixture
async def wire(pbx: Pbx) -> AsyncIterator[Relay]:
    """The wire between service and PBX."""
    async with Relay() as relay:
        relay.target = pbx.ports.ami
        yield relay


@pytest.fixture
async def life(pbx: Pbx, url: str, wire: Relay, tmp_path: Path) -> AsyncIterator[Life]:
    """The service, not yet started."""
    files = {"recordings_dir": pbx.recordings, "cdr": pbx.cdr, "cel": pbx.cel, "queue_log": pbx.queue_log}
    made = await prepared(tmp_path, url, wire.port, connector=files)
    yield made
    if made.process is not None:
        await made.stop()


@dataclass
class Fate:
    """Kills the service (`kill`) or cuts its link (`cut`) when so many calls have begun."""

    life: Life
    wire: Relay
    chance: random.Random
    moments: dict[int, str]
    mending: "asyncio.Task[None] | None" = field(default=None)

    async def begun(self, calls: int) -> None:
        """The next fault comes at its moment, but not before the one before it has been got over."""
        fault = self.moments.get(calls)
        if fault is None:
            return
        await self.settled()
        # Somewhere in the calls' lives, not always just after a beginning.
        await asyncio.sleep(self.chance.uniform(0, 0.5))
        await (self.life.kill() if fault == "kill" else self.wire.cut())
        self.mending = asyncio.create_task(self._mend(fault))

    async def _mend(self, fault: str) -> None:
        if fault == "kill":
            await self.life.start()
            return
        await asyncio.sleep(self.chance.uniform(0, 0.3))
        self.wire.mend()
        await self.life.attached()

    async def settled(self) -> None:
        """Everything is whole again."""
        if self.mending is not None:
            await self.mending


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("engine", "faults"),
    [
        ("sqlite", 3),
        pytest.param("sqlite", 20, marks=pytest.mark.long),
        pytest.param("postgresql", 20, marks=pytest.mark.long),
    ],
    indirect=["engine"],
)
async def test_no_call_is_lost_or_doubled_when_service_and_link_die_at_random_moments(
    pbx: Pbx, life: Life, wire: Relay, chance: random.Random, faults: int
) -> None:
    seconds = 4.0 if faults == 3 else 8.0
    wanted = traffic.plans(CALLS, seconds)
    kinds = ["kill", "cut"] * faults
    chance.shuffle(kinds)
    moments = sorted(chance.sample(range(2, CALLS), len(kinds)))
    fate = Fate(life, wire, chance, dict(zip(moments, kinds, strict=True)))
    await life.start()
    async with phones(pbx) as street, pbx.session(FULL) as ami:
        await traffic.furnish(street, seconds)
        await traffic.run(street, wanted, fate.begun)
        await fate.settled()
        await ami.idle()
    found = await life.once("calls", lambda calls: len(calls) == CALLS and all(map(is_over, calls)))
    check(found, wanted)
    files = {path.name for path in pbx.recordings.iterdir()}
    kept = await life.once("recordings", lambda all_: len(all_) == len(files) and all(map(is_kept, all_)))
    check_recordings(kept, files, {call["linkedid"]: call["id"] for call in found})


def is_over(call: Any) -> bool:
    return bool(call["state"] == "ended")


def is_kept(recording: Any) -> bool:
    return bool(recording["state"] == "ready")


def client_of(call: Any) -> str:
    return str(call["to" if call["direction"] == "out" else "from"]["raw"])


def check(found: list[Any], wanted: list[Plan]) -> None:
    """Every call once, and how each came out."""
    by_client = Counter(map(client_of, found))
    missing = {plan.client: plan.kind for plan in wanted if plan.client not in by_client}
    doubled = {client: count for client, count in by_client.items() if count > 1}
    assert (missing, doubled, len(found)) == ({}, {}, len(wanted))
    plans = {plan.client: plan for plan in wanted}
    came_out = [(plans[client_of(call)].kind, call["disposition"], call["estimated"]) for call in found]
    wrong = [one for one in came_out if one[1] != DISPOSITIONS[one[0]] and "disposition" not in one[2]]
    assert wrong == []


def check_recordings(kept: list[Any], files: set[str], call_ids: Mapping[str, str]) -> None:
    """Every file of the PBX is a recording, once, and lies on the call by whose first channel it is named."""
    assert sorted(one["name"] for one in kept) == sorted(files)
    assert [one["name"] for one in kept if one["call_id"] != call_ids[one["name"].removesuffix(".wav")]] == []
    assert {one["has_audio"] for one in kept} == {True, False}
