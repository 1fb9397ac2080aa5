"""Settings from the environment: `PEREZVON_` and the path in capitals, joined by two underscores."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from config.problems import Place, Report, Wrong

PREFIX = "PEREZVON_"


@dataclass(frozen=True, slots=True)
class Given:
    """A value that came from the environment: a text whose type only its setting knows."""

    variable: str
    text: str


def override(data: dict[str, Any], env: Mapping[str, str], arrays: Iterable[str], report: Report) -> None:
    """Put the variables of `env` into `data` as `Given` values.

    Members of the sections in `arrays` are found by their `name`, with - written as _. Variables without two
    underscores are none of ours. What fits nowhere is reported here or by the decoder.
    """
    for variable in sorted(env):
        section, parted, rest = variable.removeprefix(PREFIX).partition("__")
        if not variable.startswith(PREFIX) or not parted:
            continue
        given = Given(variable, env[variable])
        if section.lower() in arrays:
            _into_member(data.get(section.lower()), section.lower(), rest, given, report)
        else:
            _put(data, [section.lower(), *rest.lower().split("__")], given)


def _into_member(members: object, section: str, rest: str, given: Given, report: Report) -> None:
    tables = [m for m in members if isinstance(m, dict)] if isinstance(members, list) else []
    fitting = [(m, spelt) for m in tables if rest.startswith((spelt := _spelt(m.get("name"))) + "__")]
    longest = max((len(spelt) for _, spelt in fitting), default=0)
    best = [m for m, spelt in fitting if len(spelt) == longest]
    place = Place().inside(section)
    if len(best) == 1:
        _put(best[0], rest[longest + 2 :].lower().split("__"), given)
    elif best:
        names = " and ".join(str(m["name"]) for m in best)
        report.refuse(place, f"{given.variable} means both {names}", "rename one of them", line=False)
    else:
        names = ", ".join(str(m["name"]) for m in tables if "name" in m) or "none"
        report.refuse(
            place,
            f"{given.variable} names no member of [[{section}]]",
            f"the file has: {names}; the variable is {PREFIX}{section.upper()}__NAME__KEY",
            line=False,
        )


def _spelt(name: object) -> str:
    return str(name).replace("-", "_").upper()


def _put(table: dict[str, Any], keys: list[str], given: Given) -> None:
    *way, last = keys
    for key in way:
        inner = table.get(key)
        if not isinstance(inner, dict):
            inner = table[key] = {}
        table = inner
    # The environment also wins where one gives a secret and the other the file that holds it.
    twin = last.removesuffix("_file") if last.endswith("_file") else f"{last}_file"
    if not isinstance(table.get(twin), Given):
        table.pop(twin, None)
    table[last] = given


def as_toml(given: Given, *, wanted: type) -> object:
    """The value that `given` would be in the file, for a setting of type `wanted`; raises `Wrong`.

    Lists are TOML arrays or texts parted by commas, tables TOML inline tables. A text that is no number or
    truth value stays a text, for the decoder to refuse.
    """
    text = given.text.strip()
    if wanted is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    if wanted in (int, float):
        try:
            return wanted(text)
        except ValueError:
            return text
    if wanted is list and not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    if wanted in (list, dict):
        try:
            return tomllib.loads(f"value = {text}")["value"]
        except (tomllib.TOMLDecodeError, RecursionError):
            raise Wrong("is no TOML value", "write it as in the file, on one line") from None
    return given.text
