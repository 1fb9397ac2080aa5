"""One PBX followed over AMI, from connecting until the link is lost: `run` is one such time.

Events wait while a snapshot of the PBX is laid over what our books hold as live, so that calls which began
or ended unseen are known too. Then: take what waits, let the tracker judge it, have the intake make it
durable. Reading goes on meanwhile; what arrives waits in the link.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial

from connectors.asterisk import catchup_sources, failures
from connectors.asterisk.ami import Arrival, Link, Timing, Wanted, connect
from connectors.asterisk.catchup import CatchUp, Patience
from connectors.asterisk.settings import AsteriskSettings
from connectors.asterisk.snapshot import alive_among, calls_pass_unseen, died_with_the_pbx, take_snapshot
from connectors.asterisk.tracker import EVENTS, NEEDED, Tracker
from gateway.domain.calls import CallEvent, PbxRules, lost
from gateway.domain.errors import NeedsAdministrator, PerezvonError
from gateway.domain.ports import Clock, Intake, LinkReport, LinkState

log = logging.getLogger(__name__)

BATCH = 256
"""Events judged before their outcome is stored in one transaction."""
_MAY_BE_HONEST = "unlikely"
"""The tracker's word for hangups that did not fit; the PBX is asked about each."""
_CALL_EVENTS = frozenset({"Newchannel", "Newstate", "Hangup", "DialBegin", "BridgeEnter"})


def utc_now() -> datetime:
    """The time now."""
    return datetime.now(UTC)


@dataclass
class AsteriskConnector:
    """Follows one PBX. `country` (ISO 3166) is for numbers dialled without a country code."""

    settings: AsteriskSettings
    intake: Intake
    report: LinkReport
    country: str = "RU"
    clock: Clock = utc_now
    timing: Timing = field(default_factory=Timing)
    patience: Patience = field(default_factory=Patience)
    """With the PBX's records."""
    following: "Following | None" = field(default=None, init=False)
    """The link being followed, or followed last."""

    async def run(self) -> None:
        """Follow the PBX until the link is lost; each run is a new connection and a new tracker.

        Never returns: raises TemporaryFailure with the reason, NeedsAdministrator when only a person can
        mend it.
        """
        self.report(LinkState.CONNECTING)
        wanted = Wanted(EVENTS, NEEDED)
        async with connect(self.settings, wanted, clock=self.clock, timing=self.timing) as link:
            rules = rules_of(self.settings, self.country)
            self.following = following = Following(self, link, Tracker(rules))
            if catchup_sources.configured(self.settings):
                following.catch_up = self._catch_up(rules, following.tracker)
            await following.restore()
            following.tell()
            await self._follow(following)

    async def _follow(self, following: "Following") -> None:
        try:
            async with asyncio.TaskGroup() as group:
                if following.catch_up is not None:
                    group.create_task(following.catch_up.run())
                while True:
                    await following.step()
        except BaseExceptionGroup as failures_:
            # The first tells why; the other side was only ended by it.
            raise failures_.exceptions[0] from None

    def _catch_up(self, rules: PbxRules, tracker: Tracker) -> CatchUp:
        return CatchUp(
            rules,
            self.intake,
            partial(catchup_sources.opened, self.settings),
            tracker.follows,
            lambda: tracker.clock_offset_s,
            self.clock,
            self.settings.catch_up_s,
            self.patience,
        )


