"""
From numbers to counts: with `driftmon.core.categories`, the one place where a value meets a bin.

Every source that holds rows as arrays (files, frames, Spark partitions) calls these functions, batch by batch; their results add.
A source that counts elsewhere (in a database) must give the same integers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from driftmon.core.compiled import loops
from driftmon.core.cuts import cuts, native
from driftmon.core.histogram import Histogram
from driftmon.core.loops import MONDAY, WEEK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftmon.core.layout import NumericLayout

__all__ = ["NumberCounts", "add_to_table", "count_numbers", "number_bins", "places", "week_hours"]

BLOCK = 32_768
"""Values a block: float64 values and one mask of this many stay in the second-level cache."""

NOT_A_NUMBER = 255
"""Among bins as bytes, while they are added up."""

FEW_STARTS = 64
"""Starts up to which comparing with each beats a search."""

SMALL_TABLE = 16_384
"""Cells of a table that are quickly added to another."""


def count_numbers(layout: NumericLayout, values: NDArray[Any], *, nulls: int = 0) -> Histogram:
    """
    Count numbers into the bins of a layout.

    Compares block by block with every edge and counts the larger values, which is six times as fast as a binary search of each
    value for the 15 to 30 edges of a layout (one vector instruction compares four values, or 32 bytes).

    Parameters
    ----------
    layout : NumericLayout
    values : ndarray of any integer or float type, shape (rows,)
        NaN counts as missing. Integers beyond 2**53 count as the float64 next to them.
    nulls : int
        Rows that have no value at all, counted as missing too.

    Returns
    -------
    Histogram
        ``len(values) + nulls`` rows.
    """
    counts = NumberCounts(layout)
    counts.add(values, nulls=nulls)
    return counts.histogram()


class NumberCounts:
    """
    As `count_numbers`, part by part.

    Parameters
    ----------
    layout : NumericLayout
    """

    def __init__(self, layout: NumericLayout) -> None:
        self._edges = layout.edges
        self._rows = 0
        # Numbers, then those above each edge.
        self._above = np.zeros(1 + len(layout.edges), dtype=np.int64)

    def add(self, values: NDArray[Any], *, nulls: int = 0) -> None:
        """Count some more rows, of which so many have no value and are not among the values."""
        self._rows += len(values) + nulls
        values = native(values)
        least = cuts(self._edges, values.dtype)
        if values.dtype.kind == "f":
            out = self._above[: len(least)]
        else:  # without a NaN among them
            self._above[0] += len(values)
            out = self._above[1 : 1 + len(least)]
        compiled = loops(len(values))
        if compiled is not None:
            compiled.reach(values, least, out)
        else:
            _reach(values, least, out)

    def as_missing(self, rows: int, value: float) -> None:
        """Rows that came with a stand-in for a value they do not have: missing after all."""
        self._above[0] -= rows
        self._above[1:] -= rows * np.greater(value, self._edges)

    def histogram(self) -> Histogram:
        """The counts so far."""
        spans = (self._above - np.append(self._above[1:], 0)).tolist()
        return Histogram((*spans, self._rows - int(self._above[0])))


def number_bins(layout: NumericLayout, values: NDArray[Any]) -> NDArray[Any]:
    """
    The bin of each number: what `count_numbers` counts, row by row.

    Parameters
    ----------
    layout : NumericLayout
    values : ndarray of any integer or float type, shape (rows,)
        NaN is missing.

    Returns
    -------
    ndarray of int, shape (rows,)
        Bytes, unless there are more bins than they can tell apart.
    """
    missing = layout.size - 1
    if missing >= NOT_A_NUMBER:
        numbers = values.astype(np.float64, copy=False)
        bins = np.searchsorted(layout.edges, numbers, side="left")
        bins[np.isnan(numbers)] = missing
        return bins
    values = native(values)
    least = cuts(layout.edges, values.dtype)
    # As in `count_numbers`, comparing with every edge beats a search, here with bytes that add up the cuts that are reached.
    # The first cut of floats is one that all numbers reach: from 255 they come to 0, and NaN stays where it is.
    narrow = _bytes(values, least, NOT_A_NUMBER if values.dtype.kind == "f" else 0)
    return np.minimum(narrow, np.uint8(missing), out=narrow)


def _bytes(values: NDArray[Any], least: NDArray[Any], first: int) -> NDArray[np.uint8]:
    """A first number, and how many cuts each value reaches."""
    bins = np.full(len(values), first, dtype=np.uint8)
    compiled = loops(len(values))
    done = 0 if compiled is None else compiled.bins(values, least, bins)
    _bins(values[done:], least, bins[done:])
    return bins


def _reach(values: NDArray[Any], least: NDArray[Any], out: NDArray[np.int64]) -> None:
    """What the compiled loop of this name does."""
    mask = np.empty(min(BLOCK, len(values)), dtype=np.bool_)
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK]
        reached = mask[: len(block)]
        for place, cut in enumerate(least):
            out[place] += np.count_nonzero(np.greater_equal(block, cut, out=reached))


def _bins(values: NDArray[Any], least: NDArray[Any], out: NDArray[np.uint8]) -> None:
    """What the compiled loop of this name does."""
    mask = np.empty(min(BLOCK, len(values)), dtype=np.bool_)
    for start in range(0, len(values), BLOCK):
        block, bins = values[start : start + BLOCK], out[start : start + BLOCK]
        reached = mask[: len(block)]
        for cut in least:
            bins += np.greater_equal(block, cut, out=reached).view(np.uint8)


def places(values: NDArray[np.int64], starts: NDArray[np.int64]) -> NDArray[np.intp]:
    """
    How many of some ascending starts each value has reached: ``np.searchsorted(starts, values, side="right")``.

    As fast as `number_bins` if there are no more starts than a layout has edges.
    """
    if len(starts) > FEW_STARTS:
        return np.searchsorted(starts, values, side="right")
    return _bytes(np.ascontiguousarray(values), starts, 0).astype(np.intp)


def week_hours(times: NDArray[np.int64], hour: int) -> NDArray[np.uint8]:
    """Full hours since Monday, 0 to 167, of times since 1970 in units of which `hour` make an hour."""
    hours = np.empty(len(times), dtype=np.uint8)
    compiled = loops(len(times))
    if compiled is not None:
        compiled.week_hours(np.ascontiguousarray(times), hour, hours)
        return hours
    for start in range(0, len(times), BLOCK):
        block = times[start : start + BLOCK] // hour
        block += MONDAY
        # By way of the quotient, which takes half the time of a remainder.
        hours[start : start + BLOCK] = block - block // WEEK * WEEK
    return hours


def add_to_table(table: NDArray[np.int64], groups: NDArray[np.int64], bins: NDArray[Any]) -> None:
    """
    Add one to ``table[groups[i], bins[i]]`` for each row i.

    Parameters
    ----------
    table : ndarray of int64, shape (groups, bins)
    groups, bins : ndarray of int, shape (rows,)
        All within the table: that is for the caller to see to.
    """
    compiled = loops(len(bins))
    if compiled is not None and bins.dtype == np.uint8:
        compiled.table(np.ascontiguousarray(groups), np.ascontiguousarray(bins), table)
        return
    cells = groups * table.shape[1] + bins
    if table.size <= max(len(cells), SMALL_TABLE):
        table += np.bincount(cells, minlength=table.size).reshape(table.shape)
    else:
        # Cell by cell: counting into a table of its own first would cost as much as there are groups.
        np.add.at(table.reshape(-1), cells, 1)
