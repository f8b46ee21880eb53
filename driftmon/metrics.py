"""
Every metric family of the exporter, in one table: its name, its labels, what it says, and where its samples come from.

A family says one quantity in one unit, the unit last in its name: nats, ratios in [0, 1], unix time in seconds. Renaming one is a
breaking change: alert rules, dashboards and `docs/metrics.md` use the names (tests hold the document and the table together).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar

from driftmon.core.quality import QualityCheck
from driftmon.core.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from driftmon.findings import Finding
    from driftmon.settings import Links
    from driftmon.store.records import ColumnSample, MonitorSnapshot

__all__ = [
    "COLUMN_FAMILIES",
    "COLUMN_LABELS",
    "EXPORTER_FAMILIES",
    "FAMILIES",
    "FINDING_FAMILIES",
    "MONITOR_FAMILIES",
    "MONITOR_LABELS",
    "SEGMENT_LABEL",
    "AnyFamily",
    "ExporterState",
    "Family",
    "series_of",
]

MONITOR_LABELS = ("model", "monitor")
COLUMN_LABELS = (*MONITOR_LABELS, "column", "role")
SEGMENT_LABEL = "segment"
"""Follows `COLUMN_LABELS` on the series of segments and is absent from all others, so that monitors without segments pay nothing."""

Sample: TypeAlias = tuple[tuple[str, ...], float | None]
"""Values of a family's own labels, and the number; None where there is none, which exports nothing."""

T = TypeVar("T")

Ranked: TypeAlias = "tuple[int, Finding]"
"""A finding and its place among those of its monitor, from 1."""

AnyFamily: TypeAlias = "Family[MonitorSnapshot] | Family[Ranked] | Family[ColumnSample] | Family[ExporterState]"


