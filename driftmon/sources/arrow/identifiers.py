"""Columns that name rows instead of describing them: drift of keys and counters means nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftmon.core.learning import CategoryTally

__all__ = ["category_reason", "number_reason"]

NAMES = re.compile(r"(?i:(^|[_\-. ])(id|uuid|guid)$)|[a-z0-9](Id|ID|Uuid|UUID)$")

BLOCK = 65_536

CHANCE_REPEATS = 20
"""Equal values to expect by chance among as many rows over the same span: none at all is then no chance (e**-20)."""


def category_reason(name: str, tally: CategoryTally) -> str | None:
    """Why a column of text is taken for an identifier; None if it is not."""
    if not tally.identifies:
        return None
    distinct = f"about {float(f'{tally.distinct:.2g}'):,.0f}" if tally.pruned else f"{tally.distinct:,}"
    return (
        f"looks like an identifier or free text: {distinct} distinct values in {tally.rows:,} rows; "
        f"to monitor it all the same, set its kind: {{{name}: categorical}}"
    )


def number_reason(name: str, values: NDArray[np.float64]) -> str | None:
    """
    Why a column of numbers is taken for an identifier; None if it is not.

    Two signs: a name that says so and mostly different whole numbers; or whole numbers that never repeat, so many over so short
    a span that quantities would (the birthday problem), as in counters and in samples of them.

    Parameters
    ----------
    name : str
    values : ndarray of float, shape (rows,)
        Sorted in place if they are whole numbers.
    """
    if not _whole(values):
        return None
    values.sort()
    values = values[np.searchsorted(values, -np.inf, side="right") : np.searchsorted(values, np.inf, side="left")]
    rows = len(values)
    if rows < 2:
        return None
    distinct = 1 + int(np.count_nonzero(values[1:] != values[:-1]))
    smallest, largest = float(values[0]), float(values[-1])
    named = NAMES.search(name) is not None and 2 * distinct > rows
    counter = distinct == rows and rows * rows >= 2 * CHANCE_REPEATS * (largest - smallest + 1)
    if not named and not counter:
        return None
    return (
        f"looks like an identifier: {distinct:,} distinct whole numbers in {rows:,} rows, "
        f"from {smallest:.0f} to {largest:.0f}; to monitor it all the same, set its kind: {{{name}: numeric}}"
    )


def _whole(values: NDArray[np.float64]) -> bool:
    """True if no value has a fraction; most columns that do show one at once."""
    blocks = (values[start : start + BLOCK] for start in range(0, len(values), BLOCK))
    return all(bool(((block == np.floor(block)) | np.isnan(block)).all()) for block in blocks)
