"""Counting many windows at once: every row into the bins of its window, in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from driftmon.core.binning import category_bins, number_bins
from driftmon.core.histogram import segment_name
from driftmon.core.layout import NumericLayout
from driftmon.sources.arrow.columns import Columns
from driftmon.sources.arrow.tally import texts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from driftmon.core.baseline import BaselineColumn
    from driftmon.core.history import Key
    from driftmon.core.layout import Layout
    from driftmon.sources.arrow.batches import Array, Batch
    from driftmon.sources.arrow.zones import Zone

__all__ = ["count_history"]


def count_history(
    parts: Iterable[tuple[Batch, NDArray[np.intp]]],
    windows: int,
    columns: Mapping[str, BaselineColumn],
    *,
    zone: Zone,
    segments: Mapping[str, Sequence[str]] | None = None,
) -> dict[Key, NDArray[np.int64]]:
    """
    Count the rows of each window into learnt layouts, in one pass, at a cost for each row that does not grow with the windows.

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
    dict of (str, str or None) to ndarray of int, shape (windows, bins)
        By column and segment. Columns that cannot be counted are left out.
    """
    counting = _Counting(columns, zone, segments or {}, windows)
    for batch, numbers in parts:
        counting.add(batch, numbers)
    return counting.counts()


class _Counting:
    """One history under way: a table of windows and bins for each column, and for each column and segment value."""

    def __init__(
        self,
        columns: Mapping[str, BaselineColumn],
        zone: Zone,
        segments: Mapping[str, Sequence[str]],
        windows: int,
    ) -> None:
        self._columns = Columns(columns, segments, zone)
        self._segments = segments
        self._windows = windows
        self._bins = {name: _Bins(column.layout) for name, column in columns.items()}
        self._whole = {name: np.zeros((windows, bins.size), np.int64) for name, bins in self._bins.items()}
        self._parts = {
            (name, segment): np.zeros((len(values), windows, bins.size), np.int64)
            for name, bins in self._bins.items()
            for segment, values in segments.items()
        }

    def add(self, batch: Batch, numbers: NDArray[np.intp]) -> None:
        arrays = self._columns.values(batch)
        segments = self._columns.segments(batch)
        if batch.rows == 0:
            return
        apart = {}
        for segment, values in segments.items():
            rows = np.flatnonzero(values >= 0)
            apart[segment] = rows, values[rows] * self._windows + numbers[rows]
        for name, array in arrays.items():
            size, codes = self._bins[name].size, self._bins[name].codes(array)
            # One by one, at a cost that does not know how many windows and segments there are.
            np.add.at(self._whole[name].reshape(-1), numbers * size + codes, 1)
            for segment, (rows, places) in apart.items():
                np.add.at(self._parts[name, segment].reshape(-1), places * size + codes[rows], 1)

    def counts(self) -> dict[Key, NDArray[np.int64]]:
        problems = self._columns.problems
        counts: dict[Key, NDArray[np.int64]] = {}
        for name, whole in self._whole.items():
            if name not in problems:
                counts[name, None] = whole
                for segment, values in self._segments.items():
                    if segment not in problems:
                        names = [segment_name(segment, value) for value in values]
                        counts.update(zip([(name, each) for each in names], self._parts[name, segment], strict=True))
        return counts


class _Bins:
    """The bins of one column's rows; of a dictionary that comes again they are known already."""

    def __init__(self, layout: Layout) -> None:
        self.size = layout.size
        self._layout = layout
        self._dictionary: Array = None
        self._of_code: NDArray[np.intp] = np.zeros(0, np.intp)

    def codes(self, array: Array) -> NDArray[np.intp]:
        """
        The bin of each row.

        Parameters
        ----------
        array : Arrow array
            As `countable` gives it.
        """
        if isinstance(self._layout, NumericLayout):
            return number_bins(self._layout, array.to_numpy(zero_copy_only=False))
        dictionary = array.dictionary
        if self._dictionary is None or not dictionary.equals(self._dictionary):
            # Null codes become the last position.
            self._of_code = category_bins(self._layout, [*texts(dictionary), None])
            self._dictionary = dictionary
        bins: NDArray[np.intp] = self._of_code[np.asarray(array.indices.cast(pa.int64()).fill_null(len(dictionary)))]
        return bins
