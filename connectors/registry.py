"""The kinds of connectors: what each is told by the configuration, and where its code is."""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.load import Kinds, connector_settings, load
from config.settings import ConnectorSettings, Settings
from connectors.asterisk.settings import AsteriskSettings


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of connector."""

    settings: type[ConnectorSettings]
    """The dataclass of its settings."""
    code: str
    """`module:name` of what makes a connector; imported when the first one is made, so that a PBX needs no
    mail library in memory."""


KINDS: Mapping[str, Kind] = {
    "asterisk": Kind(AsteriskSettings, "connectors.asterisk.connector:AsteriskConnector"),
}

KNOWN = Kinds(
    built={name: kind.settings for name, kind in KINDS.items()},
    not_built=frozenset(
        {"email", "telegram", "webchat", "whatsapp", "vk", "max", "viber", "matrix", "xmpp", "json"}
    ),
)
"""What the configuration has to know of the kinds."""


def load_settings(path: Path | None, env: Mapping[str, str]) -> Settings:
    """The whole configuration, connectors included: `config.load.load` with the kinds of this version.

    Raises `ConfigError` with every problem at once.
    """
    return load(path, env, KNOWN)


def parse_connector(table: Mapping[str, Any]) -> ConnectorSettings:
    """The settings of one connector kept in the database; raises `ConfigError`."""
    return connector_settings(table, KNOWN)


def factory(kind: str) -> Any:
    """What makes a connector of this kind, called as that kind's module says."""
    module, _, name = KINDS[kind].code.partition(":")
    return getattr(importlib.import_module(module), name)
