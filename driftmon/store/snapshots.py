"""The newest state of a monitor, for those who show it: a function of the stored windows, in whatever order they were checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, func, or_, select

from driftmon.core.verdict import Status, Threshold
from driftmon.core.window import Window
from driftmon.errors import UsageError
from driftmon.findings import find, is_blind, summary, worth_telling
from driftmon.store.breaches import SEVERITIES, breached_since
from driftmon.store.history import checks_of, columns_of, newest_first, quality_from
from driftmon.store.monitors import facts_from
from driftmon.store.records import ColumnSample, MonitorSnapshot
from driftmon.store.schema import (
    baseline_columns,
    baseline_histograms,
    baseline_profiles,
    column_results,
    monitors,
    runs,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row

    from driftmon.findings import Finding
    from driftmon.store.references import ColumnKey
    from driftmon.streaks import Streak

__all__ = ["snapshot"]

SHOWN = (
    *("role", "status", "reason", "warning_threshold", "critical_threshold", "quality", "sustained"),
    *("kl", "excess", "lower_bound", "noise_floor", "usual_limit", "missing_ratio", "novel_ratio", "expected_novel"),
)
"""The columns of a row of results that are shown of every column; counts are not."""

AT_ONCE = 500
"""Columns asked for by name in one statement: databases limit the values of a statement."""


def snapshot(connection: Connection, monitor: str) -> MonitorSnapshot:
    """
    All that is shown of a monitor now.

    Raises
    ------
    UsageError
        If the monitor is not in the database.
    """
    known = connection.execute(
        select(monitors).where(monitors.c.name == monitor, monitors.c.model.is_not(None))
    ).first()
    if known is None:
        raise UsageError(f"monitor {monitor!r} is not in the results database; run a check of it first")
    facts = facts_from(known)
    last_success, last_successful, failures = _runs(connection, known.id)
    newest = connection.execute(newest_first(checks_of(monitor)).limit(1)).first()
    if newest is None:
        return MonitorSnapshot(facts, None, None, None, None, (), last_success, last_successful, failures)
    window, zone = Window(newest.window_start, newest.window_end), ZoneInfo(facts.timezone)
    columns, findings = _columns(connection, newest, window, zone)
    return MonitorSnapshot(
        facts=facts,
        window=window,
        baseline=newest.baseline,
        reference_rows=newest.reference_rows,
        live_rows=newest.live_rows,
        columns=columns,
        last_success_at=last_success,
        last_run_successful=last_successful,
        consecutive_failed_runs=failures,
        headline=summary(columns, live_rows=newest.live_rows, window=window, zone=zone),
        findings=findings,
    )


def _runs(connection: Connection, monitor_id: int) -> tuple[Any, bool | None, int]:
    """When the newest success ended, whether the newest run was one, and how many failed since."""
    of_monitor = select(runs.c.id, runs.c.finished_at, runs.c.error).where(runs.c.monitor_id == monitor_id)
    newest_run = of_monitor.order_by(runs.c.finished_at.desc(), runs.c.id.desc()).limit(1)
    last = connection.execute(newest_run).first()
    if last is None:
        return None, None, 0
    success = connection.execute(newest_run.where(runs.c.error.is_(None))).first()
    failures = select(func.count()).where(runs.c.monitor_id == monitor_id, runs.c.error.is_not(None))
    if success is not None:
        later = runs.c.finished_at > success.finished_at
        failures = failures.where(or_(later, and_(runs.c.finished_at == success.finished_at, runs.c.id > success.id)))
    count = 0 if last.error is None else connection.execute(failures).scalar_one()
    return None if success is None else success.finished_at, last.error is None, count


def _columns(
    connection: Connection, newest: Row[Any], window: Window, zone: ZoneInfo
) -> tuple[tuple[ColumnSample, ...], tuple[Finding, ...]]:
    rows = _rows(connection, newest)
    breaching = [key for key, row in rows.items() if Status(row.status).breach]
    streaks = breached_since(connection, newest.monitor_id, breaching)
    samples = {key: _sample(row, streaks.get(key, {})) for key, row in rows.items()}
    telling = [rows[key].reference_id for key, sample in samples.items() if worth_telling(sample)]
    told = [
        column
        for first in range(0, len(telling), AT_ONCE)
        for column in columns_of(connection, newest, telling[first : first + AT_ONCE])
    ]
    return tuple(samples.values()), find(told, streaks, window, zone, blind=is_blind(samples.values()))


def _rows(connection: Connection, newest: Row[Any]) -> dict[ColumnKey, Row[Any]]:
    rows: Sequence[Any] = connection.execute(
        select(
            *(column_results.c[name] for name in SHOWN),
            column_results.c.reference_id,
            baseline_columns.c.column_name,
            baseline_profiles.c.segment,
            baseline_profiles.c.reference_rows,
            baseline_histograms.c.missing.label("reference_missing"),
        )
        .join(baseline_histograms, baseline_histograms.c.id == column_results.c.reference_id)
        .join(baseline_columns, baseline_columns.c.id == baseline_histograms.c.column_id)
        .join(baseline_profiles, baseline_profiles.c.id == baseline_histograms.c.profile_id)
        .where(column_results.c.check_id == newest.id)
        .order_by(baseline_profiles.c.position, baseline_columns.c.position)
    ).all()
    return {(row.column_name, row.segment or None): row for row in rows}


def _sample(row: Row[Any], streaks: Mapping[Status, Streak]) -> ColumnSample:
    return ColumnSample(
        column=row.column_name,
        role=row.role,
        segment=row.segment or None,
        status=Status(row.status),
        kl=row.kl,
        lower_bound=row.lower_bound,
        noise_floor=row.noise_floor,
        threshold=Threshold(row.warning_threshold, row.critical_threshold),
        missing_ratio=row.missing_ratio,
        reference_missing_ratio=row.reference_missing / row.reference_rows if row.reference_rows else None,
        novel_ratio=row.novel_ratio,
        breached_windows={str(each): streaks[each].windows if each in streaks else 0 for each in SEVERITIES},
        usual_limit=row.usual_limit,
        expected_novel_ratio=row.expected_novel,
        sustained=row.sustained,
        quality=quality_from(row),
        excess=row.excess,
        reason=row.reason,
    )
