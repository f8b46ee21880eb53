"""
What a good dashboard keeps to and no schema knows: the rules of Grafana's dashboard-linter, re-expressed, and some of our own.

Those about the labels `job` and `instance` do not apply: every query aggregates them away.
"""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import promql_parser

from driftmon.metrics import FAMILIES
from tests.dashboards.grafana import VARIABLE, Page, interpolated, panels_of, queries_of
from tests.store.views import VIEWS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["lint", "text_of_empty"]

KINDS = {"stat", "table", "timeseries", "barchart", "heatmap", "status-history", "state-timeline"}
UIDS = {"driftmon-overview", "driftmon-monitor", "driftmon-column"}
METRICS = {family.name for family in FAMILIES} | {"ALERTS", "ALERTS_FOR_STATE"}
SOURCES = {"prometheus": "${datasource}", "grafana-postgresql-datasource": "${sql}"}
BUILT_IN = {
    "__data",
    "__field",
    "__value",
    "__from",
    "__to",
    "__url_time_range",
    "__interval",
    "__timeFilter",
    "__timeGroup",
}
PAGE = re.compile(
    r"\$\{driftmon_url\}"
    r"(?:/runbooks/([\w{}.:$]+)|/monitors/\$\{monitor:percentencode\}(?:/column\?name=\$\{column:percentencode\})?)?"
)
RULES = Path(__file__).parents[2] / "dashboards" / "prometheus" / "driftmon.rules.yml"
PLAIN = Page({"monitor": "shop", "column": "c", "segment": "s"}, start=None, end=None)


def text_of_empty(panel: Mapping[str, Any], field: str) -> str:
    """What Grafana writes where a field has no value, and into a link that names it: of all that matches, the last."""
    config = panel["fieldConfig"]
    texts = [config["defaults"].get("noValue", "")]
    for override in config["overrides"]:
        matcher = override["matcher"]
        if matcher["options"] in {field, "/.*/"}:
            texts += [each["value"] for each in override["properties"] if each["id"] == "noValue"]
    return texts[-1]


def lint(dashboard: Mapping[str, Any]) -> list[str]:
    """What is wrong with a dashboard; nothing if all is well."""
    rules = (_identity, _layout, _panels, _words, _variables, _metrics, _sql, _links)
    return [problem for rule in rules for problem in rule(dashboard)]


def _identity(dashboard: Mapping[str, Any]) -> Iterator[str]:
    if dashboard["uid"] not in UIDS or dashboard["schemaVersion"] != 42 or dashboard["editable"] is not False:
        yield "not one of ours, of another schema, or editable: what people change there is lost"
    ids = Counter(panel["id"] for panel in dashboard["panels"])
    yield from (f"panels share the number {number}" for number, count in ids.items() if count > 1)
    titles = Counter(panel["title"] for panel in dashboard["panels"])
    yield from (f"panels share the title {title!r}" for title, count in titles.items() if count > 1)


def _layout(dashboard: Mapping[str, Any]) -> Iterator[str]:
    places = [(panel["title"], panel["gridPos"]) for panel in dashboard["panels"]]
    for title, place in places:
        if place["x"] + place["w"] > 24 or min(place["w"], place["h"]) < 1:
            yield f"panel {title!r} is wider than the page"
    for (one, a), (other, b) in itertools.combinations(places, 2):
        apart = (
            a["x"] + a["w"] <= b["x"]
            or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"]
            or b["y"] + b["h"] <= a["y"]
        )
        if not apart:
            yield f"panels {one!r} and {other!r} overlap"


def _panels(dashboard: Mapping[str, Any]) -> Iterator[str]:
    for panel in panels_of(dashboard):
        name = f"panel {panel['title']!r}"
        if panel["type"] not in KINDS:
            yield f"{name} is of the unknown type {panel['type']!r}"
        if len(panel["title"]) < 10 or len(panel.get("description", "")) < 60:
            yield f"{name} does not say what it answers, how to read it and what to do next"
        defaults = panel["fieldConfig"]["defaults"]
        if "unit" not in defaults or "noValue" not in defaults:
            yield f"{name} has no unit, or does not say what it means that there is nothing"
        refs = Counter(target.get("refId") for target in panel["targets"])
        if None in refs or max(refs.values()) > 1:
            yield f"{name} has queries without a name of their own"
        for target in panel["targets"]:
            source = target["datasource"]
            if SOURCES.get(source["type"]) != source["uid"]:
                yield f"{name} does not take its data source from the variable"


def _words(dashboard: Mapping[str, Any]) -> Iterator[str]:
    for panel in panels_of(dashboard):
        name, empty = f"panel {panel['title']!r}", panel["fieldConfig"]["defaults"].get("noValue")
        if len(panel["title"]) > 9 * panel["gridPos"]["w"]:
            yield f"{name} has a title that does not fit above it"
        if panel["type"] == "table" and empty in {text_of_empty(panel, field) for field in ("anything", "segment")}:
            yield f"{name} says in its empty cells that all of it is empty"


