"""
Many counts in one sum, for PostgreSQL: each row adds a power of ten that stands for its bin.

The sum of exact numbers has as many digits as it needs, so that the counts stand side by side in it. A row costs one short search
for its bin and one addition, whatever the number of bins, where an aggregate for each bin would look at the row again and again:
half the time for 15 edges, less for 20 categories; and servers compute such sums in parallel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import literal_column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement

__all__ = ["Packed", "field_of"]

DIGITS = 12
"""Of each count: up to a million million rows."""


@dataclass(frozen=True)
class Packed:
    """
    A sum that holds counts.

    Parameters
    ----------
    fields : int
        How many.
    """

    fields: int

    def unpacked(self, sums: Sequence[Any]) -> NDArray[np.int64]:
        """The counts of some sums, shape (sums, fields); zeros where there is no sum."""
        counts = np.zeros((len(sums), self.fields), np.int64)
        for row, total in enumerate(sums):
            rest = 0 if total is None else int(total)
            for place in range(self.fields):
                rest, counts[row, place] = divmod(rest, 10**DIGITS)
        return counts


@lru_cache
def field_of(place: int) -> ColumnElement[Any]:
    """What a row of a bin adds."""
    return literal_column(f"CAST('1e{DIGITS * place}' AS NUMERIC)")
