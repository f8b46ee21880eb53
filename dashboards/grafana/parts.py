"""Pieces of Grafana dashboards as plain dictionaries: queries, panels, fields and links."""

# ruff: noqa: ANN401 - what JSON can say has no narrower type
from __future__ import annotations

from typing import Any

from dashboards.grafana.looks import JSON, OPTIONS

__all__ = [
    "JSON",
    "NOT_SHOWN",
    "PROMETHEUS",
    "SQL",
    "UP_TO_HERE",
    "column",
    "dashboard_link",
    "line",
    "link",
    "panel",
    "prometheus",
    "runbook",
    "runbook_of_panel",
    "side_by_side",
    "sql",
    "steps",
    "to_column",
    "to_monitor",
]

PROMETHEUS = {"type": "prometheus", "uid": "${datasource}"}
SQL = {"type": "grafana-postgresql-datasource", "uid": "${sql}"}


def prometheus(expression: str, *, legend: str = "", over_time: bool = False, as_table: bool = False) -> JSON:
    """A PromQL query: of now, or over the time that is shown."""
    return {
        "datasource": PROMETHEUS,
        "editorMode": "code",
        "expr": " ".join(expression.split()),
        "format": "table" if as_table else "time_series",
        "instant": not over_time,
        "range": over_time,
        "legendFormat": legend or "__auto",
    }


def sql(statement: str, *, series: bool = False) -> JSON:
    """A query of the views; `series` are rows of time, metric and value, or of time and one column a line, in the order of time."""
    return {
        "datasource": SQL,
        "editorMode": "code",
        "format": "time_series" if series else "table",
        "rawQuery": True,
        "rawSql": " ".join(statement.split()),
    }


def panel(kind: str, title: str, description: str, *queries: JSON, size: tuple[int, int], **more: Any) -> JSON:
    """
    A panel.

    Parameters
    ----------
    kind : str
        Of Grafana's visualizations.
    title : str
        The question that it answers.
    description : str
        How to read it, and what to do next.
    queries : dict
        From `prometheus` or `sql`.
    size : (int, int)
        Width, of 24, and height.
    more
        Any of ``options``, ``defaults`` (of all fields), ``overrides`` (of some fields), ``transformations``, and further keys of a panel.
    """
    options, defaults, overrides = more.pop("options", {}), more.pop("defaults", {}), more.pop("overrides", [])
    return {
        "type": kind,
        "title": title,
        "description": " ".join(description.split()),
        "datasource": queries[0]["datasource"] if len({str(query["datasource"]) for query in queries}) == 1 else MIXED,
        "targets": [{"refId": chr(ord("A") + place), **query} for place, query in enumerate(queries)],
        "gridPos": {"w": size[0], "h": size[1]},
        "options": OPTIONS[kind] | options,
        "fieldConfig": {"defaults": defaults, "overrides": (EMPTY_CELLS if kind == "table" else []) + overrides},
        **more,
    }


MIXED = {"type": "datasource", "uid": "-- Mixed --"}


def line(name: str, color: str, **custom: Any) -> JSON:
    """A field that has a colour of its own, and perhaps a line of its own."""
    return column(name, color={"mode": "fixed", "fixedColor": color}, **{f"custom__{k}": v for k, v in custom.items()})


NOT_SHOWN = {"viz": True, "legend": False, "tooltip": False}
"""Hides a field that only links need."""


def column(name: str, **properties: Any) -> JSON:
    """What is special about one field; ``custom__width=80`` is the property ``custom.width``."""
    listed = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": listed}


EMPTY_CELLS = [
    {"matcher": {"id": "byRegexp", "options": "/.*/"}, "properties": [{"id": "noValue", "value": "–"}]},
    column("segment", noValue="all rows"),
]
"""Grafana writes what a table says when it is empty into its empty cells too, and into links that name them."""


def steps(*colored: tuple[float | None, str]) -> JSON:
    """Colours by value: each from its number on, the first from anywhere."""
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in colored]}


def side_by_side(names: dict[str, str]) -> list[JSON]:
    """Several queries as one table: the fields that are kept, in their order, and what each is called."""
    return [
        {"id": "merge", "options": {}},
        {"id": "filterFieldsByName", "options": {"include": {"names": list(names)}}},
        {
            "id": "organize",
            "options": {
                "indexByName": {name: place for place, name in enumerate(names)},
                "renameByName": names,
                "excludeByName": {},
            },
        },
    ]


SOURCES = "${datasource:queryparam}&${sql:queryparam}"
KEPT = f"{SOURCES}&${{__url_time_range}}"
"""What every link keeps: where data come from, and the time that is shown."""

UP_TO_HERE = "from=${__from}&to=${__value.time}"
"""The time that is shown, up to what was clicked: its window is then the newest."""


def link(title: str, url: str, *, new_tab: bool = False) -> JSON:
    """A link of a field."""
    return {"title": title, "url": url, "targetBlank": new_tab}


def to_monitor(monitor: str = "${__data.fields.monitor:percentencode}") -> JSON:
    """To what a monitor's columns did, window by window."""
    return link("Its columns, window by window", f"/d/driftmon-monitor?var-monitor={monitor}&{KEPT}")


def to_column(
    column: str = "${__data.fields.column:percentencode}",
    *,
    monitor: str = "${monitor:percentencode}",
    segment: str = "${__data.fields.segment:percentencode}",
    time: str = "${__url_time_range}",
) -> JSON:
    """To how a column's distribution changed."""
    variables = f"var-monitor={monitor}&var-column={column}&var-segment={segment}"
    return link("How its distribution changed", f"/d/driftmon-column?{variables}&{SOURCES}&{time}")


def runbook(alert: str) -> JSON:
    """To what to do on an alert; served by driftmon itself."""
    return link("What to do", f"${{driftmon_url}}/runbooks/{alert}", new_tab=True)


def runbook_of_panel(alert: str) -> JSON:
    """The same, as a link of a whole panel."""
    return dashboard_link("What to do", runbook(alert)["url"], "The runbook") | {"targetBlank": True}


def dashboard_link(title: str, url: str, tooltip: str) -> JSON:
    """A link of a dashboard or of a whole panel."""
    return {
        "title": title,
        "type": "link",
        "icon": "external link" if url.startswith("$") else "dashboard",
        "tooltip": tooltip,
        "url": url,
        "tags": [],
        "asDropdown": False,
        "targetBlank": False,
        "includeVars": False,
        "keepTime": False,
    }
