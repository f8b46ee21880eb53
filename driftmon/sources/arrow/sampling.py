"""A few thousand rows out of however many, picked by their number alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from driftmon.core.clues import SAMPLE, top_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from driftmon.sources.arrow.batches import Array

__all__ = ["Sample", "WindowSample"]

WINDOW = "\0window"
"""Stands among the columns for the number of the window: no column of data has this name."""


class Sample:
    """
    Every 2**k-th row of numeric columns, k being the least with which no more rows are kept than there is room for.

    Which rows these are follows from the order of the rows, and from nothing else: neither from batches nor from values.

    Parameters
    ----------
    names : iterable of str
    room : int
        The most rows that are kept.
    """

    def __init__(self, names: Iterable[str], room: int = SAMPLE) -> None:
        self._room = room
        self._values = {name: np.empty(room) for name in names}
        self._held = 0
        self._step = 1
        self._rows = 0

    def add(self, arrays: Mapping[str, Array], rows: int) -> None:
        """
        Pick from the next rows.

        Parameters
        ----------
        arrays : mapping of str to Arrow array
            Of integers or floats; a column that is not among them has no sample any more.
        rows : int
        """
        self._values = {name: values for name, values in self._values.items() if name in arrays}
        while -(-(self._rows + rows) // self._step) > self._room:
            self._thin()
        first = -self._rows % self._step
        picked = -(-max(rows - first, 0) // self._step)
        for name, values in self._values.items() if picked else ():
            values[self._held : self._held + picked] = _every(arrays[name], first, self._step)
        self._held += picked
        self._rows += rows

    def values(self, name: str) -> NDArray[np.float64]:
        """The values of the rows picked, NaN where one has none."""
        return self._values[name][: self._held]

    @property
    def names(self) -> list[str]:
        """The columns that have a sample."""
        return list(self._values)

    def _thin(self) -> None:
        """Keep every other row."""
        for values in self._values.values():
            kept = values[: self._held : 2].copy()
            values[: len(kept)] = kept
        self._held = -(-self._held // 2)
        self._step *= 2


def _every(array: Array, first: int, step: int) -> NDArray[Any]:
    """Every so many-th value, nulls as NaN."""
    if array.null_count:
        array, first, step = array.take(pa.array(np.arange(first, len(array), step))), 0, 1
    values: NDArray[Any] = array.to_numpy(zero_copy_only=False)
    return values[first::step]


class WindowSample:
    """
    Rows picked from many windows: what their most frequent values are told by.

    Parameters
    ----------
    names : sequence of str
        Numeric columns.
    windows : int
        How many there are.
    """

    MEMORY = 64 * 2**20
    """Bytes that all columns together may take."""

    OF_WINDOW = 1_024
    """Rows of a window that are enough."""

    def __init__(self, names: Sequence[str], windows: int) -> None:
        room = min(windows * self.OF_WINDOW, self.MEMORY // (8 * (len(names) + 1)))
        self._windows = windows
        self._sample = Sample([*names, WINDOW], max(room, 1))

    def add(self, arrays: Mapping[str, Array], numbers: NDArray[np.intp]) -> None:
        """Pick from the next rows, each with the number of its window."""
        self._sample.add({**arrays, WINDOW: pa.array(numbers)}, len(numbers))

    def tops(self) -> dict[str, NDArray[np.int64]]:
        """By column: for each window the rows of its most frequent value, and those of all others."""
        windows = self._sample.values(WINDOW).astype(np.intp)
        names = [name for name in self._sample.names if name != WINDOW]
        return {name: top_rows(self._sample.values(name), windows, self._windows) for name in names}
