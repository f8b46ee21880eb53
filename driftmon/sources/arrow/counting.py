"""Counting: batches of rows into the bins of learnt layouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from driftmon.core.binning import count_categories, count_numbers
from driftmon.core.histogram import Profile, empty_profile, segment_name
from driftmon.core.layout import CategoricalLayout, NumericLayout
from driftmon.sources.arrow.columns import Columns
from driftmon.sources.arrow.tally import CodeTally

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from driftmon.core.baseline import BaselineColumn
    from driftmon.core.histogram import Histogram
    from driftmon.core.layout import Layout
    from driftmon.sources.arrow.batches import Batch
    from driftmon.sources.arrow.zones import Zone

__all__ = ["count_batches"]


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
    counting = _Counting(columns, zone, segments or {})
    for batch in batches:
        counting.add(batch)
    return counting.profile()


class _Counting:
    """One count under way."""

    def __init__(
        self, columns: Mapping[str, BaselineColumn], zone: Zone, segments: Mapping[str, Sequence[str]]
    ) -> None:
        layouts = {name: column.layout for name, column in columns.items()}
        self._columns = Columns(columns, segments, zone)
        self._whole = _Part(layouts)
        self._segments = {segment: {value: _Part(layouts) for value in values} for segment, values in segments.items()}

    def add(self, batch: Batch) -> None:
        arrays = self._columns.values(batch)
        self._whole.add(arrays, batch.rows)
        for segment, numbers in self._columns.segments(batch).items():
            for number, part in enumerate(self._segments[segment].values()):
                rows = np.flatnonzero(numbers == number)
                if len(rows):
                    picked = pa.array(rows)
                    part.add({name: array.take(picked) for name, array in arrays.items()}, len(rows))

    def profile(self) -> Profile:
        problems = self._columns.problems
        whole = self._whole.profile(problems)
        parts = {
            segment_name(segment, value): part.profile(problems)
            for segment, values in self._segments.items()
            if segment not in problems
            for value, part in values.items()
        }
        return Profile(whole.rows, whole.histograms, problems, parts)


class _Part:
    """The counts of all rows, or of one segment's."""

    def __init__(self, layouts: Mapping[str, Layout]) -> None:
        self._layouts = layouts
        self._rows = 0
        self._histograms: dict[str, Histogram] = dict(empty_profile(layouts).histograms)
        self._tallies = {name: CodeTally() for name, layout in layouts.items() if isinstance(layout, CategoricalLayout)}

    def add(self, arrays: Mapping[str, Any], rows: int) -> None:
        self._rows += rows
        if rows == 0:
            return
        for name, array in arrays.items():
            layout = self._layouts[name]
            if isinstance(layout, NumericLayout):
                values = array.drop_null() if array.null_count else array
                histogram = count_numbers(layout, values.to_numpy(), nulls=array.null_count)
                self._histograms[name] += histogram
            else:
                tally = self._tallies[name]
                tally.add(array)
                if tally.full:
                    self._settle(name)

    def profile(self, problems: Mapping[str, str]) -> Profile:
        for name in self._tallies:
            self._settle(name)
        histograms = {name: histogram for name, histogram in self._histograms.items() if name not in problems}
        return Profile(self._rows, histograms)

    def _settle(self, name: str) -> None:
        """Bin the categories that wait."""
        tally, layout = self._tallies[name], self._layouts[name]
        values, counts = tally.drain()
        nulls, tally.nulls = tally.nulls, 0
        if isinstance(layout, CategoricalLayout):
            self._histograms[name] += count_categories(layout, values, counts, nulls=nulls)
