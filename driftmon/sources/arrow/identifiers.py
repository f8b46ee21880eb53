"""Columns that name rows instead of describing them: drift of keys and counters means nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from driftmon.core.learning import MOST_DISTINCT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftmon.core.learning import CategoryTally

__all__ = ["category_reason", "number_reason"]

NAMES = re.compile(r"(?i:(^|[_\-. ])(id|uuid|guid)$)|[a-z0-9](Id|ID|Uuid|UUID)$")

CHANCE_REPEATS = 20
"""Equal values to expect by chance among as many rows over the same span: none at all is then no chance (e**-20)."""


def category_reason(name: str, tally: CategoryTally) -> str | None:
    """Why a column of text is taken for an identifier; None if it is not."""
    if not tally.identifies:
        return None
    distinct = f"more than {MOST_DISTINCT:,}" if tally.pruned else f"{len(tally.counts):,}"
    return (
        f"looks like an identifier or free text: {distinct} distinct values in {tally.rows:,} rows; "
        f"to monitor it all the same, set its kind: {{{name}: categorical}}"
    )


def number_reason(name: str, ordered: NDArray[np.float64]) -> str | None:
    """
    Why a column of numbers is taken for an identifier; None if it is not.

    Two signs: a name that says so and mostly different whole numbers; or whole numbers that never repeat, so many over so short
    a span that quantities would (the birthday problem), as in counters and in samples of them.

    Parameters
    ----------
    name : str
    ordered : ndarray of float, shape (rows,)
        Ascending, NaN last.
    """
    ordered = ordered[: np.searchsorted(ordered, np.inf, side="left")]
    ordered = ordered[np.searchsorted(ordered, -np.inf, side="right") :]
    rows = len(ordered)
    if rows < 2:
        return None
    distinct = 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))
    named = NAMES.search(name) is not None and 2 * distinct > rows
    span = float(ordered[-1]) - float(ordered[0]) + 1
    counter = distinct == rows and rows * rows >= 2 * span * CHANCE_REPEATS
    if not (named or counter) or not _whole(ordered):
        return None
    return (
        f"looks like an identifier: {distinct:,} distinct whole numbers in {rows:,} rows, "
        f"from {ordered[0]:.0f} to {ordered[-1]:.0f}; to monitor it all the same, set its kind: {{{name}: numeric}}"
    )


def _whole(values: NDArray[np.float64]) -> bool:
    return bool((values == np.floor(values)).all())
