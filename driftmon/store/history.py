"""Past results, as they were when they were saved."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select

from driftmon.core.evidence import weigh
from driftmon.core.histogram import Histogram, as_matrix
from driftmon.core.layout import NumericLayout
from driftmon.core.learning import Excluded
from driftmon.core.quality import Quality, QualityCheck
from driftmon.core.result import CheckResult, ColumnResult, Remains, Scores
from driftmon.core.verdict import Status, Threshold
from driftmon.core.window import Window
from driftmon.store.references import references
from driftmon.store.schema import (
    BREACHED,
    SCORES,
    baseline_columns,
    baseline_histograms,
    baseline_profiles,
    baselines,
    checks,
    column_results,
    monitors,
)
from driftmon.store.states import from_row as state_from_row
from driftmon.store.types import from_json

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row, Select

    from driftmon.core.evidence import Evidence
    from driftmon.store.references import ColumnKey, Reference

__all__ = [
    "between",
    "checked_windows",
    "checks_of",
    "columns_of",
    "exactly",
    "load",
    "newest_first",
    "quality_from",
]

AT_ONCE = 500
"""Checks whose columns are fetched by one statement: databases limit the values of a statement."""


def checks_of(monitor: str) -> Select[Any]:
    """The windows of a monitor, each with the baseline that it was checked against."""
    # A subquery, not a join: the order of the index of windows then serves, however many there are.
    monitor_id = select(monitors.c.id).where(monitors.c.name == monitor).scalar_subquery()
    return (
        select(checks, baselines.c.hash.label("baseline"), baselines.c.reference_rows, baselines.c.excluded)
        .join(baselines, baselines.c.id == checks.c.baseline_id)
        .where(checks.c.monitor_id == monitor_id)
    )


def newest_first(query: Select[Any]) -> Select[Any]:
    """By the end of the window; of two that end together, first the one that begins later."""
    return query.order_by(checks.c.window_end.desc(), checks.c.window_start.desc())


def between(query: Select[Any], start: datetime | None, end: datetime | None) -> Select[Any]:
    """Only the windows that lie within ``[start, end)``; None is open."""
    if start is not None:
        # The end is after the start: implied, but of use to the index of windows, which is in the order of their ends.
        query = query.where(checks.c.window_start >= start, checks.c.window_end > start)
    if end is not None:
        query = query.where(checks.c.window_end <= end)
    return query


def exactly(query: Select[Any], window: Window) -> Select[Any]:
    """Only this window."""
    return query.where(checks.c.window_start == window.start, checks.c.window_end == window.end)


def alerted(connection: Connection, query: Select[Any]) -> dict[Window, list[ColumnKey]]:
    """The windows of a query in which a column drifted beyond its threshold, each with those columns and their segments."""
    of_windows = query.subquery()
    found: dict[Window, list[ColumnKey]] = defaultdict(list)
    rows = connection.execute(
        select(
            *(of_windows.c.window_start, of_windows.c.window_end),
            *(baseline_columns.c.column_name, baseline_profiles.c.segment),
        )
        .join(column_results, column_results.c.check_id == of_windows.c.id)
        .join(baseline_histograms, baseline_histograms.c.id == column_results.c.reference_id)
        .join(baseline_columns, baseline_columns.c.id == baseline_histograms.c.column_id)
        .join(baseline_profiles, baseline_profiles.c.id == baseline_histograms.c.profile_id)
        .where(BREACHED)
        .order_by(
            *(of_windows.c.window_end, of_windows.c.window_start),
            *(baseline_profiles.c.position, baseline_columns.c.position),
        )
    )
    for row in rows:
        found[Window(row.window_start, row.window_end)].append((row.column_name, row.segment or None))
    return dict(found)


def checked_windows(connection: Connection, query: Select[Any]) -> dict[Window, str]:
    """The windows of a query, each with the id of the baseline that it was checked against."""
    return {Window(row.window_start, row.window_end): row.baseline for row in connection.execute(query)}


def load(
    connection: Connection, monitor: str, query: Select[Any], *, column: str | Collection[str] | None = None
) -> list[CheckResult]:
    """
    The results of a query, in its order.

    Parameters
    ----------
    query : Select
        `checks_of` the monitor, narrowed.
    column : str or collection of str, optional
        Leave out all others.
    """
    rows = connection.execute(query).all()
    known = references(connection, {row.baseline_id for row in rows}, column=column)
    return [
        result
        for first in range(0, len(rows), AT_ONCE)
        for result in _results(connection, monitor, rows[first : first + AT_ONCE], known)
    ]


def columns_of(connection: Connection, check: Row[Any], only: Collection[int]) -> tuple[ColumnResult, ...]:
    """Some columns of a stored check, named by the row ids of their references."""
    known = references(connection, {check.baseline_id}, only=only)
    query = select(column_results).where(
        column_results.c.check_id == check.id, column_results.c.reference_id.in_(known)
    )
    found = sorted(connection.execute(query), key=lambda row: known[row.reference_id].place)
    return _column_results([(row, known[row.reference_id]) for row in found])


def _results(
    connection: Connection, monitor: str, rows: Sequence[Row[Any]], known: dict[int, Reference]
) -> Iterator[CheckResult]:
    query = select(column_results).where(column_results.c.check_id.in_([row.id for row in rows]))
    if len(known) <= AT_ONCE:  # of one column among many, the others are not even fetched
        query = query.where(column_results.c.reference_id.in_(known))
    columns: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in connection.execute(query):
        if row.reference_id in known:
            columns[row.check_id].append(row)
    for row in rows:
        own = sorted(columns[row.id], key=lambda found: known[found.reference_id].place)
        yield CheckResult(
            monitor=monitor,
            model=row.model,
            window=Window(row.window_start, row.window_end),
            baseline=row.baseline,
            reference_rows=row.reference_rows,
            live_rows=row.live_rows,
            columns=_column_results([(found, known[found.reference_id]) for found in own]),
            excluded=tuple(Excluded(name, reason) for name, reason in from_json(row.excluded)),
        )


def _column_results(found: Sequence[tuple[Row[Any], Reference]]) -> tuple[ColumnResult, ...]:
    lives = [None if row.counts is None else Histogram(tuple(from_json(row.counts)), row.novel) for row, _ in found]
    scored = [place for place, (row, _) in enumerate(found) if row.kl is not None]
    whole = [place for place in scored if lives[place] is not None]
    scores = {place: _stored_scores(found[place][0]) for place in scored}
    scores |= dict(zip(whole, _scores([(*found[place], lives[place]) for place in whole]), strict=True))
    return tuple(
        ColumnResult(
            column=reference.column,
            role=row.role,
            kind=reference.kind,
            segment=reference.segment,
            status=Status(row.status),
            reason=row.reason,
            threshold=Threshold(row.warning_threshold, row.critical_threshold),
            bins=reference.layout.bins,
            reference=reference.histogram,
            live=live,
            scores=scores.get(place),
            expected_novel=row.expected_novel,
            calibration=row.calibration or "",
            quality=quality_from(row),
            hint=row.hint,
            new=tuple((category, rows) for category, rows in from_json(row.new_categories or "[]")),
            sustained=state_from_row(row),
            remains=_remains(row),
        )
        for place, ((row, reference), live) in enumerate(zip(found, lives, strict=True))
    )


def _remains(row: Row[Any]) -> Remains | None:
    if row.counts is not None or row.live_rows is None:
        return None
    return Remains(row.live_rows, row.missing_ratio, row.novel_ratio)


def quality_from(row: Row[Any]) -> tuple[Quality, ...]:
    """The quality checks in a row of results."""
    return tuple(
        Quality(
            QualityCheck(item["check"]),
            item["value"],
            item["reference"],
            item["live"],
            item["p_value"],
            item["q_value"],
            item["problem"],
            item.get("whichever", False),  # younger than the others
        )
        for item in from_json(row.quality or "[]")
    )


def _scores(scored: Sequence[tuple[Row[Any], Reference, Histogram | None]]) -> list[Scores]:
    """The stored numbers, and those that the counts say anyway: keeping them would double the database."""
    if not scored:
        return []
    live = as_matrix(histogram for _, _, histogram in scored if histogram is not None)
    reference = as_matrix(reference.histogram for _, reference, _ in scored)
    evidence = weigh(reference, live, np.array([reference.layout.size for _, reference, _ in scored]))
    return [
        replace(
            _stored_scores(row),
            hellinger=float(evidence.hellinger[place]),
            total_variation=float(evidence.total_variation[place]),
            higher=_higher(evidence, place, reference),
            contributions=tuple(evidence.contributions[place, : reference.layout.size].tolist()),
        )
        for place, (row, reference, _) in enumerate(scored)
    ]


def _stored_scores(row: Row[Any]) -> Scores:
    return Scores(
        **{name: getattr(row, name) for name in SCORES},
        hellinger=None,
        total_variation=None,
        higher=None,
        history_windows=row.history_windows or 0,
        calibrated=row.calibrated,
        contributions=(),
    )


def _higher(evidence: Evidence, place: int, reference: Reference) -> float | None:
    higher = float(evidence.higher[place])
    return higher if isinstance(reference.layout, NumericLayout) and not np.isnan(higher) else None
