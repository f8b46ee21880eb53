"""The counts of each step of rolling windows: kept as they were read, replaced when the step is read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from driftmon.core.clues import Clues
from driftmon.core.histogram import Histogram, Profile, segment_name
from driftmon.core.window import Window
from driftmon.store.baselines import row_id
from driftmon.store.schema import baselines, monitors, step_counts
from driftmon.store.types import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from driftmon.core.baseline import Baseline

__all__ = ["load", "save"]


def load(
    connection: Connection, monitor: str, baseline: Baseline, *, place: str, windows: Collection[Window]
) -> dict[Window, Profile]:
    """
    The counts of those of some steps that were kept, in the layouts of a baseline.

    Parameters
    ----------
    place : str
        Where live rows are, in a few letters: counts of another place are passed over.
    """
    if not windows:
        return {}
    kept = step_counts.c
    query = (
        select(kept.window_start, kept.window_end, kept.live_rows, kept.counts, kept.clues)
        .join(baselines, baselines.c.id == kept.baseline_id)
        .join(monitors, monitors.c.id == baselines.c.monitor_id)
        .where(
            monitors.c.name == monitor,
            baselines.c.hash == baseline.id,
            kept.place == place,
            kept.window_end >= min(window.end for window in windows),
            kept.window_end <= max(window.end for window in windows),
        )
    )
    found = {Window(row.window_start, row.window_end): row for row in connection.execute(query)}
    return {
        window: _profile(
            found[window].live_rows, from_json(found[window].counts), from_json(found[window].clues), baseline
        )
        for window in windows
        if window in found
    }


def save(
    connection: Connection,
    monitor: str,
    baseline: Baseline,
    *,
    place: str,
    counts: tuple[Window, Profile],
    now: datetime,
) -> None:
    """
    Keep the counts of a step in the place of earlier ones.

    Raises
    ------
    BaselineMissing
        If the monitor has no such baseline.
    """
    window, profile = counts
    key = {
        "baseline_id": row_id(connection, monitor, baseline.id),
        "window_end": window.end,
        "window_start": window.start,
    }
    values = {
        "place": place,
        "live_rows": profile.rows,
        "counts": to_json(_counts(profile, baseline)),
        "clues": to_json(_clues(profile, baseline)),
        "counted_at": now,
    }
    # The same method under the same name, but not the same class. No lock: whoever reads a step last has the newest rows.
    make: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(
        make(step_counts).values(**key, **values).on_conflict_do_update(index_elements=list(key), set_=values)
    )


def _segments(baseline: Baseline) -> list[str]:
    return [segment_name(column, value) for column, values in baseline.segments.items() for value in values]


def _counts(profile: Profile, baseline: Baseline) -> dict[str, Any]:
    """
    JSON-ready content, by the place of columns and segments: names can be long, and come again and again.

    A histogram is its counts, or its counts and the novel rows; null if the column could not be counted.
    """
    parts = (profile.segments.get(segment) for segment in _segments(baseline))
    return {
        "columns": _histograms(profile, baseline),
        "problems": [[name, problem] for name, problem in profile.problems.items()],
        "segments": [None if part is None else [part.rows, _histograms(part, baseline)] for part in parts],
    }


def _histograms(profile: Profile, baseline: Baseline) -> list[Any]:
    found = (profile.histograms.get(name) for name in baseline.columns)
    return [
        None if each is None else [list(each.counts)] if each.novel is None else [list(each.counts), each.novel]
        for each in found
    ]


def _clues(profile: Profile, baseline: Baseline) -> list[Any]:
    return [profile.clues[name].to_json() if name in profile.clues else None for name in baseline.columns]


def _profile(rows: int, counts: dict[str, Any], clues: list[Any], baseline: Baseline) -> Profile:
    parts = zip(_segments(baseline), counts["segments"], strict=True)
    said = zip(baseline.columns, clues, strict=True)
    return Profile(
        rows,
        _read(counts["columns"], baseline),
        dict(counts["problems"]),
        {segment: Profile(part[0], _read(part[1], baseline)) for segment, part in parts if part is not None},
        {name: Clues.from_json(each) for name, each in said if each is not None},
    )


def _read(histograms: list[Any], baseline: Baseline) -> dict[str, Histogram]:
    pairs = zip(baseline.columns, histograms, strict=True)
    return {
        name: Histogram(tuple(each[0]), each[1] if len(each) > 1 else None) for name, each in pairs if each is not None
    }
