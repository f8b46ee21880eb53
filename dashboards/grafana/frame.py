"""A dashboard around its panels: variables, places, annotations and links to the others."""

# ruff: noqa: ANN401 - what JSON can say has no narrower type
from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards.grafana.looks import CRITICAL
from dashboards.grafana.parts import JSON, PROMETHEUS, SQL, dashboard_link

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["dashboard", "of_prometheus", "of_sql", "row"]

WIDTH = 24
"""Of a dashboard, in Grafana's units."""


def row(title: str, *panels: JSON) -> tuple[str, tuple[JSON, ...]]:
    """Panels under a heading."""
    return title, panels


def _laid_out(rows: Iterable[tuple[str, tuple[JSON, ...]]]) -> list[JSON]:
    """Panels from left to right and from top to bottom, each with a number and a place."""
    placed: list[JSON] = []
    top = 0
    for title, panels in rows:
        place = {"x": 0, "y": top, "w": WIDTH, "h": 1}
        placed.append({"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": place})
        left, top, bottom = 0, top + 1, top + 1
        for each in panels:
            size = each["gridPos"]
            if left + size["w"] > WIDTH:
                left, top = 0, bottom
            placed.append(each | {"gridPos": {"x": left, "y": top, **size}})
            left, bottom = left + size["w"], max(bottom, top + size["h"])
        top = bottom
    return [{"id": number, **each} for number, each in enumerate(placed, 1)]


def _source(name: str, label: str, kind: str) -> JSON:
    """The choice of a data source, so that a dashboard can be imported anywhere."""
    return {"name": name, "label": label, "type": "datasource", "query": kind, "refresh": 1, "hide": 0, "regex": ""}


def _asked(name: str, label: str, query: JSON, **more: Any) -> JSON:
    asked = {"name": name, "label": label, "type": "query", "refresh": 1, "hide": 0, "regex": "", "sort": 0}
    return asked | {"multi": False, "includeAll": False} | query | more


def of_prometheus(name: str, label: str, query: str, **more: Any) -> JSON:
    """A variable whose values are those of a label."""
    asked = {"qryType": 1, "query": query, "refId": "PrometheusVariableQueryEditor-VariableQuery"}
    return _asked(name, label, {"datasource": PROMETHEUS, "query": asked, "definition": query}, **more)


def of_sql(name: str, label: str, statement: str, **more: Any) -> JSON:
    """A variable whose values are the rows of a query."""
    statement = " ".join(statement.split())
    return _asked(name, label, {"datasource": SQL, "query": statement, "definition": statement}, **more)


def dashboard(
    name: str, purpose: str, days: int, *, variables: Sequence[JSON], rows: Sequence[Any], alerts: str
) -> JSON:
    """
    A whole dashboard.

    Parameters
    ----------
    name, purpose : str
    days : int
        Shown at first.
    variables, rows : sequence of dict
    alerts : str
        PromQL: the alerts that fire, marked in every graph.
    """
    sources = [_source("datasource", "Prometheus", "prometheus"), _source("sql", "Results", SQL["type"])]
    pages = of_prometheus("driftmon_url", "driftmon", "label_values(driftmon_links_info, driftmon_url)", hide=2)
    return {
        "uid": f"driftmon-{name.lower()}",
        "title": f"driftmon / {name}",
        "description": purpose,
        "tags": ["driftmon"],
        "schemaVersion": 42,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "1m",
        "timezone": "browser",
        "time": {"from": f"now-{days}d", "to": "now"},
        "templating": {"list": [*sources, *variables, pages]},
        "annotations": {"list": [_annotation(alerts)]},
        "links": [_other(each, name) for each in ("Overview", "Monitor", "Column") if each != name] + [_pages(name)],
        "panels": _laid_out(rows),
    }


def _annotation(expression: str) -> JSON:
    target = {"refId": "Alerts", "expr": expression, "interval": "60s"}
    shown = {"titleFormat": "{{alertname}} ({{severity}})", "textFormat": "fires for {{column}}", "tagKeys": "severity"}
    return {
        "name": "Alerts that fire",
        "datasource": PROMETHEUS,
        "enable": True,
        "hide": False,
        "iconColor": CRITICAL,
        "target": target,
        **shown,
    }


def _other(name: str, here: str) -> JSON:
    # The overview shows many monitors, the others one: its choice is nothing to take along.
    kept = {"keepTime": True, "includeVars": "Overview" not in {name, here}}
    return dashboard_link(name, f"/d/driftmon-{name.lower()}", f"Go to {name}") | kept


PAGES = {"Overview": "", "Monitor": "/monitors/${monitor:percentencode}"}
PAGES["Column"] = f"{PAGES['Monitor']}/column?name=${{column:percentencode}}"
"""The pages of driftmon that show what a dashboard shows."""


def _pages(name: str) -> JSON:
    return dashboard_link("Status page", "${driftmon_url}" + PAGES[name], "The same without Grafana") | {
        "targetBlank": True
    }
