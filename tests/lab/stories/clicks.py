"""Click-to-call (AMI Originate) and what else may come of a call that an operator makes."""

from typing import Any

from tests.lab.asterisk.scenario import Answer, HangUp, Refuse, Ring, Talk
from tests.lab.stories.plain import CLIENT
from tests.lab.stories.stage import Stage, Truth, nobody, party, talked


async def click_to_call(stage: Stage) -> Truth:
    """101's phone rings 2 s and is picked up; the client rings 2 s, answers, talks 3 s and hangs up."""
    await stage.phones.rings("101", Ring(2), Answer(), Talk())
    await stage.phones.client_rings(Ring(2), Answer(), Talk(3), HangUp())
    await originate(stage)
    await stage.ami.event("OriginateResponse")
    return [outbound() | talked("101", 3.0) | {"hangup_by": "callee"}]


async def click_to_call_operator_no_answer(stage: Stage) -> Truth:
    """101 does not pick up his own phone in 4 s."""
    await stage.phones.rings("101", Ring())
    await originate(stage, timeout_ms=4000)
    await stage.ami.event("OriginateResponse")
    return [outbound() | nobody("operator_no_answer")]


async def click_to_call_operator_declined(stage: Stage) -> Truth:
    """101 presses Reject on his own phone."""
    await stage.phones.rings("101", Ring(1), Refuse(603))
    await originate(stage)
    await stage.ami.event("OriginateResponse")
    return [outbound() | nobody("operator_no_answer")]


async def click_to_call_customer_busy(stage: Stage) -> Truth:
    """101 picks up, the client is busy."""
    await stage.phones.rings("101", Ring(1), Answer(), Talk())
    await stage.phones.client_rings(Ring(1), Refuse(486))
    await originate(stage)
    await stage.ami.event("OriginateResponse")
    return [outbound() | nobody("busy")]


async def outgoing_busy(stage: Stage) -> Truth:
    """101 calls a client who is busy."""
    await stage.phones.client_rings(Ring(1), Refuse(486))
    operator = await stage.phones.dials("101", CLIENT)
    await operator.done()
    return [outbound() | nobody("busy") | {"rang": [f"+{CLIENT}"]}]


async def outgoing_given_up(stage: Stage) -> Truth:
    """The client does not pick up; 101 gives up after 4 s."""
    await stage.phones.client_rings(Ring())
    operator = await stage.phones.dials("101", CLIENT, cancel_after_s=4)
    await operator.done()
    return [outbound() | nobody("abandoned") | {"rang": [f"+{CLIENT}"], "hangup_by": "caller"}]


async def outgoing_unknown_number(stage: Stage) -> Truth:
    """The trunk says that there is no such number (404)."""
    await stage.phones.client_rings(Refuse(404))
    operator = await stage.phones.dials("101", CLIENT)
    await operator.done()
    return [outbound() | nobody("failed") | {"rang": []}]


async def outgoing_trunk_down(stage: Stage) -> Truth:
    """The trunk answers 503."""
    await stage.phones.client_rings(Refuse(503))
    operator = await stage.phones.dials("101", CLIENT)
    await operator.done()
    return [outbound() | nobody("failed") | {"rang": []}]


async def originate(stage: Stage, timeout_ms: int = 20000) -> None:
    """Ask the PBX to ring 101 and then the client, as a desk does."""
    await stage.ami.action(
        "Originate", Channel="PJSIP/101", Context="from-internal", Exten=CLIENT, Priority="1",
        CallerID=CLIENT, Timeout=str(timeout_ms), Async="true", ActionID="click-1",
    )  # fmt: skip


def outbound() -> dict[str, Any]:
    """The part of a Call from 101 to the client that is sure from the start."""
    return {"direction": "out", "state": "ended", "from": {"raw": "101"}, "to": party(CLIENT), "did": None}
