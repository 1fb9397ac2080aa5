"""Recordings out of the PBX's folder: found, fetched, made fit to be played, heard, deleted, kept."""

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from gateway.demo.sound import conversation, tone, wav
from gateway.services import recordings_deletion
from gateway.services.recordings_rows import COLLECT
from gateway.store.tables import recordings
from tests.journeys.clients import Client
from tests.journeys.conftest import on_both
from tests.journeys.recorded import QUICK, SPOKEN, Pbx, head, heard, office, service, settings, sha256, spool

__all__ = ["office", "service", "settings", "spool"]

Person = Callable[[str], Awaitable[Client]]
needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg here")


@on_both
async def test_a_file_of_a_call_is_found_by_its_name_and_can_be_played(office: Pbx, person: Person) -> None:
    olga = await person("olga")
    events = await olga.events("recording.ready,call.updated")
    call = await office.call("1763974800.1")
    office.records("2026/11/24/q-1763974800.1.wav", SPOKEN)
    await office.ends(call)

    told = (await events.next("recording.ready"))["data"]
    assert (told["call_id"], told["state"], told["has_audio"], told["channels"]) == (
        call.id,
        "ready",
        True,
        1,
    )
    assert told["duration_s"] == pytest.approx(2.0, abs=0.01)
    entry = (await olga.get(f"/cards/{told['card_id']}/timeline?kind=call")).body["items"][0]
    assert entry["call"]["recordings"] == [told["id"]]
    shown = (await olga.get(f"/recordings/{told['id']}")).body
    assert shown == told
    waveform = (await olga.get(f"/recordings/{told['id']}/peaks")).body
    assert len(waveform["peaks"]) == 1
    assert len(waveform["peaks"][0]) <= 2400
    assert max(waveform["peaks"][0]) == pytest.approx(0.4, abs=0.02)
    assert (office.folder / "2026/11/24/q-1763974800.1.wav").read_bytes() == SPOKEN


@on_both
async def test_what_is_played_comes_whole_and_by_ranges(office: Pbx, person: Person) -> None:
    olga = await person("olga")
    found = await office.recorded("1763974800.2", SPOKEN)
    path = f"/recordings/{found['id']}/audio"
    whole = await heard(olga, path)
    assert sha256(whole) == found["sha256"]
    assert len(whole) == found["size"]
    part = await heard(olga, path, "10-29")
    assert part == whole[10:30]
    assert await heard(olga, path, "-5") == whole[-5:]
    beyond = await olga.get(path, headers={"Range": f"bytes={len(whole)}-"})
    assert beyond.status == 416
    looked = await head(olga, path)
    assert (looked.status, looked.headers["Content-Length"]) == (200, str(len(whole)))
    assert looked.headers["Cache-Control"] == "no-store"


@on_both
async def test_listening_is_written_down_once_a_sitting_and_looking_is_not(
    office: Pbx, person: Person
) -> None:
    olga, pavel = await person("olga"), await person("pavel")
    found = await office.recorded("1763974800.3", SPOKEN)
    path = f"/recordings/{found['id']}/audio"
    await head(olga, path)
    await olga.get(f"/recordings/{found['id']}/peaks")
    assert await office.audited("recording.listened") == []
    ranges = [heard(olga, path, f"{n}-{n + 9}") for n in range(4)]
    await asyncio.gather(*ranges)
    await heard(olga, path)
    (note,) = await office.audited("recording.listened")
    assert (note.actor_id, note.object_id) == (olga.me["id"], found["id"])
    assert (await pavel.get(path)).status == 404
    admin = await person("admin")
    await heard(admin, path)
    assert [n.actor_id for n in await office.audited("recording.listened")] == [
        olga.me["id"],
        admin.me["id"],
    ]


