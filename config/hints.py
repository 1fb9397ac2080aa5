"""What a setting's annotation says: its bare type, its checks and marks, how TOML writes it."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Annotated, Any

from config.secret import Secret
from config.values import Mark

CALLED: dict[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
}
"""TOML's types as people call them."""

_EXAMPLES: dict[type, str] = {
    str: '"..."',
    int: "1",
    float: "1.0",
    bool: "true",
    list: "[...]",
    dict: "{ ... }",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Hint:
    """An annotation taken apart."""

    base: Any
    """The type without `Annotated` and `None`."""
    marks: tuple[Any, ...]
    """Checks (callables) and `Mark`s, innermost first."""

    @property
    def toml(self) -> type:
        """The Python type in which tomllib gives such a value."""
        origin = typing.get_origin(self.base) or self.base
        if origin is tuple:
            return list
        if origin is Mapping or dataclasses.is_dataclass(origin):
            return dict
        if issubclass(origin, str | Secret):
            return str
        return typing.cast("type", origin)

    @property
    def example(self) -> str:
        """How such a value looks in TOML."""
        return _EXAMPLES[self.toml]

    @property
    def secret(self) -> bool:
        """Whether it can also be given as `NAME_file`."""
        return self.base is Secret


def hint_of(annotation: Any) -> Hint:
    """The annotation taken apart."""
    marks: tuple[Any, ...] = ()
    while True:
        if typing.get_origin(annotation) is Annotated:
            marks = (*annotation.__metadata__, *marks)
            annotation = annotation.__origin__
        elif typing.get_origin(annotation) in (types.UnionType, typing.Union):
            annotation = next(arg for arg in typing.get_args(annotation) if arg is not types.NoneType)
        else:
            return Hint(annotation, marks)


def settings_of(section: type[Any]) -> dict[str, Hint]:
    """The settings of a section's class, by key, in the order of the documentation."""
    hints = typing.get_type_hints(section, include_extras=True)
    known = {field.name: hint_of(hints[field.name]) for field in dataclasses.fields(section)}
    return {name: hint for name, hint in known.items() if Mark.NO_KEY not in hint.marks}


def default_of(section: type[Any], name: str) -> Any:
    """The default of a setting, or `dataclasses.MISSING` where it must be given."""
    field = next(f for f in dataclasses.fields(section) if f.name == name)
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default
