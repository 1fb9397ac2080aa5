"""Transfers, hold, pickup, parking: calls in which the operator changes.

In all of them the client calls 101's own number, and 101 answers after a second.
"""

from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.phones import Phone
from tests.lab.asterisk.scenario import Answer, Caller, Dtmf, HangUp, Hold, Refer, Refuse, Ring, Step, Talk
from tests.lab.stories.plain import CLIENT
from tests.lab.stories.stage import Stage, Truth, inbound, moved, talked


async def client_talks_to_101(
    stage: Stage, *steps: Step, client: tuple[Step, ...] = (Talk(),)
) -> tuple[Phone, Phone]:
    """The client's phone and 101's, which takes the steps once it has answered."""
    operator = await stage.phones.rings("101", Ring(1), Answer(), *steps)
    return await stage.phones.client_dials(did("101"), Caller(CLIENT), Talk()), operator


async def blind_transfer(stage: Stage) -> Truth:
    """After 3 s 101 sends the client to 102, who answers after 2 s, talks 3 s and hangs up."""
    await stage.phones.rings("102", Ring(2), Answer(), Talk(3), HangUp())
    client, _ = await client_talks_to_101(stage, Talk(3), Refer("102"), Talk())
    await client.done()
    call = moved(inbound(did("101"), CLIENT), ("101", 3.0), "blind", ("102", 3.0))
    return [call | {"hangup_by": "callee"}]


async def blind_transfer_busy(stage: Stage) -> Truth:
    """After 3 s 101 sends the client to 102, who is busy: the client is lost."""
    await stage.phones.rings("102", Refuse(486))
    client, _ = await client_talks_to_101(stage, Talk(3), Refer("102"), Talk())
    await client.done()
    call = inbound(did("101"), CLIENT) | talked("101", 3.0) | {"rang": ["101"], "hangup_by": "system"}
    return [call | {"transfers": [{"kind": "blind", "from": "101", "to": "102", "result": "busy"}]}]


async def blind_transfer_no_answer(stage: Stage) -> Truth:
    """After 3 s 101 sends the client to 102, who does not pick up: the PBX gives up, the client is lost."""
    await stage.phones.rings("102", Ring())
    client, _ = await client_talks_to_101(stage, Talk(3), Refer("102"), Talk())
    await client.done()
    call = inbound(did("101"), CLIENT) | talked("101", 3.0) | {"rang": ["101", "102"], "hangup_by": "system"}
    return [call | {"transfers": [{"kind": "blind", "from": "101", "to": "102", "result": "no_answer"}]}]


async def blind_transfer_to_queue(stage: Stage) -> Truth:
    """After 3 s 101 sends the client to queue 400, where 103 answers after 2 s and talks 3 s."""
    await stage.phones.rings("102", Ring())
    await stage.phones.rings("103", Ring(2), Answer(), Talk(3), HangUp())
    client, _ = await client_talks_to_101(stage, Talk(3), Refer("400"), Talk())
    await client.done()
    call = moved(inbound(did("101"), CLIENT), ("101", 3.0), "blind", ("103", 3.0), to="400", result="queued")
    return [call | {"queue": "400", "rang": stage.rang("101", "102", "103"), "hangup_by": "callee"}]


async def attended_transfer(stage: Stage) -> Truth:
    """101 holds the client, consults 102 for 2 s and joins the two (REFER with Replaces); they talk 3 s."""
    await stage.phones.rings("102", Ring(1), Answer(), Talk(5), HangUp())
    client, held = await client_talks_to_101(stage, Talk(2), Hold(), Talk())
    await stage.ami.event("Hold")
    consulting = await stage.phones.dials("101", "102", Talk())
    await stage.bridged("102")
    await stage.pause(2)
    await stage.phones.connects(held, consulting)
    await client.done()
    call = moved(inbound(did("101"), CLIENT), ("101", 5.0), "attended", ("102", 3.0))
    return [call | {"hangup_by": "callee"}]


async def attended_transfer_by_keys(stage: Stage) -> Truth:
    """101 presses *2 and 102, who answers; a little later 101 hangs up and leaves them together."""
    await stage.phones.rings("102", Ring(1), Answer(), Talk(6), HangUp())
    client, _ = await client_talks_to_101(stage, Talk(2), Dtmf("*2"), Talk(1), Dtmf("102"), Talk(5), HangUp())
    await client.done()
    call = moved(inbound(did("101"), CLIENT), ("101", None), "attended", ("102", None))
    return [call | {"hangup_by": "callee"}]


async def blonde_transfer(stage: Stage) -> Truth:
    """101 holds the client, calls 102 and joins the two while 102 rings still; 102 answers after 4 s."""
    await stage.phones.rings("102", Ring(4), Answer(), Talk(3), HangUp())
    client, held = await client_talks_to_101(stage, Talk(2), Hold(), Talk())
    await stage.ami.event("Hold")
    consulting = await stage.phones.dials("101", "102", Talk())
    await stage.ringing("102")
    await stage.pause(1)
    await stage.phones.connects(held, consulting)
    await client.done()
    call = moved(inbound(did("101"), CLIENT), ("101", 3.0), "attended", ("102", 3.0))
    return [call | {"hangup_by": "callee"}]


