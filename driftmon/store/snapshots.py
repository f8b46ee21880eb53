"""The newest state of a monitor, for those who show it: a function of the stored windows, in whatever order they were checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, or_, select

from driftmon.core.verdict import Status, Threshold
from driftmon.core.window import Window
from driftmon.errors import UsageError
from driftmon.store.history import checks_of, newest_first, quality_from
from driftmon.store.monitors import facts_from
from driftmon.store.records import ColumnSample, MonitorSnapshot
from driftmon.store.references import reference_ids
from driftmon.store.schema import (
    EVALUATED,
    baseline_columns,
    baseline_histograms,
    baseline_profiles,
    checks,
    column_results,
    monitors,
    runs,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection, Row

    from driftmon.store.references import ColumnKey

__all__ = ["snapshot"]

SEVERITIES = {
    "warning": frozenset({Status.WARNING, Status.CRITICAL}),
    "critical": frozenset({Status.CRITICAL}),
}
"""The statuses that are at least that severe."""

SHOWN = (
    *("role", "status", "warning_threshold", "critical_threshold", "quality", "sustained"),
    *("kl", "lower_bound", "noise_floor", "usual_limit", "missing_ratio", "novel_ratio", "expected_novel"),
)
"""The columns of a row of results that are shown; texts and counts are not."""

FIRST_PAGE, LARGEST_PAGE = 8, 256
"""Windows looked back at, at once: few at first, since most breaches are young."""

MOST_WANTED = 500
"""Columns asked for by name; for more, all are read, since databases limit the values of a statement."""


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
    newest = connection.execute(newest_first(checks_of(monitor)).limit(1)).first()
    last_success, last_successful, failures = _runs(connection, known.id)
    return MonitorSnapshot(
        facts=facts_from(known),
        window=None if newest is None else Window(newest.window_start, newest.window_end),
        baseline=None if newest is None else newest.baseline,
        reference_rows=None if newest is None else newest.reference_rows,
        live_rows=None if newest is None else newest.live_rows,
        columns=() if newest is None else _samples(connection, newest),
        last_success_at=last_success,
        last_run_successful=last_successful,
        consecutive_failed_runs=failures,
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


def _samples(connection: Connection, newest: Row[Any]) -> tuple[ColumnSample, ...]:
    rows: Sequence[Any] = connection.execute(
        select(
            *(column_results.c[name] for name in SHOWN),
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
    keyed = {(row.column_name, row.segment or None): row for row in rows}
    breaching = [key for key, row in keyed.items() if Status(row.status).breach]
    streaks = _breached_windows(connection, newest.monitor_id, breaching)
    none = dict.fromkeys(SEVERITIES, 0)
    return tuple(_sample(row, streaks.get(key, none)) for key, row in keyed.items())


def _sample(row: Row[Any], breached_windows: Mapping[str, int]) -> ColumnSample:
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
        breached_windows=breached_windows,
        usual_limit=row.usual_limit,
        expected_novel_ratio=row.expected_novel,
        sustained=row.sustained,
        quality=quality_from(row),
    )


@dataclass
class _Streak:
    """Windows in a row, from the newest back, that breached; by severity, those whose row has not ended yet in `going`."""

    windows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SEVERITIES, 0))
    going: set[str] = field(default_factory=lambda: set(SEVERITIES))

    def look_back(self, status: Status) -> None:
        """Take in the window before those seen so far."""
        self.going = {severity for severity in self.going if status in SEVERITIES[severity]}
        for severity in self.going:
            self.windows[severity] += 1


def _breached_windows(
    connection: Connection, monitor_id: int, keys: Iterable[ColumnKey]
) -> dict[ColumnKey, dict[str, int]]:
    """
    For columns that breach now, how many windows in a row have done so.

    Windows without a verdict on the column neither count nor end a row, but one whose baseline did not have the column does:
    what came before it is not known to be the same column. Looks back no further than the longest row.
    """
    streaks = {key: _Streak() for key in keys}
    going = set(streaks)
    ids: dict[int, dict[ColumnKey, int]] = {}
    seen, page = 0, FIRST_PAGE
    while going:
        query = select(checks.c.id, checks.c.baseline_id).where(checks.c.monitor_id == monitor_id)
        windows = connection.execute(newest_first(query).offset(seen).limit(page)).all()
        for baseline_id in {row.baseline_id for row in windows} - set(ids):
            ids[baseline_id] = reference_ids(connection, baseline_id)
        wanted = {ids[row.baseline_id][key]: key for row in windows for key in going & ids[row.baseline_id].keys()}
        verdicts = _verdicts(connection, [row.id for row in windows], wanted)
        for row in windows:
            going &= ids[row.baseline_id].keys()
            for key in going:
                if (row.id, key) in verdicts:
                    streaks[key].look_back(verdicts[row.id, key])
            going = {key for key in going if streaks[key].going}
        if len(windows) < page:
            break
        seen, page = seen + page, min(4 * page, LARGEST_PAGE)
    return {key: streak.windows for key, streak in streaks.items()}


def _verdicts(
    connection: Connection, windows: Sequence[int], wanted: Mapping[int, ColumnKey]
) -> dict[tuple[int, ColumnKey], Status]:
    """The verdicts on some columns, named by the row ids of their references, in some windows."""
    results = column_results.c
    query = select(results.check_id, results.reference_id, results.status).where(
        results.check_id.in_(windows), results.status.in_(EVALUATED)
    )
    if len(wanted) <= MOST_WANTED:
        query = query.where(results.reference_id.in_(wanted))
    rows = connection.execute(query)
    return {(row.check_id, wanted[row.reference_id]): Status(row.status) for row in rows if row.reference_id in wanted}
