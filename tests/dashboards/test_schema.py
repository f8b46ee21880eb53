"""The dashboards are what Grafana's own types allow, and the check of it notices what they do not."""

import copy

import pytest

from tests.dashboards.schema import schema_problems


@pytest.mark.parametrize("name", ["overview", "monitor", "column"])
def test_a_dashboard_is_what_grafana_types_allow(dashboards, name):
    assert schema_problems(dashboards[name]) == []


def first(dashboard, kind):
    return next(panel for panel in dashboard["panels"] if panel["type"] == kind)


FAULTS = {
    "a place that is none": lambda d: d["panels"][1].update(gridPos="top left"),
    "no version": lambda d: d.pop("schemaVersion"),
    "an unknown key": lambda d: d.update(colour="red"),
    "an unknown type of variable": lambda d: d["templating"]["list"][0].update(type="sort of"),
    "an unknown option": lambda d: first(d, "stat")["options"].update(colour="red"),
    "a colour mode that is none": lambda d: first(d, "stat")["options"].update(colorMode="bright"),
    "a custom option that is none": lambda d: first(d, "timeseries")["fieldConfig"]["defaults"]["custom"].update(x=1),
    "a width that is no number": lambda d: first(d, "table")["fieldConfig"]["overrides"].append(
        {"matcher": {"id": "byName", "options": "a"}, "properties": [{"id": "custom.width", "value": "wide"}]}
    ),
    "a threshold without a colour": lambda d: first(d, "stat")["fieldConfig"]["defaults"].update(
        thresholds={"mode": "absolute", "steps": [{"value": None}]}
    ),
    "a type of panel that is none": lambda d: first(d, "stat").update(type="pie in the sky"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(dashboards, fault):
    broken = copy.deepcopy(dashboards["monitor"])
    FAULTS[fault](broken)

    assert len(schema_problems(broken)) >= 1
