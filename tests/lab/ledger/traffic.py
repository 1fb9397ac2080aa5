"""Clients call, about ten at once, each in one of several ways; who called and what came of it is known."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.phones import Phone, Phones
from tests.lab.asterisk.scenario import Answer, Caller, HangUp, Refuse, Ring, Speak, Talk


class Kind(StrEnum):
    """What becomes of a call; each kind has a phone of its own, which answers any number of calls."""

    ANSWERED = "answered"
    QUEUED = "queued"
    BUSY = "busy"
    ABANDONED = "abandoned"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    OUTGOING = "outgoing"


DISPOSITIONS: Mapping[Kind, str] = {kind: kind.value for kind in Kind} | {
    Kind.QUEUED: "answered",
    Kind.OUTGOING: "answered",
}
MANY = 100
AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """One call to be made: who is at the other end, how it goes, how long people talk or wait, in seconds."""

    client: str
    kind: Kind
    seconds: float


def plans(count: int, seconds: float) -> list[Plan]:
    """The calls in their order, all kinds in turn, each client once; each lasts `seconds` or so."""
    kinds = list(Kind)
    return [
        Plan(f"7916000{order:04d}", kinds[order % len(kinds)], seconds + order % 3 * 0.4)
        for order in range(count)
    ]


async def furnish(street: Phones, seconds: float) -> None:
    """Put up the phones that are called."""
    await street.rings("101", Ring(0.5), Answer(), Speak(880), Talk(), calls=MANY)
    for operator in ("104", "105"):
        await street.rings(operator, Ring(0.5), Answer(), Talk(), calls=MANY)
    await street.rings("106", Ring(seconds), Refuse(486), calls=MANY)
    await street.rings("107", Ring(), calls=MANY)
    await street.rings("108", Ring(), calls=MANY)
    await street.rings("109", Ring(seconds), Refuse(603), calls=MANY)
    await street.client_rings(Ring(0.5), Answer(), Talk(), calls=MANY)


async def place(street: Phones, plan: Plan) -> Phone:
    """Begin the call."""
    caller = Caller(plan.client)
    match plan.kind:
        case Kind.ANSWERED:
            return await street.client_dials(did("101"), caller, Speak(440), Talk(plan.seconds), HangUp())
        case Kind.QUEUED:
            return await street.client_dials(did("403"), caller, Talk(plan.seconds + 3), HangUp())
        case Kind.BUSY:
            return await street.client_dials(did("106"), caller)
        case Kind.ABANDONED:
            return await street.client_dials(did("107"), caller, cancel_after_s=plan.seconds)
        case Kind.NO_ANSWER:
            return await street.client_dials(did("908"), caller)
        case Kind.DECLINED:
            return await street.client_dials(did("109"), caller)
        case Kind.OUTGOING:
            return await street.dials("110", plan.client, Talk(plan.seconds), HangUp())


async def run(
    street: Phones, wanted: list[Plan], begun: Callable[[int], Awaitable[None]], at_once: int = AT_ONCE
) -> None:
    """Make all the calls; `begun(n)` is awaited when n of them have begun, before the next one does."""
    room = asyncio.Semaphore(at_once)

    async def end(phone: Phone) -> None:
        await phone.done()
        room.release()

    async with asyncio.TaskGroup() as ends:
        for number, plan in enumerate(wanted, start=1):
            await room.acquire()
            ends.create_task(end(await place(street, plan)))
            await begun(number)
