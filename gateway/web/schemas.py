"""JSON Schemas of everything that crosses the wire, under the contract's names."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from gateway.services.views.common import View
from gateway.services.views.events import EVENTS
from gateway.web.health import Alive, Readiness
from gateway.web.problems import Problem
from gateway.web.routes import Form, Route

REF = "#/components/schemas/"
Schema = dict[str, Any]
_NO_JSON = (None, bytes, Form, web.StreamResponse)


def name_of(component: str) -> str:
    """The contract's name of a component: `Call` for CallView, `CardPage` for Page[Card]."""
    if component.startswith("Page_"):
        return name_of(component.removeprefix("Page_").removesuffix("_")) + "Page"
    return component.removesuffix("View")


def components(routes: Iterable[Route]) -> tuple[Mapping[Any, Schema], dict[str, Schema]]:
    """Each type's own schema (mostly a reference), and the schemas by name."""
    shapes = [shape for r in routes for shape in (r.body, r.result) if shape not in _NO_JSON]
    types = list(dict.fromkeys([*shapes, *EVENTS.values(), Problem, Alive, Readiness]))
    schemas, named = msgspec.json.schema_components(types, ref_template=REF + "{name}")
    answered = _answered(types)
    known = {
        name_of(name): _finished(schema, answered=name in answered) for name, schema in sorted(named.items())
    }
    return dict(zip(types, map(_renamed, schemas), strict=True)), known


def _answered(types: Iterable[Any]) -> set[str]:
    """Components reached from what is answered: all their fields are always there."""
    views = [t for t in types if issubclass(getattr(t, "__origin__", t), View) and t is not Problem]
    _, named = msgspec.json.schema_components(views, ref_template=REF + "{name}")
    return set(named)


def _finished(schema: Schema, *, answered: bool) -> Schema:
    done: Schema = _renamed(schema)
    if "properties" in done:
        done["title"] = name_of(done["title"].replace("[", "_").replace("]", "_"))
        if answered:
            done["required"] = list(done["properties"])
        for name, inner in done["properties"].items():
            inner.pop("default", None) if answered else None
            _with_format(name, inner)
    return done


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: REF + name_of(inner.removeprefix(REF)) if key == "$ref" else _renamed(inner)
            for key, inner in value.items()
        }
    return [_renamed(inner) for inner in value] if isinstance(value, list) else value


def _with_format(name: str, schema: Schema) -> None:
    told = {"format": "date-time"} if name in ("at", "since", "longest_since") or name.endswith("_at") else {}
    if name == "id" or name.endswith("_id"):
        told = {"format": "uuid"}
    for one in [schema, *schema.get("anyOf", [])]:
        if told and one.get("type") == "string" and "format" not in one:
            one |= told
