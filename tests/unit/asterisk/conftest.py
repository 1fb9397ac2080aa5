"""A stand-in PBX on a real socket, and settings that lead to it."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from config.secret import Secret
from connectors.asterisk.ami import Timing
from connectors.asterisk.settings import AsteriskSettings
from gateway.demo.ami_server import AmiServer
from gateway.demo.ami_session import AmiUser

READ = frozenset({"system", "call", "agent", "dialplan"})
WRITE = frozenset({"system"})
FAST = Timing(
    connect_s=2.0,
    login_s=2.0,
    action_s=2.0,
    ping_every_s=0.05,
    ping_timeout_s=3.0,
    booted_s=0.1,
    tick_s=0.02,
    rights_probe_s=0.1,
)

SettingsTo = Callable[..., AsteriskSettings]


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def timing() -> Timing:
    """Intervals short enough for a test to wait them out."""
    return FAST


@pytest.fixture
async def pbx() -> AsyncIterator[AmiServer]:
    """A stand-in PBX with the user of our documentation and some poorer ones."""
    users = (
        AmiUser("perezvon", "right", READ, WRITE),
        AmiUser("no-system", "right", READ - {"system"}, WRITE),
        AmiUser("no-write", "right", READ, frozenset()),
        AmiUser("no-call", "right", frozenset({"system", "agent"}), WRITE),
    )
    async with AmiServer(*users, refusal_delay_s=0.02) as server:
        yield server


@pytest.fixture
def settings_to() -> SettingsTo:
    """Settings of a connector to this stand-in, with changes."""

    def settings(server: AmiServer, **changes: object) -> AsteriskSettings:
        given: dict[str, object] = {
            "kind": "asterisk",
            "name": "pbx1",
            "host": "127.0.0.1",
            "port": server.port,
            "username": "perezvon",
            "secret": Secret("right"),
            "trunks": ("PJSIP/trunk",),
        }
        return AsteriskSettings(**{**given, **changes})  # type: ignore[arg-type]

    return settings
