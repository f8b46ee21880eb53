"""What the columns of one monitor did, window by window."""

# ruff: noqa: S608, ANN401 - Grafana fills the variables in, see views.py; what JSON can say has no narrower type
from __future__ import annotations

from typing import Any

from dashboards.grafana.frame import dashboard, of_prometheus, row
from dashboards.grafana.looks import BARS, COMPLETE, CRITICAL, LIVE, OK, STATUS_OF_URGENCY, UNKNOWN, WARNING
from dashboards.grafana.newest_window import columns_of_window, drifting_segments, quality_problems, sustained_drift
from dashboards.grafana.parts import (
    JSON,
    NOT_SHOWN,
    UP_TO_HERE,
    column,
    link,
    panel,
    prometheus,
    runbook,
    runbook_of_panel,
    side_by_side,
    sql,
    steps,
    to_column,
)
from dashboards.grafana.views import OF_MONITOR, SHOWN

__all__ = ["monitor_page"]

THIS = 'monitor="$monitor"'
"""Names of monitors are of lower-case letters, digits, - and _, so that no quoting can go wrong."""


def monitor_page() -> JSON:
    """The dashboard."""
    monitors = of_prometheus("monitor", "Monitor", "label_values(driftmon_monitor_info, monitor)", sort=1, refresh=2)
    return dashboard(
        "Monitor",
        "What drifts in one monitor, since when, how wide, and on how many rows.",
        30,
        variables=[monitors],
        rows=[
            row("Is it fresh, and what does the newest window say?", *_now()),
            row("What drifts, since when, and how wide?", _findings(), _drift_map()),
            row(
                "The newest window in this time range",
                columns_of_window(),
                quality_problems(),
                sustained_drift(),
                drifting_segments(),
            ),
            row("One column or everything, and on how many rows?", _statuses(), _rows()),
        ],
        alerts=f'count by (alertname, severity) (ALERTS{{alertstate="firing",alertname=~"Driftmon.+",{THIS}}})',
    )


def _stat(title: str, description: str, query: JSON, width: int = 3, **defaults: Any) -> JSON:
    plain = {"unit": "short", "decimals": 0, "color": {"mode": "thresholds"}, "noValue": "none"}
    return panel("stat", title, description, query, size=(width, 4), defaults=plain | defaults)


def _now() -> list[JSON]:
    headline = panel(
        "stat",
        "What does the newest window say?",
        """The line that alerts and the status page show too, about the newest window of all, whatever time is shown here.""",
        prometheus(
            f"topk(1, max by (text) (driftmon_monitor_headline_info{{{THIS}}}))",
            legend="{{text}}",
        ),
        size=(24, 3),
        options={"textMode": "name", "colorMode": "none", "justifyMode": "auto", "text": {"titleSize": 18}},
        defaults={"noValue": "nothing was checked yet", "unit": "none"},
    )
    age = _stat(
        "Age, of what is allowed?",
        """The age of the newest window: 1 is what the schedule, the delay of the data and a grace allow. Beyond it, find out whether Airflow runs the monitor and
        whether its data arrived. "complete": its last window (live.end) is checked.""",
        prometheus(f"""
            (
              (time() - max(driftmon_monitor_window_end_timestamp_seconds{{{THIS}}}))
                / max(driftmon_monitor_max_window_age_seconds{{{THIS}}})
              unless on () max(driftmon_monitor_complete{{{THIS}}}) == 1
            )
            or 0 * max(driftmon_monitor_complete{{{THIS}}})
        """),
        mappings=COMPLETE,
        decimals=2,
        thresholds=steps((None, OK), (0.9, WARNING), (1, CRITICAL)),
        noValue="NEVER CHECKED",
        links=[runbook_of_panel("DriftmonMonitorStale")],
    )
    failures = _stat(
        "Failed runs in a row?",
        """Newest runs that ended in an error; 0 after a success. The error is in the log of the Airflow task, and on the status page.""",
        prometheus(f"max(driftmon_monitor_consecutive_failed_runs{{{THIS}}})"),
        thresholds=steps((None, OK), (1, CRITICAL)),
        links=[runbook_of_panel("DriftmonMonitorFailing")],
    )
    return [headline, age, failures, *_counts(), _windows()]


