"""
From values to counts: the one place where a value meets a bin.

Every source that holds rows as arrays (files, frames, Spark partitions) calls these functions, batch by batch; their results add.
A source that counts elsewhere (in a database) must give the same integers.
"""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np

from driftmon.core.histogram import Histogram
from driftmon.core.layout import category_key, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from driftmon.core.clues import NewCategories
    from driftmon.core.layout import CategoricalLayout, NumericLayout

__all__ = ["category_bins", "count_categories", "count_numbers", "number_bins"]

BLOCK = 32_768
"""Values a block: float64 values and one mask of this many stay in the second-level cache."""


def count_numbers(layout: NumericLayout, values: NDArray[Any], *, nulls: int = 0) -> Histogram:
    """
    Count numbers into the bins of a layout.

    Compares block by block with every edge and counts the larger values, which is six times as fast as a binary search of each
    value for the 15 to 30 edges of a layout (one vector instruction compares eight values).

    Parameters
    ----------
    layout : NumericLayout
    values : ndarray of any integer or float type, shape (rows,)
        NaN counts as missing. Integers beyond 2**53 may round, which moves none of them across an edge, as edges are smaller.
    nulls : int
        Rows that have no value at all, counted as missing too.

    Returns
    -------
    Histogram
        ``len(values) + nulls`` rows.
    """
    edges = layout.edges
    above = np.zeros(len(edges) + 1, dtype=np.int64)
    mask = np.empty(min(BLOCK, len(values)), dtype=np.bool_)
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK].astype(np.float64, copy=False)
        out = mask[: len(block)]
        # NaN compares False with everything, so that only real numbers are counted.
        above[0] += np.count_nonzero(np.equal(block, block, out=out))
        for position, edge in enumerate(edges, start=1):
            above[position] += np.count_nonzero(np.greater(block, edge, out=out))
    spans = (above - np.append(above[1:], 0)).tolist()
    return Histogram((*spans, len(values) - int(above[0]) + nulls))


def number_bins(layout: NumericLayout, values: NDArray[Any]) -> NDArray[np.intp]:
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
    """
    missing = layout.size - 1
    if missing > np.iinfo(np.uint8).max:
        numbers = values.astype(np.float64, copy=False)
        bins = np.searchsorted(layout.edges, numbers, side="left")
        bins[np.isnan(numbers)] = missing
        return bins
    # As in `count_numbers`, comparing with every edge beats a search, here with bytes that add up the larger edges.
    narrow = np.zeros(len(values), dtype=np.uint8)
    mask = np.empty(min(BLOCK, len(values)), dtype=np.bool_)
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK].astype(np.float64, copy=False)
        out, above = mask[: len(block)], narrow[start : start + BLOCK]
        for edge in layout.edges:
            above += np.greater(block, edge, out=out).view(np.uint8)
        above[np.not_equal(block, block, out=out)] = missing
    return narrow.astype(np.intp)


def category_bins(layout: CategoricalLayout, values: Iterable[str | None], *, novel: bool = False) -> NDArray[np.intp]:
    """
    The bin of each category, None being missing: what `count_categories` counts, one by one.

    With `novel`, those that no reference row had, as far as they can be told, have a number of their own, ``layout.size``.
    """
    index, other, missing = layout.index, layout.size - 2, layout.size - 1
    keys = [None if value is None else category_key(value) for value in values]
    found = (missing if key is None else index.get(key, other) for key in keys)
    bins = np.fromiter(found, dtype=np.intp, count=len(keys))
    if novel and layout.rare_fingerprints is not None:
        strangers = [(place, key) for place, key in enumerate(keys) if key is not None and bins[place] == other]
        unknown = _unknown(layout.rare_fingerprints, [key for _, key in strangers])
        bins[[place for place, _ in compress(strangers, unknown)]] = layout.size
    return bins


def count_categories(
    layout: CategoricalLayout,
    values: Iterable[str],
    counts: Iterable[int],
    *,
    nulls: int = 0,
    new: NewCategories | None = None,
) -> Histogram:
    """
    Count categories, already tallied, into the bins of a layout.

    Parameters
    ----------
    layout : CategoricalLayout
    values, counts : iterables of str and int, of the same length
        Each value with the number of its rows; a value may come more than once.
    nulls : int
        Rows that have no value, counted as missing.
    new : NewCategories, optional
        Is given the novel ones, where they can be told.

    Returns
    -------
    Histogram
        ``sum(counts) + nulls`` rows.
    """
    tally = [0] * layout.size
    index, other = layout.index, layout.size - 2
    strangers: list[str] = []
    stranger_rows: list[int] = []
    for value, rows in zip(values, counts, strict=True):
        key = category_key(value)
        position = index.get(key, other)
        tally[position] += rows
        if position == other:
            strangers.append(key)
            stranger_rows.append(rows)
    tally[-1] = nulls
    if layout.rare_fingerprints is None:
        return Histogram(tuple(tally))
    unknown = _unknown(layout.rare_fingerprints, strangers)
    if new is not None:
        new.add(compress(strangers, unknown), compress(stranger_rows, unknown))
    return Histogram(tuple(tally), sum(compress(stranger_rows, unknown)))


def _unknown(rare: NDArray[np.uint64], keys: list[str]) -> list[bool]:
    """Which of those keys the reference did not have at all."""
    if len(rare) == 0 or not keys:
        return [True] * len(keys)
    marks = np.fromiter(map(fingerprint, keys), dtype=np.uint64, count=len(keys))
    nearest = np.minimum(np.searchsorted(rare, marks), len(rare) - 1)
    unknown: list[bool] = (rare[nearest] != marks).tolist()
    return unknown