def _variables(dashboard: Mapping[str, Any]) -> Iterator[str]:
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    sources = {variable["query"] for variable in variables.values() if variable["type"] == "datasource"}
    if sources != set(SOURCES):
        yield "there is no choice of data sources"
    text = json.dumps({key: value for key, value in dashboard.items() if key != "templating"})
    text += json.dumps([variable.get("query") for variable in variables.values()])
    text += json.dumps([variable.get("datasource") for variable in variables.values()])
    used = {match[1] or match[2] for match in VARIABLE.finditer(text)}
    yield from (f"variable {name} is not used" for name in variables.keys() - used)
    yield from (f"there is no variable {name}" for name in used - variables.keys() - BUILT_IN)
    for name, variable in variables.items():
        sql = any(f"${{{name}:percentencode}}" in query.text for query in queries_of(dashboard))
        if sql and (variable.get("multi") or variable.get("includeAll")):
            yield f"variable {name} is used in SQL, where only one value can be"


def _metrics(dashboard: Mapping[str, Any]) -> Iterator[str]:
    for query in queries_of(dashboard):
        if query.kind != "prometheus":
            continue
        text = query.text
        if text.startswith("label_values("):
            text = text.removeprefix("label_values(").rpartition(",")[0]
        try:
            parsed = promql_parser.parse(interpolated(text, PLAIN))
        except ValueError as error:
            yield f"{query.place}: {error}"
            continue
        names = set(re.findall(r'"name": "([^"]+)"', json.dumps(_tree(parsed))))
        yield from (f"{query.place}: there is no metric {name}" for name in names - METRICS)
        if not names:
            yield f"{query.place}: asks for no metric"


def _tree(node: Any) -> Any:
    """The names of the series that an expression asks for, anywhere in it."""
    if isinstance(node, promql_parser.VectorSelector):
        return {"name": node.name}
    parts = ("expr", "lhs", "rhs", "args", "param", "vector_selector")
    found = [getattr(node, part) for part in parts if hasattr(node, part)]
    return [_tree(each) for part in found for each in (part if isinstance(part, list) else [part])]


def _sql(dashboard: Mapping[str, Any]) -> Iterator[str]:
    for query in queries_of(dashboard):
        if query.kind == "prometheus":
            continue
        read = set(re.findall(r"\b(?:FROM|JOIN) ([a-z_]+)\b(?!\()", query.text))
        local = set(re.findall(r"(?:WITH|,) ([a-z]+) AS \(", query.text))
        yield from (f"{query.place}: reads {name}, which is no view" for name in read - local - set(VIEWS))
        for match in VARIABLE.finditer(query.text):
            name, form = match[1] or match[2], match[4]
            before = query.text[: match.start()]
            safe = re.search(r"(grafana_text\(|grafana_is\(\w+, )'$", before) and form == "percentencode"
            if name not in BUILT_IN and not safe:
                yield f"{query.place}: variable {name} is not read by grafana_text('${{{name}:percentencode}}')"
        if query.target.get("format") == "time_series" and not re.search(r"AS time,.* ORDER BY 1\b", query.text):
            yield f"{query.place}: Grafana wants series in the order of time"


def _links(dashboard: Mapping[str, Any]) -> Iterator[str]:
    alerts = set(re.findall(r"alert: (\w+)", RULES.read_text()))
    for place, url in _urls(dashboard):
        if match := re.match(r"/d/([\w-]+)", url):
            if match[1] not in UIDS:
                yield f"{place}: there is no dashboard {match[1]}"
            if "?" in url and not {"${datasource:queryparam}", "${sql:queryparam}"} <= set(url.split("&")):
                yield f"{place}: forgets the data sources"
            if "?" in url and "${__url_time_range}" not in url and "&from=" not in url:
                yield f"{place}: forgets the time"
        elif match := PAGE.fullmatch(url):
            if match[1] and match[1] not in alerts and match[1] != "${__value.raw:percentencode}":
                yield f"{place}: there is no alert {match[1]}"
        else:
            yield f"{place}: {url} leads nowhere that is known"


def _urls(dashboard: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((f"link {link['title']!r}", link["url"]) for link in dashboard["links"])
    for panel in panels_of(dashboard):
        name = f"panel {panel['title']!r}"
        links = [*panel.get("links", []), *panel["fieldConfig"]["defaults"].get("links", [])]
        for override in panel["fieldConfig"]["overrides"]:
            links += next((each["value"] for each in override["properties"] if each["id"] == "links"), [])
        yield from ((name, link["url"]) for link in links)
