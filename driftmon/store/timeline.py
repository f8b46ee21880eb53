"""The last windows of monitors and columns in a few numbers each: what small pictures are drawn from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from driftmon.core.verdict import Status, Threshold
from driftmon.core.window import Window
from driftmon.store.history import between, checks_of, newest_first
from driftmon.store.records import RunRecord
from driftmon.store.references import reference_ids
from driftmon.store.schema import BREACHED, checks, column_results, monitors, runs
from driftmon.store.types import from_json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from driftmon.store.references import ColumnKey

__all__ = ["ColumnPoint", "Timeline", "WindowPoint", "last_failure", "strips", "timeline"]

MOST_NAMES = 500
"""Monitors asked for by name; for more, all are read, since databases limit the values of a statement."""

POINT = (
    *("status", "kl", "lower_bound", "lower_bound_reverse", "noise_floor", "usual_limit", "live_rows"),
    *("warning_threshold", "critical_threshold", "sustained", "quality"),
)


@dataclass(frozen=True)
class WindowPoint:
    """
    One window of a monitor.

    Parameters
    ----------
    window : Window
    status : Status
        The worst of its columns.
    live_rows : int
    drifted : int
        Columns, and columns of segments, beyond a threshold.
    worst : float or None
        The largest KL of those, in critical thresholds; None if nothing drifted, or the threshold is 0.
    """

    window: Window
    status: Status
    live_rows: int
    drifted: int = 0
    worst: float | None = None


@dataclass(frozen=True)
class ColumnPoint:
    """
    One column in one window; nats, None where there is no number.

    `bound` is the larger lower bound of both directions, `sustained` is true where the drift was, `problems` counts the quality
    checks that found something.
    """

    status: Status
    kl: float | None
    bound: float | None
    noise_floor: float | None
    usual_limit: float | None
    live_rows: int | None
    threshold: Threshold
    sustained: bool
    problems: int


@dataclass(frozen=True)
class Timeline:
    """
    The last windows of a monitor, the oldest first.

    `columns` has a point for each of `windows`; None where the baseline of that window did not have the column.
    """

    windows: tuple[WindowPoint, ...]
    columns: Mapping[ColumnKey, tuple[ColumnPoint | None, ...]]

    def of(self, column: str, segment: str | None = None) -> tuple[ColumnPoint | None, ...]:
        """The points of a column; a None a window if it was never there."""
        return self.columns.get((column, segment)) or (None,) * len(self.windows)


def timeline(
    connection: Connection,
    monitor: str,
    *,
    end: datetime | None,
    limit: int,
    column: str | None = None,
    segments: bool = False,
) -> Timeline:
    """
    The last windows of one monitor.

    Parameters
    ----------
    end : datetime, optional
        Only windows that end by then.
    limit : int
        Windows, of the newest.
    column : str, optional
        Leave out all others.
    segments : bool
        Also columns of segments.
    """
    query = newest_first(between(checks_of(monitor), None, end)).limit(limit)
    rows = connection.execute(query).all()[::-1]
    keys = {
        row_id: key
        for baseline_id in {row.baseline_id for row in rows}
        for key, row_id in reference_ids(connection, baseline_id).items()
        if (column is None or key[0] == column) and (segments or key[1] is None)
    }
    points = _points(connection, rows, keys)
    known: Mapping[int, tuple[int, float | None]] = {}
    if rows:
        known = _breaches(connection, [row.id for row in rows if Status(row.status).breach])
    return Timeline(tuple(_window(row, known.get(row.id)) for row in rows), points)


def _points(
    connection: Connection, windows: Sequence[Row[Any]], keys: Mapping[int, ColumnKey]
) -> dict[ColumnKey, tuple[ColumnPoint | None, ...]]:
    places = {row.id: place for place, row in enumerate(windows)}
    results = column_results.c
    query = select(results.check_id, results.reference_id, *(results[name] for name in POINT))
    query = query.where(results.check_id.in_(places))
    if len(keys) <= MOST_NAMES:
        query = query.where(results.reference_id.in_(keys))
    found: dict[ColumnKey, list[ColumnPoint | None]] = defaultdict(lambda: [None] * len(windows))
    # Unpacked by place: a row is asked for each of its values by name in as long as it takes to read it.
    for check_id, reference_id, *values in connection.execute(query):
        if reference_id in keys:
            found[keys[reference_id]][places[check_id]] = _point(*values)
    return {key: tuple(points) for key, points in found.items()}


def _point(  # noqa: PLR0913, PLR0917 - the values of `POINT`, in their order
    status: str,
    kl: float | None,
    bound: float | None,
    reverse: float | None,
    noise_floor: float | None,
    usual_limit: float | None,
    live_rows: int | None,
    warning: float,
    critical: float,
    sustained: bool | None,
    quality: str | None,
) -> ColumnPoint:
    problems = 0
    if quality is not None and "true" in quality:  # most have none, and reading JSON takes longer than all the rest
        problems = sum(1 for item in from_json(quality) if item["problem"])
    return ColumnPoint(
        status=Status(status),
        kl=kl,
        bound=None if bound is None else max(bound, reverse or 0.0),
        noise_floor=noise_floor,
        usual_limit=usual_limit,
        live_rows=live_rows,
        threshold=Threshold(warning, critical),
        sustained=bool(sustained),
        problems=problems,
    )


def strips(connection: Connection, names: Collection[str] | None, *, limit: int) -> dict[str, tuple[WindowPoint, ...]]:
    """
    The last windows of several monitors, each the oldest first.

    Parameters
    ----------
    names : collection of str or None
        Monitors; all if None.
    limit : int
        Windows of each, of the newest.
    """
    place = func.row_number().over(
        partition_by=checks.c.monitor_id, order_by=(checks.c.window_end.desc(), checks.c.window_start.desc())
    )
    numbered = select(
        *(checks.c.id, checks.c.window_start, checks.c.window_end, checks.c.status, checks.c.live_rows),
        *(monitors.c.name, place.label("place")),
    ).join(monitors, monitors.c.id == checks.c.monitor_id)
    if names is not None and len(names) <= MOST_NAMES:
        numbered = numbered.where(monitors.c.name.in_(names))
    recent = numbered.subquery()
    rows = connection.execute(
        select(recent).where(recent.c.place <= limit).order_by(recent.c.name, recent.c.place.desc())
    ).all()
    wanted = [row for row in rows if names is None or row.name in names]
    known = _breaches(connection, [row.id for row in wanted if Status(row.status).breach])
    found: dict[str, list[WindowPoint]] = defaultdict(list)
    for row in wanted:
        found[row.name].append(_window(row, known.get(row.id)))
    return {name: tuple(points) for name, points in found.items()}


def _breaches(connection: Connection, check_ids: Sequence[int]) -> dict[int, tuple[int, float | None]]:
    """For windows in which something drifted: how many columns, and the largest KL in critical thresholds."""
    results = column_results.c
    in_thresholds = func.max(results.kl / func.nullif(results.critical_threshold, 0.0))
    query = select(results.check_id, func.count(), in_thresholds).where(BREACHED).group_by(results.check_id)
    found: dict[int, tuple[int, float | None]] = {}
    for first in range(0, len(check_ids), MOST_NAMES):
        for row in connection.execute(query.where(results.check_id.in_(check_ids[first : first + MOST_NAMES]))):
            found[row[0]] = (row[1], row[2])
    return found


def _window(row: Row[Any], breaches: tuple[int, float | None] | None) -> WindowPoint:
    drifted, worst = breaches or (0, None)
    return WindowPoint(Window(row.window_start, row.window_end), Status(row.status), row.live_rows, drifted, worst)


def last_failure(connection: Connection, monitor: str) -> RunRecord | None:
    """The newest run of a monitor if it failed; None if it did not, or there was none."""
    query = (
        select(runs)
        .join(monitors, monitors.c.id == runs.c.monitor_id)
        .where(monitors.c.name == monitor)
        .order_by(runs.c.finished_at.desc(), runs.c.id.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    if row is None or row.error is None:
        return None
    return RunRecord(monitor, Window(row.window_start, row.window_end), row.started_at, row.finished_at, row.error)
