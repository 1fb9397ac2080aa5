"""Calls in every phase at once, some of which move on while nobody listens; and what must come of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.lab.asterisk.dialplan import did
from tests.lab.asterisk.scenario import Answer, Caller, HangUp, Hold, Refer, Ring, Talk
from tests.lab.stories.stage import Stage

RINGING, PICKED_UP, TALKING, LEFT = "79161230001", "79161230002", "79161230003", "79161230004"
WAITING, MENU, HELD, PARKED = "79161230005", "79161230006", "79161230007", "79161230008"
CALLED = "79161230009"

PHASES = {
    RINGING: "ringing", PICKED_UP: "ringing", TALKING: "talking", LEFT: "talking", WAITING: "queued",
    MENU: "menu", HELD: "held", PARKED: "parked", CALLED: "ringing",
}  # fmt: skip

SURE: list[str] = []
ENDED_UNSEEN = ["ended_at", "hangup_by", "hangup_cause"]
OUTCOMES: Mapping[str, Mapping[str, Any]] = {
    # Rang before and after: nothing was missed.
    RINGING: {
        "disposition": "answered", "rang": ["101"], "wait_s": 8.0, "talk_s": 1.0, "hangup_by": "callee",
        "segments": [{"extension": "101", "ring_s": 8.0, "talk_s": 1.0}], "estimated": SURE,
    },
    CALLED: {
        "direction": "out", "disposition": "answered", "wait_s": 8.0, "talk_s": 1.0, "hangup_by": "callee",
        "rang": [f"+{CALLED}"], "estimated": SURE,
    },
    WAITING: {
        "disposition": "abandoned", "queue": "403", "wait_s": 9.0, "hangup_by": "caller", "estimated": SURE,
    },
    # When it was answered is not known, that it was is.
    PICKED_UP: {
        "disposition": "answered", "rang": ["102"], "hangup_by": "system",
        "segments": [{"extension": "102"}], "estimated": ["answered_at", "wait_s", "talk_s"],
    },
    # The talk went on; whether it was on hold meanwhile is not known.
    TALKING: {
        "disposition": "answered", "rang": ["103"], "wait_s": 0.0, "hangup_by": "system",
        "segments": [{"extension": "103"}], "estimated": ["talk_s"],
    },
    HELD: {
        "disposition": "answered", "talk_s": 9.5, "hold_s": 8.0, "hangup_by": "callee",
        "segments": [{"extension": "106", "talk_s": 9.5, "hold_s": 8.0}], "estimated": ["talk_s", "hold_s"],
    },
    PARKED: {
        "disposition": "answered", "talk_s": 1.0, "operator": {"extension": "105"}, "hangup_by": "callee",
        "segments": [{"extension": "107", "talk_s": 0.5}, {"extension": "105", "talk_s": 0.5}],
        "estimated": SURE,
    },
    # These ended unseen.
    LEFT: {
        "disposition": "answered", "hangup_by": None, "segments": [{"extension": "109"}],
        "estimated": [*ENDED_UNSEEN, "talk_s"],
    },
    MENU: {
        "disposition": "abandoned", "hangup_by": None, "segments": [],
        "estimated": [*ENDED_UNSEEN, "disposition", "wait_s"],
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class EveryPhase:
    """The story; between `begin` and `finish` the link may be away for about five seconds."""

    stage: Stage

    async def begin(self) -> None:
        """Bring each call on its way into its phase."""
        street = self.stage.phones
        await street.rings("101", Ring(8), Answer(), Talk(1), HangUp())
        await street.rings("102", Ring(3.5), Answer(), Talk())
        await street.rings("103", Answer(), Talk())
        await street.rings("106", Answer(), Talk(0.5), Hold(), Talk(8), Hold(on=False), Talk(1), HangUp())
        await street.rings("107", Answer(), Talk(0.5), Refer("700"), Talk())
        await street.rings("109", Answer(), Talk())
        await street.client_rings(Ring(8), Answer(), Talk(1), HangUp())
        await street.client_dials(did("403"), Caller(WAITING), Talk(9), HangUp())
        for caller, number in (
            (RINGING, "101"), (PICKED_UP, "102"), (TALKING, "103"), (MENU, "300"), (HELD, "106"),
            (PARKED, "107"), (LEFT, "109"),
        ):  # fmt: skip
            await street.client_dials(did(number), Caller(caller), Talk())
        await street.dials("108", CALLED, Talk())

    async def in_between(self) -> None:
        """What happens unseen: one call is answered, one talk and one menu end."""
        for client in (LEFT, MENU):
            await self._hang_up(client)
        await self.stage.bridged("102")

    async def finish(self) -> None:
        """The rest: the parked client is fetched, the talks are ended by the PBX."""
        await self.stage.phones.dials("105", "701", Talk(0.5), HangUp())
        await self.stage.ami.event("UnParkedCall")
        for client in (PICKED_UP, TALKING):
            await self._hang_up(client)

    async def _hang_up(self, client: str) -> None:
        born = await self.stage.ami.event("Newchannel", CallerIDNum=client)
        await self.stage.ami.action("Hangup", Channel=born["Channel"], Cause="16")
        await self.stage.ami.event("Hangup", Uniqueid=born["Uniqueid"])


def in_phases(calls: Mapping[str, Any]) -> bool:
    """Whether each call, by its client's number, is where it is meant to be when the link goes."""
    return {number: call["state"] for number, call in calls.items()} == PHASES


def all_over(calls: Mapping[str, Any]) -> bool:
    """Whether all have ended."""
    return len(calls) == len(PHASES) and {call["state"] for call in calls.values()} == {"ended"}
