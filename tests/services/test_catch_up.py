"""What a PBX wrote down becomes calls, cards, leads and contacts afterwards: once each, on both engines."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Connection, DateTime, Integer, MetaData, String, Table, insert, select
from sqlalchemy.ext.asyncio import create_async_engine

from config.secret import Secret
from connectors.asterisk import catchup_sources
from connectors.asterisk.catchup import CatchUp, Patience
from connectors.asterisk.records_rows import Cdr
from connectors.asterisk.settings import AsteriskSettings
from gateway.domain.calls import Call, CallEvent, CallEventType, CallState, Disposition
from gateway.services import calls as calls_service
from gateway.store.tables import calls, contacts
from tests.services.conftest import Office
from tests.unit.asterisk.recorded import RULES, file_of, parsed, seen

HASTY = Patience(poll_s=0.05, hurry_s=0.02, held_s=0.5, settle_s=0.1, stale_s=0.3)
STORIES = ("abandoned", "outgoing", "menu-then-queue", "attended-transfer", "click-to-call", "declined")
"""One after the other: each was recorded on a PBX of its own, whose channels have the same names."""
ALL = ("cdr", "cel", "queue_log")


@dataclass
class Pbx:
    """The folder of a PBX's records, and what of it is alive."""

    folder: Path
    office: Office
    alive: frozenset[str] = frozenset()
    catch_up: CatchUp | None = None

    def writes(self, stories: Iterable[str], sources: Iterable[str] = ALL) -> None:
        for story in stories:
            for source in sources:
                with (self.folder / source).open("ab") as file:
                    file.write(file_of(story, source))

    def settings(self, sources: Iterable[str] = ALL, **more: Any) -> AsteriskSettings:
        files: dict[str, Any] = {source: str(self.folder / source) for source in sources}
        return AsteriskSettings(
            kind="asterisk", name="pbx1", username="perezvon", secret=Secret("x"), **files, **more
        )

    @asynccontextmanager
    async def caught_up(self, settings: AsteriskSettings) -> AsyncIterator[CatchUp]:
        self.catch_up = CatchUp(
            RULES, self.office.intake, partial(catchup_sources.opened, settings),
            lambda channels: not self.alive.isdisjoint(channels), lambda: 0.0,
            lambda: datetime(2026, 11, 24, 5, tzinfo=UTC), 86400, HASTY,
        )  # fmt: skip
        task = asyncio.create_task(self.catch_up.run())
        try:
            yield self.catch_up
        finally:
            if task.done():
                task.result()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def books(self, fits: Callable[[Sequence[Call]], bool]) -> list[Call]:
        """The calls in order of start, once they are as wanted."""

        def work(tx: Connection) -> list[Call]:
            rows = tx.execute(select(calls).where(calls.c.merged_into.is_(None)).order_by(calls.c.started_at))
            return [calls_service.decoded(row) for row in rows]

        async with asyncio.timeout(10):
            # Nobody announces that nothing more will come; a look costs a millisecond.
            while not fits(found := await self.office.store.read(work)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return found


@pytest.fixture
def pbx(tmp_path: Path, office: Office) -> Pbx:
    folder = tmp_path / "records"
    folder.mkdir()
    return Pbx(folder, office)


def so_many(count: int) -> Callable[[Sequence[Call]], bool]:
    return lambda found: len(found) >= count and all(call.state is CallState.ENDED for call in found)


def outcomes(found: Iterable[Call]) -> set[tuple[str, Disposition | None]]:
    return {(call.id, call.disposition) for call in found}


WATCHED = outcomes(call for story in STORIES for call in seen(story))


async def told(office: Office) -> Sequence[str]:
    return [
        fact.type for fact in await office.facts("call.started", "call.ended", "card.opened", "lead.updated")
    ]


@pytest.mark.parametrize("sources", [ALL, ("cel",), ("cdr", "queue_log")])
async def test_calls_that_nobody_saw_are_in_the_books_once_each(pbx: Pbx, sources: Sequence[str]) -> None:
    pbx.writes(STORIES, sources)
    async with pbx.caught_up(pbx.settings(sources)):
        found = await pbx.books(so_many(len(STORIES)))
    certain = {call.id for call in found if "disposition" not in call.estimated}
    assert {one for one in outcomes(found) if one[0] in certain} == {o for o in WATCHED if o[0] in certain}
    assert {call.id for call in found} == {id_ for id_, _ in WATCHED}
    facts = await told(pbx.office)
    assert facts.count("call.ended") == len(STORIES)
    assert "card.opened" not in facts

    async with pbx.caught_up(pbx.settings(sources)):
        pbx.writes(("anonymous",), sources)
        again = await pbx.books(so_many(len(STORIES) + 1))
    assert again[: len(STORIES)] == found
    assert (await told(pbx.office)).count("call.ended") == len(STORIES) + 1


async def test_records_read_a_second_time_double_nothing(pbx: Pbx) -> None:
    pbx.writes(STORIES)
    async with pbx.caught_up(pbx.settings()):
        found = await pbx.books(so_many(len(STORIES)))
    await pbx.office.intake.calls_found("pbx1", (), "{}")
    before = await told(pbx.office)
    async with pbx.caught_up(pbx.settings()):
        # The last of them; it is told after the others have been read again.
        pbx.writes(("anonymous",))
        again = await pbx.books(so_many(len(STORIES) + 1))
    assert again[:-1] == found
    assert (await told(pbx.office)).count("call.ended") == before.count("call.ended") + 1


async def test_a_missed_call_found_later_leaves_an_abandoned_contact_and_a_lead(pbx: Pbx) -> None:
    pbx.writes(("abandoned",))
    async with pbx.caught_up(pbx.settings()):
        await pbx.books(so_many(1))
    rows = await pbx.office.store.read(lambda tx: tx.execute(select(contacts)).all())
    assert [(row.state, row.channel) for row in rows] == [("abandoned", "voice")]
    assert "lead.updated" in await told(pbx.office)


async def test_a_call_that_is_alive_is_left_alone_and_one_seen_to_its_end_is_not_changed(pbx: Pbx) -> None:
    (direct,), (internal,) = seen("direct"), seen("internal")
    own = replace(internal, talk_s=4.444)
    await pbx.office.intake.calls_happened([CallEvent(CallEventType.ENDED, own, own.started_at)])
    pbx.alive = frozenset(direct.legs)
    pbx.writes(("direct", "internal", "declined"))
    async with pbx.caught_up(pbx.settings()):
        found = await pbx.books(so_many(2))
        assert direct.id not in {call.id for call in found}
        assert own in found
        pbx.alive = frozenset()
        found = await pbx.books(so_many(3))
    assert direct.id in {call.id for call in found}


async def test_a_call_that_ended_unseen_gets_the_true_values_of_its_records(pbx: Pbx) -> None:
    (whole,) = seen("direct")
    talking = replace(
        whole, state=CallState.TALKING, ended_at=None, disposition=None, hangup_by=None, hangup_cause=None,
        talk_s=1.0, segments=tuple(replace(s, end=None, talk_s=1.0) for s in whole.segments),
    )  # fmt: skip
    await pbx.office.intake.calls_happened(
        [CallEvent(CallEventType.ANSWERED, talking, whole.started_at, "101")]
    )
    async with pbx.caught_up(pbx.settings()) as catch_up:
        vanished = replace(
            talking,
            state=CallState.ENDED,
            ended_at=datetime(2026, 11, 24, 5, tzinfo=UTC),
            estimated=("ended_at",),
        )
        assert catch_up.hold([CallEvent(CallEventType.ENDED, vanished, whole.started_at)]) == []
        pbx.writes(("direct",))
        (call,) = await pbx.books(so_many(1))
    assert (call.disposition, call.hangup_by) == (whole.disposition, whole.hangup_by)
    assert set(call.estimated) <= {"hold_s"}
    assert call.talk_s == pytest.approx(whole.talk_s, abs=0.1)
    assert whole.ended_at is not None
    assert call.ended_at is not None
    assert abs(call.ended_at - whole.ended_at).total_seconds() < 0.1


async def test_an_end_whose_records_never_come_is_told_as_it_was_inferred(pbx: Pbx) -> None:
    (whole,) = seen("direct")
    vanished = replace(whole, estimated=("ended_at", "talk_s"))
    async with pbx.caught_up(pbx.settings()) as catch_up:
        assert catch_up.hold([CallEvent(CallEventType.ENDED, vanished, whole.started_at)]) == []
        (call,) = await pbx.books(so_many(1))
    assert call == vanished


async def test_a_file_that_may_not_be_read_is_told_and_the_others_are_read(pbx: Pbx) -> None:
    pbx.writes(("direct",))
    (pbx.folder / "cdr").unlink()
    (pbx.folder / "cdr").mkdir()
    async with pbx.caught_up(pbx.settings()) as catch_up:
        await pbx.books(so_many(1))
        (problem,) = catch_up.problems
    assert "cannot be read" in str(problem)
    assert "let the service's user read" in problem.remedy


CDR = Table(
    "cdr", MetaData(), Column("calldate", DateTime), Column("clid", String(80)), Column("src", String(80)),
    Column("dst", String(80)), Column("dcontext", String(80)), Column("channel", String(80)),
    Column("dstchannel", String(80)), Column("lastapp", String(80)), Column("lastdata", String(80)),
    Column("duration", Integer), Column("billsec", Integer), Column("disposition", String(45)),
    Column("uniqueid", String(32)), Column("linkedid", String(32)),
)  # fmt: skip


def as_row(record: Cdr) -> Mapping[str, Any]:
    """As FreePBX keeps it: by the wall clock of Moscow, without the times of answer and end."""
    talked = record.end - record.answer if record.answer else 0
    return {
        "calldate": datetime.fromtimestamp(record.start + 10800, UTC).replace(tzinfo=None),
        "clid": f'"{record.name}" <{record.src}>', "src": record.src, "dst": record.dst, "dcontext": "x",
        "channel": record.channel, "dstchannel": record.dst_channel, "lastapp": record.app,
        "lastdata": record.data, "duration": int(record.end - record.start), "billsec": int(talked),
        "disposition": record.disposition, "uniqueid": record.uniqueid, "linkedid": record.linkedid,
    }  # fmt: skip


@dataclass
class Database:
    """The PBX's own database."""

    url: str

    async def run(self, work: Callable[[Connection], Any]) -> None:
        engine = create_async_engine(self.url)
        async with engine.begin() as connection:
            await connection.run_sync(work)
        await engine.dispose()

    async def writes(self, *stories: str) -> None:
        rows = [as_row(r) for s in stories for r in parsed("cdr", file_of(s, "cdr")) if isinstance(r, Cdr)]
        await self.run(lambda tx: tx.execute(insert(CDR), rows))


@pytest.fixture
async def database(empty_url: str) -> Database:
    made = Database(empty_url if "sqlite" not in empty_url else empty_url.replace("perezvon.db", "pbx.db"))
    await made.run(CDR.create)
    return made


async def test_a_table_of_records_is_read_like_the_file(pbx: Pbx, database: Database) -> None:
    settings = pbx.settings((), cdr_database=Secret(database.url))
    await database.writes("outgoing", "attended-transfer")
    async with pbx.caught_up(settings):
        await pbx.books(so_many(2))
        # A row comes when its call is over, and is dated when it began.
        await database.writes("abandoned", "menu-then-queue", "click-to-call", "declined")
        found = await pbx.books(so_many(len(STORIES)))
    assert {call.id for call in found} == {id_ for id_, _ in WATCHED}
    watched = {call.id: call for story in STORIES for call in seen(story)}
    for call in found:
        assert abs((call.started_at - watched[call.id].started_at).total_seconds()) <= 1

    async with pbx.caught_up(settings):
        await database.writes("anonymous")
        assert len(await pbx.books(so_many(len(STORIES) + 1))) == len(STORIES) + 1


async def test_a_table_that_lacks_columns_is_told_with_their_names(pbx: Pbx, database: Database) -> None:
    settings = pbx.settings(("cel",), cdr_database=Secret(database.url), cdr_table="calls_elsewhere")
    pbx.writes(("direct",), ("cel",))
    elsewhere = Table("calls_elsewhere", MetaData(), Column("calldate", DateTime), Column("src", String(80)))
    await database.run(elsewhere.create)
    async with pbx.caught_up(settings) as catch_up:
        await pbx.books(so_many(1))
        (problem,) = catch_up.problems
    assert "lacks dst, channel, dstchannel" in str(problem)
