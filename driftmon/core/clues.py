"""What a sample of a column's values says beyond its bins: enough to name a cause, never a row."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from driftmon.core.layout import NumericLayout

__all__ = [
    "LEAST_NEW",
    "LEAST_SAMPLE",
    "MOST_NEW",
    "MOST_PEAKS",
    "SAMPLE",
    "Clues",
    "NewCategories",
    "numeric_clues",
]

SAMPLE = 4_096
"""Rows kept of a column at most: a share of 1 % is then known to within 0.3 percentage points."""

LEAST_SAMPLE = 100
"""With fewer values a sample says nothing."""

MOST_PEAKS = 32
"""Repeated values kept: those of an hour of the day, and of every column that people enter by hand, are fewer."""

MOST_NEW = 10
"""New categories that are named."""

LEAST_NEW = 5
"""Rows that a new category needs to be named: one with fewer could point at a person."""

MOST_KEPT = 4_096
"""New categories of which rows are summed at once, what bounds memory."""


@dataclass(frozen=True)
class Clues:
    """
    What is kept of a column's values besides its counts.

    Parameters
    ----------
    rows : int
        Finite numbers in the sample, or rows of categories; what `peaks` and `deciles` are of.
    peaks : tuple of (float, int)
        Numbers that occur more than once in the sample, with their rows, the most frequent first, at most `MOST_PEAKS`.
    deciles : tuple of float
        The nine inner deciles of the sample; empty if there are fewer than `LEAST_SAMPLE` values.
    outside : tuple of float
        The same of the sampled values below the first or above the last edge of the layout.
    new : tuple of (str, int)
        Categories that no reference row had, with their rows, of which there are `LEAST_NEW` or more: of all rows, not of a
        sample. The most frequent first, at most `MOST_NEW`; see `NewCategories` for where the rows are a lower bound.
    """

    rows: int
    peaks: tuple[tuple[float, int], ...] = ()
    deciles: tuple[float, ...] = ()
    outside: tuple[float, ...] = ()
    new: tuple[tuple[str, int], ...] = ()

    def to_json(self) -> dict[str, Any]:
        """JSON-ready content; `clues_from_json` reads it back."""
        return {
            "rows": self.rows,
            "peaks": [list(peak) for peak in self.peaks],
            "deciles": list(self.deciles),
            "outside": list(self.outside),
            "new": [list(category) for category in self.new],
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Clues:
        """Read back what `to_json` wrote."""
        return cls(
            rows=content["rows"],
            peaks=tuple((float(value), rows) for value, rows in content["peaks"]),
            deciles=tuple(content["deciles"]),
            outside=tuple(content["outside"]),
            new=tuple((category, rows) for category, rows in content["new"]),
        )


class NewCategories:
    """
    The categories that no reference row had, with their rows, in bounded memory.

    Exact up to `MOST_KEPT` of them at a time. Of more the rarest are forgotten again and again: the frequent ones, which are all
    that is told, stay, and rows that one had before it was forgotten are missing from its sum.
    """

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}

    def add(self, categories: Iterable[str], rows: Iterable[int]) -> None:
        """Add categories, each with the number of its rows."""
        for category, more in _most_frequent(zip(categories, rows, strict=True), MOST_KEPT):
            self._rows[category] = self._rows.get(category, 0) + more
        if len(self._rows) > MOST_KEPT:
            self._rows = dict(_most_frequent(self._rows.items(), MOST_KEPT))

    def named(self) -> tuple[tuple[str, int], ...]:
        """Those with rows enough, the most frequent first, at most `MOST_NEW`."""
        enough = (item for item in self._rows.items() if item[1] >= LEAST_NEW)
        return tuple(_most_frequent(enough, MOST_NEW))


def _most_frequent(categories: Iterable[tuple[str, int]], most: int) -> list[tuple[str, int]]:
    return nsmallest(most, categories, key=lambda item: (-item[1], item[0]))


def numeric_clues(layout: NumericLayout, sample: NDArray[np.float64]) -> Clues:
    """
    The clues of a numeric column.

    Parameters
    ----------
    layout : NumericLayout
    sample : ndarray of float, shape (rows,)
        Values of rows that were picked without looking at them; NaN and infinities are passed over.
    """
    ordered = np.sort(sample[np.isfinite(sample)]) + 0.0  # -0.0 and 0.0 are one value
    below = int(np.searchsorted(ordered, layout.edges[0], side="right"))
    above = int(np.searchsorted(ordered, layout.edges[-1], side="right"))
    outside = np.concatenate((ordered[:below], ordered[above:]))
    return Clues(len(ordered), _peaks(ordered), _deciles(ordered), _deciles(outside))


def _peaks(ordered: NDArray[np.float64]) -> tuple[tuple[float, int], ...]:
    starts = np.flatnonzero(_changes(ordered))
    if len(starts) == len(ordered):  # nothing comes twice: the usual case, for which the rest would be half of the work
        return ()
    rows = np.diff(starts, append=len(ordered))
    repeated = np.flatnonzero(rows > 1)
    most = repeated[np.argsort(-rows[repeated], kind="stable")[:MOST_PEAKS]]
    return tuple(zip(ordered[starts[most]].tolist(), rows[most].tolist(), strict=True))


def _changes(ordered: NDArray[Any]) -> NDArray[np.bool_]:
    """Where another value begins. Compared, not subtracted: the difference of two numbers can be larger than all numbers."""
    changed = np.ones(len(ordered), dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=changed[1:])
    return changed


def top_rows(values: NDArray[np.float64], windows: NDArray[np.intp], number: int) -> NDArray[np.int64]:
    """
    How often the most frequent value of each window comes, whichever it is.

    Parameters
    ----------
    values : ndarray of float, shape (rows,)
        NaN and infinities are passed over.
    windows : ndarray of int, shape (rows,)
        The window of each.
    number : int
        How many windows there are.

    Returns
    -------
    ndarray of int, shape (windows, 2)
        Rows of the most frequent value, and all others.
    """
    finite = np.isfinite(values)
    values, windows = values[finite], windows[finite]
    # Small numbers are sorted by their digits, values by vector instructions: together in less than half the time of `lexsort`.
    order = np.argsort(values)
    order = order[np.argsort(windows[order].astype(np.min_scalar_type(number)), kind="stable")]
    values, windows = values[order], windows[order]
    starts = np.flatnonzero(_changes(values) | _changes(windows))
    tops = np.zeros((number, 2), dtype=np.int64)
    np.maximum.at(tops[:, 0], windows[starts], np.diff(starts, append=len(values)))
    tops[:, 1] = np.bincount(windows, minlength=number) - tops[:, 0]
    return tops


def _deciles(ordered: NDArray[np.float64]) -> tuple[float, ...]:
    """By definition 1 of Hyndman & Fan, as the layouts have it."""
    if len(ordered) < LEAST_SAMPLE:
        return ()
    ranks = -(-len(ordered) * np.arange(1, 10) // 10)
    return tuple(ordered[ranks - 1].tolist())
