"""The documentation is tested: it names everything there is, and nothing that is not there."""

import argparse
import dataclasses
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.hints import settings_of
from config.settings import Queue, Settings
from connectors.asterisk.settings import AsteriskSettings
from connectors.registry import KINDS
from gateway.__main__ import _parser
from gateway.metrics import REGISTRY
from gateway.web.routes import PREFIX
from gateway.web.table import ROUTES

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "connectors/*.md", "bench/*.md")
    for page in ROOT.glob(pattern)
)
TERMS = (
    "connector", "channel", "identity", "card", "lead", "thread", "message", "call", "leg", "recording",
    "timeline", "contact", "queue", "offer", "assignment", "wrap-up", "operator", "presence", "capacity",
    "skill", "team", "endpoint", "task", "delivery", "feed",
)  # fmt: skip
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def prose(page: Path) -> str:
    """The page without its blocks of code."""
    return BLOCK.sub("", page.read_text())


def everything() -> str:
    return "\n".join(page.read_text() for page in PAGES)


def in_toml() -> Iterator[tuple[str, dict[str, Any]]]:
    for page in PAGES:
        for language, text in BLOCK.findall(page.read_text()):
            if language == "toml":
                yield page.name, tomllib.loads("\n".join(line.strip() for line in text.splitlines()))


def words(parser: argparse.ArgumentParser, path: str = "perezvon") -> Iterator[tuple[str, list[str]]]:
    """Each command with its options."""
    below = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    for action in below:
        for name, sub in action.choices.items():
            yield from words(sub, f"{path} {name}")
    if not below:
        options = [o for a in parser._actions for o in a.option_strings if o.startswith("--")]
        yield path, [option for option in options if option != "--help"]


COMMANDS = dict(words(_parser()))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_told_of(command: str) -> None:
    text = re.sub(r"\s+", " ", everything())
    assert command in text
    assert [option for option in COMMANDS[command] if option not in text] == []


@pytest.mark.parametrize("section", settings_of(Settings))
def test_every_section_of_the_settings_has_its_heading(section: str) -> None:
    page = (DOCS / "configuration.md").read_text()
    assert re.search(rf"^## \[\[?{section}\]\]?$", page, re.MULTILINE)


def known(section: Any) -> set[str]:
    hints = settings_of(section)
    return {*hints, *(f"{name}_file" for name, hint in hints.items() if hint.secret)}


def unknown_keys(table: dict[str, Any]) -> Iterator[str]:
    sections = settings_of(Settings)
    for key, value in table.items():
        if key == "connectors":
            for one in value:
                yield from (k for k in one if k not in known(KINDS[one["kind"]].settings))
        elif key == "queues":
            yield from (k for one in value for k in one if k not in known(Queue))
        elif key in sections and isinstance(value, dict):
            base = sections[key].base
            yield from (k for k in value if dataclasses.is_dataclass(base) and k not in known(base))
        elif key not in known(AsteriskSettings):
            yield key


def test_every_setting_in_the_documents_exists() -> None:
    blocks = list(in_toml())
    assert blocks
    assert [(page, list(unknown_keys(table))) for page, table in blocks if list(unknown_keys(table))] == []


@pytest.mark.parametrize("term", TERMS)
def test_every_term_stands_in_the_glossary(term: str) -> None:
    assert re.search(rf"^\*\*{term}\*\* — \S", (DOCS / "glossary.md").read_text(), re.MULTILINE)


def test_the_glossary_is_in_order() -> None:
    found = re.findall(r"^\*\*(.+?)\*\* — ", (DOCS / "glossary.md").read_text(), re.MULTILINE)
    assert found == sorted(found)


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_inside_the_repository_leads_somewhere(page: Path) -> None:
    targets = [one or other for one, other in LINK.findall(prose(page))]
    broken = []
    for target in targets:
        if re.match(r"\w+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path) if path else page
        if not there.exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


def test_the_architecture_names_every_layer_and_contract() -> None:
    page = (DOCS / "architecture.md").read_text()
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    flat = re.sub(r"\s+", " ", page)
    assert [c["name"] for c in linter["contracts"] if c["name"] not in flat] == []
    layers = next(c["layers"] for c in linter["contracts"] if c["name"] == "Imports point downwards only")
    shown = re.search(r"```\n(gateway\.__main__.*?)```", page, re.DOTALL)
    assert shown
    assert [line.split("   ")[0].strip() for line in shown[1].splitlines()] == layers


def test_the_modules_and_functions_on_the_way_of_a_call_exist() -> None:
    page = (DOCS / "architecture.md").read_text()
    steps = re.findall(r"^[ │]*(\S+/\S+\.(?:py|ts|vue)) +([A-Za-z_., ]*?)(?:  .*)?$", page, re.MULTILINE)
    assert len(steps) > 15
    missing = []
    for path, names in steps:
        source = (ROOT / path).read_text()
        plain = [part for name in names.split(",") for part in name.strip().split(".") if part]
        missing += [(path, name) for name in plain if not re.search(rf"\b{name}\b", source)]
    assert missing == []


def test_files_named_in_the_documents_exist() -> None:
    named = {
        (page.name, path)
        for page in PAGES
        for path in re.findall(
            r"`((?:gateway|connectors|config|deploy|tests|docs|desk)/[\w./-]+)`", page.read_text()
        )
    }
    made_later = re.compile("gateway/web/static|.*/KIND/")
    missing = [(page, path) for page, path in named if not (ROOT / path).exists()]
    assert [(page, path) for page, path in missing if not made_later.match(path)] == []


def test_the_words_of_check_are_those_of_the_code() -> None:
    page = (DOCS / "administrators.md").read_text()
    table = page.partition("| it says | mend it |")[2].partition("\n\n")[0]
    said = re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)
    assert len(said) > 8
    source = "".join(path.read_text() for path in (ROOT / "connectors" / "asterisk").glob("*.py"))
    parts = {part.strip() for phrase in said for part in re.split(r"\.\.\.|: ", phrase)}
    assert [part for part in parts if part not in source] == []


def test_the_metrics_to_alarm_on_exist() -> None:
    named = set(re.findall(r"\bperezvon_[a-z_]+[a-z]", (DOCS / "operations.md").read_text()))
    there = {sample.name for metric in REGISTRY.collect() for sample in metric.samples}
    there |= {metric.name for metric in REGISTRY.collect()} | {f"{m.name}_total" for m in REGISTRY.collect()}
    there |= {f"{metric.name}_bucket" for metric in REGISTRY.collect()}
    assert named
    assert named - there == set()


PATHS = {route.path for route in ROUTES}


def test_addresses_of_the_api_in_the_documents_exist() -> None:
    nouns = {path.split("/")[1] for path in PATHS} | {"events", "openapi.json"}
    named = set(re.findall(rf"{PREFIX}/([\w.]+)", everything()))
    assert named
    assert named - nouns == set()


def test_every_request_on_the_page_of_the_api_can_be_made() -> None:
    there = {(route.method, re.sub(r"{\w+}", "{}", PREFIX + route.path)) for route in ROUTES}
    there |= {
        ("GET", f"{PREFIX}/events"),
        ("GET", f"{PREFIX}/openapi.json"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
    }
    named = re.findall(r"`(GET|POST|PATCH|PUT|DELETE) (/[\w./{}-]*)", (DOCS / "api.md").read_text())
    asked = {(m, p if p.startswith((PREFIX, "/healthz", "/readyz")) else PREFIX + p) for m, p in named}
    assert asked
    assert {
        (method, re.sub(r"{\w+}|\b(me|ID)\b(?=/)", "{}", path)) for method, path in asked
    } - there == set()
