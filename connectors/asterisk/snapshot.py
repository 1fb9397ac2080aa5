"""What is alive on the PBX: asked when a link is new, and when an event is not to be believed."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from connectors.asterisk.actions import core_show_channels, queue_status, status
from connectors.asterisk.ami import Link
from connectors.asterisk.framing import Message
from connectors.asterisk.rights import missing_classes
from gateway.domain.calls import Call
from gateway.domain.errors import NeedsAdministrator, PerezvonError, PermanentFailure

log = logging.getLogger(__name__)

_ONE_BY_ONE = 3
"""Channels asked for singly; more are looked up in one list."""
_BOOT_SLACK = timedelta(seconds=2)
"""Uptime comes in whole seconds, and our clock's distance to the PBX's is measured, not known."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is alive on the PBX, and what it did not let us see."""

    channels: Sequence[Message] = ()
    queue_entries: Sequence[Message] = ()
    uptime_s: float | None = None
    denied: Sequence[NeedsAdministrator] = ()
    complete: bool = True
    """False when live channels may be missing."""


async def take_snapshot(link: Link) -> Snapshot:
    """What is alive on the PBX now; a missing right is named in it rather than raised."""
    denied: list[NeedsAdministrator] = []
    channels: Sequence[Message] = ()
    entries: Sequence[Message] = ()
    complete = False
    try:
        channels = await link.list_action(core_show_channels())
        complete = True
    except NeedsAdministrator as refusal:
        denied.append(refusal)
    try:
        entries = await link.list_action(queue_status())
    except PermanentFailure:
        log.info("the PBX has no queues (app_queue is not loaded)")
    except NeedsAdministrator as refusal:
        denied.append(refusal)
    denied += await missing_classes(link)
    uptime = await link.uptime_s()
    entries = [entry for entry in entries if entry.get("Event") == "QueueEntry"]
    return Snapshot(channels, entries, uptime, denied, complete)


def died_with_the_pbx(known: Iterable[Call], channels: Iterable[Message], booted: datetime) -> list[Call]:
    """Calls older than the PBX's boot of which no channel is left.

    FullyBooted comes at every login; only an Uptime shorter than a call's age says that the PBX restarted.
    """
    alive = {channel.get("Uniqueid") for channel in channels if isinstance(channel.get("Uniqueid"), str)}
    return [
        call
        for call in known
        if call.started_at < booted - _BOOT_SLACK and not alive.intersection((*call.legs, call.linkedid))
    ]


async def alive_among(link: Link, uniqueids: Sequence[str]) -> set[str]:
    """Which of these channels are alive; without the right to ask, an event's word is taken: none."""
    try:
        if len(uniqueids) > _ONE_BY_ONE:
            rows = await link.list_action(core_show_channels())
            return {str(row.get("Uniqueid")) for row in rows}.intersection(uniqueids)
        return {uniqueid for uniqueid in uniqueids if await _lives(link, uniqueid)}
    except NeedsAdministrator:
        return set()


async def _lives(link: Link, uniqueid: str) -> bool:
    try:
        rows = await link.list_action(status(uniqueid))
    except PermanentFailure:
        return False
    return any(row.get("Uniqueid") == uniqueid for row in rows)


async def calls_pass_unseen(link: Link, younger_than_s: float) -> bool:
    """Whether channels were made lately; asked when no event has told of any."""
    try:
        rows = await link.list_action(core_show_channels())
    except PerezvonError:
        return False
    return any(_seconds(str(row.get("Duration", ""))) < younger_than_s for row in rows)


def _seconds(face: str) -> float:
    """Seconds of a Duration such as 00:01:05."""
    hours, minutes, seconds = ([*face.split(":"), "", "", ""])[:3]
    if not (hours.isdigit() and minutes.isdigit() and seconds.isdigit()):
        return float("inf")
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds)
