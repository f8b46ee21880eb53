"""Cells of the number line: cheap to find for any float, in the order of the numbers, fine where the values are."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CELLS", "FINE", "SIDE", "WHOLE_LINE", "Grid", "keys_of", "numbers_of"]

FINE = 2**15
"""Cells of the window. With their counts they stay in a second-level cache."""

SIDE_SHIFT = 51

SIDE = 2 ** (64 - SIDE_SHIFT)
"""Cells on either side of the window: two for each power of two of each sign."""

CELLS = SIDE + FINE + SIDE

SIGN = np.uint64(2**63)

SAMPLE = 2**15
"""Values of a sample that are looked at, evenly spread over it."""

ENOUGH = 1_000
"""Values from which on the outermost ones of a sample are left to the sides of a window."""


def keys_of(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """
    Whole numbers in the order of floats: neighbours have neighbouring keys, and -0.0 has that of 0.0.

    Parameters
    ----------
    values : ndarray of float
        No NaN.
    """
    bits = (values + 0.0).view(np.uint64)
    return np.where(bits & SIGN, ~bits, bits | SIGN)


def numbers_of(keys: NDArray[np.uint64]) -> NDArray[np.float64]:
    """The floats that have these keys."""
    numbers: NDArray[np.float64] = np.where(keys & SIGN, keys ^ SIGN, ~keys).view(np.float64)
    return numbers


FIRST_KEY, LAST_KEY = (int(keys_of(np.array([end]))[0]) for end in (-sys.float_info.max, sys.float_info.max))


@dataclass(frozen=True)
class Grid:
    """
    `CELLS` cells: a window of `FINE` equal ones, and `SIDE` coarse ones on either side of it.

    A larger number never has a smaller cell, which is all that counts rely on: any grid leads to the same layout, a fitting one
    with fewer readings.

    Parameters
    ----------
    low, high : float
        The window, both finite.
    linear : bool
        True if cells of the window are equally wide; False if they hold equally many floats, which is right for values of many
        orders of magnitude.
    """

    low: float
    high: float
    linear: bool

    @property
    def scale(self) -> float:
        """Cells of a linear window in one unit."""
        return FINE / (self.high - self.low)

    @cached_property
    def origin(self) -> int:
        """The key of the lower end of the window."""
        return int(keys_of(np.array([self.low]))[0])

    @cached_property
    def shift(self) -> int:
        """Each cell of a window that is not linear holds ``2**shift`` keys."""
        width = int(keys_of(np.array([self.high]))[0]) - self.origin
        return max(0, width.bit_length() - (FINE.bit_length() - 1))

    def cells(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """The cell of each number; all must be finite."""
        if self.linear:
            with np.errstate(over="ignore"):  # beyond the window by more than floats can tell
                steps = values - self.low
                steps *= self.scale
            places = np.clip(steps, -1, FINE, out=steps).astype(np.intp)
        else:
            keys = keys_of(values)
            steps_up = np.minimum((keys - np.uint64(self.origin)) >> np.uint64(self.shift), np.uint64(FINE))
            places = np.where(keys < np.uint64(self.origin), -1, steps_up.astype(np.intp))
        outside = np.flatnonzero((places < 0) | (places == FINE))
        found: NDArray[np.intp] = places + SIDE
        if len(outside):
            sides = (keys_of(values[outside]) >> np.uint64(SIDE_SHIFT)).astype(np.intp)
            found[outside] = np.where(places[outside] < 0, sides, SIDE + FINE + sides)
        return found

    def bounds(self, cells: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The least and the largest float of each cell, by bisection: no formula to round."""
        lows = self._first(cells)
        return numbers_of(lows), numbers_of(self._first(cells + 1) - np.uint64(1))

    def _first(self, cells: NDArray[np.intp]) -> NDArray[np.uint64]:
        """The first key of each cell or, if it has none, of a later one; one more than the last key if there is none."""
        low = np.full(len(cells), FIRST_KEY, dtype=np.uint64)
        high = np.full(len(cells), LAST_KEY + 1, dtype=np.uint64)
        for _ in range(64):
            middle = low + (high - low) // np.uint64(2)
            # Where low has met high nothing moves any more; the key beyond the last one is no float.
            reached = self.cells(numbers_of(np.minimum(middle, np.uint64(LAST_KEY)))) >= cells
            open_ = low < high
            high = np.where(open_ & reached, middle, high)
            low = np.where(open_ & ~reached, middle + np.uint64(1), low)
        return low

    @classmethod
    def fitted(cls, sample: NDArray[np.float64]) -> Grid:
        """
        The grid in whose cells, where quantiles are, a sample has the fewest values.

        Parameters
        ----------
        sample : ndarray of float
            Any values of the column; the better they stand for it, the less is left to do later.
        """
        ordered = np.sort(sample[:: max(1, len(sample) // SAMPLE)])
        ordered = ordered[np.searchsorted(ordered, -np.inf, side="right") : np.searchsorted(ordered, np.inf)]
        if len(ordered) == 0:
            return WHOLE_LINE
        trimmed = len(ordered) // 200 if len(ordered) >= ENOUGH else 0
        ends = {(float(ordered[k]), float(ordered[-1 - k])) for k in (0, trimmed)}
        grids = [cls(low, high, linear) for low, high in ends for linear in (True, False)]
        usable = [WHOLE_LINE, *(grid for grid in grids if _usable(grid))]
        return min(usable, key=lambda grid: (_crowding(grid, ordered), not grid.linear, grid.low))


def _usable(grid: Grid) -> bool:
    """True if the steps of a linear window can be told with floats."""
    width = grid.high - grid.low
    return not grid.linear or (sys.float_info.min < width < float("inf") and grid.scale < float("inf"))


def _crowding(grid: Grid, ordered: NDArray[np.float64]) -> int:
    """Values that share a cell with a quantile without being equal to it."""
    cells = grid.cells(ordered)
    ranks = np.unique(np.arange(1, 20) * (len(ordered) - 1) // 20)
    places, firsts = np.unique(cells[ranks], return_index=True)
    quantiles = ordered[ranks[firsts]]
    in_cells = np.searchsorted(cells, places, side="right") - np.searchsorted(cells, places)
    equal = np.searchsorted(ordered, quantiles, side="right") - np.searchsorted(ordered, quantiles)
    return int((in_cells - equal).sum())


WHOLE_LINE = Grid(-sys.float_info.max, sys.float_info.max, linear=False)
"""Without any values to go by: sixteen cells for each power of two."""