def _counts() -> list[JSON]:
    by_status = f'sum(max by (status) (driftmon_monitor_columns{{{THIS},status=~"%s"}}))'
    return [
        _stat(
            "How many are critical?",
            "Columns beyond chance, beyond what is usual and beyond their own critical threshold. Next: the drift map, since when.",
            prometheus(by_status % "critical"),
            3,
            thresholds=steps((None, OK), (1, CRITICAL)),
            links=[runbook("DriftmonColumnDrift")],
        ),
        _stat(
            "How many are at warning?",
            "The same beyond the warning threshold. Next: see in the drift map whether it lasts; one window is not alerted.",
            prometheus(by_status % "warning"),
            3,
            thresholds=steps((None, OK), (1, WARNING)),
            links=[runbook("DriftmonColumnDrift")],
        ),
        _stat(
            "How many got no verdict?",
            "Columns with no rows, too few rows, another type, or an error: the texts below say which.",
            prometheus(by_status % "error|schema_changed|no_data|insufficient_data"),
            3,
            thresholds=steps((None, OK), (1, UNKNOWN)),
            links=[runbook("DriftmonColumnsNotEvaluated")],
        ),
        _stat(
            "On how many rows?",
            "Live rows of the newest window. Far fewer than usual: ask where the others are before you believe any drift.",
            prometheus(f'max(driftmon_monitor_rows{{{THIS},dataset="live"}})'),
            3,
            color={"mode": "fixed", "fixedColor": OK},
            thresholds=steps((None, OK)),
        ),
    ]


def _windows() -> JSON:
    span = "from=${__data.fields.from_ms}&to=${__data.fields.to_ms}&${datasource:queryparam}&${sql:queryparam}"
    newest = f"/d/driftmon-monitor?var-monitor=${{monitor:percentencode}}&{span}"
    return panel(
        "table",
        "Which windows are there?",
        """All that are stored, and how many are in the time range shown. Nothing below? Click the newest window to show the thirty
        windows up to it.""",
        sql(f"""
            SELECT max(window_start) AS "newest window", count(*) FILTER (WHERE {SHOWN}) AS "shown here", count(*) AS "stored",
                floor(1000 * extract(epoch FROM max(window_start) - 30 * max(window_end - window_start)))::bigint::text AS from_ms,
                ceil(1000 * extract(epoch FROM max(window_end)))::bigint::text AS to_ms
            FROM grafana_windows WHERE {OF_MONITOR} HAVING count(*) > 0
        """),
        size=(6, 4),
        defaults={"noValue": "no window was checked yet", "unit": "short"},
        overrides=[
            column("newest window", links=[link("Show the thirty windows up to it", newest)], unit="dateTimeAsIso"),
            column("from_ms", custom__hideFrom=NOT_SHOWN),
            column("to_ms", custom__hideFrom=NOT_SHOWN),
        ],
    )