@dataclass
class Following:
    """One link being followed."""

    of: AsteriskConnector
    link: Link
    tracker: Tracker
    denied: list[NeedsAdministrator] = field(default_factory=list)
    """Rights that are missing; what they do not hinder goes on."""
    hears_calls: bool = False
    """Whether an event of a call has ever come; until then a missing read class would go unnoticed."""
    catch_up: CatchUp | None = None
    """Where the PBX's records are there for us."""
    told: tuple[str, str] = ("", "")
    told_offset_s: float | None = None

    def __post_init__(self) -> None:
        self.ticked = self.probed = self.of.clock()

    async def restore(self) -> None:
        """Bring tracker and books to what is alive on the PBX now."""
        known = await self.of.intake.live_calls(self.of.settings.name)
        asked = self.of.clock()
        seen = await take_snapshot(self.link)
        self.denied += seen.denied
        now = self.of.clock()
        self._keep_time()
        happened: list[CallEvent] = []
        if seen.uptime_s is not None and seen.complete:
            booted = now - timedelta(seconds=seen.uptime_s)
            dead = died_with_the_pbx(known, seen.channels, booted)
            happened += [lost(call, booted) for call in dead]
            known = [call for call in known if call not in dead]
        self.tracker.restore(known)
        if seen.complete:
            happened += self.tracker.snapshot(seen.channels, seen.queue_entries, self._theirs(asked))
        await self._store(happened)

    async def step(self) -> None:
        """Take what waits, judge it, store the outcome; then what is due by time."""
        arrivals = await self.link.take(BATCH, wait_s=self.of.timing.tick_s)
        now = self.of.clock()
        self._keep_time()
        happened: list[CallEvent] = []
        for arrival in arrivals:
            at = self._theirs(arrival.at)
            for event in arrival.events:
                happened += self.tracker.feed(event, at)
        if due(now, self.ticked, self.of.timing.tick_s):
            self.ticked = now
            happened += self.tracker.tick(self._theirs(now))
        if self.tracker.wants_confirmation:
            happened += await self._confirm()
        await self._store(happened)
        await self._probe(now, arrivals)
        self.tell()

    def tell(self) -> None:
        """Report how the link stands, where that is news; what a person must mend is logged once."""
        detail, remedy = self._standing()
        offset = self.link.clock_offset_s
        if (detail, remedy) == self.told and not _differs(offset, self.told_offset_s, 0.5):
            return
        state = LinkState.NEEDS_ADMINISTRATOR if remedy else LinkState.UP
        self.of.report(state, detail, remedy=remedy, clock_offset_s=offset)
        if remedy and (detail, remedy) != self.told:
            name = self.of.settings.name
            log.warning("%s: %s; %s", name, detail, remedy, extra={"connector": name})
        self.told, self.told_offset_s = (detail, remedy), offset

    def _standing(self) -> tuple[str, str]:
        problems = [*self.denied, *(self.catch_up.problems if self.catch_up else ())]
        if not self.link.booted:
            problems.append(failures.classes()["system"])
        if any(count for reason, count in self.tracker.suspicious.items() if reason != _MAY_BE_HONEST):
            problems.append(failures.forged_events())
        if not problems:
            return f"AMI {self.link.version}", ""
        remedies = dict.fromkeys(problem.remedy for problem in problems)
        return "; ".join(dict.fromkeys(map(str, problems))), "; ".join(remedies)

    async def _confirm(self) -> list[CallEvent]:
        """Ask the PBX about channels whose end does not fit what we know: a caller can forge events through
        a SIP header.
        """
        doubtful = tuple(self.tracker.wants_confirmation)
        alive = await alive_among(self.link, doubtful)
        now = self._theirs(self.of.clock())
        return [event for one in doubtful for event in self.tracker.confirm(one, one in alive, now)]

    def _theirs(self, ours: datetime) -> datetime:
        """The same moment by the PBX's clock."""
        return ours - timedelta(seconds=self.tracker.clock_offset_s)

    def _keep_time(self) -> None:
        """Let the tracker correct times by the measured offset; small unrest of it stays out of the books."""
        offset = self.link.clock_offset_s
        if offset is not None and _differs(offset, -self.tracker.clock_offset_s, 0.05):
            self.tracker.clock_offset_s = -offset

    async def _probe(self, now: datetime, arrivals: Sequence[Arrival]) -> None:
        """Until the first event of a call: look whether calls pass without any."""
        if self.hears_calls:
            return
        self.hears_calls = any(
            event.get("Event") in _CALL_EVENTS for come in arrivals for event in come.events
        )
        every = self.of.timing.rights_probe_s
        if self.hears_calls or not due(now, self.probed, every):
            return
        self.probed = now
        if await calls_pass_unseen(self.link, every):
            self.hears_calls = True
            self.denied.append(failures.classes()["call"])

    async def _store(self, happened: Sequence[CallEvent]) -> None:
        if self.catch_up is not None:
            happened = self.catch_up.hold(happened)
        if happened:
            await self.of.intake.calls_happened(happened)


def rules_of(settings: AsteriskSettings, country: str) -> PbxRules:
    """What the tracker must know of this PBX."""
    return PbxRules(settings.name, settings.trunks, settings.interface, country)


def due(now: datetime, last: datetime, every_s: float) -> bool:
    """Whether `every_s` seconds have passed since `last`."""
    return (now - last).total_seconds() >= every_s


async def check(
    settings: AsteriskSettings, *, clock: Clock = utc_now, timing: Timing | None = None
) -> list[str]:
    """What is wrong with this PBX's configuration or ours, each with its remedy; empty when all is well."""
    try:
        async with connect(settings, Wanted(), clock=clock, timing=timing) as link:
            seen = await take_snapshot(link)
            denied = [*seen.denied]
            if seen.uptime_s is None:
                denied.append(failures.classes()["system"])
            denied += await catchup_sources.check(settings, clock().timestamp() - settings.catch_up_s)
            problems = list(dict.fromkeys(f"{problem}: {problem.remedy}" for problem in denied))
            if link.clock_offset_s is not None and abs(link.clock_offset_s) > 2:
                ahead = "ahead of" if link.clock_offset_s > 0 else "behind"
                apart = f"{abs(link.clock_offset_s):.0f} s {ahead} ours"
                problems.append(f"the PBX's clock is {apart}: let both machines run NTP")
            return problems
    except NeedsAdministrator as failure:
        return [f"{failure}: {failure.remedy}"]
    except PerezvonError as failure:
        return [str(failure)]


def _differs(offset: float | None, known: float | None, by_s: float) -> bool:
    if offset is None or known is None:
        return offset is not known
    return abs(offset - known) > by_s
