"""The real service attached to a real PBX, with its people at their desks and at their phones.

async with office(pbx, url) as at_work:
    await at_work.phones.rings("101", Ring(1), Answer(), Talk())
    await at_work.phones.client_dials(did("101"), Caller(CLIENT), Talk(2), HangUp())
    (call,) = await at_work.over(1)
    assert await at_work.popped() == {"anna": [call["id"]]}
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from config.secret import Secret
from config.settings import Database, Queue, Server, Settings
from connectors.asterisk.settings import AsteriskSettings
from gateway import app
from gateway.app import Service
from gateway.domain.facts import Fact
from gateway.domain.ports import LinkState
from gateway.services import people
from gateway.services.people_input import EndpointFields, OperatorCreate
from gateway.store import facts
from gateway.store.engine import Store
from tests.journeys.clients import Client, Events
from tests.lab.asterisk.ami import Ami
from tests.lab.asterisk.config import FULL, NARROW, AmiUser
from tests.lab.asterisk.pbx import Pbx
from tests.lab.asterisk.phones import Phones, phones

PASSWORD = "correct horse"
PHONES = {"anna": "101", "boris": "102", "clara": "103", "diana": "104", "egor": "105"}
PATIENCE_S = 20
QUEUES = (
    Queue(name="support", pbx_queues=("pbx1/400",)),
    Queue(name="sales", pbx_queues=("pbx1/401", "pbx1/402")),
)


@dataclass
class Office:
    """Everybody is at work: operators by login, and `olga`, their supervisor, who sees every call."""

    pbx: Pbx
    phones: Phones
    ami: Ami
    service: Service
    staff: Mapping[str, Client]
    desks: Mapping[str, Events]
    known: list[Any] = field(default_factory=list)
    """The calls of the books when the desks were opened."""
    heard: dict[str, list[Any]] = field(default_factory=dict)

    async def until(self, fits: Callable[[Any], bool]) -> Any:
        """The first frame at the supervisor's desk that fits; raises TimeoutError after 20 s without one."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                frame = await self.desks["olga"].next()
                self.heard.setdefault("olga", []).append(frame)
                if fits(frame):
                    return frame

    async def told(self, type_: str, **fields: Any) -> Any:
        """The call of the next event of that type whose call has these fields."""

        def fits(frame: Any) -> bool:
            return bool(frame["type"] == type_ and fields.items() <= frame["data"]["call"].items())

        return (await self.until(fits))["data"]["call"]

    async def stand(self, fits: Callable[[Mapping[str, Any]], bool]) -> Mapping[str, Any]:
        """Wait until the calls as told to the supervisor, by the client's raw number, stand so."""
        try:
            while not fits(self.by_client()):
                await self.until(lambda _: True)
        except TimeoutError as late:
            late.add_note(str({number: call["state"] for number, call in self.by_client().items()}))
            raise
        return self.by_client()

    def by_client(self) -> Mapping[str, Any]:
        """The calls as last told to the supervisor, by the client's raw number; none within the house."""
        frames = [frame["data"] for frame in self.heard.get("olga", [])]
        told = [data["call"] for data in frames if isinstance(data.get("call"), dict)]
        return {
            call["to" if call["direction"] == "out" else "from"]["raw"]: call
            for call in (*self.known, *told)
            if call["direction"] != "internal"
        }

    async def over(self, count: int) -> list[Any]:
        """Wait until so many calls more have ended; all calls of the books, in order of start."""
        for _ in range(count):
            await self.told("call.ended")
        return await self.calls()

    async def calls(self) -> list[Any]:
        """All calls, in order of start, as the API shows each."""
        answer = await self.staff["olga"].get("/calls?limit=200")
        items = answer.body["items"]
        for item in items:
            assert (await self.staff["olga"].get(f"/calls/{item['id']}")).body == item
        return sorted(items, key=lambda call: (call["started_at"], call["id"]))

    async def popped(self) -> dict[str, list[Any]]:
        """The screen-pops that each desk has been sent until now, where there were any."""
        await self.service.store.write(lambda tx: facts.append(tx, [Fact("the.end", b"{}")]))
        for login, desk in self.desks.items():
            kept = self.heard.setdefault(login, [])
            while (frame := await desk.next())["type"] != "the.end":
                kept.append(frame)
        pops = {
            login: [frame["data"] for frame in kept if frame["type"] == "card.opened"]
            for login, kept in self.heard.items()
        }
        return {login: found for login, found in pops.items() if found}

    async def card(self, id_: str) -> Any:
        """A card as the supervisor sees it."""
        return (await self.staff["olga"].get(f"/cards/{id_}")).body


def settings_for(
    pbx: Pbx, url: str, *, port: int | None = None, user: AmiUser = NARROW, **more: Any
) -> Settings:
    """A service on that database whose `pbx1` is reached at `port` (the PBX's own by default)."""
    connector = AsteriskSettings(
        kind="asterisk", name="pbx1", port=port or pbx.ports.ami, username=user.name,
        secret=Secret(user.secret), trunks=("PJSIP/trunk",), **more,
    )  # fmt: skip
    return Settings(
        server=Server(port=0, metrics="", public_url="http://127.0.0.1:0"),
        database=Database(url=Secret(url)),
        connectors=(connector,),
        queues=QUEUES,
    )


async def hire(store: Store) -> None:
    """Make the people, each at the phone that is his."""
    for login, extension in PHONES.items():
        phone = [EndpointFields(pbx="pbx1", extension=extension)]
        body = OperatorCreate(
            login=login, name=login.title(), role="operator", endpoints=phone, password=PASSWORD
        )
        await people.add_operator(store, body)
    chief = OperatorCreate(login="olga", name="Olga", role="supervisor", password=PASSWORD)
    await people.add_operator(store, chief)


async def attached(service: Service, state: LinkState = LinkState.UP) -> None:
    """Returns when `pbx1` stands so; raises TimeoutError after 20 s."""
    changed = asyncio.Event()
    forget = service.feed.observe("the office", lambda _: changed.set())
    async with asyncio.timeout(PATIENCE_S):
        while not (link := service.links().get("pbx1")) or link.state is not state:
            changed.clear()
            await changed.wait()
    forget()


@contextlib.asynccontextmanager
async def office(
    pbx: Pbx, url: str, settings: Settings | None = None, *, hires: bool = True
) -> AsyncIterator[Office]:
    """The service attached to `pbx`; `hires` False where the people are in the books already."""
    async with contextlib.AsyncExitStack() as stack:
        service = await stack.enter_async_context(app.running(settings or settings_for(pbx, url)))
        if hires:
            await hire(service.store)
        await attached(service)
        staff, desks = {}, {}
        for login in (*PHONES, "olga"):
            jar = aiohttp.CookieJar(unsafe=True)
            http = await stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
            staff[login] = Client(service, http)
            assert (await staff[login].sign_in(login, PASSWORD)).status == 200
            desks[login] = await staff[login].events()
            await desks[login].next("hello")
        street = await stack.enter_async_context(phones(pbx))
        ami = await stack.enter_async_context(pbx.session(FULL))
        made = Office(pbx, street, ami, service, staff, desks)
        made.known = await made.calls()
        yield made