@dataclass(frozen=True)
class Family(Generic[T]):
    """
    One metric family.

    Parameters
    ----------
    name, type, help : str
        As in the exposition.
    labels : tuple of str
        Those that identify what the samples are about, then the family's own.
    samples : callable
        From what the family describes (a column, a monitor, the exporter) to values of its own labels and the number.
    optional : bool
        True if no alert needs it: left out first where there are too many series, the last of the table before the others.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    samples: Callable[[T], Iterable[Sample]]
    type: Literal["gauge", "counter"] = "gauge"
    optional: bool = False


@dataclass(frozen=True)
class ExporterState:
    """
    What the exporter says of itself.

    Parameters
    ----------
    version, python_version : str
    links : Links
        Where people look further.
    successes, failures : int
        Attempts since the start that succeeded, and that did not.
    successful : bool
        True if the newest attempt succeeded; False before the first.
    succeeded_at : datetime or None
        When the newest successful attempt ended.
    seconds : float or None
        Duration of the newest attempt.
    series, dropped : int
        Of monitors and columns: in the current exposition, and left out of it.
    """

    version: str
    python_version: str
    links: Links
    successes: int = 0
    failures: int = 0
    successful: bool = False
    succeeded_at: datetime | None = None
    seconds: float | None = None
    series: int = 0
    dropped: int = 0


def _one(read: Callable[[T], float | None]) -> Callable[[T], Iterable[Sample]]:
    return lambda item: (((), read(item)),)


def _unix(instant: datetime | None) -> float | None:
    return None if instant is None else instant.timestamp()


def _info(monitor: MonitorSnapshot) -> Iterable[Sample]:
    facts = monitor.facts
    return (((facts.owner, facts.schedule, facts.timezone, monitor.baseline or ""), 1.0),)


def _columns_by_status(monitor: MonitorSnapshot) -> Iterable[Sample]:
    # Segments are not counted: the shares that alerts form of these numbers are shares of the table's columns.
    counts = dict.fromkeys(Status, 0)
    for column in monitor.columns:
        if column.segment is None:
            counts[column.status] += 1
    return [((status.value,), float(count)) for status, count in counts.items()]


def _rows(monitor: MonitorSnapshot) -> Iterable[Sample]:
    return ((("reference",), monitor.reference_rows), (("live",), monitor.live_rows))


def _thresholds(column: ColumnSample) -> Iterable[Sample]:
    return ((("warning",), column.threshold.warning), (("critical",), column.threshold.critical))


def _breached_windows(column: ColumnSample) -> Iterable[Sample]:
    return [((severity,), column.breached_windows.get(severity, 0)) for severity in ("warning", "critical")]


def _quality_problems(column: ColumnSample) -> Iterable[Sample]:
    return [((quality.check.value,), float(quality.problem)) for quality in column.quality]


def _top_value(column: ColumnSample) -> float | None:
    quality = column.quality_of(QualityCheck.TOP_VALUE)
    return None if quality is None else quality.live


def _reference_top_value(column: ColumnSample) -> float | None:
    quality = column.quality_of(QualityCheck.TOP_VALUE)
    return None if quality is None else quality.reference


MONITOR_FAMILIES: tuple[Family[MonitorSnapshot], ...] = (
    Family(
        "driftmon_monitor_info",
        "What the monitor's file says of it, and the baseline in use; always 1.",
        (*MONITOR_LABELS, "owner", "schedule", "timezone", "baseline"),
        _info,
    ),
    Family(
        "driftmon_monitor_columns",
        "Columns of the newest window by status; every status is present, segments are not counted.",
        (*MONITOR_LABELS, "status"),
        _columns_by_status,
    ),
    Family(
        "driftmon_monitor_rows",
        "Rows compared in the newest window, by dataset: reference or live.",
        (*MONITOR_LABELS, "dataset"),
        _rows,
    ),
    Family(
        "driftmon_monitor_window_end_timestamp_seconds",
        "End of the newest checked window, unix time; absent before the first.",
        MONITOR_LABELS,
        _one(lambda monitor: None if monitor.window is None else _unix(monitor.window.end)),
    ),
    Family(
        "driftmon_monitor_max_window_age_seconds",
        "Age of the newest window's end beyond which the monitor is stale.",
        MONITOR_LABELS,
        _one(lambda monitor: monitor.facts.max_window_age),
    ),
    Family(
        "driftmon_monitor_complete",
        "1 if the newest window is the last that the monitor's file has (live.end), so that its age means nothing, else 0.",
        MONITOR_LABELS,
        _one(lambda monitor: monitor.complete),
    ),
    Family(
        "driftmon_monitor_last_success_timestamp_seconds",
        "When the newest successful run finished, unix time; absent before the first.",
        MONITOR_LABELS,
        _one(lambda monitor: _unix(monitor.last_success_at)),
    ),
    Family(
        "driftmon_monitor_last_run_successful",
        "1 if the newest run succeeded, else 0; absent before the first.",
        MONITOR_LABELS,
        _one(lambda monitor: monitor.last_run_successful),
    ),
    Family(
        "driftmon_monitor_consecutive_failed_runs",
        "Newest consecutive runs that failed; 0 after a success.",
        MONITOR_LABELS,
        _one(lambda monitor: monitor.consecutive_failed_runs),
    ),
    Family(
        "driftmon_monitor_headline_info",
        "The newest window in a line, in the label text: how many columns drifted, which, in how many rows; always 1.",
        (*MONITOR_LABELS, "text"),
        lambda monitor: () if monitor.headline is None else (((monitor.headline,), 1.0),),
    ),
)

FINDING_FAMILIES: tuple[Family[Ranked], ...] = (
    Family(
        "driftmon_column_finding_rank",
        "Place among the monitor's findings, 1 is the worst; the label text says what is wrong; only for columns with a finding.",
        (*COLUMN_LABELS, "text"),
        lambda ranked: (((ranked[1].text,), float(ranked[0])),),
        optional=True,
    ),
)

COLUMN_FAMILIES: tuple[Family[ColumnSample], ...] = (
    Family(
        "driftmon_column_kl_divergence_nats",
        "KL divergence of live data from the baseline, D(live||reference), in the newest window.",
        COLUMN_LABELS,
        _one(lambda column: column.kl),
    ),
    Family(
        "driftmon_column_kl_threshold_nats",
        "KL divergence from which on a shift beyond noise has this severity.",
        (*COLUMN_LABELS, "severity"),
        _thresholds,
    ),
    Family(
        "driftmon_column_consecutive_breached_windows",
        "Newest consecutive evaluated windows at least this severe: beyond noise and threshold; 0 when the newest was not.",
        (*COLUMN_LABELS, "severity"),
        _breached_windows,
    ),
    Family(
        "driftmon_column_sustained_drift",
        "1 if the windows up to the newest are, taken together, beyond what is usual and beyond the warning threshold, else 0; absent without a verdict.",
        COLUMN_LABELS,
        _one(lambda column: column.sustained),
    ),
    Family(
        "driftmon_column_quality_problem",
        "1 if a share of the newest window's rows is beyond what is usual, else 0, by check: missing, out_of_range, novel or "
        "top_value; absent for checks that were not made.",
        (*COLUMN_LABELS, "check"),
        _quality_problems,
    ),
    Family(
        "driftmon_column_kl_lower_bound_nats",
        "Lower 95 % confidence bound of the KL divergence's excess over its noise floor, in the newest window.",
        COLUMN_LABELS,
        _one(lambda column: column.lower_bound),
        optional=True,
    ),
    Family(
        "driftmon_column_kl_usual_limit_nats",
        "KL divergence that at most one usual window in a hundred exceeds, learnt from the baseline's windows; absent without them.",
        COLUMN_LABELS,
        _one(lambda column: column.usual_limit),
        optional=True,
    ),
    Family(
        "driftmon_column_missing_ratio",
        "Share of the newest window's rows in which the column is missing, 0 to 1.",
        COLUMN_LABELS,
        _one(lambda column: column.missing_ratio),
        optional=True,
    ),
    Family(
        "driftmon_column_novel_ratio",
        "Share of the newest window's rows in no bin or category of the baseline, 0 to 1.",
        COLUMN_LABELS,
        _one(lambda column: column.novel_ratio),
        optional=True,
    ),
    Family(
        "driftmon_column_top_value_ratio",
        "Share of the newest window's rows that hold its most frequent value, 0 to 1; absent where that check was not made.",
        COLUMN_LABELS,
        _one(_top_value),
        optional=True,
    ),
    Family(
        "driftmon_column_kl_noise_floor_nats",
        "KL divergence that the newest window would show on average if nothing had changed.",
        COLUMN_LABELS,
        _one(lambda column: column.noise_floor),
        optional=True,
    ),
    Family(
        "driftmon_column_reference_missing_ratio",
        "Share of the baseline's rows in which the column is missing, 0 to 1.",
        COLUMN_LABELS,
        _one(lambda column: column.reference_missing_ratio),
        optional=True,
    ),
    Family(
        "driftmon_column_expected_novel_ratio",
        "Share of rows in no bin or category of the baseline that is to be expected if nothing changed, 0 to 1.",
        COLUMN_LABELS,
        _one(lambda column: column.expected_novel_ratio),
        optional=True,
    ),
    Family(
        "driftmon_column_reference_top_value_ratio",
        "Share of the baseline's rows that hold the most frequent value of the newest window, 0 to 1.",
        COLUMN_LABELS,
        _one(_reference_top_value),
        optional=True,
    ),
)

EXPORTER_FAMILIES: tuple[Family[ExporterState], ...] = (
    Family(
        "driftmon_build_info",
        "Version of driftmon that exports; always 1.",
        ("version", "python_version"),
        lambda state: (((state.version, state.python_version), 1.0),),
    ),
    Family(
        "driftmon_links_info",
        "Where the links of alerts begin: Grafana, empty if none is set, and this program's pages; always 1.",
        ("grafana_url", "driftmon_url"),
        lambda state: (((state.links.grafana_url, state.links.driftmon_url), 1.0),),
    ),
    Family(
        "driftmon_exporter_last_refresh_successful",
        "1 if the newest read of the results database succeeded, else 0; the rest is then of the last good read.",
        (),
        _one(lambda state: state.successful),
    ),
    Family(
        "driftmon_exporter_last_refresh_success_timestamp_seconds",
        "When the newest successful read of the results database ended, unix time; absent before the first.",
        (),
        _one(lambda state: _unix(state.succeeded_at)),
    ),
    Family(
        "driftmon_exporter_last_refresh_duration_seconds",
        "How long the newest read of the results database and its rendering took; absent before the first.",
        (),
        _one(lambda state: state.seconds),
    ),
    Family(
        "driftmon_exporter_refreshes_total",
        "Reads of the results database since the start, by outcome: success or failure.",
        ("outcome",),
        lambda state: ((("success",), state.successes), (("failure",), state.failures)),
        type="counter",
    ),
    Family(
        "driftmon_exporter_series",
        "Series of monitors and columns in the current exposition.",
        (),
        _one(lambda state: state.series),
    ),
    Family(
        "driftmon_exporter_dropped_series",
        "Series of monitors and columns left out because there were more than max_series; 0 when all are exported.",
        (),
        _one(lambda state: state.dropped),
    ),
)

FAMILIES: tuple[AnyFamily, ...] = (
    *MONITOR_FAMILIES,
    *FINDING_FAMILIES,
    *COLUMN_FAMILIES,
    *EXPORTER_FAMILIES,
)
"""All of them, in the order of the exposition."""


def series_of(columns: int) -> int:
    """How many series a monitor of so many columns has at most, segments apart."""
    # A column is either numeric or not, so that one of the quality checks does not apply.
    values = {"severity": 2, "dataset": 2, "status": len(Status), "check": len(QualityCheck) - 1}
    labels = [
        [family.labels for family in MONITOR_FAMILIES],
        [*(family.labels for family in FINDING_FAMILIES), *(family.labels for family in COLUMN_FAMILIES)],
    ]
    once, each = (sum(math.prod(values.get(label, 1) for label in own) for own in families) for families in labels)
    return once + columns * each
