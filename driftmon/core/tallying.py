"""Rows of each category in bounded memory: the frequent ones for certain, all others by their number."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from driftmon.core.layout import category_key, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = ["LEAST_ROWS", "MOST_CATEGORIES", "MOST_DISTINCT", "SKETCHED", "CategoryTally"]

MOST_CATEGORIES = 30
"""Own bins of a categorical column; with `LEAST_ROWS`, what keeps the null test honest on long tails (docs/statistics.md, "Bins")."""

LEAST_ROWS = 20

MOST_DISTINCT = 100_000
"""Categories tallied at once, and the most rare ones whose fingerprints are kept: what bounds memory."""

SKETCHED = 4_096
"""Fingerprints that stand for all categories once some were forgotten."""


@dataclass
class CategoryTally:
    """
    Rows of each category, in bounded memory.

    Exact up to `most` categories. Beyond (`pruned`), the rows of all are lowered again and again by as many as leave half of
    them: `counts` are then at most `lowered` rows too low, and no category of more rows than `border` is lost.
    That holds in any order, and for tallies that were merged. Only such categories have a bin of their own then: their rows are
    counted again (`frequent`, `recounted`), so that the bins are exact and depend neither on the order nor on partitions.

    How many categories there were in all is told from the `SKETCHED` least of their fingerprints, which do not depend on the order
    either, with a standard error of 1.6 %.

    References
    ----------
    Misra & Gries (1982), Finding repeated elements, Science of Computer Programming 2; Agarwal et al. (2012), Mergeable
    summaries, PODS, for the bound of merged ones.
    Bar-Yossef et al. (2002), Counting distinct elements in a data stream, RANDOM; Beyer et al. (2007), On synopses for
    distinct-value estimation, SIGMOD, for the estimator: unbiased, standard error ``1 / sqrt(SKETCHED - 2)``.
    """

    rows: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    pruned: bool = False
    lowered: int = 0
    most: int = MOST_DISTINCT
    _least: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64), compare=False, repr=False)
    _sketched: int = field(default=0, compare=False, repr=False)

    def add(self, values: Iterable[str], counts: Iterable[int]) -> None:
        """Add values, each with the number of its rows."""
        self._add(zip(map(category_key, values), counts, strict=True))

    def merge(self, other: CategoryTally) -> None:
        """Add what another tally has of other rows."""
        self._least = _least(self._least, other._least)
        self.pruned = self.pruned or other.pruned
        self.lowered += other.lowered
        rows = self.rows + other.rows
        self._add(other.counts.items())
        self.rows = rows

    def _add(self, items: Iterable[tuple[str, int]]) -> None:
        known = self.counts
        for key, rows in items:
            known[key] = known.get(key, 0) + rows
            self.rows += rows
            if len(known) > self.most:
                self._prune()
                known = self.counts

    def _prune(self) -> None:
        self._sketch()
        self.pruned = True
        # What the first of those to go has is taken from all: one more than stay lose as many rows, of which there are only `rows`.
        kept = self.most // 2
        least = int(-np.partition(-np.fromiter(self.counts.values(), np.int64), kept)[kept])
        self.lowered += least
        self.counts = {key: rows - least for key, rows in self.counts.items() if rows > least}
        self._sketched = len(self.counts)

    def _sketch(self) -> NDArray[np.uint64]:
        """The least fingerprints so far. Those of the first categories are known since the last time."""
        marks = np.fromiter(map(fingerprint, islice(self.counts, self._sketched, None)), dtype=np.uint64)
        self._least, self._sketched = _least(self._least, marks), len(self.counts)
        return self._least

    @property
    def distinct(self) -> int:
        """How many categories there were; estimated once some were forgotten."""
        if not self.pruned:
            return len(self.counts)
        sketch = self._sketch()
        if len(sketch) < SKETCHED:
            return len(sketch)
        # Fingerprints are spread evenly: the more there are, the closer to zero is the last of the least.
        return min(round((SKETCHED - 1) / (float(sketch[-1]) / 2**64)), self.rows)

    @property
    def identifies(self) -> bool:
        """True if more than half of the rows have a value of their own: a key or free text, not a category."""
        return 2 * self.distinct > self.rows

    @property
    def singletons(self) -> int | None:
        """Categories that exactly one row has (Good's N1); None once some were forgotten."""
        return None if self.pruned else sum(1 for rows in self.counts.values() if rows == 1)

    @property
    def border(self) -> int:
        """Once some categories were forgotten, only those of more rows than this have a bin of their own."""
        return self.rows // (self.most // 2 + 1) if self.pruned else 0

    @property
    def frequent(self) -> list[str]:
        """
        The categories that may have a bin of their own, every one that has among them.

        Once some were forgotten, count the rows of these again, and hand them to `recounted`.
        """
        surest = sorted(self.counts.values(), reverse=True)[:MOST_CATEGORIES]
        enough = max(LEAST_ROWS, self.border + 1, surest[-1] if len(surest) == MOST_CATEGORIES else 0)
        return sorted(key for key, rows in self.counts.items() if rows + self.lowered >= enough)

    def recounted(self, rows: Mapping[str, int]) -> CategoryTally:
        """
        The tally with the exact rows of its frequent categories, and no others.

        Parameters
        ----------
        rows : mapping of str to int
            Of each category of `frequent`.
        """
        counts = {key: rows[key] for key in self.frequent if rows[key] > self.border}
        return replace(self, counts=counts, lowered=0, _least=self._sketch(), _sketched=len(counts))


def _least(one: NDArray[np.uint64], two: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return np.unique(np.concatenate((one, two)))[:SKETCHED]
