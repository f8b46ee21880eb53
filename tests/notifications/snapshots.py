"""Snapshots of monitors with some findings, made by hand: what is told of them depends on nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from driftmon.core.verdict import Status, Threshold
from driftmon.core.window import Window
from driftmon.findings import Alert, Finding
from driftmon.store.records import ColumnSample, MonitorSnapshot
from tests.store.factories import facts

MAY_1 = datetime(2013, 5, 1, tzinfo=UTC)
DRIFT = "DriftmonColumnDrift"
TEXT = "KL 0.431 nats, at least 4.0 × the critical threshold 0.1; since 2013-05-20 (3 days); (-5, -2] 8 % → 2 %"


def day(number: int) -> Window:
    return Window(MAY_1 + timedelta(days=number - 1), MAY_1 + timedelta(days=number))


def finding(column: str, *severities: str, segment: str | None = None, alert: str = DRIFT, text: str = TEXT) -> Finding:
    """What somebody should know of a column, that alerts with these severities."""
    severities = severities or ("critical",)
    alerts = tuple(Alert(alert, Status(severity)) for severity in severities)
    return Finding(column, "feature", segment, Status(severities[0]), alerts, text)


def column(name: str, status: Status = Status.OK, segment: str | None = None) -> ColumnSample:
    numbers = (0.01, 0.0, 0.005, Threshold(), 0.0, 0.0, None)
    return ColumnSample(name, "feature", segment, status, *numbers, breached_windows={})


def snapshot(*findings: Finding, failed: int = 0, columns: tuple[ColumnSample, ...] = (), **changes) -> MonitorSnapshot:
    values = {
        "facts": facts(),
        "window": day(23),
        "baseline": "b3f9",
        "reference_rows": 80_789,
        "live_rows": 964,
        "columns": columns,
        "last_success_at": MAY_1,
        "last_run_successful": not failed,
        "consecutive_failed_runs": failed,
        "headline": f"{len(findings)} of 10 columns drifted (964 rows of 2013-05-23)",
        "findings": findings,
    }
    return MonitorSnapshot(**{**values, **changes})
