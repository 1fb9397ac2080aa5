"""Tables of TOML into frozen dataclasses, strictly: every mistake is reported with its place, none raises."""

import dataclasses
import difflib
import typing
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from config.environ import Given, as_toml
from config.hints import CALLED, Hint, default_of, hint_of, settings_of
from config.problems import Place, Report, Wrong
from config.rules import rules_of
from config.secret_files import read_secret_files
from config.values import NOT_BUILT, Mark

T = TypeVar("T")

FAILED: Final = object()
"""Stands for a value that was refused."""


def decode(
    cls: type[T], table: object, place: Place, report: Report, *, skip: Iterable[str] = ()
) -> T | None:
    """`table` as a `cls`, or None where anything in it was refused; then `report` says what.

    Keys in `skip` are somebody else's to read; their settings take the default.
    """
    if not isinstance(table, dict):
        _refuse_type(table, dict, place, report)
        return None
    before = len(report.problems)
    hints = {name: hint for name, hint in settings_of(cls).items() if name not in skip}
    table = {key: value for key, value in table.items() if key not in skip}
    secrets = [name for name, hint in hints.items() if hint.secret]
    unreadable = read_secret_files(table, secrets, place, report)
    _refuse_unknown(table, [*hints, *skip, *(f"{name}_file" for name in secrets)], place, report)
    values = {}
    for name, hint in hints.items():
        if name in unreadable:
            values[name] = FAILED
        elif name in table:
            values[name] = decode_value(hint, table[name], place.inside(name), report)
        elif (default := default_of(cls, name)) is not dataclasses.MISSING:
            values[name] = default
        else:
            report.refuse(place.inside(name), "is missing", f"add {name} = {hint.example}")
            values[name] = FAILED
    _apply_rules(cls, values, place, report)
    return cls(**values) if len(report.problems) == before else None


def decode_value(hint: Hint, raw: object, place: Place, report: Report) -> Any:
    """`raw` as a value of the annotated type, or `FAILED`."""
    if Mark.REFUSED in hint.marks:
        refuse(report, place, raw, NOT_BUILT, "take it away")
        return FAILED
    if Mark.IGNORED in hint.marks:
        report.notice(place, f"{NOT_BUILT}; ignored")
    try:
        plain = as_toml(raw, wanted=hint.toml) if isinstance(raw, Given) else raw
        value = _read(hint, plain, raw, place, report)
        for check in (mark for mark in hint.marks if callable(mark) and value is not FAILED):
            value = check(value)
    except Wrong as wrong:
        refuse(report, place, raw, wrong.message, wrong.remedy)
        return FAILED
    return value


def _read(hint: Hint, plain: object, raw: object, place: Place, report: Report) -> Any:
    if hint.toml is float and type(plain) is int:
        plain = float(plain)
    if type(plain) is not hint.toml:
        _refuse_type(plain, hint.toml, place, report, raw=raw)
        return FAILED
    if isinstance(plain, str):
        if any(ord(c) < 32 or 127 <= ord(c) < 160 for c in plain):
            raise Wrong("holds a line break or another control character", "take it out")
        return _read_enum(hint.base, plain) if issubclass(hint.base, StrEnum) else hint.base(plain)
    if isinstance(plain, list):
        return _read_list(hint, plain, raw, place, report)
    if isinstance(plain, dict):
        return _read_table(hint, plain, place, report)
    return plain


def _read_enum(base: type[StrEnum], text: str) -> StrEnum:
    try:
        return base(text)
    except ValueError:
        choices = [str(member) for member in base]
        remedy = did_you_mean(text, choices) or f"write one of {', '.join(choices)}"
        raise Wrong(f"{text!r} is no choice", remedy) from None


def _read_list(hint: Hint, members: list[Any], raw: object, place: Place, report: Report) -> Any:
    member_hint = hint_of(typing.get_args(hint.base)[0])
    read = []
    for number, member in enumerate(members):
        if isinstance(raw, Given) and isinstance(member, str):
            member = Given(raw.variable, member)
        read.append(decode_value(member_hint, member, place.inside(number, name_of(member)), report))
    return FAILED if any(member is FAILED for member in read) else tuple(read)


def _read_table(hint: Hint, table: dict[str, Any], place: Place, report: Report) -> Any:
    if typing.get_origin(hint.base) is not Mapping:
        value = decode(hint.base, table, place, report)
        return FAILED if value is None else value
    key_hint, value_hint = map(hint_of, typing.get_args(hint.base))
    read = {}
    for key, member in table.items():
        inside = place.inside(key)
        value = member if value_hint.base is Any else decode_value(value_hint, member, inside, report)
        read[decode_value(key_hint, key, inside, report)] = value
    return FAILED if any(FAILED in (key, value) for key, value in read.items()) else read


def _refuse_unknown(table: Mapping[str, object], known: list[str], place: Place, report: Report) -> None:
    for key, value in table.items():
        if key not in known:
            remedy = did_you_mean(key, known) or f"known here: {', '.join(known)}"
            refuse(report, place.inside(key), _given_inside(value), "unknown key", remedy)


def _given_inside(value: object) -> object:
    """The variable's value where a whole unknown table came from the environment."""
    while isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    return value


def _apply_rules(cls: type[Any], values: Mapping[str, Any], place: Place, report: Report) -> None:
    for rule in rules_of(cls):
        together = [values.get(name, FAILED) for name in rule.fields]
        if any(value is FAILED for value in together):
            continue
        for finding in rule.judge(*together):
            where = place.inside(finding.key)
            if finding.refused:
                report.refuse(where, finding.message, finding.remedy)
            else:
                report.notice(where, f"{finding.message}; {finding.remedy}")


def _refuse_type(plain: object, wanted: type, place: Place, report: Report, *, raw: object = None) -> None:
    remedy = f"write {Hint(wanted, ()).example}"
    if isinstance(plain, str) and type(as_toml(Given("", plain), wanted=wanted)) is wanted is not list:
        remedy = "write it without quotes"
    elif wanted is list and isinstance(plain, dict):
        remedy = f"write [[{place.label}]] with double brackets"
    got = CALLED.get(type(plain), "a date or time")
    refuse(report, place, raw, f"wanted {CALLED[wanted]}, got {got}", remedy)


def refuse(report: Report, place: Place, raw: object, message: str, remedy: str) -> None:
    """Report a problem with `raw`, which stands in the file or in an environment variable."""
    if isinstance(raw, Given):
        report.refuse(place, f"{message} (from {raw.variable})", remedy, line=False)
    else:
        report.refuse(place, message, remedy)


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be, as a question."""
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f'did you mean "{close[0]}"?' if close else None


def name_of(member: object) -> str | None:
    """What a member of an array is called: its `name`, where it has a usable one."""
    name = member.get("name") if isinstance(member, dict) else None
    return name if isinstance(name, str) and name.isprintable() and 0 < len(name) <= 63 else None
