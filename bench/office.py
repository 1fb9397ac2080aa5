"""What the benches work in: a prepared database on either engine, people at phones, calls to happen."""

import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, select

from config.settings import Queue, Settings
from gateway.domain.calls import Call, CallEvent, CallEventType, CallState, Direction, Party
from gateway.domain.ids import call_id, new_id
from gateway.domain.people import Actor, Role
from gateway.services import installation, people, teams
from gateway.services.people_input import EndpointFields, OperatorCreate
from gateway.store.engine import Store, open_store
from gateway.store.migrate import migrate
from gateway.store.tables import connectors, operator_teams, operators
from tests.lab.postgres import PostgresServer, running

PASSWORD = "a good password"
SETTINGS = Settings(queues=(Queue(name="sales", team="sellers", pbx_queues=("pbx1/400",)),))
ENGINES = ("sqlite", "postgresql")


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A folder for as long as the bench runs."""
    with tempfile.TemporaryDirectory(prefix="perezvon-bench-") as name:
        yield Path(name)


@contextlib.contextmanager
def database(engine: str) -> Iterator[str]:
    """The URL of a new database; PostgreSQL is a server of its own, with fsync on."""
    if engine == "sqlite":
        with folder() as where:
            yield f"sqlite+aiosqlite:///{where}/perezvon.db"
        return
    with running(fsync=True) as server, server.database() as name:
        yield server.url(name)


@contextlib.asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """The store at `url`, brought to the newest schema."""
    await migrate(url)
    store = await open_store(url)
    try:
        yield store
    finally:
        await store.close()


async def furnish(store: Store, operators_wanted: int = 10) -> list[Actor]:
    """Ten operators at the phones 101, 102 ... of `pbx1`, and an admin last."""
    await store.write(installation.prepare, SETTINGS)
    await store.write(_pbx)
    await store.write(lambda tx: teams.ensure_team(tx, "others") and None)
    for number in range(operators_wanted):
        phones = [EndpointFields(pbx="pbx1", extension=str(101 + number))]
        await _person(store, f"operator{number}", "operator", phones)
    await _person(store, "admin", "admin", [])
    return await store.read(_actors)


async def _person(store: Store, login: str, role: str, phones: list[EndpointFields]) -> None:
    body = OperatorCreate(
        login=login, name=login.title(), role=role, teams=["sellers"], endpoints=phones, password=PASSWORD
    )
    await people.add_operator(store, body)


def _pbx(tx: Connection) -> None:
    now = datetime.now(UTC)
    values = {"state": "up", "detail": "", "remedy": "", "since": now, "attached": True, "created_at": now}
    tx.execute(connectors.insert(), {"id": new_id(), "name": "pbx1", "kind": "asterisk"} | values)


def _actors(tx: Connection) -> list[Actor]:
    found = []
    for row in tx.execute(select(operators).order_by(operators.c.id)):
        of = select(operator_teams.c.team_id).where(operator_teams.c.operator_id == row.id)
        found.append(Actor(row.id, row.name, Role(row.role), frozenset(tx.scalars(of))))
    return found


def first_contact(number: int) -> list[CallEvent]:
    """A stranger calls a number, and the phone of one operator begins to ring."""
    now = datetime.now(UTC)
    uniqueid = f"{int(now.timestamp())}.{number}"
    extension = str(101 + number % 10)
    party = Party(f"+7999{number:07d}", f"8999{number:07d}", f"Клиент {number}")
    call = Call(
        id=call_id("pbx1", uniqueid),
        pbx="pbx1",
        linkedid=uniqueid,
        direction=Direction.IN,
        state=CallState.RINGING,
        started_at=now,
        from_=party,
        did="+74951000400",
        legs=(uniqueid,),
    )
    rings = replace(call, rang=(extension,), ringing=(extension,))
    return [
        CallEvent(CallEventType.STARTED, call, now),
        CallEvent(CallEventType.RINGING, rings, now, extension),
    ]


__all__ = ["PostgresServer", "database", "first_contact", "folder", "furnish", "opened"]