@on_both
async def test_who_may_see_listen_to_and_delete_a_recording(office: Pbx, person: Person) -> None:
    anna, bert, boris, olga, pavel = [await person(p) for p in ("anna", "bert", "boris", "olga", "pavel")]
    found = await office.recorded("1763974800.4", SPOKEN, extension="101")
    place = f"/recordings/{found['id']}"

    async def rights(client: Client) -> tuple[int, int, int]:
        seen = (await client.get(place)).status
        may_listen = await head(client, f"{place}/audio")
        return seen, may_listen.status, (await client.get(f"{place}/peaks")).status

    # She talked in it; he is of her team; the others are of another one.
    assert await rights(anna) == (200, 200, 200)
    assert await rights(bert) == (200, 403, 403)
    assert await rights(olga) == (200, 200, 200)
    assert await rights(boris) == (404, 404, 404)
    assert await rights(pavel) == (404, 404, 404)
    for client, status in ((anna, 403), (bert, 403), (boris, 403), (pavel, 404), (olga, 204)):
        assert (await client.delete(place)).status == status
    assert (await olga.get(place)).body["state"] == "deleted"


@on_both
async def test_a_deleted_recording_is_gone_with_its_bytes_and_stands_in_the_audit_log(
    office: Pbx, person: Person
) -> None:
    olga = await person("olga")
    one = await office.recorded("1763974800.5", SPOKEN)
    two = await office.recorded("1763974800.6", SPOKEN)
    assert one["sha256"] == two["sha256"]
    assert (await olga.delete(f"/recordings/{one['id']}")).status == 204
    assert (await olga.get(f"/recordings/{one['id']}/audio")).status == 409
    # The other one has the same bytes: they stay as long as it does.
    await office.nothing_to_do()
    assert len(await heard(olga, f"/recordings/{two['id']}/audio")) == two["size"]
    assert (await olga.delete(f"/recordings/{two['id']}")).status == 204
    await office.nothing_to_do()
    assert office.stored() == []
    notes = await office.audited("recording.deleted")
    assert [n.object_id for n in notes] == [one["id"], two["id"]]
    listed = (await olga.get("/recordings")).body["items"]
    assert listed == []
    call = (await olga.get(f"/calls/{one['call_id']}")).body
    assert call["recordings"] == []


@on_both
async def test_the_library_keeps_what_is_played_alone(office: Pbx, person: Person) -> None:
    found = await office.recorded("1763974800.7", SPOKEN)
    await office.nothing_to_do()
    assert office.stored() == [f"{found['sha256']}.{'ogg' if found['codec'] == 'opus' else 'wav'}"]


@on_both
async def test_files_without_a_sound_are_told_apart(office: Pbx, person: Person) -> None:
    empty = await office.recorded("1763974800.8", wav())
    silent = await office.recorded("1763974800.9", wav(tone(440, 1.0, loudness=0)))
    assert (empty["duration_s"], empty["has_audio"], empty["state"]) == (0, False, "ready")
    assert (silent["duration_s"], silent["has_audio"]) == (1, False)
    olga = await person("olga")
    assert (await olga.get(f"/recordings/{empty['id']}/peaks")).body["peaks"] == [[]]
    for one in (empty, silent):
        assert await heard(olga, f"/recordings/{one['id']}/audio")


async def test_both_sides_of_a_stereo_file_are_kept_apart(office: Pbx, person: Person) -> None:
    found = await office.recorded("1763974800.10", conversation((1.0, 1.0)))
    assert found["channels"] == 2
    one, other = (await (await person("olga")).get(f"/recordings/{found['id']}/peaks")).body["peaks"]
    half = len(one) // 2
    # The last half carries a little of the codec's echo.
    assert max(one[:half]) > 0.1 > max(other[: half - 8])
    assert max(other[half:]) > 0.1


