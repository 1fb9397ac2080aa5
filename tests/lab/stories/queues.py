"""Queues, the menu and voicemail."""

from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.scenario import Answer, Caller, Dtmf, HangUp, Refuse, Ring, Speak, Talk
from tests.lab.stories.plain import CLIENT
from tests.lab.stories.stage import Stage, Truth, inbound, nobody, talked


async def queue_timeout_then_direct(stage: Stage) -> Truth:
    """Three phones ring in the queue for 6 s in vain; the PBX then rings 105, who answers and talks 3 s."""
    for operator in ("101", "102", "103"):
        await stage.phones.rings(operator, Ring())
    await stage.phones.rings("105", Ring(2), Answer(), Talk())
    client = await stage.phones.client_dials(did("490"), Caller(CLIENT), Talk(11.5), HangUp())
    await client.done()
    call = inbound(did("490"), CLIENT) | talked("105", 3.0)
    return [call | {"rang": stage.rang("101", "102", "103", "105"), "hangup_by": "caller"}]


async def queue_linear(stage: Stage) -> Truth:
    """101 does not pick up in 4 s, then 102 does, 2 s later; they talk 3 s, 102 hangs up."""
    await stage.phones.rings("101", Ring())
    await stage.phones.rings("102", Ring(2), Answer(), Talk(3), HangUp())
    await stage.phones.rings("103", Ring())
    client = await stage.phones.client_dials(did("401"), Caller(CLIENT), Talk())
    await client.done()
    call = inbound(did("401"), CLIENT) | talked("102", 3.0)
    return [call | {"queue": "401", "rang": stage.rang("101", "102"), "hangup_by": "callee"}]


async def queue_declined_then_answered(stage: Stage) -> Truth:
    """101 presses Reject, 102 and 103 ring on; 103 answers, the client hangs up after 3 s."""
    await stage.phones.rings("101", Ring(1), Refuse(603))
    await stage.phones.rings("102", Ring())
    await stage.phones.rings("103", Ring(3), Answer(), Talk())
    client = await stage.phones.client_dials(did("400"), Caller(CLIENT), Talk(6.5), HangUp())
    await client.done()
    call = inbound(did("400"), CLIENT) | talked("103", 3.0)
    return [call | {"queue": "400", "rang": stage.rang("101", "102", "103"), "hangup_by": "caller"}]


async def queue_member_unreachable(stage: Stage) -> Truth:
    """101 and 103 are switched off; only 102 rings, answers, talks 3 s and hangs up."""
    await stage.phones.rings("102", Ring(2), Answer(), Talk(3), HangUp())
    client = await stage.phones.client_dials(did("400"), Caller(CLIENT), Talk())
    await client.done()
    call = inbound(did("400"), CLIENT) | talked("102", 3.0)
    return [call | {"queue": "400", "rang": ["102"], "wait_s": 2.5, "hangup_by": "callee"}]


async def queue_local_members(stage: Stage) -> Truth:
    """Members behind Local channels: 101 and 102 ring, 102 answers, talks 3 s and hangs up."""
    await stage.phones.rings("101", Ring())
    await stage.phones.rings("102", Ring(2), Answer(), Talk(3), HangUp())
    client = await stage.phones.client_dials(did("402"), Caller(CLIENT), Talk())
    await client.done()
    call = inbound(did("402"), CLIENT) | talked("102", 3.0)
    return [call | {"queue": "402", "rang": stage.rang("101", "102"), "hangup_by": "callee"}]


async def menu_then_queue(stage: Stage) -> Truth:
    """The client hears the menu 2 s, presses 1, waits in the queue; 101 answers after 2 s, they talk 3 s."""
    await stage.phones.rings("101", Ring(2), Answer(), Talk(3), HangUp())
    for operator in ("102", "103"):
        await stage.phones.rings(operator, Ring())
    client = await stage.phones.client_dials(did("300"), Caller(CLIENT), Talk(2), Dtmf("1"), Talk())
    await client.done()
    call = inbound(did("300"), CLIENT) | talked("101", 3.0)
    return [call | {"queue": "400", "rang": stage.rang("101", "102", "103"), "hangup_by": "callee"}]


async def menu_then_operator(stage: Stage) -> Truth:
    """The client presses 2 in the menu; 101 rings 2 s, answers, talks 3 s and hangs up."""
    await stage.phones.rings("101", Ring(2), Answer(), Talk(3), HangUp())
    client = await stage.phones.client_dials(did("300"), Caller(CLIENT), Talk(2), Dtmf("2"), Talk())
    await client.done()
    return [inbound(did("300"), CLIENT) | talked("101", 3.0) | {"rang": ["101"], "hangup_by": "callee"}]


async def menu_abandoned(stage: Stage) -> Truth:
    """The client listens to the menu for 3 s and hangs up."""
    client = await stage.phones.client_dials(did("300"), Caller(CLIENT), Talk(3), HangUp())
    await client.done()
    return [inbound(did("300"), CLIENT) | nobody("abandoned") | {"rang": [], "hangup_by": "caller"}]


async def voicemail(stage: Stage) -> Truth:
    """101 does not pick up in 4 s; the client speaks on the voicemail and hangs up."""
    await stage.phones.rings("101", Ring())
    client = await stage.phones.client_dials(did("601"), Caller(CLIENT), Speak(), Talk(6), HangUp())
    await client.done()
    return [inbound(did("601"), CLIENT) | nobody("voicemail") | {"rang": ["101"], "hangup_by": "caller"}]


async def abandoned_with_all_phones_off(stage: Stage) -> Truth:
    """No phone of the queue can be reached; the client waits 4 s and leaves."""
    client = await stage.phones.client_dials(did("400"), Caller(CLIENT), Talk(4), HangUp())
    await client.done()
    call = inbound(did("400"), CLIENT) | nobody("abandoned")
    return [call | {"queue": "400", "rang": [], "wait_s": 4.0, "hangup_by": "caller"}]
