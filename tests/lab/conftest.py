"""A real PBX for one test, and a database at the newest schema on either engine (SQLite unless asked)."""

from collections.abc import AsyncIterator

import pytest

from tests.lab.asterisk.pbx import Pbx, asterisk
from tests.lab.components import Unavailable, require
from tests.store.conftest import postgres, postgres_template, sqlite_template, url

__all__ = ["postgres", "postgres_template", "sqlite_template", "url"]

on_both = pytest.mark.parametrize("engine", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> str:
    """The database's kind."""
    name: str = getattr(request, "param", "sqlite")
    return name


@pytest.fixture
async def pbx() -> AsyncIterator[Pbx]:
    """A PBX for one test; the test is skipped where none can be had."""
    try:
        async with asterisk() as running:
            yield running
    except Unavailable as reason:
        require(str(reason))
