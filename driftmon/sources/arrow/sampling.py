"""A few thousand rows out of however many, picked by their number alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from driftmon.core.clues import SAMPLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from driftmon.sources.arrow.batches import Array

__all__ = ["Sample"]


class Sample:
    """
    Every 2**k-th row of numeric columns, k being the least with which no more than `SAMPLE` rows are kept.

    Which rows these are follows from the order of the rows, and from nothing else: neither from batches nor from values.

    Parameters
    ----------
    names : iterable of str
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._values = {name: np.empty(SAMPLE) for name in names}
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
        while -(-(self._rows + rows) // self._step) > SAMPLE:
            self._thin()
        picked = np.arange(-self._rows % self._step, rows, self._step)
        for name, values in self._values.items():
            # Nulls become NaN.
            taken = arrays[name].take(pa.array(picked)).to_numpy(zero_copy_only=False)
            values[self._held : self._held + len(picked)] = taken
        self._held += len(picked)
        self._rows += rows

    def values(self, name: str) -> NDArray[np.float64]:
        """The values of the rows picked, NaN where one has none."""
        return self._values[name][: self._held]

    def _thin(self) -> None:
        """Keep every other row."""
        for values in self._values.values():
            kept = values[: self._held : 2].copy()
            values[: len(kept)] = kept
        self._held = -(-self._held // 2)
        self._step *= 2
