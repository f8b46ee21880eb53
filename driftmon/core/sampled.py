"""How many different numbers a column has, by those of them that a hash picks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from driftmon.core.grids import keys_of
from driftmon.core.scanning import hashed_below

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SAMPLED", "Sampled", "share_of"]

SAMPLED = 2**18
"""Rows up to which all values are taken; of more rows, the values that about so many rows would have if none repeated."""

MOST_PENDING = 2**20
"""Values that wait to be told apart."""


def share_of(rows: int) -> float:
    """The share of the distinct values that are sampled of so many rows: a rule that knows nothing of memory or partitions."""
    return 1.0 if rows <= SAMPLED else SAMPLED / rows


@dataclass
class Sampled:
    """
    The rows of every value whose hash is small enough.

    Whether a value is in the sample does not depend on the rows read before, so that its rows are all counted, whatever the
    order. The error of `distinct` has a standard deviation of at most ``distinct / sqrt(sampled)``, 0.3 % where half of the rows
    or more have a value of their own; it is 0 up to `SAMPLED` rows.

    References
    ----------
    Gibbons & Tirthapura (2001), Estimating simple functions on the union of data streams, SPAA.
    """

    share: float
    keys: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    pending: list[NDArray[np.uint64]] = field(default_factory=list)
    waiting: int = 0

    def add(self, values: NDArray[np.float64]) -> None:
        """Take in the next values; those that are not finite are none."""
        if self.share == 0 or len(values) == 0:
            return
        most = 2**64 if self.share == 1 else int(self.share * 2.0**64)
        keys = keys_of(hashed_below(most, values))
        self.pending.append(keys)
        self.waiting += len(keys)
        if self.waiting > MOST_PENDING:
            self._settle()

    def merge(self, other: Sampled) -> None:
        """Take in what another part has."""
        other._settle()
        self._settle()
        keys, places = np.unique(np.concatenate((self.keys, other.keys)), return_inverse=True)
        rows = np.zeros(len(keys), np.int64)
        np.add.at(rows, places, np.concatenate((self.rows, other.rows)))
        self.keys, self.rows = keys, rows

    def _settle(self) -> None:
        if not self.pending:
            return
        pending, self.pending, self.waiting = self.pending, [], 0
        keys, rows = np.unique(np.concatenate(pending), return_counts=True)
        self.merge(Sampled(self.share, keys, rows.astype(np.int64)))

    @property
    def taken(self) -> int:
        """Different values in the sample."""
        self._settle()
        return len(self.keys)

    @property
    def distinct(self) -> int:
        """Different values of all rows: estimated, unless all were taken."""
        return round(self.taken / self.share)

    @property
    def repeats(self) -> bool:
        """True if a value of the sample has more than one row."""
        self._settle()
        return bool((self.rows > 1).any())
