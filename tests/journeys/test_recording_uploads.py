"""Recordings sent by a PBX whose folder nobody here sees: over the API, and by the script for MixMonitor."""

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from gateway.demo.sound import tone, wav
from tests.journeys.clients import Answer, Client
from tests.journeys.conftest import on_both
from tests.journeys.recorded import SPOKEN, Pbx, office, service, settings, spool

__all__ = ["office", "service", "settings", "spool"]

Person = Callable[[str], Awaitable[Client]]
Program = Callable[..., Awaitable[Client]]
SCRIPT = Path(__file__).parents[2] / "deploy" / "asterisk" / "perezvon-upload"


async def send(client: Client, uniqueid: str, data: bytes, name: str = "call.wav", **fields: str) -> Answer:
    form = aiohttp.FormData({"pbx": "pbx1", "uniqueid": uniqueid} | fields, quote_fields=False)
    form.add_field("file", data, filename=name)
    return await client.ask("POST", "/recordings", data=form)


@on_both
async def test_an_upload_joins_its_call_and_twice_the_same_is_one(office: Pbx, program: Program) -> None:
    pbx = await program("operator", "recordings:write")
    call = await office.call("1763974801.1")
    sent = await asyncio.gather(*(send(pbx, "1763974801.1", SPOKEN) for _ in range(3)))
    assert [answer.status for answer in sent] == [201, 201, 201]
    assert {answer.body["id"] for answer in sent} == {sent[0].body["id"]}
    found = await office.until(call.id, "ready")
    assert found["id"] == sent[0].body["id"]
    assert found["duration_s"] == pytest.approx(2, abs=0.01)
    again = await send(pbx, "1763974801.1", SPOKEN)
    assert (again.status, again.body["state"]) == (201, "ready")
    await office.ends(call)
    assert await office.count() == 1


@on_both
async def test_an_upload_fills_the_recording_that_the_call_named(office: Pbx, program: Program) -> None:
    pbx = await program("operator", "recordings:write")
    call = await office.call("1763974801.2")
    call = await office.names(call, "/far/away/1763974801.2.wav")
    sent = await send(pbx, "1763974801.2", SPOKEN, "1763974801.2.wav")
    assert sent.body["id"] == (await office.until(call.id, "ready"))["id"]
    await office.ends(call)
    assert await office.count() == 1


@on_both
async def test_an_upload_that_comes_before_its_call_waits_for_it(office: Pbx, program: Program) -> None:
    pbx = await program("operator", "recordings:write")
    sent = await send(pbx, "pbx-1763974801.3", SPOKEN)
    assert sent.body["call_id"] is None
    await office.until(None, "ready")
    call = await office.call("1763974801.3")
    await office.ends(call)
    assert (await office.until(call.id, "ready"))["id"] == sent.body["id"]


async def test_who_may_upload(office: Pbx, program: Program, person: Person) -> None:
    assert (await send(await program("operator", "recordings:read"), "1763974801.4", SPOKEN)).status == 403
    for login, status in (("anna", 403), ("olga", 403), ("admin", 201)):
        assert (await send(await person(login), "1763974801.4", SPOKEN)).status == status


async def test_what_is_wrong_with_an_upload_is_said_by_field(office: Pbx, program: Program) -> None:
    pbx = await program("operator", "recordings:write")
    wrong = await send(pbx, "yesterday", SPOKEN, "call.exe")
    assert (wrong.status, set(wrong.fields)) == (422, {"uniqueid", "file"})
    elsewhere = await send(pbx, "1763974801.5", SPOKEN, pbx="pbx9")
    assert (elsewhere.status, set(elsewhere.fields)) == (422, {"pbx"})
    hostile = await send(pbx, "1763974801.5", SPOKEN, "../../../../etc/cron.d/x.wav")
    assert (hostile.status, hostile.body["name"]) == (201, "x.wav")
    found = await office.until(None, "ready")
    await office.nothing_to_do()
    assert [name.partition(".")[0] for name in office.stored()] == [found["sha256"]]


async def test_deleted_recordings_do_not_come_back(office: Pbx, program: Program, person: Person) -> None:
    pbx, admin = await program("operator", "recordings:write"), await person("admin")
    sent = await send(pbx, "1763974801.6", SPOKEN)
    await office.until(None, "ready")
    assert (await admin.delete(f"/recordings/{sent.body['id']}")).status == 204
    assert (await send(pbx, "1763974801.6", SPOKEN)).status == 409


@dataclass
class Sender:
    """The script as Asterisk runs it."""

    folder: Path
    env: dict[str, str]

    @property
    def waiting(self) -> list[str]:
        """Notes of files that were not sent yet."""
        return sorted(path.name for path in (self.folder / "queue").glob("*.note"))

    async def __call__(self, *arguments: str) -> int:
        process = await asyncio.create_subprocess_exec(
            str(SCRIPT), *arguments, env=self.env, stderr=asyncio.subprocess.DEVNULL
        )
        return await process.wait()

    def configure(self, url: str, token: str) -> None:
        lines = [f"url={url}", "pbx=pbx1", f"token={token}", f"queue={self.folder}/queue"]
        (self.folder / "upload.conf").write_text("\n".join(lines) + "\n")


@pytest.fixture
def sender(tmp_path: Path) -> Sender:
    """The script, not configured yet."""
    if shutil.which("curl") is None:
        pytest.skip("no curl here")
    return Sender(tmp_path, os.environ | {"PEREZVON_UPLOAD_CONF": f"{tmp_path}/upload.conf"})


async def test_the_script_sends_a_recording_whatever_its_name(
    office: Pbx, program: Program, sender: Sender, tmp_path: Path
) -> None:
    pbx = await program("operator", "recordings:write")
    sender.configure(office.service.address.rstrip("/"), pbx.headers["Authorization"].removeprefix("Bearer "))
    file = tmp_path / 'in ";$(reboot)`x`\\,@1763974801.7.wav'
    file.write_bytes(SPOKEN)
    assert await sender(str(file), "1763974801.7") == 0
    assert sender.waiting == []
    found = await office.until(None, "ready")
    assert found["name"].endswith("1763974801.7.wav")
    assert file.exists()


async def test_the_script_keeps_what_it_cannot_send_and_sends_it_later(
    office: Pbx, program: Program, sender: Sender, tmp_path: Path
) -> None:
    pbx = await program("operator", "recordings:write")
    token = pbx.headers["Authorization"].removeprefix("Bearer ")
    files = [tmp_path / f"1763974801.{n}.wav" for n in (8, 9)]
    for n, file in enumerate(files):
        file.write_bytes(wav(tone(440, 1.0 + n)))
    sender.configure("http://127.0.0.1:1", token)
    assert await sender(str(files[0]), "1763974801.8") == 0
    assert len(sender.waiting) == 1
    sender.configure(office.service.address.rstrip("/"), "pz_wrong")
    assert await sender("--retry") != 0
    assert len(sender.waiting) == 1
    # The next recording takes along what waits.
    sender.configure(office.service.address.rstrip("/"), token)
    assert await sender(str(files[1]), "1763974801.9") == 0
    assert sender.waiting == []
    assert await office.count() == 2


async def test_the_script_refuses_what_is_no_uniqueid(sender: Sender, tmp_path: Path) -> None:
    sender.configure("http://127.0.0.1:1", "x")
    assert await sender(str(tmp_path / "a.wav"), "1;reboot") == 2
    assert await sender("alone") == 2
    assert sender.waiting == []
