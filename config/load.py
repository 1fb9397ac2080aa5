"""Finds the configuration, reads it, puts the environment over it and judges the whole at once."""

import dataclasses
import re
import stat
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.decode import decode, did_you_mean, name_of, refuse
from config.environ import Given, override
from config.hints import settings_of
from config.lines import key_lines
from config.problems import ConfigError, Place, Problem, Report
from config.secret import secrets_in
from config.settings import ConnectorSettings, Settings
from config.values import NOT_BUILT

LOOKED_UP = (Path("perezvon.toml"), Path("/etc/perezvon/perezvon.toml"))
"""Where the configuration is looked for, in order, when neither --config nor $PEREZVON_CONFIG names it."""


@dataclass(frozen=True)
class Kinds:
    """The kinds of connectors there are."""

    built: Mapping[str, type[ConnectorSettings]] = field(default_factory=dict)
    """kind → the dataclass of its settings."""
    not_built: frozenset[str] = frozenset()
    """Kinds that a later version brings."""


def find_file(path: Path | None, env: Mapping[str, str]) -> Path | None:
    """The configuration file to read; None where there is none and embedded defaults hold.

    `path` (--config), then $PEREZVON_CONFIG, then `LOOKED_UP`. A file named by either of the first two is
    taken whether it exists or not: `load` then says so.
    """
    if path is not None:
        return path
    if named := env.get("PEREZVON_CONFIG"):
        return Path(named)
    return next((candidate for candidate in LOOKED_UP if candidate.is_file()), None)


def load(path: Path | None, env: Mapping[str, str], kinds: Kinds) -> Settings:
    """The settings of the file that is found, under those of the environment.

    Raises `ConfigError` with every problem of all sections and all connectors. Touches nothing but the file
    and the secret files that it names.
    """
    source = find_file(path, env)
    text = _text(source) if source else ""
    data = _parsed(text, source)
    report = Report(lines=key_lines(text))
    override(data, env, _arrays(), report)
    connectors = _connectors(data.get("connectors", []), kinds, report)
    _refuse_twins(data.get("queues"), Place().inside("queues"), report)
    settings = decode(Settings, data, Place(), report, skip=("connectors",))
    if report.problems or settings is None:
        raise ConfigError(report.problems, source)
    settings = dataclasses.replace(settings, connectors=connectors, source=source)
    return dataclasses.replace(settings, notices=(*report.notices, *_exposed(settings, text)))


def connector_settings(table: Mapping[str, Any], kinds: Kinds) -> ConnectorSettings:
    """The settings of one connector that does not stand in the file, such as one kept in the database.

    Raises `ConfigError`; paths begin with `connectors`, lines are None.
    """
    report = Report()
    found = _connectors([dict(table)], kinds, report)
    if report.problems:
        raise ConfigError(report.problems)
    return found[0]


def _text(source: Path) -> str:
    try:
        raw = source.read_bytes()
    except OSError as error:
        remedy = "name an existing file that the service's user can read"
        raise ConfigError([Problem("", None, f"cannot be read: {error.strerror}", remedy)], source) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem("", line, "is no UTF-8 text", "save it as UTF-8")], source) from None


def _parsed(text: str, source: Path | None) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = int(found.group(1)) if found else text.count("\n") + 1
        message = f"is no TOML: {str(error).partition(' (at ')[0]}"
        remedy = 'write key = value, with texts in "quotes"; the mistake may be just before this place'
        raise ConfigError([Problem("", line, message, remedy)], source) from None


def _arrays() -> list[str]:
    return [name for name, hint in settings_of(Settings).items() if hint.toml is list]


def _connectors(tables: object, kinds: Kinds, report: Report) -> tuple[ConnectorSettings, ...]:
    place = Place().inside("connectors")
    if not isinstance(tables, list):
        refuse(
            report, place, tables, "wanted an array of tables", "write [[connectors]] with double brackets"
        )
        return ()
    _refuse_twins(tables, place, report)
    read = [_connector(t, place.inside(i, name_of(t)), kinds, report) for i, t in enumerate(tables)]
    return tuple(settings for settings in read if settings)


def _connector(table: object, place: Place, kinds: Kinds, report: Report) -> ConnectorSettings | None:
    given = table.get("kind") if isinstance(table, dict) else None
    kind = given.text if isinstance(given, Given) else given
    if not isinstance(kind, str) or not isinstance(table, dict):
        return decode(ConnectorSettings, table, place, report)
    if kind in kinds.built:
        return decode(kinds.built[kind], table, place, report)
    common = {key: value for key, value in table.items() if key in settings_of(ConnectorSettings)}
    decode(ConnectorSettings, common, place, report)
    if kind in kinds.not_built:
        refuse(report, place.inside("kind"), given, f'"{kind}" is {NOT_BUILT}', "take this connector away")
    else:
        remedy = did_you_mean(kind, kinds.built) or f"known here: {', '.join(kinds.built)}"
        refuse(report, place.inside("kind"), given, f'"{kind}" is no kind of connector', remedy)
    return None


def _refuse_twins(tables: object, place: Place, report: Report) -> None:
    names = [name_of(table) for table in tables] if isinstance(tables, list) else []
    counts = Counter(name for name in names if name)
    for number, name in enumerate(names):
        if name and counts[name] > 1 and names.index(name) != number:
            first = report.line(place.inside(names.index(name)).inside("name"))
            also = f"in line {first}" if first else "before"
            here = place.inside(number, name).inside("name")
            report.refuse(here, f'the name "{name}" stands {also} already', "give each a name of its own")


def _exposed(settings: Settings, text: str) -> tuple[str, ...]:
    if settings.source is None or not settings.source.stat().st_mode & stat.S_IROTH:
        return ()
    if not any(secret in text for secret in secrets_in(settings)):
        return ()
    return (f"{settings.source}: holds secrets and everybody on this machine can read it; chmod 640",)