async def blonde_transfer_by_keys(stage: Stage) -> Truth:
    """101 presses *2 and 102, and hangs up while 102 rings; 102 answers, talks 3 s and hangs up."""
    await stage.phones.rings("102", Ring(4), Answer(), Talk(3), HangUp())
    client, _ = await client_talks_to_101(
        stage, Talk(2), Dtmf("*2"), Talk(1), Dtmf("102"), Talk(1.5), HangUp()
    )
    await client.done()
    call = moved(inbound(did("101"), CLIENT), ("101", None), "attended", ("102", 3.0))
    return [call | {"hangup_by": "callee"}]


async def refused_consultation(stage: Stage) -> Truth:
    """101 holds the client and calls 102, who presses Reject; 101 takes the client back, talks, hangs up."""
    await stage.phones.rings("102", Ring(1), Refuse(603))
    client, _ = await client_talks_to_101(stage, Talk(1), Hold(), Talk(3), Hold(on=False), Talk(2), HangUp())
    await stage.ami.event("Hold")
    consulting = await stage.phones.dials("101", "102", Talk())
    await consulting.done()
    await client.done()
    call = inbound(did("101"), CLIENT) | talked("101", 6.0) | {"rang": ["101"], "transfers": []}
    return [
        call | {"hold_s": 3.0, "hangup_by": "callee"},
        {
            "direction": "internal", "state": "ended", "disposition": "declined",
            "from": {"number": None, "raw": "101"}, "to": {"number": None, "raw": "102"},
            "rang": ["102"], "talk_s": 0.0, "hangup_by": "callee",
        },
    ]  # fmt: skip


async def refused_consultation_by_keys(stage: Stage) -> Truth:
    """101 presses *2 and 102, who presses Reject; 101 is with the client again, talks on and hangs up."""
    await stage.phones.rings("102", Ring(1), Refuse(603))
    client, _ = await client_talks_to_101(stage, Talk(2), Dtmf("*2"), Talk(1), Dtmf("102"), Talk(5), HangUp())
    await client.done()
    call = inbound(did("101"), CLIENT) | {"disposition": "answered", "operator": {"extension": "101"}}
    segments = [{"extension": "101"}]
    return [call | {"rang": ["101", "102"], "transfers": [], "segments": segments, "hangup_by": "callee"}]


async def blind_transfer_by_keys(stage: Stage) -> Truth:
    """After 2 s 101 presses #1 and 102, who answers after 2 s, talks 3 s and hangs up."""
    await stage.phones.rings("102", Ring(2), Answer(), Talk(3), HangUp())
    client, _ = await client_talks_to_101(stage, Talk(2), Dtmf("#1"), Talk(1), Dtmf("102"), Talk())
    await client.done()
    call = moved(inbound(did("101"), CLIENT), ("101", None), "blind", ("102", 3.0))
    return [call | {"hangup_by": "callee"}]


async def redirect(stage: Stage) -> Truth:
    """A program moves the client from 101 to 102 (AMI Redirect); 102 answers after 2 s, talks 3 s."""
    await stage.phones.rings("102", Ring(2), Answer(), Talk(3), HangUp())
    client, _ = await client_talks_to_101(stage, Talk())
    await stage.bridged("101")
    await stage.pause(3)
    channel = next(b["Channel"] for b in stage.ami.events if b.get("Event") == "Newchannel")
    await stage.ami.action("Redirect", Channel=channel, Context="from-internal", Exten="102", Priority="1")
    await client.done()
    call = moved(inbound(did("101"), CLIENT), ("101", 3.0), "blind", ("102", 3.0))
    return [call | {"hangup_by": "callee"}]


async def hold(stage: Stage) -> Truth:
    """101 talks 2 s, holds the client for 3 s, talks 2 s more and hangs up."""
    client, _ = await client_talks_to_101(stage, Talk(2), Hold(), Talk(3), Hold(on=False), Talk(2), HangUp())
    await client.done()
    call = inbound(did("101"), CLIENT) | talked("101", 7.0) | {"rang": ["101"], "hold_s": 3.0}
    return [call | {"hangup_by": "callee"}]


async def pickup(stage: Stage) -> Truth:
    """101 rings; after 2 s 102 takes the call by *8101, they talk 3 s and 102 hangs up."""
    await stage.phones.rings("101", Ring())
    client = await stage.phones.client_dials(did("101"), Caller(CLIENT), Talk())
    await stage.ringing("101")
    await stage.pause(2)
    await stage.phones.dials("102", "*8101", Talk(3), HangUp())
    await client.done()
    call = inbound(did("101"), CLIENT) | talked("102", 3.0)
    return [call | {"rang": ["101"], "wait_s": 2.5, "hangup_by": "callee"}]


async def park_and_retrieve(stage: Stage) -> Truth:
    """After 2 s 101 parks the client (REFER to 700); 3 s later 102 dials 701 and talks 3 s, then hangs up."""
    client, _ = await client_talks_to_101(stage, Talk(2), Refer("700"), Talk())
    await stage.ami.event("ParkedCall")
    await stage.pause(3)
    await stage.phones.dials("102", "701", Talk(3), HangUp())
    await client.done()
    call = inbound(did("101"), CLIENT) | talked("102", 3.0)
    segments = [{"extension": "101", "talk_s": 2.0}, {"extension": "102", "talk_s": 2.5}]
    return [call | {"rang": ["101"], "talk_s": 4.5, "segments": segments, "hangup_by": "callee"}]
