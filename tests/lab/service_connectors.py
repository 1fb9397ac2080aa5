"""The connectors of a running service, made with a test's patience and within its reach."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from connectors import registry
from connectors.asterisk.connector import AsteriskConnector
from tests.lab.following import PATIENCE

NOTHING = {"channels": 0, "bridges": 0, "calls": 0}


@dataclass
class Connectors:
    """Those that the service has made, each run of a connector being one."""

    made: list[AsteriskConnector] = field(default_factory=list)

    def make(self, *args: Any, **more: Any) -> AsteriskConnector:
        """In the place of the kind's own factory."""
        self.made.append(AsteriskConnector(*args, **more))
        self.made[-1].timing = replace(PATIENCE, ping_timeout_s=1.0, login_s=1.0)
        return self.made[-1]

    def leftovers(self) -> Mapping[str, int]:
        """What the tracker that runs last still holds."""
        following = self.made[-1].following
        assert following is not None
        return following.tracker.leftovers()


@pytest.fixture
def connectors(monkeypatch: pytest.MonkeyPatch) -> Connectors:
    """The connectors of the service under test."""
    made = Connectors()
    monkeypatch.setattr(registry, "factory", lambda _: made.make)
    return made
