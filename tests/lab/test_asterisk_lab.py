"""The lab itself: a real PBX comes up, calls are placed on it, their events arrive, and it goes."""

import asyncio

import pytest

from tests.lab.asterisk.config import FULL, NARROW, POOR, AmiUser
from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.pbx import Pbx, asterisk
from tests.lab.asterisk.phones import phones
from tests.lab.asterisk.scenario import Answer, Caller, HangUp, Refuse, Ring, Speak, Talk

EMPTY_WAV = 44
"""Bytes of a WAV file with a header and no sound."""


async def test_a_call_from_outside_rings_is_answered_and_its_events_arrive(pbx: Pbx) -> None:
    async with phones(pbx) as street, pbx.session(NARROW) as ami:
        operator = await street.rings("101", Ring(0.3), Answer(), Talk())
        client = await street.client_dials(did("101"), Caller("79161234567"), Talk(0.5), HangUp())
        born = await ami.event("Newchannel")
        assert born["Channel"].startswith("PJSIP/trunk-")
        assert (born["CallerIDNum"], born["Exten"]) == ("79161234567", "74951000101")
        assert float(born["Timestamp"]) > 0
        await ami.event("Newstate", ChannelStateDesc="Ringing", CallerIDNum="101")
        await ami.event("BridgeEnter", Uniqueid=born["Uniqueid"])
        gone = await ami.event("Hangup", Uniqueid=born["Uniqueid"])
        assert gone["Cause"] == "16"
        assert await client.done()
        assert await operator.done()


async def test_a_refusal_ends_the_call_with_its_cause(pbx: Pbx) -> None:
    async with phones(pbx) as street, pbx.session(NARROW) as ami:
        await street.rings("101", Refuse(486))
        await street.client_dials(did("101"), Caller("79161234567"))
        born = await ami.event("Newchannel")
        assert (await ami.event("DialEnd"))["DialStatus"] == "BUSY"
        assert (await ami.event("Hangup", Uniqueid=born["Uniqueid"]))["Cause"] == "17"


async def test_what_the_phones_say_is_recorded(pbx: Pbx) -> None:
    async with phones(pbx) as street, pbx.session(FULL) as ami:
        await street.rings("101", Answer(), Speak(880), Talk())
        client = await street.client_dials(did("101"), Caller("79161234567"), Speak(440), Talk(1), HangUp())
        await client.done()
        await ami.idle()
        recording = pbx.recordings / f"{(await ami.event('Newchannel'))['Uniqueid']}.wav"
        assert recording.stat().st_size > 20 * EMPTY_WAV
        await ami.event("Cdr")
        assert "74951000101" in pbx.cdr.read_text()
        assert "CHAN_START" in pbx.cel.read_text()


@pytest.mark.parametrize(
    ("user", "sees"),
    [(FULL, {"Newchannel", "Newexten", "CEL"}), (NARROW, {"Newchannel", "Newexten"}), (POOR, set[str]())],
)
async def test_each_ami_user_sees_what_its_classes_allow(pbx: Pbx, user: AmiUser, sees: set[str]) -> None:
    async with phones(pbx) as street, pbx.session(FULL) as full, pbx.session(user) as ami:
        client = await street.client_dials(did("300"), Caller("79161234567"), Talk(1), HangUp())
        await client.done()
        await full.event("Newexten", Context="menu")
        await full.idle()
        await ami.quiet()
        kinds = {event["Event"] for event in ami.events}
        assert kinds & {"Newchannel", "Newexten", "CEL"} == sees


async def test_a_wrong_password_is_refused(pbx: Pbx) -> None:
    stranger = AmiUser(NARROW.name, "wrong", NARROW.read, NARROW.write)
    with pytest.raises(PermissionError, match="Authentication failed"):
        async with pbx.session(stranger):
            pass


async def test_several_pbxs_run_side_by_side_and_leave_nothing_behind(pbx: Pbx) -> None:
    async with asterisk() as other:
        assert other.ports.ami != pbx.ports.ami
        async with pbx.session(NARROW), other.session(NARROW):
            pass
    assert other.process.returncode is not None
    assert not await asyncio.to_thread(other.run_dir.exists)
    with pytest.raises(ConnectionRefusedError):
        async with other.session(NARROW):
            pass
    async with pbx.session(NARROW):
        pass
