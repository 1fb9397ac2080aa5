"""What a story has at hand: the PBX, the phones round it, and a manager session that sees what happens."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from tests.lab.asterisk.ami import Ami, Block
from tests.lab.asterisk.pbx import Pbx
from tests.lab.asterisk.phones import Phones

Truth = list[dict[str, Any]]
"""Business calls as the contract's Call, in order of start; only what is sure."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A PBX of its own, its phones, and a session of the all-seeing AMI user."""

    pbx: Pbx
    phones: Phones
    ami: Ami

    async def ringing(self, extension: str) -> Block:
        """Wait until that operator's phone rings."""
        return await self.state(f"PJSIP/{extension}-", "5")

    def rang(self, *extensions: str) -> list[str]:
        """These extensions in the order in which the PBX told of their ringing.

        Phones called at once answer the PBX in any order; that each one rang is the story's own knowledge.
        """
        told = [
            b["Channel"] for b in self.ami.events if b.get("Event") == "Newstate" and b["ChannelState"] == "5"
        ]

        def first(extension: str) -> int:
            return next(i for i, channel in enumerate(told) if channel.startswith(f"PJSIP/{extension}-"))

        return sorted(extensions, key=first)

    async def bridged(self, extension: str) -> Block:
        """Wait until that operator talks with somebody."""

        def talking(block: Block) -> bool:
            return block.get("Event") == "BridgeEnter" and block.get("Channel", "").startswith(
                f"PJSIP/{extension}-"
            )

        return await self.ami.until(lambda: next(filter(talking, self.ami.events), None))

    async def pause(self, seconds: float) -> None:
        """Let the people talk, ring or wait."""
        await asyncio.sleep(seconds)

    async def state(self, channel: str, state: str) -> Block:
        """Wait for the first channel whose name begins so to reach a state (5 ringing, 6 up)."""

        def reached(block: Block) -> bool:
            return (
                block.get("Event") == "Newstate"
                and block.get("ChannelState") == state
                and block.get("Channel", "").startswith(channel)
            )

        return await self.ami.until(lambda: next(filter(reached, self.ami.events), None))


Story = Callable[[Stage], Awaitable[Truth]]


def party(raw: str, name: str | None = None) -> dict[str, Any]:
    """A side of a call as the contract has it; numbers of ten digits and more are Russian ones."""
    number = f"+{raw}" if raw.isdigit() and len(raw) == 11 else None
    return {"number": number, "raw": raw, "name": name}


def inbound(did: str, caller: str, name: str | None = None) -> dict[str, Any]:
    """The part of an inbound Call that is known before anybody picks up."""
    return {
        "direction": "in",
        "state": "ended",
        "from": party(caller, name),
        "to": {"number": f"+{did}", "raw": did},
        "did": f"+{did}",
    }


def talked(extension: str, seconds: float) -> dict[str, Any]:
    """Who talked last and how long, for calls with one conversation."""
    return {
        "disposition": "answered",
        "operator": {"extension": extension},
        "talk_s": seconds,
        "segments": [{"extension": extension, "talk_s": seconds}],
    }


def nobody(disposition: str) -> dict[str, Any]:
    """The end of a call in which nobody talked."""
    return {"disposition": disposition, "operator": None, "answered_at": None, "talk_s": 0.0}


def moved(
    call: dict[str, Any],
    first: tuple[str, float | None],
    kind: str,
    second: tuple[str, float | None],
    *,
    to: str | None = None,
    result: str = "answered",
) -> dict[str, Any]:
    """A call that went from one operator to another; (extension, seconds of talk or None) each."""
    segments = [{"extension": who, "talk_s": talk} for who, talk in (first, second)]
    talks = [talk for _, talk in (first, second) if talk is not None]
    call |= {"disposition": "answered", "operator": {"extension": second[0]}, "segments": segments}
    call["rang"] = [first[0], second[0]]
    call["transfers"] = [{"kind": kind, "from": first[0], "to": to or second[0], "result": result}]
    if len(talks) == len(segments):
        return call | {"talk_s": sum(talks)}
    for segment in segments:
        del segment["talk_s"]
    return call
