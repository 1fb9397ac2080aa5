"""What a real Asterisk records is found or sent, and what is served sounds like those who talked."""

import asyncio
import math
import shutil
from array import array
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config.settings import Storage
from gateway.domain.people import Role
from gateway.services import people, tokens
from recordings.encoding import ffmpeg
from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.pbx import Pbx
from tests.lab.asterisk.scenario import Answer, Caller, HangUp, Ring, Speak, Talk
from tests.lab.components import require
from tests.lab.office import Office, office, settings_for

CLIENT, OPERATOR = 440, 880
"""What each side says, in hertz."""
RATE = 8000
SCRIPT = Path(__file__).parents[2] / "deploy" / "asterisk" / "perezvon-upload"


async def recorded(at_work: Office) -> Any:
    """The next recording that is told of at the supervisor's desk."""
    return (await at_work.until(lambda frame: frame["type"] == "recording.ready"))["data"]


async def served(at_work: Office, recording_id: str) -> "array[int]":
    """The samples of what a supervisor hears, decoded to one channel."""
    olga = at_work.staff["olga"]
    url = f"{at_work.service.address}/api/v1/recordings/{recording_id}/audio"
    async with olga.http.get(url, headers=olga.headers) as answer:
        assert answer.status == 200
        return await decoded(await answer.read())


async def decoded(body: bytes) -> "array[int]":
    """The samples of a sound file, in one channel."""
    program = ffmpeg() or require("no ffmpeg: install the package of that name")
    decode = [program, "-v", "error", "-i", "pipe:0", "-f", "s16le", "-ac", "1", "-ar", str(RATE), "pipe:1"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*decode, stdin=pipe, stdout=pipe)
    pcm, _ = await process.communicate(body)
    return array("h", pcm)


def share(samples: "array[int]", hz: float) -> float:
    """How much of the sound's power is in a tone of `hz` (Goertzel), from 0 to 1."""
    turn = 2 * math.pi * hz / RATE
    real = sum(s * math.cos(turn * n) for n, s in enumerate(samples))
    imaginary = sum(s * math.sin(turn * n) for n, s in enumerate(samples))
    whole = sum(s * s for s in samples)
    return 2 * (real * real + imaginary * imaginary) / (len(samples) * whole)


def heard(samples: "array[int]") -> "array[int]":
    """The middle second, in which both talk."""
    middle = len(samples) // 2
    return samples[middle - RATE // 2 : middle + RATE // 2]


async def test_a_talk_is_recorded_found_encoded_and_served_with_both_voices(pbx: Pbx, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/perezvon.db"
    settings = settings_for(pbx, url, recordings_dir=str(pbx.recordings))
    settings = replace(settings, storage=Storage(url=f"file://{tmp_path}/files"))
    async with office(pbx, url, settings) as at_work:
        await at_work.phones.rings("101", Answer(), Speak(OPERATOR), Talk())
        await at_work.phones.rings("102", Ring())
        talk = (Caller("79161234567"), Speak(CLIENT), Talk(2), HangUp())
        await at_work.phones.client_dials(did("101"), *talk)
        await at_work.phones.client_dials(did("102"), Caller("79265550142"), cancel_after_s=1)
        told = {recording["call_id"]: recording for recording in [await recorded(at_work) for _ in range(2)]}
        calls = {call["from"]["raw"]: call for call in await at_work.calls()}
        spoken, unanswered = (told[calls[number]["id"]] for number in ("79161234567", "79265550142"))

        assert (unanswered["has_audio"], unanswered["duration_s"]) == (False, 0)
        assert (spoken["has_audio"], spoken["codec"]) == (True, "opus" if ffmpeg() else "pcm")
        assert spoken["duration_s"] == pytest.approx(2, abs=0.5)
        assert calls["79161234567"]["recordings"] == [spoken["id"]]
        sound = heard(await served(at_work, spoken["id"]))
        assert share(sound, CLIENT) > 0.2
        assert share(sound, OPERATOR) > 0.2
        assert share(sound, 660) < 0.01


async def test_a_pbx_elsewhere_sends_its_recording_by_the_script(pbx: Pbx, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/perezvon.db"
    settings = replace(settings_for(pbx, url), storage=Storage(url=f"file://{tmp_path}/files"))
    async with office(pbx, url, settings) as at_work:
        new = tokens.NewToken("pbx1", Role.OPERATOR, ("recordings:write",), ("main",), None)
        token, _ = await tokens.create(at_work.service.store, people.CONSOLE, new)
        install(pbx, at_work.service.address.rstrip("/"), token)
        await at_work.phones.rings("101", Answer(), Talk())
        talk = (Caller("79161234567"), Speak(CLIENT), Talk(2), HangUp())
        await at_work.phones.client_dials(did("801"), *talk)
        told = await recorded(at_work)
        (call,) = await at_work.calls()
        assert (told["call_id"], told["has_audio"]) == (call["id"], True)
        assert share(heard(await served(at_work, told["id"])), CLIENT) > 0.6
        assert list((pbx.run_dir / "spool" / "perezvon").glob("*.note")) == []


def install(pbx: Pbx, address: str, token: str) -> None:
    """Put the script and its settings where the dialplan has them."""
    etc = pbx.run_dir / "etc"
    shutil.copy(SCRIPT, etc / SCRIPT.name)
    lines = [f"url={address}", "pbx=pbx1", f"token={token}", "queue=/var/spool/asterisk/perezvon"]
    (etc / "upload.conf").write_text("\n".join(lines) + "\n")
