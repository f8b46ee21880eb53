"""The dashboards keep to the rules, and the rules notice who does not."""

import copy
import json
import re
from pathlib import Path

import pytest
import yaml

from dashboards.grafana.build import build
from tests.dashboards.grafana import panels_of
from tests.dashboards.lint import UIDS, lint

FOLDER = Path(__file__).parents[2] / "dashboards" / "grafana"


@pytest.mark.parametrize("name", ["overview", "monitor", "column"])
def test_a_dashboard_keeps_to_the_rules(dashboards, name):
    assert lint(dashboards[name]) == []


def test_building_the_dashboards_again_changes_nothing():
    assert build() == {file.name: file.read_text(encoding="utf-8") for file in FOLDER.glob("*.json")}


def test_the_dashboards_are_the_only_json_that_grafana_would_load():
    assert {json.loads(file.read_text())["uid"] for file in FOLDER.rglob("*.json")} == UIDS


def table(dashboard):
    return next(panel for panel in panels_of(dashboard) if panel["type"] == "table")


def target(dashboard, kind, key):
    return next(
        target
        for panel in panels_of(dashboard)
        for target in panel["targets"]
        if target["datasource"]["type"] == kind and key in target
    )


def replaced(key, old, new):
    """A fault: in the first query that has it, one text for another."""
    kind = "prometheus" if key == "expr" else "grafana-postgresql-datasource"

    def plant(dashboard):
        for panel in panels_of(dashboard):
            for each in panel["targets"]:
                if each["datasource"]["type"] == kind and old in each[key]:
                    each[key] = each[key].replace(old, new)
                    return
        raise AssertionError(old)

    return plant


FAULTS = {
    "no metric driftmon_monitor_colums": replaced("expr", "driftmon_monitor_columns", "driftmon_monitor_colums"),
    "unclosed left parenthesis": replaced("expr", "max(", "max(("),
    "reads driftmon_checks": replaced("rawSql", "grafana_windows", "driftmon_checks"),
    "variable monitor is not read": replaced(
        "rawSql", "grafana_text('${monitor:percentencode}')", "${monitor:sqlstring}"
    ),
    "no variable monitro": replaced("rawSql", "${monitor:", "${monitro:"),
    "order of time": replaced("rawSql", "ORDER BY 1", "ORDER BY 2"),
    "does not take its data source": lambda d: target(d, "prometheus", "expr").update(
        datasource={"type": "prometheus", "uid": "abc"}
    ),
    "queries without a name": lambda d: target(d, "prometheus", "expr").pop("refId"),
    "overlap": lambda d: d["panels"][3]["gridPos"].update(d["panels"][2]["gridPos"]),
    "wider than the page": lambda d: d["panels"][3]["gridPos"].update(w=30),
    "share the number": lambda d: d["panels"][3].update(id=1),
    "what to do next": lambda d: d["panels"][3].update(description="KL"),
    "does not fit above it": lambda d: d["panels"][3].update(title="How old is the newest window, of what is allowed?"),
    "in its empty cells": lambda d: table(d)["fieldConfig"].update(overrides=[]),
    "no unit": lambda d: d["panels"][3]["fieldConfig"]["defaults"].pop("unit"),
    "editable": lambda d: d.update(editable=True),
    "no dashboard driftmon-colum": lambda d: table(d).update(
        links=[{"title": "", "url": "/d/driftmon-colum?${datasource:queryparam}&${sql:queryparam}&from=0"}]
    ),
    "no alert DriftmonDrift": lambda d: table(d).update(
        links=[{"title": "", "url": "${driftmon_url}/runbooks/DriftmonDrift"}]
    ),
    "forgets the time": lambda d: table(d).update(
        links=[{"title": "", "url": "/d/driftmon-column?a=b&${datasource:queryparam}&${sql:queryparam}"}]
    ),
    "leads nowhere": lambda d: table(d).update(links=[{"title": "", "url": "http://example.org"}]),
    "only one value": lambda d: d["templating"]["list"][2].update(multi=True),
    "variable spare is not used": lambda d: d["templating"]["list"].append(
        {"name": "spare", "type": "query", "query": "1", "datasource": {"type": "prometheus", "uid": "${datasource}"}}
    ),
}


@pytest.mark.parametrize("says", FAULTS)
def test_a_planted_fault_is_found(dashboards, says):
    broken = copy.deepcopy(dashboards["monitor"])
    FAULTS[says](broken)

    assert any(says in problem for problem in lint(broken)), lint(broken)


def test_every_link_into_grafana_that_an_alert_has_leads_to_a_dashboard():
    rules = (FOLDER.parent / "prometheus" / "driftmon.rules.yml").read_text()

    assert set(re.findall(r"/d/([\w-]+)", rules)) <= UIDS


def test_the_provisioned_sources_are_those_that_the_dashboards_ask_for():
    sources = yaml.safe_load((FOLDER / "provisioning" / "datasources" / "driftmon.yml").read_text())["datasources"]
    [results] = [source for source in sources if source["type"] == "grafana-postgresql-datasource"]

    assert {"prometheus", "alertmanager"} < {source["type"] for source in sources}
    assert results["user"] == "grafana_reader"
    assert results["jsonData"]["database"] == "driftmon"
    assert results["secureJsonData"] == {"password": "$GRAFANA_DB_PASSWORD"}
    assert "database" not in results
    [provider] = yaml.safe_load((FOLDER / "provisioning" / "dashboards" / "driftmon.yml").read_text())["providers"]
    assert (provider["folder"], provider["type"]) == ("driftmon", "file")
