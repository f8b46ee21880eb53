"""
Categories to bins: one by one, as tallies of values, and as codes of a dictionary.

As in `driftmon.core.binning`, which does the same for numbers, results of batches add, and whoever counts elsewhere must give the
same integers.
"""

from __future__ import annotations

from itertools import compress
from typing import TYPE_CHECKING, Any

import numpy as np

from driftmon.core.compiled import loops
from driftmon.core.cuts import native
from driftmon.core.histogram import Histogram
from driftmon.core.layout import category_key, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from driftmon.core.clues import NewCategories
    from driftmon.core.layout import CategoricalLayout

__all__ = ["add_codes", "category_bins", "code_counts", "count_categories", "known_codes"]

CODE_ROWS = 4
"""Codes are counted in so many rows by turns, so that equal codes in a row need not wait for each other."""

MOST_SPREAD = 4_096
"""Categories up to which there are so many rows: of more, the counts would not stay in the cache."""


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


def code_counts(categories: int) -> NDArray[np.int64]:
    """Room for counts of codes below `categories`, for `add_codes` and `known_codes`."""
    rows = CODE_ROWS if categories <= MOST_SPREAD else 1
    return np.zeros((rows, categories + 1), dtype=np.int64)


def add_codes(counts: NDArray[np.int64], codes: NDArray[Any], *, nulls: int = 0) -> None:
    """
    Count codes of categories.

    Parameters
    ----------
    counts : ndarray of int64
        As `code_counts` makes it, added to.
    codes : ndarray of any integer type, shape (rows,)
    nulls : int
        Rows among them that have no category, and a code outside of the dictionary.
    """
    spread, last = len(counts) == CODE_ROWS, counts.shape[1] - 1
    counts[0, last] -= nulls
    compiled = loops(len(codes)) if spread else None
    if compiled is not None:
        compiled.codes(native(codes), counts)
        return
    places = codes.astype(np.intp, copy=False)
    if not 0 <= int(places.min(initial=0)) <= int(places.max(initial=0)) < max(last, 1):
        places = np.where((places < 0) | (places >= last), last, places)
    counts[0] += np.bincount(places, minlength=last + 1)


def known_codes(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """
    The rows of each code.

    Raises
    ------
    IndexError
        If there were codes without a category: the data are damaged.
    """
    total: NDArray[np.int64] = counts.sum(axis=0)
    if total[-1]:
        raise IndexError(f"{total[-1]} codes outside of a dictionary of {len(total) - 1} values")
    return total[:-1]
