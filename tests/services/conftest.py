"""A prepared installation on each engine, people to act in it, and calls to happen in it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec
import pytest
from sqlalchemy import Connection, select

from config.settings import Queue, Settings
from gateway.domain.calls import Call, CallEvent, CallEventType, CallState, Direction, Disposition, Party
from gateway.domain.facts import Fact
from gateway.domain.ids import call_id
from gateway.domain.people import Actor, Role
from gateway.services import installation, people, teams
from gateway.services.intake import VoiceIntake
from gateway.services.people_input import EndpointFields, OperatorCreate
from gateway.store.contract import Store
from gateway.store.tables import connectors, operator_teams, operators
from gateway.store.tables_core import facts
from tests.store.conftest import (
    empty_url,
    engine,
    postgres,
    postgres_template,
    sqlite_template,
    store,
    url,
)

__all__ = ["empty_url", "engine", "postgres", "postgres_template", "sqlite_template", "store", "url"]

COUNTRY = "RU"
SETTINGS = Settings(queues=(Queue(name="sales", team="sellers", pbx_queues=("pbx1/400",)),))


@dataclass
class Office:
    """An installation with two teams, and what has been told so far."""

    store: Store
    actors: dict[str, Actor] = field(default_factory=dict)

    @property
    def intake(self) -> VoiceIntake:
        """What a PBX tells."""
        return VoiceIntake(self.store)

    async def facts(self, *types: str) -> list[Fact]:
        """Facts of these types, oldest first."""

        def work(tx: Connection) -> list[Fact]:
            rows = tx.execute(select(facts).order_by(facts.c.id)).all()
            return [
                Fact(
                    row.type,
                    row.data.encode(),
                    row.team,
                    tuple(msgspec.json.decode(row.operators)),
                    row.private,
                )
                for row in rows
                if row.type in types
            ]

        return await self.store.read(work)

    async def told(self, *types: str) -> list[Any]:
        """Data of the facts of these types."""
        return [msgspec.json.decode(fact.data) for fact in await self.facts(*types)]


@pytest.fixture
async def office(store: Store) -> Office:
    """Anna at 101 and Boris at 102 sell; Clara is of another team; Olga leads the sellers; an admin."""
    await store.write(installation.prepare, SETTINGS)
    await store.write(_pbx)
    await store.write(lambda tx: teams.ensure_team(tx, "others") and None)
    made = Office(store)
    staff: tuple[tuple[str, Literal["operator", "supervisor", "admin"], str, str | None], ...] = (
        ("anna", "operator", "sellers", "101"),
        ("boris", "operator", "sellers", "102"),
        ("clara", "operator", "others", None),
        ("olga", "supervisor", "sellers", None),
        ("admin", "admin", "sellers", None),
    )
    for login, role, team, extension in staff:
        phones = [EndpointFields(pbx="pbx1", extension=extension)] if extension else []
        body = OperatorCreate(login=login, name=login.title(), role=role, teams=[team], endpoints=phones)
        await people.add_operator(store, msgspec.structs.replace(body, password="a good password"))
        made.actors[login] = await store.read(_actor, login)
    return made


def _pbx(tx: Connection) -> None:
    now = datetime.now(UTC)
    values = {"state": "up", "detail": "", "remedy": "", "since": now, "attached": True, "created_at": now}
    tx.execute(connectors.insert(), {"id": call_id("x", "1.1"), "name": "pbx1", "kind": "asterisk"} | values)


def _actor(tx: Connection, login: str) -> Actor:
    row = tx.execute(select(operators).where(operators.c.login == login)).one()
    of = select(operator_teams.c.team_id).where(operator_teams.c.operator_id == row.id)
    return Actor(row.id, row.name, Role(row.role), frozenset(tx.scalars(of)))


START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def ringing() -> Callable[..., list[CallEvent]]:
    """Events of an incoming call: started, then queued or ringing, then answered or abandoned."""

    def story(
        number: int,
        *,
        caller: str | None = "+79991234567",
        name: str | None = None,
        queue: str | None = None,
        rings: tuple[str, ...] = ("101",),
        answers: str | None = None,
        ends: bool = True,
    ) -> list[CallEvent]:
        uniqueid = f"1763974800.{number}"
        call = Call(
            id=call_id("pbx1", uniqueid),
            pbx="pbx1",
            linkedid=uniqueid,
            direction=Direction.IN,
            state=CallState.RINGING,
            started_at=START,
            from_=Party(caller, caller, name),
            did="+74951000400",
            legs=(uniqueid,),
        )
        events = [CallEvent(CallEventType.STARTED, call, START)]
        if queue:
            call = replace(call, queue=queue, state=CallState.QUEUED)
            events.append(CallEvent(CallEventType.QUEUED, call, START))
        if rings:
            call = replace(call, rang=rings, ringing=rings)
            events.append(CallEvent(CallEventType.RINGING, call, START, rings[0]))
        at = START + timedelta(seconds=5)
        if answers:
            call = replace(
                call, state=CallState.TALKING, ringing=(), extension=answers, answered_at=at, wait_s=5.0
            )
            events.append(CallEvent(CallEventType.ANSWERED, call, at, answers))
        if ends:
            how = Disposition.ANSWERED if answers else Disposition.ABANDONED
            call = replace(call, state=CallState.ENDED, ringing=(), disposition=how, ended_at=at)
            events.append(CallEvent(CallEventType.ENDED, call, at))
        return events

    return story
