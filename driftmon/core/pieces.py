"""What is known of the order of a column's values: in pieces, each a number or still a span of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from driftmon.core.grids import keys_of, numbers_of
from driftmon.core.learning import ATOM_SHARE, FEW_VALUES, quantile_ranks
from driftmon.core.selecting import GATHERED, Spans

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftmon.core.grids import Grid
    from driftmon.core.selecting import Cut, Survey

__all__ = ["Pieces"]

PARTS_SHIFT = 12
"""A span whose values are too many to gather is counted in up to ``2**PARTS_SHIFT`` parts."""


@dataclass(frozen=True)
class Pieces:
    """
    All finite values of a column, in pieces that do not overlap.

    Parameters
    ----------
    seen : ndarray of float, shape (pieces,)
        Some value of each piece, ascending.
    low, high : ndarray of float, shape (pieces,)
        The first and the last number of each piece; NaN where nobody has asked yet. Equal where the piece is one number.
    counts : ndarray of int, shape (pieces,)
        Rows of each piece, at least one.
    whole : bool
        True if no value of the column has a fraction.
    """

    seen: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    counts: NDArray[np.int64]
    whole: bool

    @classmethod
    def surveyed(cls, survey: Survey) -> Pieces:
        """What the first reading tells, with bounds for what the layout needs."""
        grid = survey.grid
        if grid is None:
            raise ValueError("values that are held have an order of their own; count them in a grid first")
        cells = np.flatnonzero(survey.counts)
        unknown = np.full(len(cells), np.nan)
        pieces = cls(survey.seen[cells] + 0.0, unknown, unknown, survey.counts[cells], survey.whole).narrowed()
        needed = pieces.needed
        low, high = pieces.low.copy(), pieces.high.copy()
        low[needed], high[needed] = grid.bounds(cells[needed])
        if len(cells):
            low[0], high[-1] = max(low[0], survey.least), min(high[-1], survey.most)
        return replace(pieces, low=low, high=high).narrowed()

    def cut(self, cut: Cut) -> Pieces:
        """
        What one more reading tells.

        Raises
        ------
        ValueError
            If it did not meet the same rows.
        """
        spans, starts = cut.spans, cut.spans.starts
        values, counts = np.unique(np.concatenate([*cut.gathered, np.zeros(0)]) + 0.0, return_counts=True)
        parts = np.flatnonzero(cut.counts)
        owners = np.searchsorted(starts, parts, side="right") - 1
        # Spans that are gathered have no parts, so that the last span to start there owns the part.
        offsets = (parts - starts[owners]).astype(np.uint64) << spans.shift[owners].astype(np.uint64)
        first = keys_of(spans.low[owners]) + offsets
        last = np.minimum(
            first + (np.uint64(1) << spans.shift[owners].astype(np.uint64)) - np.uint64(1), keys_of(spans.high[owners])
        )
        places = np.searchsorted(spans.low, self.seen, side="right") - 1
        old = (places < 0) | (self.seen > spans.high[places]) if len(spans.low) else np.ones(len(self.seen), np.bool_)
        seen = np.concatenate((self.seen[old], values, cut.seen[parts] + 0.0))
        order = np.argsort(seen)
        found = Pieces(
            seen[order],
            np.concatenate((self.low[old], values, numbers_of(first)))[order],
            np.concatenate((self.high[old], values, numbers_of(last)))[order],
            np.concatenate((self.counts[old], counts, cut.counts[parts]))[order],
            self.whole,
        )
        if found.rows != self.rows:
            raise ValueError(f"{found.rows:,} values where there were {self.rows:,} before")
        return found.narrowed()

    def narrowed(self) -> Pieces:
        """Pieces of one row are that value; pieces of whole numbers begin and end with one."""
        low, high = (np.ceil(self.low), np.floor(self.high)) if self.whole else (self.low, self.high)
        single = self.counts == 1
        return replace(self, low=np.where(single, self.seen, low) + 0.0, high=np.where(single, self.seen, high) + 0.0)

    @property
    def rows(self) -> int:
        """Finite values."""
        return int(self.counts.sum())

    @cached_property
    def ends(self) -> NDArray[np.int64]:
        """Rows up to and with each piece."""
        return np.cumsum(self.counts)

    @property
    def needed(self) -> NDArray[np.intp]:
        """The pieces that a layout depends on and that are more than one number."""
        if len(self.counts) <= FEW_VALUES:
            asked = np.ones(len(self.counts), dtype=np.bool_)
        else:
            asked = self.counts * ATOM_SHARE >= self.rows
            ranks = [0, *quantile_ranks(self.rows), self.rows - 1]
            asked[np.searchsorted(self.ends, ranks, side="right")] = True
        return np.flatnonzero(asked & ~(self.low == self.high))

    def spans(self, grid: Grid, room: int, share: float = 0.0) -> Spans:
        """
        What to look at next.

        Parameters
        ----------
        grid : Grid
            Of the first reading.
        room : int
            Values that may be gathered.
        share : float
            Of the distinct values, those to be sampled.
        """
        needed = self.needed
        lightest = needed[np.argsort(self.counts[needed], kind="stable")]
        gathered = set(lightest[np.cumsum(self.counts[lightest]) <= room].tolist())
        bounds: list[tuple[float, float, int]] = []
        for piece in needed.tolist():
            low, high, seen = float(self.low[piece]), float(self.high[piece]), float(self.seen[piece])
            # A value that has been seen may be most of the piece: alone, it is never looked at again.
            around = (
                (low, math.nextafter(seen, -math.inf)),
                (seen, seen),
                (math.nextafter(seen, math.inf), high),
            )
            for one, two in around:
                if one <= two:
                    bounds.append(
                        (one + 0.0, two + 0.0, GATHERED if piece in gathered and one < two else _shift(one, two))
                    )
        lows, highs, shifts = zip(*bounds, strict=True) if bounds else ((), (), ())
        return Spans(grid, np.array(lows, np.float64), np.array(highs, np.float64), np.array(shifts, np.int64), share)

    # What `learn_ordered` asks of values in order.

    def at(self, ranks: NDArray[np.int64]) -> NDArray[np.float64]:
        """The values at some ranks, from 0 on: those that a layout depends on, and others as nearly as they are known."""
        return self.seen[np.searchsorted(self.ends, ranks, side="right")]

    def held(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Rows of each of some values of `at`: exact where they are many."""
        return self.counts[np.searchsorted(self.seen, values)]

    def few(self, most: int) -> NDArray[np.float64] | None:
        """All values, or None if they are more than so many."""
        return self.seen if len(self.seen) <= most else None


def _shift(low: float, high: float) -> int:
    first, last = map(int, keys_of(np.array([low, high])))
    return max(0, (last - first).bit_length() - PARTS_SHIFT)
