"""
Where bins are learnt: layouts from the reference, once (statistics, A1).

A reference column becomes a `NumericLayout`, a `CategoricalLayout`, or an `Excluded` with the reason why it is not monitored.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from driftmon.core.layout import CategoricalLayout, NumericLayout, category_key, fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = ["CategoryTally", "Excluded", "learn_categories", "learn_numbers"]

QUANTILES = (100, 200, 300, 400, 500, 600, 700, 800, 900)
"""Inner edges, in thousandths: ten bins of equal reference probability. More only lose power (statistics, B3)."""

TAIL_QUANTILES = ((1_000, (10, 990)), (10_000, (1, 999)))
"""Reference rows from which on tail edges are added, and those edges in thousandths: at least 10 rows lie beyond each."""

FEW_VALUES = 20
"""Up to so many distinct values, each has a bin of its own."""

ATOM_SHARE = 20
"""A value that holds at least one in so many reference rows has a bin of its own, up to `MOST_ATOMS` of them."""

MOST_ATOMS = 10

MOST_CATEGORIES = 30
"""Own bins of a categorical column; with `LEAST_ROWS`, what keeps the null test honest on long tails (statistics, B1.3)."""

LEAST_ROWS = 20

MOST_DISTINCT = 100_000
"""Categories tallied at once, and the most rare ones whose fingerprints are kept: what bounds memory."""

KEPT = MOST_DISTINCT // 2
"""Categories that stay when the others are forgotten."""

SKETCHED = 1_024
"""Fingerprints that stand for all categories once some were forgotten."""

EXACT_INTEGER = 2**53
"""From here on float64 no longer tells neighbours apart; integers this large are identifiers, not quantities."""


@dataclass(frozen=True)
class Excluded:
    """A column that is not monitored, and why."""

    column: str
    reason: str


def learn_numbers(values: NDArray[Any]) -> NumericLayout | None:
    """
    Bins of a numeric column: reference quantiles, separate tails, and single values that hold many rows.

    Parameters
    ----------
    values : ndarray of any integer or float type, shape (rows,)
        The reference, in any order; left as it is. NaN and infinities do not shape bins.

    Returns
    -------
    NumericLayout or None
        None if no finite value is left to learn from.

    References
    ----------
    Statistics A1; B1.4 for the closed-tail rule; B3 for why quantiles and tails. Hyndman & Fan (1996), definition 1, for the
    quantiles (``inverted_cdf``), here with integer ranks so that no rounding of ``m * p`` picks a neighbour.
    """
    ordered = np.array(values, dtype=np.float64)  # a copy: frames hand out their own memory, often read-only
    ordered.sort()
    ordered = ordered[np.searchsorted(ordered, -np.inf, side="right") : np.searchsorted(ordered, np.inf, side="left")]
    if len(ordered) == 0:
        return None
    low, high = _tail_edges(ordered)
    inner = _few_distinct(ordered)
    if inner is None:
        inner = np.concatenate((_quantiles(ordered), _atoms(ordered)))
    inside = inner[(inner > low) & (inner < high)]
    # + 0.0 turns -0.0 into 0.0: the two are equal, and one of them reads badly.
    return NumericLayout(tuple((np.unique(np.concatenate(([low, high], inside))) + 0.0).tolist()))


def _tail_edges(ordered: NDArray[np.float64]) -> tuple[float, float]:
    """
    The outermost edges, by the closed-tail rule.

    A minimum that occurs once belongs to the underflow bin, which then holds one reference row like every gap between two
    order statistics: that makes the gaps exchangeable and the null test honest. The same for the maximum.
    """
    smallest, largest = float(ordered[0]), float(ordered[-1])
    below = max(math.nextafter(smallest, -math.inf), -sys.float_info.max)  # finite even below the last number
    if smallest == largest:
        return below, largest
    low = smallest if ordered[1] > smallest else below
    high = math.nextafter(largest, -math.inf) if ordered[-2] < largest else largest
    return low, high


def _few_distinct(ordered: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """All distinct values, or None if they are more than `FEW_VALUES`: by jumps, without an array as long as the rows."""
    distinct: list[float] = []
    position = 0
    while position < len(ordered):
        if len(distinct) == FEW_VALUES:
            return None
        distinct.append(float(ordered[position]))
        position = int(np.searchsorted(ordered, distinct[-1], side="right"))
    return np.array(distinct)


def _quantiles(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    rows = len(ordered)
    thousandths = list(QUANTILES)
    for enough, tails in TAIL_QUANTILES:
        if rows >= enough:
            thousandths.extend(tails)
    ranks = [-(-rows * p // 1000) for p in thousandths]  # ceil(rows * p / 1000), exactly
    edges: NDArray[np.float64] = ordered[np.asarray(ranks) - 1]
    return edges


def _atoms(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Both edges of each value that holds many rows."""
    rows = len(ordered)
    # Equal values are neighbours, so one that fills a stride or more cannot hide between two of its steps.
    values = np.unique(ordered[:: -(-rows // ATOM_SHARE)])
    held = np.searchsorted(ordered, values, side="right") - np.searchsorted(ordered, values, side="left")
    heavy = held * ATOM_SHARE >= rows
    values, held = values[heavy], held[heavy]
    heaviest = values[np.argsort(-held, kind="stable")[:MOST_ATOMS]]
    with np.errstate(over="ignore"):  # below the least float is -inf, which is no inner edge
        return np.concatenate((np.nextafter(heaviest, -np.inf), heaviest))


@dataclass
class CategoryTally:
    """
    Rows of each category, in bounded memory.

    Exact up to `MOST_DISTINCT` categories. Beyond, the smaller half is forgotten again and again (`pruned`), as in lossy counting:
    the frequent categories, all that a layout needs, stay. How many there were in all is then told from the `SKETCHED` least of
    their fingerprints, with a standard error of 3 %.

    References
    ----------
    Manku & Motwani (2002), Approximate frequency counts over data streams, VLDB.
    Bar-Yossef et al. (2002), Counting distinct elements in a data stream, RANDOM; Beyer et al. (2007), On synopses for
    distinct-value estimation, SIGMOD, for the estimator: unbiased, standard error ``1 / sqrt(SKETCHED - 2)``.
    """

    rows: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    pruned: bool = False
    _least: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64), compare=False, repr=False)

    def add(self, values: Iterable[str], counts: Iterable[int]) -> None:
        """Add values, each with the number of its rows."""
        for value, rows in zip(values, counts, strict=True):
            key = category_key(value)
            self.counts[key] = self.counts.get(key, 0) + rows
            self.rows += rows
            if len(self.counts) > MOST_DISTINCT:
                self._prune()

    def _prune(self) -> None:
        self._least = self._sketch()
        self.pruned = True
        kept = sorted(self.counts.items(), key=lambda item: -item[1])[:KEPT]
        self.counts = dict(kept)

    def _sketch(self) -> NDArray[np.uint64]:
        """The least fingerprints so far. Those of the first categories are known since the last time that some were forgotten."""
        unknown = islice(self.counts, KEPT if self.pruned else 0, None)
        marks = np.fromiter(map(fingerprint, unknown), dtype=np.uint64)
        return np.unique(np.concatenate((self._least, marks)))[:SKETCHED]

    @property
    def distinct(self) -> int:
        """How many categories there were; estimated once some were forgotten."""
        if not self.pruned:
            return len(self.counts)
        # Fingerprints are spread evenly: the more there are, the closer to zero is the last of the least.
        return min(round((SKETCHED - 1) / (float(self._sketch()[-1]) / 2**64)), self.rows)

    @property
    def identifies(self) -> bool:
        """True if more than half of the rows have a value of their own: a key or free text, not a category."""
        return 2 * self.distinct > self.rows

    @property
    def singletons(self) -> int | None:
        """Categories that exactly one row has (Good's N1); None once some were forgotten."""
        return None if self.pruned else sum(1 for rows in self.counts.values() if rows == 1)


def learn_categories(tally: CategoryTally, *, order: Mapping[str, int] | None = None) -> CategoricalLayout:
    """
    Bins of a categorical column: the most frequent categories, then everything else together.

    Parameters
    ----------
    tally : CategoryTally
        The reference.
    order : mapping of str to int, optional
        The natural order of the categories (hours, weekdays); by default the most frequent comes first.

    References
    ----------
    Statistics A1, B1.3 (why at least 20 rows), B2 (why never-seen values have no bin of their own).
    """
    ranked = sorted(tally.counts.items(), key=lambda item: (-item[1], item[0]))
    own = [category for category, rows in ranked[:MOST_CATEGORIES] if rows >= LEAST_ROWS]
    if order is not None:
        own.sort(key=lambda category: order[category])
    rare = None
    if not tally.pruned:
        marks = np.fromiter((fingerprint(category) for category, _ in ranked[len(own) :]), dtype=np.uint64)
        rare = np.sort(marks).astype(">u8").tobytes()
    return CategoricalLayout(tuple(own), rare)
