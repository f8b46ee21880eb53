"""Baselines in the database: written once, never changed. Which one is in force is the matter of `promotions`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from driftmon.core.baseline import Baseline, BaselineColumn, Learnt
from driftmon.core.histogram import Histogram, Profile
from driftmon.core.layout import Kind, layout_from_json
from driftmon.core.learning import Excluded
from driftmon.core.window import Window
from driftmon.errors import StoreError
from driftmon.store.schema import baseline_columns, baseline_histograms, baseline_profiles, baselines
from driftmon.store.types import from_json, plain, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection, Row, Select

__all__ = ["load", "save"]


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
        )
    )
    baseline_id = connection.execute(same).scalar_one()
    _save_columns(connection, baseline_id, baseline)
    _save_profiles(connection, baseline_id, baseline)
    return True


def _save_columns(connection: Connection, baseline_id: int, baseline: Baseline) -> None:
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
        }
        for position, (name, column) in enumerate(baseline.columns.items())
    ]
    if rows:
        connection.execute(insert(baseline_columns), rows)


@dataclass(frozen=True)
class _Part:
    """One profile of a baseline: the whole reference or a window of it, all rows or a segment."""

    window: Window | None
    segment: str
    profile: Profile


def _parts(baseline: Baseline) -> Iterator[_Part]:
    wholes = [(None, baseline.reference), *baseline.history]
    for window, whole in wholes:
        yield _Part(window, "", whole)
        for segment, profile in whole.segments.items():
            if not segment or profile.segments:
                raise StoreError(f"segment {segment!r} cannot be stored: it needs a name, and no segments of its own")
            yield _Part(window, segment, profile)


def _save_profiles(connection: Connection, baseline_id: int, baseline: Baseline) -> None:
    parts = list(_parts(baseline))
    rows = [
        {
            "baseline_id": baseline_id,
            "position": position,
            "segment": part.segment,
            "window_start": None if part.window is None else part.window.start,
            "window_end": None if part.window is None else part.window.end,
            "reference_rows": part.profile.rows,
            "problems": to_json(dict(part.profile.problems)),
        }
        for position, part in enumerate(parts)
    ]
    connection.execute(insert(baseline_profiles), rows)
    columns = {name: row_id for row_id, name in connection.execute(_columns_of(baseline_id))}
    profiles = connection.execute(
        select(baseline_profiles.c.id)
        .where(baseline_profiles.c.baseline_id == baseline_id)
        .order_by(baseline_profiles.c.position)
    ).scalars()
    histograms = [
        {
            "profile_id": profile_id,
            "column_id": columns[name],
            "counts": to_json(list(histogram.counts)),
            "novel": histogram.novel,
            "missing": histogram.missing,
        }
        for profile_id, part in zip(profiles, parts, strict=True)
        for name, histogram in part.profile.histograms.items()
    ]
    if histograms:
        connection.execute(insert(baseline_histograms), histograms)


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
    wholes = _load_profiles(connection, row.id)
    span = None if row.span_start is None else Window(row.span_start, row.span_end)
    history = tuple((window, profile) for window, profile in wholes[1:] if window is not None)
    baseline = Baseline(learnt, wholes[0][1], span, history)
    if baseline.id != row.hash:
        raise StoreError(f"baseline {row.hash} is damaged, its content is now {baseline.id}; build it again")
    return baseline


def _column(row: Row[Any]) -> BaselineColumn:
    return BaselineColumn(Kind(row.kind), row.dtype, layout_from_json(from_json(row.layout)), row.singletons)


def _load_profiles(connection: Connection, baseline_id: int) -> list[tuple[Window | None, Profile]]:
    """The whole reference, then each window of it, with their segments."""
    histograms = _load_histograms(connection, baseline_id)
    rows = connection.execute(
        select(baseline_profiles)
        .where(baseline_profiles.c.baseline_id == baseline_id)
        .order_by(baseline_profiles.c.position)
    )
    wholes: list[tuple[Window | None, Profile]] = []
    segments: dict[str, Profile] = {}
    for row in rows:
        if not row.segment:
            segments = {}
        profile = Profile(row.reference_rows, histograms[row.id], from_json(row.problems), segments)
        if row.segment:
            segments[row.segment] = Profile(profile.rows, profile.histograms, profile.problems)
        else:
            wholes.append((None if row.window_start is None else Window(row.window_start, row.window_end), profile))
    return wholes


def _load_histograms(connection: Connection, baseline_id: int) -> dict[int, dict[str, Histogram]]:
    query = (
        select(
            baseline_histograms.c.profile_id,
            baseline_columns.c.column_name,
            baseline_histograms.c.counts,
            baseline_histograms.c.novel,
        )
        .join(baseline_columns, baseline_columns.c.id == baseline_histograms.c.column_id)
        .join(baseline_profiles, baseline_profiles.c.id == baseline_histograms.c.profile_id)
        .where(baseline_profiles.c.baseline_id == baseline_id)
        .order_by(baseline_columns.c.position)
    )
    found: dict[int, dict[str, Histogram]] = defaultdict(dict)
    for profile_id, name, counts, novel in connection.execute(query):
        found[profile_id][name] = Histogram(tuple(from_json(counts)), novel)
    return found
