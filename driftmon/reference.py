"""A monitor's reference: which rows, which columns, which windows; and the baseline that they make."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from driftmon.core.baseline import Baseline, Learnt
from driftmon.core.history import BLOCKS, LEAST_WINDOWS, MOST_WINDOWS
from driftmon.core.layout import CategoricalLayout, Kind
from driftmon.core.pairs import LEAST_REFERENCE_ROWS
from driftmon.core.window import Window
from driftmon.errors import SourceError, UsageError
from driftmon.sources.base import Selection, no_progress
from driftmon.sources.opening import open_source
from driftmon.words import nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from driftmon.config import Monitor
    from driftmon.sources.base import Progress, Source

__all__ = ["apart", "baseline_of", "check_names", "reference_source", "reference_windows"]

SAID = 3
"""Columns whose reason a message gives before it stops."""


def reference_source(monitor: Monitor, progress: Progress = no_progress) -> Source:
    """Where the monitor's reference rows are."""
    return open_source(monitor.reference, timezone=monitor.timezone, progress=progress)


def baseline_of(monitor: Monitor, progress: Progress = no_progress) -> Baseline:
    """
    Learn layouts from the reference, then count it, whole and window by window: everything a check needs, without storing it.

    Raises
    ------
    SourceError
        If the reference cannot be read, is empty, has no column to monitor, or lacks one that the monitor names.
    """
    source = reference_source(monitor, progress)
    span = monitor.reference_span
    learnt = source.learn(_selection(monitor, [column.name for column in source.inspect().columns]), span)
    if not learnt.columns:
        reasons = "; ".join(f"{item.column}: {item.reason}" for item in learnt.excluded[:SAID])
        raise SourceError(
            f"{monitor.reference.where}: no column can be monitored: {reasons or 'all are excluded'}; name some under columns"
        )
    profile = source.count(learnt.columns, span, segments=_segment_values(monitor, learnt))
    if profile.problems:
        name, problem = next(iter(profile.problems.items()))
        raise SourceError(f"reference of {monitor.name!r}: column {name!r}: {problem}")
    enough = {name: part for name, part in profile.segments.items() if part.rows >= LEAST_REFERENCE_ROWS}
    baseline = Baseline(learnt, replace(profile, segments=enough), span)
    split = reference_windows(monitor, source)
    if not split:
        return baseline
    return replace(baseline, history=source.history(learnt.columns, split, span, segments=baseline.segments))


def _selection(monitor: Monitor, present: Sequence[str]) -> Selection:
    check_names(monitor, present)
    columns = monitor.columns
    # The live timestamp says when a row happened, not what it is like; the reference may carry it too.
    named = {part for name in columns.included or () for part in (name, name.rpartition(".")[0])}
    time = {name for name in present if name == monitor.live.timestamp} - named
    return Selection(
        include=columns.included,
        exclude=sorted({*columns.exclude, *time}),
        kinds={name: Kind(kind) for name, kind in columns.kinds.items()},
    )


def reference_windows(monitor: Monitor, source: Source) -> Sequence[Window] | int:
    """
    How the reference is split to learn what is usual: the monitor's own windows, or blocks of rows without a timestamp.

    Windows that the bounds of the reference cut are passed over: half a day is no day. Of more windows than are kept, every so
    many-th is taken, so that all of the reference is seen. Of rolling windows only those that share no row are, see
    `apart`.
    """
    if monitor.reference.timestamp is None:
        return BLOCKS
    extent = source.span()
    if extent is None:
        return []
    schedule, bounds, place = monitor.steps, monitor.reference_span, monitor.reference
    start = schedule.containing(extent.start).start
    end = schedule.containing(extent.end - timedelta(microseconds=1)).end
    if bounds is not None:
        start = max(start, bounds.start) if place.start is not None else start
        end = min(end, bounds.end) if place.end is not None else end
    windows = list(schedule.between(start, end)) if start < end else []
    if monitor.rolling is not None:
        windows = apart(windows, monitor.rolling.steps)
    if len(windows) <= MOST_WINDOWS:
        return windows
    return [windows[place * len(windows) // MOST_WINDOWS] for place in range(MOST_WINDOWS)]


def apart(steps: Sequence[Window], size: int) -> list[Window]:
    """
    Windows of so many steps each, one after the other, up to the last step.

    Windows that overlap would be counted as if each told something new (decision 24). Where there are too few of them, shorter ones
    take their place: what differs between those differs no more between longer ones, so that too little is called unusual, not too
    much.
    """
    size = max(min(size, len(steps) // LEAST_WINDOWS), 1)
    first = len(steps) % size
    return [Window(steps[n].start, steps[n + size - 1].end) for n in range(first, len(steps), size)]


def check_names(monitor: Monitor, present: Sequence[str]) -> None:
    """
    Refuse a monitor that names columns which its reference does not have: what it says of them would count for nothing.

    Raises
    ------
    SourceError
        With the key that names the column, and the nearest names.
    """
    columns = monitor.columns
    asked: dict[str, Iterable[str]] = {
        "columns.features": columns.features or (),
        "columns.predictions": columns.predictions,
        "columns.targets": columns.targets,
        "columns.exclude": columns.exclude,
        "columns.kinds": columns.kinds,
        "segments": monitor.segments,
        "column_thresholds": monitor.column_thresholds,
    }
    for key, names in asked.items():
        for name in names:
            # A part of a timestamp, such as booked.hour, is there if the timestamp is.
            if name not in present and name.rpartition(".")[0] not in present:
                raise SourceError(
                    f"{monitor.reference.where}: no column {name!r}, which {key} names; {nearest(name, present)}"
                )


def _segment_values(monitor: Monitor, learnt: Learnt) -> dict[str, Sequence[str]]:
    values: dict[str, Sequence[str]] = {}
    for name in monitor.segments:
        column = learnt.columns.get(name)
        if column is None or not isinstance(column.layout, CategoricalLayout):
            known = [other for other, c in learnt.columns.items() if isinstance(c.layout, CategoricalLayout)]
            raise UsageError(
                f"{monitor.name}: segments names {name!r}, which is not a monitored categorical column; those are {known}"
            )
        values[name] = column.layout.categories
    return values
