"""The rows of the results database without the numbers that a database gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from driftmon.store.schema import (
    baseline_columns,
    baseline_histograms,
    baseline_profiles,
    baselines,
    checks,
    column_results,
    monitors,
)

if TYPE_CHECKING:
    from driftmon.store.store import Store

__all__ = ["results_row_for_row"]

_NUMBERED = {"id", "monitor_id", "baseline_id", "check_id", "reference_id"}


def results_row_for_row(store: Store, monitor: str) -> list[tuple[Any, ...]]:
    """Every value of every row that belongs to a monitor's results, in the order of windows and columns."""
    query = (
        select(
            *(column for column in checks.c if column.name not in _NUMBERED),
            baselines.c.hash,
            baseline_columns.c.column_name,
            baseline_profiles.c.segment,
            *(column for column in column_results.c if column.name not in _NUMBERED),
        )
        .select_from(checks)
        .join(monitors, monitors.c.id == checks.c.monitor_id)
        .join(baselines, baselines.c.id == checks.c.baseline_id)
        .outerjoin(column_results, column_results.c.check_id == checks.c.id)
        .outerjoin(baseline_histograms, baseline_histograms.c.id == column_results.c.reference_id)
        .outerjoin(baseline_columns, baseline_columns.c.id == baseline_histograms.c.column_id)
        .outerjoin(baseline_profiles, baseline_profiles.c.id == baseline_histograms.c.profile_id)
        .where(monitors.c.name == monitor)
        .order_by(checks.c.window_end, checks.c.window_start, baseline_profiles.c.position, baseline_columns.c.position)
    )
    with store._database.reading() as connection:
        return [tuple(row) for row in connection.execute(query)]
