"""A PBX that records into a folder, before a running service."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import Connection, Row, func, select

from config.secret import Secret
from config.settings import Database, Server, Settings, Storage
from connectors.asterisk.settings import AsteriskSettings
from gateway import app
from gateway.app import Service
from gateway.demo.sound import tone, wav
from gateway.domain.calls import (
    Call,
    CallEvent,
    CallEventType,
    CallState,
    Direction,
    Disposition,
    Party,
    Segment,
)
from gateway.domain.ids import call_id
from gateway.services import people, recordings_rows, teams
from gateway.services.intake import VoiceIntake
from gateway.services.people_input import EndpointFields, OperatorCreate
from gateway.services.views.recordings import Recording
from gateway.store.tables import audit, endpoints, operators, recordings
from gateway.store.tables_core import work
from recordings.collector import Patience
from tests.journeys.clients import Client
from tests.journeys.conftest import PASSWORD, QUEUES

QUICK = Patience(
    look_s=0.05, look_everywhere_s=0.2, still_s=0.1, still_unknown_s=0.2, missing_s=0.3, upload_s=0.3
)
SPOKEN = wav(tone(440, 2.0))
CALLER = "+79991234567"
_LIMIT_S = 20
_TICK_S = 0.05


@dataclass
class Pbx:
    """What it does, and what the service then has."""

    service: Service
    folder: Path

    async def call(self, uniqueid: str, extension: str = "101") -> Call:
        """A call from outside that somebody of the north talks on."""
        at = datetime.now(UTC) - timedelta(seconds=5)
        call = Call(
            id=call_id("pbx1", uniqueid),
            pbx="pbx1",
            linkedid=uniqueid,
            direction=Direction.IN,
            state=CallState.TALKING,
            started_at=at,
            answered_at=at,
            from_=Party(CALLER, CALLER),
            queue="401",
            extension=extension,
            rang=(extension,),
            segments=(Segment(extension, at, talk_s=5.0),),
            legs=(uniqueid,),
        )
        await self._happens(CallEventType.ANSWERED, call)
        return call

    async def names(self, call: Call, *paths: str) -> Call:
        """MIXMONITOR_FILENAME is told."""
        call = replace(call, recordings=(*call.recordings, *paths))
        await self._happens(CallEventType.UPDATED, call)
        return call

    async def ends(self, call: Call) -> None:
        """Everybody has hung up."""
        over = replace(call, state=CallState.ENDED, disposition=Disposition.ANSWERED)
        await self._happens(CallEventType.ENDED, replace(over, ended_at=datetime.now(UTC)))

    async def _happens(self, what: CallEventType, call: Call) -> None:
        await VoiceIntake(self.service.store).calls_happened([CallEvent(what, call, datetime.now(UTC))])

    def records(self, name: str, data: bytes) -> None:
        """The file is there, as MixMonitor leaves it."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    async def recorded(
        self, uniqueid: str, data: bytes, *, extension: str = "101", state: str = "ready"
    ) -> Any:
        """The recording of a whole call."""
        call = await self.call(uniqueid, extension)
        self.records(f"q-{uniqueid}.wav", data)
        await self.ends(call)
        return await self.until(call.id, state)

    async def until(self, of_call: str | None, state: str) -> Any:
        """The recording of the call once it is in that state."""
        async with asyncio.timeout(_LIMIT_S):
            while True:
                found = await self.service.store.read(_recording, of_call, state)
                if found is not None:
                    return found
                await asyncio.sleep(_TICK_S)

    async def count(self, *states: str) -> int:
        """How many recordings there are, of these states if any."""
        counted = select(func.count(recordings.c.id))
        if states:
            counted = counted.where(recordings.c.state.in_(states))
        return await self.service.store.read(lambda tx: tx.scalar(counted)) or 0

    async def nothing_to_do(self, kind: str = recordings_rows.REMOVE) -> None:
        """Wait until no work of the kind waits."""
        waiting = select(func.count(work.c.id)).where(work.c.kind == kind, work.c.state == "waiting")
        async with asyncio.timeout(_LIMIT_S):
            while True:
                if not await self.service.store.read(lambda tx: tx.scalar(waiting)):
                    return
                await asyncio.sleep(_TICK_S)

    async def audited(self, action: str) -> list[Row[Any]]:
        """What the audit log has of it, oldest first."""
        notes = select(audit).where(audit.c.action == action).order_by(audit.c.id)
        return await self.service.store.read(lambda tx: list(tx.execute(notes).all()))

    def stored(self) -> list[str]:
        """Names of the files in the library."""
        root = Path(self.service.settings.storage.url.removeprefix("file://"))
        return sorted(p.name for p in root.rglob("*") if p.is_file() and "drafts" not in p.parts)


def _recording(tx: Connection, of_call: str | None, state: str) -> Any:
    mine = recordings.c.call_id.is_(None) if of_call is None else recordings.c.call_id == of_call
    row = tx.execute(recordings_rows.query().where(mine, recordings.c.state == state)).first()
    if row is None:
        return None
    view = Recording.of(row)
    return {name: getattr(view, name) for name in view.__struct_fields__}


def sha256(data: bytes) -> str:
    """As recordings are named."""
    return hashlib.sha256(data).hexdigest()


async def heard(client: Client, path: str, span: str | None = None) -> bytes:
    """The bytes that come, whole or of a range."""
    headers = client.headers | ({"Range": f"bytes={span}"} if span else {})
    async with client.http.get(f"{client.service.address}/api/v1{path}", headers=headers) as answer:
        assert answer.status == (206 if span else 200)
        return await answer.read()


async def head(client: Client, path: str) -> aiohttp.ClientResponse:
    """The headers alone."""
    async with client.http.head(f"{client.service.address}/api/v1{path}", headers=client.headers) as answer:
        return answer


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """The folder into which the PBX records."""
    folder = tmp_path / "monitor"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(url: str, tmp_path: Path, spool: Path) -> Settings:
    """A PBX of which nothing but the folder can be reached."""
    pbx = AsteriskSettings(
        kind="asterisk",
        name="pbx1",
        port=1,
        username="perezvon",
        secret=Secret("none"),
        trunks=("PJSIP/trunk",),
        recordings_dir=str(spool),
    )
    return Settings(
        server=Server(port=0, metrics="", public_url="http://127.0.0.1:0"),
        database=Database(url=Secret(url)),
        storage=Storage(url=f"file://{tmp_path}/files"),
        connectors=(pbx,),
        queues=QUEUES,
    )


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    """The service with a collector in a hurry; Anna sits at 101, Bert at 102, both of the north."""
    async with app.running(settings, patience=QUICK) as running:
        for team in ("north", "south"):
            await running.store.write(teams.ensure_team, team)
        bert = OperatorCreate(
            login="bert",
            name="Bert",
            role="operator",
            teams=["north"],
            password=PASSWORD,
            endpoints=[EndpointFields(pbx="pbx1", extension="102")],
        )
        await people.add_operator(running.store, bert)
        yield running


@pytest.fixture
async def office(service: Service, spool: Path, staff: None) -> Pbx:
    """The PBX and the people."""
    await service.store.write(_seat_anna)
    return Pbx(service, spool)


def _seat_anna(tx: Connection) -> None:
    anna = tx.scalar(select(operators.c.id).where(operators.c.login == "anna"))
    phone = {"operator_id": anna, "pbx": "pbx1", "extension": "101", "interface": None, "kind": "phone"}
    tx.execute(endpoints.insert(), phone)
