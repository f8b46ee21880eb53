"""A feed that has ended is not stale on any dashboard, as the rules have it; the expressions of the panels are run by promtool."""

import json

from tests.alerting.programs import program, run
from tests.dashboards.grafana import Page, interpolated, panels_of

SERIES = {
    'driftmon_monitor_info{model="m",monitor="%s"}': {"old": 1, "done": 1, "fresh": 1, "late": 1},
    'driftmon_monitor_window_end_timestamp_seconds{model="m",monitor="%s"}': dict.fromkeys(
        ("old", "done", "fresh", "late"), 0
    ),
    'driftmon_monitor_max_window_age_seconds{model="m",monitor="%s"}': {
        "old": 600,
        "done": 600,
        "fresh": 7200,
        "late": 1200,
    },
    'driftmon_monitor_complete{model="m",monitor="%s"}': {"old": 0, "done": 1, "fresh": 0, "late": 0},
}
"""At the end of the test an hour has passed."""


def expression(dashboard, title, query=0, *, monitor=".*"):
    [panel] = [panel for panel in panels_of(dashboard) if panel["title"] == title]
    return interpolated(panel["targets"][query]["expr"], Page({"monitor": monitor}, start=None, end=None))


def assert_that_prometheus_says(tmp_path, expected):
    inputs = [
        {"series": f'{family % name[:-2]}{{instance="{name[-1]}"}}'.replace("}{", ","), "values": f"{value}x70"}
        for family, values in SERIES.items()
        for name, value in ((f"{monitor}:{instance}", value) for monitor, value in values.items() for instance in "ab")
    ]
    tests = [
        {
            "expr": text,
            "eval_time": "60m",
            "exp_samples": [{"labels": labels, "value": value} for labels, value in samples.items()],
        }
        for text, samples in expected
    ]
    (tmp_path / "none.yml").write_text(json.dumps({"groups": []}))
    document = {
        "rule_files": ["none.yml"],
        "tests": [{"interval": "1m", "input_series": inputs, "promql_expr_test": tests}],
    }
    (tmp_path / "test.yml").write_text(json.dumps(document))
    run(program("promtool", "prometheus"), "test", "rules", tmp_path / "test.yml")


def test_a_feed_that_has_ended_is_complete_and_not_stale_with_two_exporters(dashboards, tmp_path):
    overview, monitor = dashboards["overview"], dashboards["monitor"]
    age = "Age, of what is allowed?"

    assert_that_prometheus_says(
        tmp_path,
        [
            (expression(overview, "How many have no fresh window?"), {"{}": 2}),
            (expression(overview, "How many have no fresh window?", monitor="done"), {"{}": 0}),
            (
                expression(overview, "Which monitors drift: one column, or everything?", 6),
                {
                    '{model="m",monitor="old"}': 6,
                    '{model="m",monitor="fresh"}': 0.5,
                    '{model="m",monitor="late"}': 3,
                    '{model="m",monitor="done"}': 0,
                },
            ),
            (expression(monitor, age, monitor="old"), {"{}": 6}),
            (expression(monitor, age, monitor="done"), {"{}": 0}),
            (expression(monitor, age, monitor="fresh"), {"{}": 0.5}),
        ],
    )


def test_the_age_of_a_complete_monitor_is_written_as_a_word(dashboards):
    for name, title in (
        ("overview", "Which monitors drift: one column, or everything?"),
        ("monitor", "Age, of what is allowed?"),
    ):
        [panel] = [panel for panel in panels_of(dashboards[name]) if panel["title"] == title]

        assert json.dumps({"0": {"text": "complete"}})[:-2] in json.dumps(panel["fieldConfig"])
