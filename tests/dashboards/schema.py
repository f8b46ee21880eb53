"""Whether a dashboard is one that Grafana's own types allow."""

from __future__ import annotations

import copy
import gzip
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["schema_problems"]

FILE = Path(__file__).parents[2] / "dashboards" / "grafana" / "schema" / "grafana-13.2.3.schema.json.gz"

UNTYPED = {
    "variable": {"definition"},
    "annotation": {"titleFormat", "textFormat", "tagKeys"},
    "target": {"expr", "interval"},
}
"""What Grafana reads and its types leave out."""


@cache
def _schema() -> dict[str, Any]:
    return json.loads(gzip.decompress(FILE.read_bytes()))


@cache
def _validator(name: str) -> jsonschema.protocols.Validator | None:
    schema = _schema()
    parts = schema["definitions"]["All"]["properties"]
    return jsonschema.Draft7Validator(parts[name] | {"definitions": schema["definitions"]}) if name in parts else None


def schema_problems(dashboard: Mapping[str, Any]) -> list[str]:
    """What Grafana's types do not allow, each with its place; nothing if all is well."""
    typed = copy.deepcopy(dict(dashboard))
    for variable in typed["templating"]["list"]:
        _without(variable, "variable")
    for annotation in typed["annotations"]["list"]:
        _without(annotation, "annotation")
        _without(annotation["target"], "target")
    found = [f"dashboard: {problem}" for problem in _problems_of("dashboard", typed)]
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            found += [f"panel {panel['title']!r}: {problem}" for problem in _panel_problems(panel)]
    return found


def _without(part: dict[str, Any], kind: str) -> None:
    for name in UNTYPED[kind]:
        part.pop(name, None)


def _panel_problems(panel: Mapping[str, Any]) -> Iterator[str]:
    kind = panel["type"]
    if _validator(f"{kind}_options") is None:
        yield f"unknown type {kind!r}"
        return
    yield from _problems_of(f"{kind}_options", panel["options"], partial=True)
    fields = panel["fieldConfig"]
    parts = [fields["defaults"].get("custom", {})]
    for override in fields["overrides"]:
        named = {each["id"]: each["value"] for each in override["properties"]}
        parts.append({name.removeprefix("custom."): v for name, v in named.items() if name.startswith("custom.")})
        plain = {name: value for name, value in named.items() if "." not in name}
        yield from _problems_of("dashboard", _with_defaults(plain), partial=True)
    for custom in parts:
        if custom and _validator(f"{kind}_custom") is None:
            yield f"fields of a {kind} have no custom options, got {sorted(custom)}"
        elif custom:
            yield from _problems_of(f"{kind}_custom", custom, partial=True)


def _with_defaults(defaults: Mapping[str, Any]) -> dict[str, Any]:
    """A dashboard in which all fields of a panel have these properties: what is special about one field has the same names."""
    fields = {"defaults": dict(defaults), "overrides": []}
    return {"schemaVersion": 42, "panels": [{"type": "table", "fieldConfig": fields}]}


def _problems_of(name: str, content: Any, *, partial: bool = False) -> Iterator[str]:
    for error in _validator(name).iter_errors(content):
        if partial and error.validator == "required":
            continue
        deepest = jsonschema.exceptions.best_match([error])
        yield f"{name}{''.join(f'[{step!r}]' for step in deepest.absolute_path)}: {deepest.message[:300]}"