def _drift_map() -> JSON:
    return panel(
        "status-history",
        "Which columns drift, since when, and how wide?",
        """A line a column, a cell a window, worst columns first (60 at most); many windows share a cell, which has the worst of them. A
        colour that begins in one cell and stays is a change on that day; all lines at once is the pipeline. Click a cell to see
        how the column's distribution had changed by then, in the last window of the cell.""",
        sql(
            f"""
            WITH worst AS (
                SELECT column_name, row_number() OVER (
                    ORDER BY max(critical_ratio) FILTER (WHERE urgency >= 6) DESC NULLS LAST, max(urgency) DESC,
                        max(kl) DESC NULLS LAST, column_name
                ) AS place
                FROM grafana_column_results WHERE {OF_MONITOR} AND segment = '' AND {SHOWN}
                GROUP BY column_name
            )
            SELECT max(max(window_start)) OVER (PARTITION BY $__timeGroup(window_start, $__interval)) AS time,
                column_name AS metric, max(urgency) AS value
            FROM grafana_column_results JOIN worst USING (column_name)
            WHERE {OF_MONITOR} AND segment = '' AND {SHOWN} AND place <= 60
            GROUP BY $__timeGroup(window_start, $__interval), column_name, place ORDER BY 1, place
            """,
            series=True,
        ),
        size=(24, 14),
        maxDataPoints=150,
        defaults={
            "unit": "none",
            "mappings": STATUS_OF_URGENCY,
            "color": {"mode": "thresholds"},
            "thresholds": steps((None, OK)),
            "custom": {"fillOpacity": 90, "lineWidth": 0},
            "links": [to_column("${__field.name:percentencode}", segment="all%20rows", time=UP_TO_HERE)],
            "noValue": "no window in this time range: see which windows there are, at the top",
        },
    )


def _findings() -> JSON:
    labels = "column, segment, role, text"
    names = {"Value": "place", "column": "column", "segment": "segment", "text": "what is wrong", "role": "role"}
    return panel(
        "table",
        "What is wrong with which column, in words?",
        """The findings of the newest window of all, the worst first, as alerts and the status page have them: how far past which
        threshold, since when, what moved. Click a column to see it.""",
        prometheus(
            f"bottomk by (column, segment) (1, max by ({labels}) (driftmon_column_finding_rank{{{THIS}}}))",
            as_table=True,
        ),
        size=(24, 9),
        options={"sortBy": [{"displayName": "place", "desc": False}]},
        defaults={"noValue": "no findings: nothing drifts", "unit": "short", "custom": {"filterable": True}},
        overrides=[
            column("place", custom__width=60),
            column("column", links=[to_column()], custom__width=200),
            column("segment", custom__width=140),
            column("what is wrong", custom__wrapText=True),
            column("role", custom__width=90),
        ],
        transformations=side_by_side(names),
    )


def _statuses() -> JSON:
    fixed = {"CRITICAL": CRITICAL, "warning": WARNING, "no verdict": UNKNOWN, "ok or info": OK}
    return panel(
        "timeseries",
        "One column, or everything?",
        """Columns of each window by verdict. One coloured slice is a column's own matter; a whole bar is the pipeline's. "no verdict" is no
        good news.""",
        sql(
            f"""
            SELECT window_start AS time, critical_columns AS "CRITICAL", warning_columns AS "warning",
                unchecked_columns AS "no verdict", columns - critical_columns - warning_columns - unchecked_columns AS "ok or info"
            FROM grafana_windows WHERE {OF_MONITOR} AND {SHOWN} ORDER BY 1
            """,
            series=True,
        ),
        size=(12, 8),
        defaults={
            "unit": "short",
            "decimals": 0,
            "min": 0,
            "custom": BARS | {"stacking": {"mode": "normal", "group": "A"}},
            "noValue": "no window in this time range",
        },
        overrides=[column(name, color={"mode": "fixed", "fixedColor": color}) for name, color in fixed.items()],
    )


def _rows() -> JSON:
    return panel(
        "timeseries",
        "On how many rows was each?",
        """Live rows of each window. A sudden drop often explains drift everywhere: find the missing rows first. Few rows make all
        bounds wide, and below min_rows there is no verdict.""",
        sql(
            f"""SELECT window_start AS time, live_rows AS "live rows" FROM grafana_windows WHERE {OF_MONITOR} AND {SHOWN} ORDER BY 1""",
            series=True,
        ),
        size=(12, 8),
        defaults={
            "unit": "short",
            "decimals": 0,
            "min": 0,
            "color": {"mode": "fixed", "fixedColor": LIVE},
            "custom": BARS,
            "noValue": "no window in this time range",
        },
    )
