"""A running service on a fresh database, two teams that must not see each other, and whoever signs in.

On SQLite unless a test takes `on_both`. Everything goes over sockets; only what no API makes (queues and
connectors of the configuration file, calls of a PBX) is given to the service directly.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest

from config.secret import Secret
from config.settings import Database, Queue, Server, Settings, Storage
from gateway import app
from gateway.app import Service
from gateway.domain.people import Role
from gateway.services import people, teams, tokens
from gateway.services.people_input import OperatorCreate, RoleName
from tests.journeys.clients import Client
from tests.store.conftest import postgres, postgres_template, sqlite_template, url

__all__ = ["postgres", "postgres_template", "sqlite_template", "url"]

PASSWORD = "correct horse"
PEOPLE: tuple[tuple[str, RoleName, str], ...] = (
    ("anna", "operator", "north"),
    ("olga", "supervisor", "north"),
    ("boris", "operator", "south"),
    ("pavel", "supervisor", "south"),
    ("admin", "admin", "main"),
)
QUEUES = (
    Queue(name="north", team="north", pbx_queues=("pbx1/401",)),
    Queue(name="south", team="south", pbx_queues=("pbx1/402",)),
)

on_both = pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """The database's kind."""
    name: str = getattr(request, "param", "sqlite")
    return name


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    """Those of the service under test; a test may ask for others by overriding this."""
    return Settings(
        server=Server(port=0, metrics=""),
        database=Database(url=Secret(url)),
        storage=Storage(url=f"file://{tmp_path}/files"),
        queues=QUEUES,
    )


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    """The service, ready."""
    settings = replace(settings, server=replace(settings.server, port=0, public_url="http://127.0.0.1:0"))
    async with app.running(settings) as running:
        await running.store.write(_teams)
        yield running


def _teams(tx: object) -> None:
    for name in ("north", "south"):
        teams.ensure_team(tx, name)  # type: ignore[arg-type]


@pytest.fixture
async def staff(service: Service) -> None:
    """Everybody of `PEOPLE`."""
    for login, role, team in PEOPLE:
        wanted = OperatorCreate(login=login, name=login.title(), role=role, teams=[team], password=PASSWORD)
        await people.add_operator(service.store, wanted)


@pytest.fixture
async def visitor(service: Service) -> AsyncIterator[Callable[[], Client]]:
    """Makes clients that are nobody yet, each with cookies of its own."""
    async with AsyncExitStack() as stack:
        made: list[aiohttp.ClientSession] = []

        def make() -> Client:
            made.append(aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)))
            stack.push_async_callback(made[-1].close)
            return Client(service, made[-1])

        yield make


@pytest.fixture
def person(staff: None, visitor: Callable[[], Client]) -> Callable[[str], Awaitable[Client]]:
    """Signs somebody of `PEOPLE` in."""

    async def sign_in(login: str) -> Client:
        client = visitor()
        answer = await client.sign_in(login, PASSWORD)
        assert answer.status == 200, answer.body
        return client

    return sign_in


@pytest.fixture
def program(service: Service, visitor: Callable[[], Client]) -> Callable[..., Awaitable[Client]]:
    """Makes an API token and a client that sends it."""

    async def make(
        role: str = "admin", *scopes: str, team: str = "main", days: float | None = None
    ) -> Client:
        expires = timedelta(days=days) if days is not None else None
        wanted = tokens.NewToken("script", Role(role), scopes, (team,), expires)
        token, _ = await tokens.create(service.store, people.CONSOLE, wanted)
        client = visitor()
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    return make
