"""Counting: batches of rows into the bins of learnt layouts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
import pyarrow.types as pat

from driftmon.core.binning import NumberCounts
from driftmon.core.clues import Clues, numeric_clues
from driftmon.core.histogram import Histogram, Profile, segment_name
from driftmon.core.layout import CategoricalLayout, Kind, NumericLayout
from driftmon.sources.arrow.categories import CategoryCounts
from driftmon.sources.arrow.columns import Columns
from driftmon.sources.arrow.grouped import NO_GROUP, GroupCounts
from driftmon.sources.arrow.sampling import Sample, WindowSample

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from driftmon.core.baseline import BaselineColumn
    from driftmon.core.history import Key
    from driftmon.core.layout import Layout
    from driftmon.sources.arrow.batches import Array, Batch
    from driftmon.sources.arrow.grouped import Groups
    from driftmon.sources.arrow.zones import Zone

__all__ = ["count_batches", "count_history"]


def count_batches(
    batches: Iterable[Batch],
    columns: Mapping[str, BaselineColumn],
    *,
    zone: Zone,
    segments: Mapping[str, Sequence[str]] | None = None,
) -> Profile:
    """
    Count rows into learnt layouts, in one pass and in memory that does not grow with the rows.

    Parameters
    ----------
    batches : iterable of Batch
    columns : mapping of str to BaselineColumn
    zone : Zone
        Whose wall clock tells hours and weekdays.
    segments : mapping of str to sequence of str, optional
        Segment columns, each with the values whose rows are counted apart too.

    Returns
    -------
    Profile
        Columns that cannot be counted are in its ``problems``.
    """
    segments = segments or {}
    layouts = {name: column.layout for name, column in columns.items()}
    reading = Columns(columns, segments, zone)
    parts = _Segments(layouts, segments)
    whole = _Whole(layouts, parts if segments else None)
    for batch in batches:
        arrays = reading.values(batch)
        whole.add(arrays, batch.rows)
        parts.add(arrays, reading.segments(batch))
    return whole.profile(reading.problems, dict(parts.profiles(reading.problems)))


def count_history(
    parts: Iterable[tuple[Batch, NDArray[np.intp]]],
    windows: int,
    columns: Mapping[str, BaselineColumn],
    *,
    zone: Zone,
    segments: Mapping[str, Sequence[str]] | None = None,
) -> tuple[dict[Key, NDArray[np.int64]], dict[str, NDArray[np.int64]]]:
    """
    Count the rows of each of many windows into learnt layouts, in one pass.

    Parameters
    ----------
    parts : iterable of (Batch, ndarray of int)
        Rows, and the number of the window of each.
    windows : int
        How many there are.
    columns, zone, segments
        As of `count_batches`.

    Returns
    -------
    counts : dict of (str, str or None) to ndarray of int, shape (windows, bins)
        By column and segment. Columns that cannot be counted are left out.
    tops : dict of str to ndarray of int, shape (windows, 2)
        Of numeric columns: how often the most frequent value of each window comes, and all others.
    """
    segments = segments or {}
    reading = Columns(columns, segments, zone)
    counts = GroupCounts(
        {name: column.layout for name, column in columns.items()},
        {None: windows, **{segment: len(values) * windows for segment, values in segments.items()}},
    )
    tops = WindowSample([name for name, column in columns.items() if column.kind is Kind.NUMERIC], windows)
    for batch, numbers in parts:
        arrays = reading.values(batch)
        tops.add(arrays, numbers)
        groups: dict[str | None, Groups] = {None: numbers}
        for segment, places in reading.segments(batch).items():
            groups[segment] = np.where(places == NO_GROUP, NO_GROUP, places * windows + numbers)
        counts.add(arrays, groups)
    found: dict[Key, NDArray[np.int64]] = {}
    for name in (name for name in columns if name not in reading.problems):
        found[name, None] = counts.table(name, None)
        for segment, values in segments.items():
            if segment not in reading.problems:
                tables = counts.table(name, segment).reshape(len(values), windows, columns[name].layout.size)
                found.update(((name, segment_name(segment, value)), tables[n]) for n, value in enumerate(values))
    return found, tops.tops()


class _Whole:
    """
    The counts of all rows, and what they tell beside.

    Where rows are counted by segment, numbers are not counted once more: their rows in and out of segments add to all rows.
    """

    def __init__(self, layouts: Mapping[str, Layout], parts: _Segments | None) -> None:
        self._layouts = layouts
        self._parts = parts
        self._rows = 0
        self._numbers = {
            name: NumberCounts(layout) for name, layout in layouts.items() if isinstance(layout, NumericLayout)
        }
        self._categories = {
            name: CategoryCounts(layout) for name, layout in layouts.items() if isinstance(layout, CategoricalLayout)
        }
        self._sample = Sample(name for name, layout in layouts.items() if isinstance(layout, NumericLayout))

    def add(self, arrays: Mapping[str, Array], rows: int) -> None:
        self._rows += rows
        if rows == 0:
            return
        self._sample.add(arrays, rows)
        for name, array in arrays.items():
            if name in self._categories:
                self._categories[name].add(array)
            elif self._parts is None:
                _add_numbers(self._numbers[name], array)

    def profile(self, problems: Mapping[str, str], segments: Mapping[str, Profile]) -> Profile:
        histograms = {name: self._histogram(name) for name in self._layouts if name not in problems}
        clues = {name: self._clues(name, histograms[name]) for name in histograms} if self._rows else {}
        return Profile(self._rows, histograms, problems, segments, clues)

    def _histogram(self, name: str) -> Histogram:
        if name in self._categories:
            return self._categories[name].histogram()
        return self._numbers[name].histogram() if self._parts is None else self._parts.whole(name)

    def _clues(self, name: str, histogram: Histogram) -> Clues:
        layout = self._layouts[name]
        if isinstance(layout, NumericLayout):
            return numeric_clues(layout, self._sample.values(name))
        return Clues(self._rows - histogram.missing, new=self._categories[name].new.named())


def _add_numbers(counts: NumberCounts, array: Array) -> None:
    nulls = array.null_count
    if not nulls:
        counts.add(array.to_numpy())
    elif pat.is_floating(array.type) and array.type.bit_width > 16:
        counts.add(pc.fill_null(array, math.nan).to_numpy())
    elif pat.is_integer(array.type):
        # Filling takes a third of the time of dropping, and what it adds is known.
        counts.add(pc.fill_null(array, 0).to_numpy())
        counts.as_missing(nulls, 0)
    else:
        counts.add(array.drop_null().to_numpy(), nulls=nulls)


class _Segments:
    """The counts of the rows of each segment value."""

    def __init__(self, layouts: Mapping[str, Layout], segments: Mapping[str, Sequence[str]]) -> None:
        self._layouts = layouts
        self._segments = segments
        self._rows = {segment: np.zeros(len(values), np.int64) for segment, values in segments.items()}
        self._counts = GroupCounts(layouts, {segment: len(values) for segment, values in segments.items()}, novel=True)

    def add(self, arrays: Mapping[str, Array], segments: Mapping[str, NDArray[np.intp]]) -> None:
        groups: dict[str | None, Groups] = {}
        for segment, numbers in segments.items():
            groups[segment] = numbers
            self._rows[segment] += np.bincount(numbers - NO_GROUP, minlength=1 + len(self._segments[segment]))[1:]
        self._counts.add(arrays, groups)

    def whole(self, name: str) -> Histogram:
        """The counts of all rows, which every segment column has seen."""
        return _histogram(self._layouts[name], self._counts.total(name, next(iter(self._segments))).tolist())

    def profiles(self, problems: Collection[str]) -> Iterator[tuple[str, Profile]]:
        for segment, values in self._segments.items():
            if segment not in problems:
                for place, value in enumerate(values):
                    histograms = {
                        name: _histogram(layout, self._counts.table(name, segment)[place].tolist())
                        for name, layout in self._layouts.items()
                        if name not in problems
                    }
                    yield segment_name(segment, value), Profile(int(self._rows[segment][place]), histograms)


def _histogram(layout: Layout, counts: list[int]) -> Histogram:
    """A row of `GroupCounts`, whose novel rows are part of the bin ``other``."""
    if layout.novel_start is None:
        return Histogram(tuple(counts))
    *bins, other, missing, novel = counts
    return Histogram((*bins, other + novel, missing), novel)
