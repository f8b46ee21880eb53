"""Baselines in the database: written once, never changed. Which one is in force is the matter of `promotions`."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import insert, select

from driftmon.core.baseline import Baseline, BaselineColumn, Learnt
from driftmon.core.clues import Clues
from driftmon.core.histogram import Histogram, Profile
from driftmon.core.history import History
from driftmon.core.layout import Kind, layout_from_json
from driftmon.core.learning import Excluded
from driftmon.core.window import Window, isoformat
from driftmon.errors import BaselineMissing, StoreError
from driftmon.store.bulk import insert_all
from driftmon.store.schema import baseline_columns, baseline_histograms, baseline_profiles, baselines, monitors
from driftmon.store.types import from_json, plain, to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray
    from sqlalchemy import Connection, Row, Select

__all__ = ["load", "row_id", "save"]


def row_id(connection: Connection, monitor: str | None, baseline: str) -> int:
    """
    The row of a baseline, by the name of its monitor (None, as of a result in memory, has none) and its own id.

    Raises
    ------
    BaselineMissing
        If the monitor has no such baseline.
    """
    query = select(baselines.c.id).join(monitors, monitors.c.id == baselines.c.monitor_id)
    found: int | None = connection.execute(
        query.where(monitors.c.name == monitor, baselines.c.hash == baseline)
    ).scalar()
    if found is None:
        raise BaselineMissing(
            f"baseline {baseline} of monitor {monitor!r} is not in the results database: save it before its checks"
        )
    return found


def save(connection: Connection, monitor: int, baseline: Baseline, *, now: datetime) -> bool:
    """
    Write a baseline, unless the monitor has one of the same content.

    Parameters
    ----------
    monitor : int
        Row id, locked.

    Returns
    -------
    bool
        False if it was there already.
    """
    same = select(baselines.c.id).where(baselines.c.monitor_id == monitor, baselines.c.hash == baseline.id)
    if connection.execute(same).first() is not None:
        return False
    span = baseline.span
    connection.execute(
        insert(baselines).values(
            monitor_id=monitor,
            hash=baseline.id,
            reference_rows=baseline.reference.rows,
            span_start=None if span is None else span.start,
            span_end=None if span is None else span.end,
            excluded=to_json([[item.column, item.reason] for item in baseline.excluded]),
            created_at=now,
            windows=_windows_to_json(baseline),
        )
    )
    baseline_id = connection.execute(same).scalar_one()
    _save_columns(connection, baseline_id, baseline)
    _save_profiles(connection, baseline_id, baseline)
    return True


def _windows_to_json(baseline: Baseline) -> str | None:
    if baseline.history is None:
        return None
    return to_json([[isoformat(window.start), isoformat(window.end)] for window in baseline.history.windows])


def _save_columns(connection: Connection, baseline_id: int, baseline: Baseline) -> None:
    clues = baseline.reference.clues
    tops = {} if baseline.history is None else baseline.history.tops
    rows = [
        {
            "baseline_id": baseline_id,
            "position": position,
            "column_name": name,
            "kind": str(column.kind),
            "dtype": column.dtype,
            "layout": to_json(column.layout.to_json()),
            "labels": to_json([plain(a_bin.label) for a_bin in column.layout.bins]),
            "singletons": column.singletons,
            "clues": to_json(clues[name].to_json()) if name in clues else None,
            "tops": _matrix_to_json(tops.get(name)),
        }
        for position, (name, column) in enumerate(baseline.columns.items())
    ]
    insert_all(connection, baseline_columns, rows)


def _save_profiles(connection: Connection, baseline_id: int, baseline: Baseline) -> None:
    whole = baseline.reference
    for segment, part in whole.segments.items():
        if not segment or part.segments:
            raise StoreError(f"segment {segment!r} cannot be stored: it needs a name, and no segments of its own")
    parts = {"": whole, **whole.segments}
    rows = [
        {
            "baseline_id": baseline_id,
            "position": position,
            "segment": segment,
            "reference_rows": part.rows,
            "problems": to_json(dict(part.problems)),
        }
        for position, (segment, part) in enumerate(parts.items())
    ]
    insert_all(connection, baseline_profiles, rows)
    columns = {name: row_id for row_id, name in connection.execute(_columns_of(baseline_id))}
    ids = connection.execute(
        select(baseline_profiles.c.id)
        .where(baseline_profiles.c.baseline_id == baseline_id)
        .order_by(baseline_profiles.c.position)
    ).scalars()
    history = {} if baseline.history is None else dict(baseline.history.counts)
    histograms = [
        {
            "profile_id": profile_id,
            "column_id": columns[name],
            "counts": to_json(list(histogram.counts)),
            "novel": histogram.novel,
            "missing": histogram.missing,
            "history": _matrix_to_json(history.pop((name, segment or None), None)),
        }
        for profile_id, (segment, part) in zip(ids, parts.items(), strict=True)
        for name, histogram in part.histograms.items()
    ]
    if history:
        raise StoreError(f"history of {next(iter(history))!r} cannot be stored: the reference has no counts of it")
    insert_all(connection, baseline_histograms, histograms)


def _matrix_to_json(counts: NDArray[np.int64] | None) -> str | None:
    return None if counts is None else to_json(counts.tolist())


def _columns_of(baseline_id: int) -> Select[int, str]:
    columns = baseline_columns.c
    return select(columns.id, columns.column_name).where(columns.baseline_id == baseline_id).order_by(columns.position)


def load(connection: Connection, row: Row[Any]) -> Baseline:
    """
    The baseline of a row of the baselines' table.

    Raises
    ------
    StoreError
        If what comes back is not what its name says: somebody changed rows by hand.
    """
    found = connection.execute(
        select(baseline_columns).where(baseline_columns.c.baseline_id == row.id).order_by(baseline_columns.c.position)
    ).all()
    excluded = tuple(Excluded(column, reason) for column, reason in from_json(row.excluded))
    learnt = Learnt({column.column_name: _column(column) for column in found}, excluded)
    clues = {
        column.column_name: Clues.from_json(from_json(column.clues)) for column in found if column.clues is not None
    }
    tops = {column.column_name: _matrix(column.tops, 2) for column in found if column.tops is not None}
    histograms = _load_histograms(connection, row.id)
    baseline = Baseline(
        learnt,
        _load_reference(connection, row.id, histograms, clues),
        span=None if row.span_start is None else Window(row.span_start, row.span_end),
        history=None if row.windows is None else _history(from_json(row.windows), histograms, tops),
    )
    if baseline.id != row.hash:
        raise StoreError(f"baseline {row.hash} is damaged, its content is now {baseline.id}; build it again")
    return baseline


def _column(row: Row[Any]) -> BaselineColumn:
    return BaselineColumn(Kind(row.kind), row.dtype, layout_from_json(from_json(row.layout)), row.singletons)


def _load_histograms(connection: Connection, baseline_id: int) -> dict[str, list[Any]]:
    """The counts of each segment, those of all rows under the empty name, in the order of the data."""
    query = (
        select(
            *(baseline_profiles.c.segment, baseline_columns.c.column_name),
            *(baseline_histograms.c.counts, baseline_histograms.c.novel, baseline_histograms.c.history),
        )
        .join(baseline_columns, baseline_columns.c.id == baseline_histograms.c.column_id)
        .join(baseline_profiles, baseline_profiles.c.id == baseline_histograms.c.profile_id)
        .where(baseline_profiles.c.baseline_id == baseline_id)
        .order_by(baseline_columns.c.position)
    )
    found: dict[str, list[Any]] = defaultdict(list)
    for row in connection.execute(query):
        found[row.segment].append(row)
    return found


def _load_reference(
    connection: Connection, baseline_id: int, histograms: Mapping[str, list[Any]], clues: Mapping[str, Clues]
) -> Profile:
    rows = connection.execute(
        select(baseline_profiles)
        .where(baseline_profiles.c.baseline_id == baseline_id)
        .order_by(baseline_profiles.c.position)
    ).all()
    profiles = {
        row.segment: Profile(
            row.reference_rows,
            {own.column_name: Histogram(tuple(from_json(own.counts)), own.novel) for own in histograms[row.segment]},
            from_json(row.problems),
        )
        for row in rows
    }
    whole = profiles.pop("")
    return Profile(whole.rows, whole.histograms, whole.problems, profiles, clues)


def _history(
    windows: Iterable[tuple[str, str]], histograms: Mapping[str, list[Any]], tops: Mapping[str, NDArray[np.int64]]
) -> History:
    counts = {
        (row.column_name, segment or None): _matrix(row.history, len(from_json(row.counts)))
        for segment, rows in histograms.items()
        for row in rows
        if row.history is not None
    }
    instants = (tuple(map(datetime.fromisoformat, bounds)) for bounds in windows)
    return History(counts, tuple(Window(start, end) for start, end in instants), tops)


def _matrix(text: str, width: int) -> NDArray[np.int64]:
    # Where there is no window, the text does not say how wide it would be.
    return np.array(from_json(text), dtype=np.int64).reshape(-1, width)
