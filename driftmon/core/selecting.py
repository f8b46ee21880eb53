"""
Exact order statistics of more numbers than memory holds, by counting them a few times.

The first reading counts the cells of a grid (`Survey`). Counts tell which cells hold the quantiles, the ends and the values of
many rows; each following reading cuts these cells alone (`Spans`), or gathers their few values (`Cut`), until every number that
is asked for is known to the last bit (`Pieces`). That takes two readings where the grid fits, and at most six. All states add,
so that files, partitions and machines can each read a part; what comes out depends on the rows alone.

References
----------
Munro & Paterson (1980), Selection and sorting with limited storage, Theoretical Computer Science 12.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from driftmon.core.grids import CELLS, FINE, SIDE, keys_of
from driftmon.core.sampled import Sampled
from driftmon.core.scanning import pick, survey

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftmon.core.grids import Grid

__all__ = ["Cut", "Spans", "Survey"]

BLOCK = 16_384
"""Values a block, so that what is worked out of them stays in the second-level cache."""

GATHERED = -1
"""Stands for the shift of a span whose values are gathered instead of counted."""


@dataclass
class Survey:
    """
    The first reading of a numeric column: rows in each cell of a grid.

    Parameters
    ----------
    grid : Grid or None
        None: values are held as they are, until `spill` gives the grid.
    rows, infinite : int
        Finite and infinite values so far.
    least, most : float
        The ends of the finite values; infinities if there are none.
    whole : bool
        True if no value has a fraction.
    counts : ndarray of int, shape (CELLS,)
    seen : ndarray of float, shape (CELLS,)
        Of each cell that has any, some value.
    """

    grid: Grid | None = None
    rows: int = 0
    infinite: int = 0
    least: float = np.inf
    most: float = -np.inf
    whole: bool = True
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    seen: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    held: list[NDArray[np.float64]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.grid is not None and len(self.counts) == 0:
            self.counts, self.seen = np.zeros(CELLS, np.int64), np.zeros(CELLS)

    def add(self, values: NDArray[np.float64]) -> None:
        """
        Take in the next values, NaN being none.

        Parameters
        ----------
        values : ndarray of float
            Kept as long as there is no grid: hand out a copy of what will change.
        """
        left = values if self.grid is None else survey(self.grid, values, self.counts, self.seen)
        finite = np.isfinite(left)
        if not finite.all():
            self.infinite += int(np.isinf(left).sum())
            left, values = left[finite], values[np.isfinite(values)]
        if len(values) == 0:
            return
        self.rows += len(values)
        self.least, self.most = min(self.least, float(values.min())), max(self.most, float(values.max()))
        self.whole = self.whole and _whole(values)
        self._count(left)

    def _count(self, values: NDArray[np.float64]) -> None:
        if self.grid is None:
            self.held.append(values)
        else:
            _count_cells(self.grid, values, self.counts, self.seen)

    def spill(self, grid: Grid) -> None:
        """Count the values held so far, and those to come, in the cells of a grid."""
        held, self.held = self.held, []
        self.grid = grid
        self.__post_init__()
        while held:
            self._count(survey(grid, held.pop(), self.counts, self.seen))

    def merge(self, other: Survey) -> None:
        """Take in what another part has counted."""
        if self.grid is None and other.grid is not None:
            self.spill(other.grid)
        self.rows += other.rows
        self.infinite += other.infinite
        self.least, self.most = min(self.least, other.least), max(self.most, other.most)
        self.whole = self.whole and other.whole
        for values in other.held:
            self._count(values)
        if other.grid is not None:
            if other.grid != self.grid:
                raise ValueError(f"counts of the cells of {other.grid} do not add to those of {self.grid}")
            np.copyto(self.seen, other.seen, where=other.counts > 0)
            self.counts += other.counts

    @property
    def values(self) -> NDArray[np.float64]:
        """The values held: all of them, or some if there is a grid in the meantime."""
        return np.concatenate(self.held) if self.held else np.zeros(0)

    def __getstate__(self) -> dict[str, Any]:
        """Cells without rows stay at home: few of them have any."""
        some = np.flatnonzero(self.counts)
        return {**self.__dict__, "counts": self.counts[some], "seen": (some, self.seen[some])}

    def __setstate__(self, state: dict[str, Any]) -> None:
        counts, (some, seen) = state["counts"], state["seen"]
        self.__dict__.update(state, counts=np.zeros(0, np.int64), seen=np.zeros(0))
        self.__post_init__()
        self.counts[some], self.seen[some] = counts, seen


def _count_cells(grid: Grid, values: NDArray[np.float64], counts: NDArray[np.int64], seen: NDArray[np.float64]) -> None:
    """Add finite values to the rows of their cells."""
    for start in range(0, len(values), BLOCK):
        block = values[start : start + BLOCK]
        cells = grid.cells(block)
        seen[cells] = block
        inner = np.bincount(np.clip(cells, SIDE - 1, SIDE + FINE) - (SIDE - 1), minlength=FINE + 2)
        counts[SIDE : SIDE + FINE] += inner[1:-1]
        if inner[0] or inner[-1]:
            np.add.at(counts, cells[(cells < SIDE) | (cells >= SIDE + FINE)], 1)


def _whole(values: NDArray[np.float64]) -> bool:
    """True if no value has a fraction; most columns that do show one at once."""
    blocks = (values[start : start + BLOCK] for start in range(0, len(values), BLOCK))
    return all(bool((block == np.floor(block)).all()) for block in blocks)


@dataclass(frozen=True)
class Spans:
    """
    What a later reading of a numeric column looks at.

    Parameters
    ----------
    grid : Grid
        Of the first reading; tells most of the other values at a glance.
    low, high : ndarray of float, shape (spans,)
        The first and the last number of each span, ascending; none over another.
    shift : ndarray of int, shape (spans,)
        Each span is counted in parts of ``2**shift`` neighbouring floats, or its values are gathered (`GATHERED`).
    share : float
        Of the distinct values, those sampled to tell whether the column identifies rows; 0 if that is no question.
    """

    grid: Grid
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    shift: NDArray[np.int64]
    share: float = 0.0

    @property
    def starts(self) -> NDArray[np.int64]:
        """The first part of each span in the counts of all; then how many parts there are."""
        width = keys_of(self.high) - keys_of(self.low)
        parts = (width >> np.maximum(self.shift, 0).astype(np.uint64)).astype(np.int64) + 1
        return np.append(0, np.cumsum(np.where(self.shift == GATHERED, 0, parts)))

    @property
    def table(self) -> NDArray[np.int16]:
        """For each cell of the grid, the first span that reaches into it; -1 if none does."""
        table = np.full(CELLS, -1, dtype=np.int16)
        firsts, lasts = self.grid.cells(self.low), self.grid.cells(self.high)
        for span in range(len(self.low) - 1, -1, -1):
            table[firsts[span] : lasts[span] + 1] = span
        return table

    @property
    def heavy(self) -> NDArray[np.int64]:
        """The spans of a single number."""
        return np.flatnonzero(self.low == self.high)


class Cut:
    """
    A later reading of a numeric column: rows in the parts of spans, and the values of spans that are gathered.

    Parameters
    ----------
    spans : Spans
    """

    def __init__(self, spans: Spans) -> None:
        self.spans = spans
        self.counts = np.zeros(int(spans.starts[-1]), dtype=np.int64)
        self.seen = np.zeros(len(self.counts))
        self.gathered: list[NDArray[np.float64]] = []
        self.sampled = Sampled(spans.share)
        self._prepare()

    def _prepare(self) -> None:
        self._table, self._starts, self._heavy = self.spans.table, self.spans.starts, self.spans.heavy
        self._low_keys = keys_of(self.spans.low)

    def add(self, values: NDArray[np.float64]) -> None:
        """Take in the next values, NaN being none."""
        self.sampled.add(values)
        if len(self.spans.low) == 0:
            return
        left = pick(self.spans.grid, values, self._table)
        finite = np.isfinite(left)
        if not finite.all():
            left = left[finite]
        for start in range(0, len(left), BLOCK):
            block = left[start : start + BLOCK]
            self._sort(block[self._table[self.spans.grid.cells(block)] >= 0])

    def _sort(self, values: NDArray[np.float64]) -> None:
        """Each value to its span, if it is in one after all."""
        spans = self.spans
        for span in self._heavy if len(values) else ():
            # Before anything that costs more: these may be most of the rows.
            equal = values == spans.low[span]
            found = int(np.count_nonzero(equal))
            if found:
                self.counts[self._starts[span]] += found
                self.seen[self._starts[span]] = spans.low[span]
                values = values[~equal]
        if len(values) == 0:
            return
        places = np.searchsorted(spans.low, values, side="right") - 1
        within = (places >= 0) & (values <= spans.high[places])
        values, places = values[within], places[within]
        gathered = spans.shift[places] == GATHERED
        if gathered.any():
            self.gathered.append(values[gathered])
            values, places = values[~gathered], places[~gathered]
        offsets = (keys_of(values) - self._low_keys[places]) >> spans.shift[places].astype(np.uint64)
        parts = self._starts[places] + offsets.astype(np.int64)
        np.add.at(self.counts, parts, 1)
        self.seen[parts] = values

    def merge(self, other: Cut) -> None:
        """Take in what another part has counted."""
        np.copyto(self.seen, other.seen, where=other.counts > 0)
        self.counts += other.counts
        self.gathered += other.gathered
        self.sampled.merge(other.sampled)

    def __getstate__(self) -> dict[str, Any]:
        """Only what cannot be worked out again, and of that no parts without rows."""
        some = np.flatnonzero(self.counts)
        return {
            "spans": self.spans,
            "some": some,
            "counts": self.counts[some],
            "seen": self.seen[some],
            "gathered": self.gathered,
            "sampled": self.sampled,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["spans"])  # type: ignore[misc]  # as if it were new
        self.counts[state["some"]], self.seen[state["some"]] = state["counts"], state["seen"]
        self.gathered, self.sampled = state["gathered"], state["sampled"]
