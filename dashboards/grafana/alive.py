"""Whether the monitoring itself is alive: the first row of the first page."""

from __future__ import annotations

from dashboards.grafana.looks import CRITICAL, OK, UNKNOWN, WARNING
from dashboards.grafana.parts import JSON, panel, prometheus, runbook, steps

__all__ = ["ALLOWED_AGE", "COMPLETE", "EACH", "SHOWN", "WINDOW_AGE", "alive"]

SHOWN = 'monitor=~"$monitor"'
EACH = "by (model, monitor)"
UNJUDGED = 'status=~"error|schema_changed|no_data|insufficient_data"'
WINDOW_AGE = f"time() - max {EACH} (driftmon_monitor_window_end_timestamp_seconds{{{SHOWN}}})"
ALLOWED_AGE = f"max {EACH} (driftmon_monitor_max_window_age_seconds{{{SHOWN}}})"
NEVER = (
    f"(max {EACH} (driftmon_monitor_info{{{SHOWN}}})"
    f" unless on (model, monitor) driftmon_monitor_window_end_timestamp_seconds{{{SHOWN}}})"
)
"""Monitors without any checked window."""

COMPLETE = f"max {EACH} (driftmon_monitor_complete{{{SHOWN}}}) == 1"
"""Monitors of feeds that have ended: their last window is checked, and no other will come."""


def _count(title: str, description: str, expression: str, *, colors: JSON, alert: str) -> JSON:
    # Nothing to count is 0, which would otherwise be "no data", as if something were broken.
    return panel(
        "stat",
        title,
        description,
        prometheus(f"{expression} or vector(0)"),
        size=(4, 4),
        defaults={
            "unit": "short",
            "decimals": 0,
            "thresholds": colors,
            "color": {"mode": "thresholds"},
            "noValue": "none",
            "links": [runbook(alert)],
        },
    )


def alive() -> list[JSON]:
    """Six numbers: how old what is shown is, and for how many monitors and columns nothing is known."""
    age = panel(
        "stat",
        "How old is what you see?",
        """Seconds since an exporter last read the results database. From 2 minutes on it is late, from 5 minutes on nothing below is
        current: look at the exporter and its database first.""",
        prometheus("time() - max(driftmon_exporter_last_refresh_success_timestamp_seconds)"),
        size=(4, 4),
        defaults={
            "unit": "s",
            "decimals": 0,
            "thresholds": steps((None, OK), (120, WARNING), (300, CRITICAL)),
            "color": {"mode": "thresholds"},
            "noValue": "NO EXPORTER ANSWERS",
            "links": [runbook("DriftmonExporterRefreshFailing")],
        },
    )
    return [
        age,
        _count(
            "How many monitors report?",
            """Monitors that are exported. Fewer than you have files: one never ran, or its exporter is gone. Next: the table below names
            those that are there.""",
            f"count(max by (monitor) (driftmon_monitor_info{{{SHOWN}}}))",
            colors=steps((None, CRITICAL), (1, OK)),
            alert="DriftmonMonitorNeverSucceeded",
        ),
        _count(
            "How many have no fresh window?",
            """Monitors whose newest checked window is older than their schedule, delay and grace allow, or that have none. What they show is
            the past: find out whether Airflow runs them and whether their data arrived. A feed that has ended (live.end) and is checked to its end is not
            among them.""",
            f"count(({WINDOW_AGE} > {ALLOWED_AGE} unless on (model, monitor) {COMPLETE}) or {NEVER})",
            colors=steps((None, OK), (1, CRITICAL)),
            alert="DriftmonMonitorStale",
        ),
        _count(
            "How many fail to run?",
            """Monitors whose newest run ended in an error. The error is in the log of the Airflow task, and on the status page.""",
            f"count(max {EACH} (driftmon_monitor_last_run_successful{{{SHOWN}}}) == 0)",
            colors=steps((None, OK), (1, CRITICAL)),
            alert="DriftmonMonitorFailing",
        ),
        _count(
            "How many columns got no verdict?",
            """Columns of the newest windows with no rows, too few rows, another type, or an error. Nobody knows whether they drift. The
            monitor's page says why.""",
            f"sum(max by (model, monitor, status) (driftmon_monitor_columns{{{SHOWN},{UNJUDGED}}}))",
            colors=steps((None, OK), (1, UNKNOWN)),
            alert="DriftmonColumnsNotEvaluated",
        ),
        _count(
            "How many columns drift critically?",
            """Columns of the newest windows that moved beyond chance, beyond what is usual and beyond their own critical threshold. The
            second table below has them, the worst first.""",
            f'sum(max by (model, monitor, status) (driftmon_monitor_columns{{{SHOWN},status="critical"}}))',
            colors=steps((None, OK), (1, CRITICAL)),
            alert="DriftmonColumnDrift",
        ),
    ]
