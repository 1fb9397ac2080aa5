"""Callers out of the ordinary, unanswered calls, faults and attacks."""

from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.pbx import kill
from tests.lab.asterisk.scenario import Answer, Caller, HangUp, Refuse, Ring, Talk
from tests.lab.stories.plain import ANOTHER_CLIENT, CLIENT
from tests.lab.stories.stage import Stage, Truth, inbound, nobody, talked


async def declined(stage: Stage) -> Truth:
    """101 rings 2 s and presses Reject (603)."""
    await stage.phones.rings("101", Ring(2), Refuse(603))
    client = await stage.phones.client_dials(did("101"), Caller(CLIENT))
    await client.done()
    return [inbound(did("101"), CLIENT) | nobody("declined") | {"rang": ["101"]}]


async def no_answer(stage: Stage) -> Truth:
    """101 rings 4 s, then the PBX gives up."""
    await stage.phones.rings("101", Ring())
    client = await stage.phones.client_dials(did("901"), Caller(CLIENT))
    await client.done()
    return [inbound(did("901"), CLIENT) | nobody("no_answer") | {"rang": ["101"], "wait_s": 4.0}]


async def phone_switched_off(stage: Stage) -> Truth:
    """Nothing listens where 101's phone should be; the PBX gives up after 4 s."""
    client = await stage.phones.client_dials(did("901"), Caller(CLIENT))
    await client.done()
    return [inbound(did("901"), CLIENT) | nobody("no_answer") | {"rang": []}]


async def given_up_while_ringing(stage: Stage) -> Truth:
    """101 rings; the client gives up after 4 s."""
    await stage.phones.rings("101", Ring())
    client = await stage.phones.client_dials(did("101"), Caller(CLIENT), cancel_after_s=4)
    await client.done()
    call = inbound(did("101"), CLIENT) | nobody("abandoned")
    return [call | {"rang": ["101"], "wait_s": 4.0, "hangup_by": "caller"}]


async def anonymous(stage: Stage) -> Truth:
    """The caller hides the number; 101 answers and they talk 3 s."""
    await stage.phones.rings("101", Ring(1), Answer(), Talk())
    caller = Caller("anonymous", "Anonymous", "Privacy: id")
    client = await stage.phones.client_dials(did("101"), caller, Talk(3), HangUp())
    await client.done()
    call = inbound(did("101"), "anonymous") | talked("101", 3.0)
    return [call | {"from": {"number": None}, "rang": ["101"], "hangup_by": "caller"}]


async def restricted_with_identity(stage: Stage) -> Truth:
    """From is anonymous, but the trunk asserts the true number (RFC 3325) and asks to keep it private."""
    await stage.phones.rings("101", Ring(1), Answer(), Talk())
    headers = f"P-Asserted-Identity: <sip:{CLIENT}@[local_ip]>\nPrivacy: id"
    client = await stage.phones.client_dials(
        did("101"), Caller("anonymous", "Anonymous", headers), Talk(3), HangUp()
    )
    await client.done()
    call = inbound(did("101"), CLIENT) | talked("101", 3.0)
    del call["from"]
    return [call | {"rang": ["101"], "hangup_by": "caller"}]


async def cyrillic_name(stage: Stage) -> Truth:
    """A name in Cyrillic letters with an emoji; the number in the spelling of the country."""
    name = "Иван Петров-Ёлкин 😀"
    await stage.phones.rings("101", Ring(1), Answer(), Talk())
    client = await stage.phones.client_dials(did("101"), Caller("89161234567", name), Talk(3), HangUp())
    await client.done()
    call = inbound(did("101"), "89161234567", name) | talked("101", 3.0)
    call["from"]["number"] = f"+{CLIENT}"
    return [call | {"rang": ["101"], "hangup_by": "caller"}]


async def quotes_in_the_name(stage: Stage) -> Truth:
    """Quotes, markup and SQL in the display name."""
    name = 'O\'Brien \\"Bob\\" <b>x</b>; DROP TABLE cards--'
    await stage.phones.rings("101", Ring(1), Answer(), Talk())
    client = await stage.phones.client_dials(did("101"), Caller(CLIENT, name), Talk(2), HangUp())
    await client.done()
    call = inbound(did("101"), CLIENT) | talked("101", 2.0)
    del call["from"]["name"]
    return [call | {"rang": ["101"], "hangup_by": "caller"}]


