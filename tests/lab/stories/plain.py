"""The everyday calls: in, queued, busy, given up, between colleagues, out."""

from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.scenario import Answer, Caller, HangUp, Refuse, Ring, Talk
from tests.lab.stories.stage import Stage, Truth, inbound, nobody, party, talked

CLIENT = "79161234567"
ANOTHER_CLIENT = "79265550142"


async def direct(stage: Stage) -> Truth:
    """An unknown number calls 101's own number; 101 answers after 3 s, they talk 6 s, the client hangs up."""
    await stage.phones.rings("101", Ring(3), Answer(), Talk())
    client = await stage.phones.client_dials(did("101"), Caller(CLIENT), Talk(6), HangUp())
    await client.done()
    return [
        inbound(did("101"), CLIENT)
        | talked("101", 6.0)
        | {"rang": ["101"], "wait_s": 3.0, "hangup_by": "caller"}
    ]


async def queue_of_three(stage: Stage) -> Truth:
    """Three phones ring at once; 102 picks up after 3 s, talks 6 s and hangs up."""
    for operator, steps in (
        ("101", (Ring(),)),
        ("102", (Ring(3), Answer(), Talk(6), HangUp())),
        ("103", (Ring(),)),
    ):
        await stage.phones.rings(operator, *steps)
    client = await stage.phones.client_dials(did("400"), Caller(CLIENT, "Ivan Petrov"), Talk())
    await client.done()
    call = inbound(did("400"), CLIENT, "Ivan Petrov") | talked("102", 6.0)
    return [
        call | {"queue": "400", "rang": stage.rang("101", "102", "103"), "wait_s": 3.0, "hangup_by": "callee"}
    ]


async def busy(stage: Stage) -> Truth:
    """101 is busy (486)."""
    await stage.phones.rings("101", Refuse(486))
    client = await stage.phones.client_dials(did("101"), Caller(CLIENT))
    await client.done()
    return [inbound(did("101"), CLIENT) | nobody("busy") | {"rang": []}]


async def abandoned(stage: Stage) -> Truth:
    """The client hears the queue for 5 s, while three phones ring, and gives up."""
    for operator in ("101", "102", "103"):
        await stage.phones.rings(operator, Ring())
    client = await stage.phones.client_dials(did("400"), Caller(ANOTHER_CLIENT), Talk(5), HangUp())
    await client.done()
    call = inbound(did("400"), ANOTHER_CLIENT) | nobody("abandoned")
    return [
        call | {"queue": "400", "rang": stage.rang("101", "102", "103"), "wait_s": 5.0, "hangup_by": "caller"}
    ]


async def internal(stage: Stage) -> Truth:
    """101 calls 102, who answers after 2 s; they talk 4 s and 101 hangs up."""
    await stage.phones.rings("102", Ring(2), Answer(), Talk())
    colleague = await stage.phones.dials("101", "102", Talk(4), HangUp())
    await colleague.done()
    return [
        {
            "direction": "internal", "state": "ended", "disposition": "answered",
            "from": party("101", "Operator 101"), "to": {"number": None, "raw": "102"}, "did": None,
            "rang": ["102"], "wait_s": 2.0, "talk_s": 4.0, "hangup_by": "caller",
        }
    ]  # fmt: skip


async def outgoing(stage: Stage) -> Truth:
    """101 calls a client through the trunk; the client answers after 3 s, talks 5 s and hangs up."""
    await stage.phones.client_rings(Ring(3), Answer(), Talk(5), HangUp())
    operator = await stage.phones.dials("101", CLIENT, Talk())
    await operator.done()
    return [
        {
            "direction": "out", "state": "ended", **talked("101", 5.0), "from": {"raw": "101"},
            "to": {"number": f"+{CLIENT}", "raw": CLIENT}, "did": None,
            "rang": [f"+{CLIENT}"], "wait_s": 3.0, "hangup_by": "callee",
        }
    ]  # fmt: skip
