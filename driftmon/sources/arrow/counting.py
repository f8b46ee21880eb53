"""Counting: batches of rows into the bins of learnt layouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from driftmon.core.binning import count_categories, count_numbers
from driftmon.core.histogram import Profile, empty_profile
from driftmon.core.layout import CategoricalLayout, Kind, NumericLayout, category_key
from driftmon.sources.arrow.casting import ColumnProblem, Monitored, countable, monitored
from driftmon.sources.arrow.kinds import column_type
from driftmon.sources.arrow.tally import CodeTally, texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from driftmon.core.baseline import BaselineColumn
    from driftmon.core.histogram import Histogram
    from driftmon.core.layout import Layout
    from driftmon.sources.arrow.batches import Batch
    from driftmon.sources.arrow.zones import Zone

__all__ = ["count_batches", "raw_names"]


def raw_names(columns: Mapping[str, BaselineColumn], segments: Iterable[str] = ()) -> set[str]:
    """The columns of the data that counting needs to read."""
    return {monitored(name, column).raw for name, column in columns.items()} | {*segments}


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
        self._columns = {name: monitored(name, column) for name, column in columns.items()}
        self._layouts = {name: column.layout for name, column in columns.items()}
        self._zone = zone
        self._problems: dict[str, str] = {}
        self._whole = _Part(self._layouts)
        self._segments = {
            segment: {value: _Part(self._layouts) for value in values} for segment, values in segments.items()
        }

    def add(self, batch: Batch) -> None:
        arrays: dict[str, Any] = {}
        for name, column in self._columns.items():
            if name not in self._problems:
                try:
                    arrays[name] = countable(batch, column, self._zone)
                except ColumnProblem as exc:
                    self._problems[name] = str(exc)
        self._whole.add(arrays, batch.rows)
        for segment, parts in self._segments.items():
            for value, rows in self._rows_of(segment, parts, batch):
                picked = pa.array(rows)
                parts[value].add({name: array.take(picked) for name, array in arrays.items()}, len(rows))

    def profile(self) -> Profile:
        whole = self._whole.profile(self._problems)
        parts = {
            f"{segment}={value}": part.profile(self._problems)
            for segment, values in self._segments.items()
            if segment not in self._problems
            for value, part in values.items()
        }
        return Profile(whole.rows, whole.histograms, self._problems, parts)

    def _rows_of(self, segment: str, values: Iterable[str], batch: Batch) -> Iterator[tuple[str, Any]]:
        """The positions of the rows of each segment value."""
        if segment in self._problems or batch.rows == 0:
            return
        try:
            array = countable(batch, self._as_categories(segment, batch), self._zone)
        except ColumnProblem as exc:
            self._problems[segment] = str(exc)
            return
        wanted = {value: position for position, value in enumerate(values)}
        keys = texts(array.dictionary)
        # Null codes become the last position, whose segment is none.
        segment_of = np.array([*(-1 if key is None else wanted.get(category_key(key), -1) for key in keys), -1])
        codes = np.asarray(array.indices.cast(pa.int64()).fill_null(len(keys)))
        segments = segment_of[codes]
        for value, position in wanted.items():
            rows = np.flatnonzero(segments == position)
            if len(rows):
                yield value, rows

    def _as_categories(self, segment: str, batch: Batch) -> Monitored:
        """The segment column as categories, whatever it is monitored as."""
        column = self._columns.get(segment)
        if column is None:
            array = batch.columns.get(segment)
            return Monitored(
                segment, segment, Kind.CATEGORICAL, "string" if array is None else column_type(array.type).name
            )
        if column.kind is Kind.NUMERIC:
            return Monitored(segment, column.raw, Kind.CATEGORICAL, column.dtype)
        return column


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