async def caller_presents_an_extension(stage: Stage) -> Truth:
    """Somebody outside calls with the number 102; 101 answers, they talk 2 s."""
    await stage.phones.rings("101", Ring(1), Answer(), Talk())
    client = await stage.phones.client_dials(did("101"), Caller("102"), Talk(2), HangUp())
    await client.done()
    call = inbound(did("101"), "102") | talked("101", 2.0)
    return [call | {"rang": ["101"], "hangup_by": "caller"}]


async def two_at_once(stage: Stage) -> Truth:
    """The same number calls 101 and, a second later, 102; both answer and talk."""
    await stage.phones.rings("101", Ring(2), Answer(), Talk())
    await stage.phones.rings("102", Ring(2), Answer(), Talk())
    first = await stage.phones.client_dials(did("101"), Caller(CLIENT), Talk(4), HangUp())
    await stage.ringing("101")
    await stage.pause(1)
    second = await stage.phones.client_dials(did("102"), Caller(CLIENT), Talk(3), HangUp())
    await first.done()
    await second.done()
    end = {"wait_s": 2.0, "hangup_by": "caller"}
    return [
        inbound(did("101"), CLIENT) | talked("101", 4.0) | end | {"rang": ["101"]},
        inbound(did("102"), CLIENT) | talked("102", 3.0) | end | {"rang": ["102"]},
    ]


async def forged_headers(stage: Stage) -> Truth:
    """The caller's number holds CR LF and two headers: every event bears a second Event and Uniqueid."""
    await stage.phones.rings("101", Ring(1), Answer(), Talk())
    number = f"{CLIENT}%0d%0aEvent%3a%20Hangup%0d%0aUniqueid%3a%201.1"
    client = await stage.phones.client_dials(did("101"), Caller(number), Talk(3), HangUp())
    await client.done()
    call = inbound(did("101"), CLIENT) | talked("101", 3.0)
    del call["from"]
    return [call | {"rang": ["101"], "hangup_by": "caller"}]


async def forged_hangup(stage: Stage) -> Truth:
    """While a client talks to 102, an attacker's number holds a whole Hangup event of that client's channel.

    The client goes on talking, 8 s in all, and hangs up.
    """
    await stage.phones.rings("102", Ring(1), Answer(), Talk())
    victim = await stage.phones.client_dials(did("102"), Caller(ANOTHER_CLIENT), Talk(8), HangUp())
    await stage.bridged("102")
    born = next(b for b in stage.ami.events if b.get("Event") == "Newchannel")
    forged = (
        f"\r\n\r\nEvent: Hangup\r\nPrivilege: call,all\r\nChannel: {born['Channel']}\r\n"
        f"Uniqueid: {born['Uniqueid']}\r\nLinkedid: {born['Linkedid']}\r\nCause: 16\r\n\r\n"
    )
    number = CLIENT + "".join(f"%{byte:02x}" for byte in forged.encode())
    await stage.phones.rings("101", Ring(1), Answer(), Talk())
    attacker = await stage.phones.client_dials(did("101"), Caller(number), Talk(2), HangUp())
    await attacker.done()
    await victim.done()
    second = inbound(did("101"), CLIENT)
    del second["from"]
    return [
        inbound(did("102"), ANOTHER_CLIENT) | talked("102", 8.0) | {"rang": ["102"], "hangup_by": "caller"},
        second,
    ]


async def stopped_in_mid_call(stage: Stage) -> Truth:
    """The PBX is stopped (`core stop now`) after 3 s of talk."""
    await stage.phones.rings("101", Ring(1), Answer(), Talk())
    await stage.phones.client_dials(did("101"), Caller(CLIENT), Talk())
    await stage.bridged("101")
    await stage.pause(3)
    await stage.ami.command("core stop now")
    await stage.pbx.process.wait()
    call = inbound(did("101"), CLIENT) | talked("101", 3.0)
    return [call | {"rang": ["101"], "hangup_by": "system"}]


async def killed_in_mid_call(stage: Stage) -> Truth:
    """The PBX is killed after 2 s of talk: its stream just ends."""
    await stage.phones.rings("101", Ring(1), Answer(), Talk())
    await stage.phones.client_dials(did("101"), Caller(CLIENT), Talk())
    await stage.bridged("101")
    await stage.pause(2)
    await kill(stage.pbx)
    call = inbound(did("101"), CLIENT)
    del call["state"]
    return [call | {"operator": {"extension": "101"}, "rang": ["101"]}]
