"""The page of all settings, made from the dataclasses and the texts below their fields.

`python -m config.document connectors.registry:KNOWN > docs/configuration.md`; the argument names the kinds of
connectors, which this package does not know.
"""

import ast
import dataclasses
import importlib
import inspect
import sys
import textwrap
import typing
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from config.hints import CALLED, Hint, default_of, hint_of, settings_of
from config.load import Kinds
from config.secret import Secret
from config.settings import ConnectorSettings, Settings
from config.values import NOT_BUILT, Mark

HEAD = """\
# Configuration

<!-- Made by `python -m config.document connectors.registry:KNOWN`; edit the texts in `config/` and
     `connectors/*/settings.py`, then make it anew. -->

Perezvon reads one TOML file: the one named by `--config`, else by `$PEREZVON_CONFIG`, else `./perezvon.toml`,
else `/etc/perezvon/perezvon.toml`. Without any it starts on its defaults: SQLite and files under `./var`, the
desk on <http://127.0.0.1:8080>. Relative paths count from the working directory. A complete file with
comments is `config/perezvon.example.toml`.

Everything is judged at start, and all mistakes are told at once, each with its path, its line and what to
write instead; `perezvon check` does the same and then tries each part. What stands in the file is read-only
in the desk.

**Environment.** A variable overrides the file: `PEREZVON_`, then the path in capitals, joined by two
underscores. In arrays the member is named, with `-` written as `_`:

| variable | setting |
| --- | --- |
| `PEREZVON_SERVER__PORT=8443` | `port` in `[server]` |
| `PEREZVON_DATABASE__URL=...` | `url` in `[database]` |
| `PEREZVON_CONNECTORS__PBX1__SECRET=...` | `secret` of the connector named `pbx1` |
| `PEREZVON_QUEUES__SUPPORT__SERVICE_LEVEL__VOICE__TARGET=0.9` | a table inside a queue |
| `PEREZVON_CONNECTORS__PBX1__TRUNKS=PJSIP/a,PJSIP/b` | a list, or as TOML: `["PJSIP/a", "PJSIP/b"]` |

**Secrets.** Each setting marked *secret* can be given as a file instead: `secret_file = "/run/secrets/pbx1"`
(in the environment `PEREZVON_CONNECTORS__PBX1__SECRET_FILE`). Blanks and line ends around it do not count.
Secrets are never printed or logged.
"""


def page(kinds: Kinds) -> str:
    """The whole page."""
    parts = [HEAD]
    for name, hint in settings_of(Settings).items():
        if name == "connectors":
            parts.append(_connectors(kinds))
        elif hint.toml is list:
            parts.append(_section(f"[[{name}]]", typing.get_args(hint.base)[0], hint))
        else:
            parts.append(_section(f"[{name}]", hint.base, hint))
    return "\n".join(parts)


def meanings(section: type[Any]) -> dict[str, str]:
    """The text below each field of a settings class, its own and those of the classes it extends."""
    found: dict[str, str] = {}
    for cls in reversed(section.__mro__[:-1]):
        body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, below in zip(body.body, body.body[1:], strict=False):
            text = _string(below)
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and text:
                found[field.target.id] = " ".join(text.split())
    return found


def _string(node: ast.stmt) -> str | None:
    if (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    ):
        return node.value.value
    return None


def _connectors(kinds: Kinds) -> str:
    common = _section("[[connectors]]", ConnectorSettings, hint_of(tuple[ConnectorSettings, ...]))
    common += f"\nKinds {NOT_BUILT}: {', '.join(f'`{kind}`' for kind in sorted(kinds.not_built))}.\n"
    own = []
    for kind, cls in kinds.built.items():
        inherited = settings_of(ConnectorSettings)
        own.append(_section(f'[[connectors]] of kind "{kind}"', cls, hint_of(cls), without=inherited))
    return "\n".join([common, *own])


def _section(title: str, cls: type[Any], hint: Hint, without: Mapping[str, Hint] | None = None) -> str:
    later = f" This section is {NOT_BUILT}." if Mark.REFUSED in hint.marks else ""
    lines = [
        f"## {title}",
        "",
        f"{' '.join((inspect.getdoc(cls) or '').split())}{later}",
        "",
        "| key | type | default | meaning |",
        "| --- | --- | --- | --- |",
        *_rows(cls, without or {}),
        "",
    ]
    return "\n".join(lines)


def _rows(cls: type[Any], without: Mapping[str, Hint]) -> Iterator[str]:
    texts = meanings(cls)
    for name, hint in settings_of(cls).items():
        if name not in without:
            text = texts[name]
            if Mark.REFUSED in hint.marks:
                text = f"*{NOT_BUILT.capitalize()}: refused.* {text}"
            elif Mark.IGNORED in hint.marks:
                text = f"*{NOT_BUILT.capitalize()}: ignored.* {text}"
            yield f"| `{name}` | {_type(hint)} | {_default(cls, name)} | {text.replace('|', '&#124;')} |"


def _type(hint: Hint) -> str:
    if hint.secret:
        return "secret"
    if isinstance(hint.base, type) and issubclass(hint.base, StrEnum):
        return "choice"
    if hint.toml is list:
        member = hint_of(typing.get_args(hint.base)[0])
        return "list of choices" if member.toml is str and member.base is not str else "list of texts"
    return CALLED[hint.toml].removeprefix("a ")


def _default(cls: type[Any], name: str) -> str:
    value = default_of(cls, name)
    if value is dataclasses.MISSING:
        return "required"
    return "" if value is None or value == {} else f"`{in_toml(value)}`"


def in_toml(value: object) -> str:
    """A default as TOML writes it."""
    if isinstance(value, Secret):
        return in_toml(value.reveal())
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(in_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def main(arguments: list[str]) -> None:
    """Print the page; the one argument is `module:name` of the `Kinds`."""
    module, _, name = arguments[0].partition(":")
    sys.stdout.write(page(getattr(importlib.import_module(module), name)))


if __name__ == "__main__":
    main(sys.argv[1:])
