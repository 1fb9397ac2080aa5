"""Calls on the FreePBX-shaped part of the dialplan."""

from tests.lab.asterisk.freepbx import did
from tests.lab.asterisk.scenario import Answer, Caller, HangUp, Hold, Refer, Ring, Talk
from tests.lab.stories.plain import CLIENT
from tests.lab.stories.stage import Stage, Truth, inbound, moved, nobody, party, talked


async def freepbx_direct(stage: Stage) -> Truth:
    """A DID leads to 101, who answers after 2 s; they talk 3 s, the client hangs up."""
    await stage.phones.rings("101", Ring(2), Answer(), Talk())
    client = await stage.phones.client_dials(did("101"), Caller(CLIENT), Talk(3), HangUp())
    await client.done()
    call = inbound(did("101"), CLIENT) | talked("101", 3.0)
    return [call | {"rang": ["101"], "wait_s": 2.0, "hangup_by": "caller"}]


async def freepbx_no_answer(stage: Stage) -> Truth:
    """101's phone is switched off: the PBX gives up."""
    client = await stage.phones.client_dials(did("101"), Caller(CLIENT))
    await client.done()
    return [inbound(did("101"), CLIENT) | nobody("no_answer") | {"rang": []}]


async def freepbx_queue(stage: Stage) -> Truth:
    """Two phones ring behind Local channels; 102 answers after 2 s, talks 3 s and hangs up."""
    await stage.phones.rings("101", Ring())
    await stage.phones.rings("102", Ring(2), Answer(), Talk(3), HangUp())
    client = await stage.phones.client_dials(did("450"), Caller(CLIENT), Talk())
    await client.done()
    call = inbound(did("450"), CLIENT) | talked("102", 3.0)
    rang = stage.rang("101", "102")
    return [call | {"queue": "450", "rang": rang, "wait_s": 2.0, "hangup_by": "callee"}]


async def freepbx_queue_abandoned(stage: Stage) -> Truth:
    """Two phones ring behind Local channels; the client gives up after 4 s."""
    for operator in ("101", "102"):
        await stage.phones.rings(operator, Ring())
    client = await stage.phones.client_dials(did("450"), Caller(CLIENT), Talk(4), HangUp())
    await client.done()
    call = inbound(did("450"), CLIENT) | nobody("abandoned")
    rang = stage.rang("101", "102")
    return [call | {"queue": "450", "rang": rang, "wait_s": 4.0, "hangup_by": "caller"}]


async def freepbx_queue_blind_transfer(stage: Stage) -> Truth:
    """102 answers the queue's call, talks 3 s and sends the client to 104, who answers and talks 3 s."""
    await stage.phones.rings("101", Ring())
    await stage.phones.rings("102", Ring(1), Answer(), Talk(3), Refer("104"), Talk())
    await stage.phones.rings("104", Ring(2), Answer(), Talk(3), HangUp())
    client = await stage.phones.client_dials(did("450"), Caller(CLIENT), Talk())
    await client.done()
    call = moved(inbound(did("450"), CLIENT), ("102", 3.0), "blind", ("104", 3.0))
    return [call | {"queue": "450", "rang": stage.rang("101", "102", "104"), "hangup_by": "callee"}]


async def freepbx_queue_attended_transfer(stage: Stage) -> Truth:
    """102 answers the queue's call, holds the client, consults 104 for 2 s and joins them; they talk 3 s."""
    await stage.phones.rings("101", Ring())
    held = await stage.phones.rings("102", Ring(1), Answer(), Talk(2), Hold(), Talk())
    await stage.phones.rings("104", Ring(1), Answer(), Talk(5), HangUp())
    client = await stage.phones.client_dials(did("450"), Caller(CLIENT), Talk())
    await stage.ami.event("Hold")
    consulting = await stage.phones.dials("102", "104", Talk())
    await stage.bridged("104")
    await stage.pause(2)
    await stage.phones.connects(held, consulting)
    await client.done()
    call = moved(inbound(did("450"), CLIENT), ("102", 5.0), "attended", ("104", 3.0))
    return [call | {"queue": "450", "rang": stage.rang("101", "102", "104"), "hangup_by": "callee"}]


async def freepbx_ring_group(stage: Stage) -> Truth:
    """A ring group calls 101 and 102 by Local channels; 101 answers after 2 s, the client hangs up."""
    await stage.phones.rings("101", Ring(2), Answer(), Talk())
    await stage.phones.rings("102", Ring())
    client = await stage.phones.client_dials(did("600"), Caller(CLIENT), Talk(3), HangUp())
    await client.done()
    call = inbound(did("600"), CLIENT) | talked("101", 3.0)
    return [call | {"queue": None, "rang": stage.rang("101", "102"), "wait_s": 2.0, "hangup_by": "caller"}]


async def freepbx_outgoing(stage: Stage) -> Truth:
    """101 dials 9 and a client's number; the client answers after 2 s, talks 3 s and hangs up."""
    await stage.phones.client_rings(Ring(2), Answer(), Talk(3), HangUp())
    operator = await stage.phones.dials("101", f"9{CLIENT}", Talk())
    await operator.done()
    return [
        {
            "direction": "out", "state": "ended", **talked("101", 3.0), "from": {"raw": "101"},
            "to": party(CLIENT), "did": None, "rang": [f"+{CLIENT}"], "wait_s": 2.0, "hangup_by": "callee",
        }
    ]  # fmt: skip
