"""One look at every value of a column that is learnt: by compiled loops where there are any, by NumPy with the same result."""

from __future__ import annotations

from threading import local
from typing import TYPE_CHECKING

import numpy as np

from driftmon.core.compiled import loops
from driftmon.core.grids import FINE, SIDE, keys_of
from driftmon.core.scans import FIRST, GOLDEN, SECOND, bit_pick, bit_survey, hash_pick, linear_pick, linear_survey

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftmon.core.grids import Grid

__all__ = ["hashed_below", "pick", "survey"]


def survey(
    grid: Grid, values: NDArray[np.float64], counts: NDArray[np.int64], seen: NDArray[np.float64]
) -> NDArray[np.float64]:
    """
    Count as many values as is quick.

    Returns
    -------
    ndarray of float
        The values that are still to be counted, infinite ones and NaN among them. What the functions here return is overwritten
        by the next call.
    """
    compiled = loops(len(values))
    if compiled is None:
        return values
    values = np.ascontiguousarray(values)
    rest = _room(len(values))
    window = slice(SIDE, SIDE + FINE)
    if grid.linear:
        compiled.scan(linear_survey, FINE, values, grid.low, grid.scale, counts[window], seen[window], rest)
    else:
        compiled.scan(bit_survey, FINE, values, grid.origin, grid.shift, counts[window], seen[window], rest)
    return _left(rest)


def pick(grid: Grid, values: NDArray[np.float64], table: NDArray[np.int16]) -> NDArray[np.float64]:
    """The values whose cell is in one of the spans of a table, and perhaps others."""
    compiled = loops(len(values))
    if compiled is None:
        return values
    values = np.ascontiguousarray(values)
    rest = _room(len(values))
    window = table[SIDE : SIDE + FINE]
    if grid.linear:
        compiled.scan(linear_pick, FINE, values, grid.low, grid.scale, window, rest)
    else:
        compiled.scan(bit_pick, FINE, values, grid.origin, grid.shift, window, rest)
    return _left(rest)


def hashed_below(most: int, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    The finite values whose hash is less than `most`, up to 2**64 for all of them.

    The hash of a number is 64 evenly spread bits, and no two numbers have the same.

    References
    ----------
    Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators, OOPSLA: the finalizer.
    """
    compiled = loops(len(values)) if most < 2**64 else None
    if compiled is not None:
        values = np.ascontiguousarray(values)
        rest = _room(len(values))
        compiled.scan(hash_pick, 0, values, most, rest)
        return _left(rest)
    values = values[np.isfinite(values)]
    if most == 2**64:
        return values
    mixed = keys_of(values) + np.uint64(GOLDEN)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(FIRST)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(SECOND)
    return values[mixed ^ (mixed >> np.uint64(31)) < np.uint64(most)]


class _Scratch(local):
    """Room that a thread uses again and again: new memory would cost more than what is written there."""

    rest: NDArray[np.float64] = np.zeros(0)


_scratch = _Scratch()


def _room(values: int) -> NDArray[np.float64]:
    if len(_scratch.rest) <= values:
        _scratch.rest = np.empty(values + 1)
    return _scratch.rest


def _left(rest: NDArray[np.float64]) -> NDArray[np.float64]:
    return rest[1 : int(rest[:1].view(np.int64)[0])]
