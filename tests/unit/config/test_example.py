"""The example file and the documentation tell of every setting, and of nothing that is not there."""

import re
import tomllib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from config.document import meanings, page
from config.hints import Hint, settings_of
from config.settings import ConnectorSettings, ServiceLevel, Settings
from config.values import Mark
from connectors.registry import KINDS, KNOWN, load_settings

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "config/perezvon.example.toml"
SWITCHED_OFF = re.compile(r"^#(?=[\w\[])", re.MULTILINE)
"""A "#" right before a key or header is a setting that is off; before a blank it is a remark."""


def everything() -> dict[str, Any]:
    """The example with all that is off switched on."""
    return tomllib.loads(SWITCHED_OFF.sub("", EXAMPLE.read_text()))


def members(section: str, hint: Hint) -> list[tuple[type[Any], dict[str, Any]]]:
    """Settings class and table of each part of a section of the example."""
    tables = everything()[section]
    if section == "connectors":
        return [(KINDS[t["kind"]].settings, t) for t in tables if t["kind"] in KINDS]
    return (
        [(typing.get_args(hint.base)[0], t) for t in tables] if hint.toml is list else [(hint.base, tables)]
    )


def known_keys(cls: type[Any]) -> set[str]:
    keys = settings_of(cls)
    return {*keys, *(f"{name}_file" for name, hint in keys.items() if hint.secret)}


def test_the_example_is_accepted_as_it_stands() -> None:
    settings = load_settings(EXAMPLE, {})
    assert [c.name for c in settings.connectors] == ["pbx1", "shop", "site"]
    assert [q.name for q in settings.queues] == ["support"]


def test_every_setting_and_no_other_key_stands_in_the_example() -> None:
    sections = settings_of(Settings)
    assert set(everything()) == set(sections)
    for section, hint in sections.items():
        for cls, table in members(section, hint):
            assert set(table) == known_keys(cls), f"[{section}]"


def test_every_kind_of_connector_stands_in_the_example() -> None:
    kinds = {table["kind"] for table in everything()["connectors"]}
    assert KINDS.keys() <= kinds
    assert kinds <= KINDS.keys() | KNOWN.not_built


def test_what_this_version_does_not_build_is_off_in_the_example() -> None:
    on = tomllib.loads(EXAMPLE.read_text())
    assert {table["kind"] for table in on["connectors"]} <= KINDS.keys()
    for section, hint in settings_of(Settings).items():
        if Mark.REFUSED in hint.marks:
            assert section not in on
            continue
        for cls, table in members(section, hint):
            active = next(t for t in _tables(on[section]) if t.get("name") == table.get("name"))
            unbuilt = {n for n, h in settings_of(cls).items() if {Mark.REFUSED, Mark.IGNORED} & set(h.marks)}
            assert not unbuilt & set(active), f"[{section}]"


def test_the_examples_values_are_the_defaults_where_there_are_defaults() -> None:
    on, defaults = tomllib.loads(EXAMPLE.read_text()), load_settings(Path("/dev/null"), {})
    for section in ("server", "storage", "locale", "log", "people"):
        for key, value in on[section].items():
            default = getattr(getattr(defaults, section), key)
            assert (list(default) if isinstance(default, tuple) else default) == value, f"{section}.{key}"
    assert on["database"]["url"] == defaults.database.url.reveal()


def test_every_setting_has_a_text() -> None:
    classes = [
        typing.get_args(h.base)[0] if h.toml is list else h.base for h in settings_of(Settings).values()
    ]
    for cls in [*classes, ConnectorSettings, ServiceLevel, *(kind.settings for kind in KINDS.values())]:
        assert settings_of(cls).keys() <= meanings(cls).keys(), cls


def test_the_page_of_settings_is_the_one_made_from_the_code() -> None:
    made = page(KNOWN)
    assert (ROOT / "docs/configuration.md").read_text() == made, (
        "make it anew: python -m config.document connectors.registry:KNOWN > docs/configuration.md"
    )


def _tables(section: Mapping[str, Any] | list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    return list(section) if isinstance(section, list) else [section]
