"""
Where bins are learnt: layouts from the reference, once (docs/statistics.md, "Bins").

A reference column becomes a `NumericLayout`, a `CategoricalLayout`, or an `Excluded` with the reason why it is not monitored.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from driftmon.core.layout import CategoricalLayout, NumericLayout, fingerprint
from driftmon.core.tallying import LEAST_ROWS, MOST_CATEGORIES, CategoryTally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Excluded", "learn_categories", "learn_numbers", "learn_ordered", "quantile_ranks"]

QUANTILES = (100, 200, 300, 400, 500, 600, 700, 800, 900)
"""Inner edges, in thousandths: ten bins of equal reference probability. More only lose power (docs/statistics.md, "Bins")."""

TAIL_QUANTILES = ((1_000, (10, 990)), (10_000, (1, 999)))
"""Reference rows from which on tail edges are added, and those edges in thousandths: at least 10 rows lie beyond each."""

FEW_VALUES = 20
"""Up to so many distinct values, each has a bin of its own."""

ATOM_SHARE = 20
"""A value that holds at least one in so many reference rows has a bin of its own, up to `MOST_ATOMS` of them."""

MOST_ATOMS = 10

EXACT_INTEGER = 2**53
"""From here on float64 no longer tells neighbours apart; integers this large are identifiers, not quantities."""


@dataclass(frozen=True)
class Excluded:
    """A column that is not monitored, and why."""

    column: str
    reason: str


class Ordered(Protocol):
    """Numbers in order, as far as a layout needs them."""

    @property
    def rows(self) -> int:
        """How many."""
        ...

    def at(self, ranks: NDArray[np.int64]) -> NDArray[np.float64]:
        """The values at some ranks, from 0 on."""
        ...

    def held(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Rows of each of some values."""
        ...

    def few(self, most: int) -> NDArray[np.float64] | None:
        """All distinct values, or None if they are more than so many."""
        ...


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
    docs/statistics.md, "Bins", for why quantiles, tails and the closed-tail rule. Hyndman & Fan (1996), definition 1, for the
    quantiles (``inverted_cdf``), here with integer ranks so that no rounding of ``m * p`` picks a neighbour.
    """
    ordered = np.array(values, dtype=np.float64)  # a copy: frames hand out their own memory, often read-only
    ordered.sort()
    ordered = ordered[np.searchsorted(ordered, -np.inf, side="right") : np.searchsorted(ordered, np.inf, side="left")]
    return learn_ordered(_Sorted(ordered))


def learn_ordered(ordered: Ordered) -> NumericLayout | None:
    """The bins that `learn_numbers` gives, of finite values whose order is known in another way."""
    if ordered.rows == 0:
        return None
    low, high = _tail_edges(ordered)
    inner = ordered.few(FEW_VALUES)
    if inner is None:
        inner = np.concatenate((ordered.at(np.array(quantile_ranks(ordered.rows))), _atoms(ordered)))
    inside = inner[(inner > low) & (inner < high)]
    # + 0.0 turns -0.0 into 0.0: the two are equal, and one of them reads badly.
    return NumericLayout(tuple((np.unique(np.concatenate(([low, high], inside))) + 0.0).tolist()))


@dataclass(frozen=True)
class _Sorted:
    """Finite values in an array, ascending."""

    values: NDArray[np.float64]

    @property
    def rows(self) -> int:
        return len(self.values)

    def at(self, ranks: NDArray[np.int64]) -> NDArray[np.float64]:
        return self.values[ranks]

    def held(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        return np.searchsorted(self.values, values, side="right") - np.searchsorted(self.values, values, side="left")

    def few(self, most: int) -> NDArray[np.float64] | None:
        """By jumps, without an array as long as the rows."""
        distinct: list[float] = []
        position = 0
        while position < len(self.values):
            if len(distinct) == most:
                return None
            distinct.append(float(self.values[position]))
            position = int(np.searchsorted(self.values, distinct[-1], side="right"))
        return np.array(distinct)


def _tail_edges(ordered: Ordered) -> tuple[float, float]:
    """
    The outermost edges, by the closed-tail rule.

    A minimum that occurs once belongs to the underflow bin, which then holds one reference row like every gap between two
    order statistics: that makes the gaps exchangeable and the null test honest. The same for the maximum.
    """
    smallest, largest = ordered.at(np.array([0, ordered.rows - 1])).tolist()
    below = max(math.nextafter(smallest, -math.inf), -sys.float_info.max)  # finite even below the last number
    if smallest == largest:
        return below, largest
    of_smallest, of_largest = ordered.held(np.array([smallest, largest])).tolist()
    low = smallest if of_smallest == 1 else below
    high = math.nextafter(largest, -math.inf) if of_largest == 1 else largest
    return low, high


def quantile_ranks(rows: int) -> list[int]:
    """Where the quantiles of a column are among its ordered values, from 0 on."""
    thousandths = list(QUANTILES)
    for enough, tails in TAIL_QUANTILES:
        if rows >= enough:
            thousandths.extend(tails)
    return [-(-rows * p // 1000) - 1 for p in thousandths]  # ceil(rows * p / 1000), exactly


def _atoms(ordered: Ordered) -> NDArray[np.float64]:
    """Both edges of each value that holds many rows."""
    rows = ordered.rows
    # Equal values are neighbours, so one that fills a stride or more cannot hide between two of its steps.
    values = np.unique(ordered.at(np.arange(0, rows, -(-rows // ATOM_SHARE))))
    held = ordered.held(values)
    heavy = held * ATOM_SHARE >= rows
    values, held = values[heavy], held[heavy]
    heaviest = values[np.argsort(-held, kind="stable")[:MOST_ATOMS]]
    with np.errstate(over="ignore"):  # below the least float is -inf, which is no inner edge
        return np.concatenate((np.nextafter(heaviest, -np.inf), heaviest))


def learn_categories(tally: CategoryTally, *, order: Mapping[str, int] | None = None) -> CategoricalLayout:
    """
    Bins of a categorical column: the most frequent categories, then everything else together.

    Parameters
    ----------
    tally : CategoryTally
        The reference; `recounted` if some categories were forgotten, as their counts are too low otherwise.
    order : mapping of str to int, optional
        The natural order of the categories (hours, weekdays); by default the most frequent comes first.

    References
    ----------
    docs/statistics.md, "Bins": why at least 20 rows, and why never-seen values have no bin of their own.
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
