"""Columns that name rows instead of describing them: drift of keys and counters means nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from driftmon.core.sampled import SAMPLED, share_of
from driftmon.core.tallying import SKETCHED

if TYPE_CHECKING:
    from driftmon.core.sampled import Sampled
    from driftmon.core.tallying import CategoryTally

__all__ = ["Whole", "category_reason", "number_reason", "sampled_share"]

NAMES = re.compile(r"(?i:(^|[_\-. ])(id|uuid|guid)$)|[a-z0-9](Id|ID|Uuid|UUID)$")

CHANCE_REPEATS = 20
"""Equal values to expect by chance among as many rows over the same span: none at all is then no chance (e**-20)."""


@dataclass(frozen=True)
class Whole:
    """A column of whole numbers: how many rows, from which number to which."""

    rows: int
    least: float
    most: float

    @property
    def unlikely(self) -> bool:
        """
        True if quantities of so many rows over so short a span would repeat among the rows sampled (the birthday problem).

        Of more rows than numbers, some repeat for certain: nothing is to be found out.
        """
        span = self.most - self.least + 1
        return self.rows <= span and self.rows * min(self.rows, SAMPLED) >= 2 * CHANCE_REPEATS * span


def category_reason(name: str, tally: CategoryTally) -> str | None:
    """Why a column of text is taken for an identifier; None if it is not."""
    if not tally.identifies:
        return None
    distinct = _about(tally.distinct, 1 / sqrt(SKETCHED)) if tally.pruned else f"{tally.distinct:,}"
    return (
        f"looks like an identifier or free text: {distinct} distinct values in {tally.rows:,} rows; "
        f"to monitor it all the same, set its kind: {{{name}: categorical}}"
    )


def sampled_share(name: str, whole: Whole) -> float:
    """The share of its distinct numbers that tells whether a column of whole numbers is an identifier; 0 if it cannot be one."""
    asked = whole.rows > 1 and (NAMES.search(name) is not None or whole.unlikely)
    return share_of(whole.rows) if asked else 0.0


def number_reason(name: str, whole: Whole, sampled: Sampled) -> str | None:
    """
    Why a column of whole numbers is taken for an identifier; None if it is not.

    Two signs: a name that says so and mostly different numbers; or numbers that never repeat, so many over so short a span that
    quantities would, as in counters and in samples of them. Of more than `SAMPLED` rows, those numbers are looked at that a hash
    picks, each with all its rows: the same ones on whatever path the rows come.
    """
    distinct = sampled.distinct
    named = NAMES.search(name) is not None and 2 * distinct > whole.rows
    counter = whole.unlikely and not sampled.repeats
    if not named and not counter:
        return None
    told = f"{distinct:,}" if sampled.share == 1 else _about(distinct, 1 / sqrt(max(sampled.taken, 1)))
    return (
        f"looks like an identifier: {told} distinct whole numbers in {whole.rows:,} rows, "
        f"from {whole.least:.0f} to {whole.most:.0f}; to monitor it all the same, set its kind: {{{name}: numeric}}"
    )


def _about(distinct: int, error: float) -> str:
    """An estimate, with three standard errors."""
    return f"about {float(f'{distinct:.3g}'):,.0f} (within {300 * error:.1f} %)"
