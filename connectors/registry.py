"""The kinds of connectors: what each is told by the configuration, and where its code is."""

import importlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

from config.load import Kinds, connector_settings, load
from config.settings import ConnectorSettings, Settings
from connectors.asterisk.settings import AsteriskSettings
from connectors.json.settings import JsonSettings
from connectors.webchat.settings import WebchatSettings

log = logging.getLogger(__name__)

GROUP = "perezvon.connectors"
"""Entry points of installed packages that bring kinds of their own; each names a `Kind`."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of connector."""

    settings: type[ConnectorSettings]
    """The dataclass of its settings."""
    code: str
    """`module:name` of what makes a connector; imported when the first one is made, so that a PBX needs no
    mail library in memory."""
    channel: Literal["chat", "email"] | None = None
    """The medium of a kind that brings messages; what makes one of those is called with its settings and a
    `gateway.domain.connecting.Surroundings`. None: a PBX."""


def _installed() -> dict[str, Kind]:
    found: dict[str, Kind] = {}
    for point in entry_points(group=GROUP):
        try:
            kind = point.load()
        except Exception:
            # A broken package takes its own kind away and nothing else.
            log.exception("the connector kind %s cannot be loaded", point.name, extra={"kind": point.name})
            continue
        if isinstance(kind, Kind):
            found[point.name] = kind
        else:
            log.error("the entry point %s names no connectors.registry.Kind", point.name)
    return found


KINDS: Mapping[str, Kind] = _installed() | {
    "asterisk": Kind(AsteriskSettings, "connectors.asterisk.connector:AsteriskConnector"),
    "json": Kind(JsonSettings, "connectors.json.connector:JsonConnector", "chat"),
    "webchat": Kind(WebchatSettings, "connectors.webchat.connector:WebchatConnector", "chat"),
}

KNOWN = Kinds(
    built={name: kind.settings for name, kind in KINDS.items()},
    not_built=frozenset(
        {"email", "telegram", "whatsapp", "vk", "max", "viber", "matrix", "xmpp"} - KINDS.keys()
    ),
)
"""What the configuration has to know of the kinds."""


EMBEDDED = WebchatSettings(kind="webchat", name="site")
"""The chat of a service without a configuration: on Perezvon's own pages, offered to everybody."""


def load_settings(path: Path | None, env: Mapping[str, str]) -> Settings:
    """The whole configuration, connectors included: `config.load.load` with the kinds of this version.

    With no file at all there is the chat `EMBEDDED`. Raises `ConfigError` with every problem at once.
    """
    found = load(path, env, KNOWN)
    return replace(found, connectors=(EMBEDDED,)) if found.source is None else found


def parse_connector(table: Mapping[str, Any]) -> ConnectorSettings:
    """The settings of one connector kept in the database; raises `ConfigError`."""
    return connector_settings(table, KNOWN)


def factory(kind: str) -> Any:
    """What makes a connector of this kind, called as that kind's module says."""
    module, _, name = KINDS[kind].code.partition(":")
    return getattr(importlib.import_module(module), name)