@needs_ffmpeg
async def test_a_file_that_is_no_recording_is_given_up_with_words_and_tried_again_on_demand(
    office: Pbx, person: Person
) -> None:
    admin, olga = await person("admin"), await person("olga")
    found = await office.recorded("1763974800.11", b"#EXTM3U\nfile:///etc/passwd\n", state="failed")
    assert "ffmpeg" in found["error"]
    assert "passwd" not in found["error"]
    failed = (await olga.get("/recordings?state=failed")).body["items"]
    assert [one["id"] for one in failed] == [found["id"]]
    assert (await olga.post(f"/recordings/{found['id']}/retry")).status == 403
    again = await admin.post(f"/recordings/{found['id']}/retry")
    assert (again.status, again.body["state"], again.body["error"]) == (200, "processing", None)
    await office.until(found["call_id"], "failed")
    ready = await office.recorded("1763974800.12", SPOKEN)
    refused = await admin.post(f"/recordings/{ready['id']}/retry")
    assert refused.status == 409


@on_both
async def test_a_file_that_does_not_come_is_given_up_and_taken_when_it_comes_after_all(
    office: Pbx, person: Person
) -> None:
    call = await office.call("1763974800.13")
    await office.ends(await office.names(call, "/var/spool/asterisk/monitor/2026/late.wav"))
    gone = await office.until(call.id, "failed")
    assert "did not come" in gone["error"]
    office.records("2026/late.wav", SPOKEN)
    assert (await office.until(call.id, "ready"))["id"] == gone["id"]


@on_both
async def test_a_file_is_waited_for_until_its_call_is_over(office: Pbx, person: Person) -> None:
    call = await office.call("1763974800.14")
    office.records("1763974800.14.wav", SPOKEN)
    await office.until(call.id, "recording")
    await asyncio.sleep(QUICK.still_s * 4)
    assert (await office.until(call.id, "recording"))["sha256"] is None
    office.records("1763974800.14.wav", wav(tone(440, 3.0)))
    await office.ends(call)
    assert (await office.until(call.id, "ready"))["duration_s"] == pytest.approx(3, abs=0.01)
    assert await office.count() == 1


@on_both
async def test_a_file_that_nobody_called_for_waits_for_its_call(office: Pbx, person: Person) -> None:
    admin, olga = await person("admin"), await person("olga")
    office.records("orphan-1763974800.15.wav", SPOKEN)
    found = await office.until(None, "ready")
    assert (found["call_id"], (await olga.get(f"/recordings/{found['id']}")).status) == (None, 404)
    assert (await admin.get(f"/recordings/{found['id']}")).status == 200
    call = await office.call("1763974800.15")
    await office.ends(call)
    assert (await office.until(call.id, "ready"))["id"] == found["id"]
    assert (await olga.get(f"/recordings/{found['id']}")).status == 200


@on_both
async def test_links_and_names_that_lead_out_of_the_folder_give_nothing(office: Pbx, tmp_path: Path) -> None:
    secret = tmp_path / "secret-1763974800.16.wav"
    secret.write_bytes(SPOKEN)
    (office.folder / "link-1763974800.16.wav").symlink_to(secret)
    (office.folder / "way").symlink_to(tmp_path)
    call = await office.call("1763974800.16")
    names = (f"{office.folder}/link-1763974800.16.wav", "../secret-1763974800.16.wav", "way/secret.wav")
    await office.ends(await office.names(call, *names))
    await office.nothing_to_do(COLLECT)
    assert await office.count("failed") == 3
    assert office.stored() == []


@on_both
async def test_old_recordings_are_deleted_in_the_name_of_retention(office: Pbx, person: Person) -> None:
    old = await office.recorded("1763974800.17", SPOKEN)
    young = await office.recorded("1763974800.18", wav(tone(500, 1.0)))
    move = update(recordings).where(recordings.c.id == young["id"]).values(at=datetime.now(UTC))
    await office.service.store.write(lambda tx: tx.execute(move) and None)
    await recordings_deletion.remove_old(office.service.store, 0)
    assert await office.audited("recording.deleted") == []
    await recordings_deletion.remove_old(office.service.store, 30)
    olga = await person("olga")
    assert (await olga.get(f"/recordings/{old['id']}")).body["state"] == "deleted"
    assert (await olga.get(f"/recordings/{young['id']}")).body["state"] == "ready"
    (note,) = await office.audited("recording.deleted")
    assert (note.actor, note.detail["because"]) == ("retention", "older than 30 days")
