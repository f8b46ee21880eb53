"""
Counts that add: of one column (`Histogram`), of all columns of one dataset (`Profile`).

Addition is what lets files, days, processes and machines be counted apart and summed: ``counts(A ∪ B) = counts(A) + counts(B)``,
exactly, since counts are integers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from driftmon.core.clues import Clues

__all__ = ["Histogram", "Profile", "as_matrix", "segment_name"]


@dataclass(frozen=True)
class Histogram:
    """
    How many rows fell in each bin of a column's layout.

    Parameters
    ----------
    counts : tuple of int
        One for each bin of the layout, in its order; they sum to the rows.
    novel : int or None
        Rows with a category that no reference row had: part of ``other``. None for numeric columns, whose under- and overflow
        say it, and where the reference had too many categories to remember.
    """

    counts: tuple[int, ...]
    novel: int | None = None

    @property
    def rows(self) -> int:
        """Rows counted."""
        return sum(self.counts)

    @property
    def missing(self) -> int:
        """Rows in the bin ``missing``, which is the last of every layout."""
        return self.counts[-1]

    def __add__(self, more: Histogram) -> Histogram:
        if len(self.counts) != len(more.counts):
            raise ValueError(f"histograms of {len(self.counts)} and {len(more.counts)} bins do not add")
        novel = None if self.novel is None or more.novel is None else self.novel + more.novel
        return Histogram(tuple(a + b for a, b in zip(self.counts, more.counts, strict=True)), novel)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready content."""
        return {"counts": list(self.counts), "novel": self.novel}


@dataclass(frozen=True)
class Profile:
    """
    The counts of every column of one dataset: all that ever leaves a source.

    Parameters
    ----------
    rows : int
        Rows read.
    histograms : mapping of str to Histogram
        By column; each sums to `rows`.
    problems : mapping of str to str
        Columns that could not be counted, each with the reason: gone from the data, or of another type than the reference.
    segments : mapping of str to Profile
        The rows of one value of a segment column, by `segment_name`.
    clues : mapping of str to Clues
        What a sample of each column's values says beyond the counts; of all rows only, not of segments. A sum of profiles has
        none, for two samples are no sample of both.
    """

    rows: int
    histograms: Mapping[str, Histogram]
    problems: Mapping[str, str] = field(default_factory=dict)
    segments: Mapping[str, Profile] = field(default_factory=dict)
    clues: Mapping[str, Clues] = field(default_factory=dict)

    def __add__(self, more: Profile) -> Profile:
        problems = {**more.problems, **self.problems}
        # A column that one part could not count has no honest total.
        both = [name for name in self.histograms if name in more.histograms and name not in problems]
        return Profile(
            rows=self.rows + more.rows,
            histograms={name: self.histograms[name] + more.histograms[name] for name in both},
            problems=problems,
            segments={name: _sum(name, self, more) for name in sorted({*self.segments, *more.segments})},
        )


def _sum(segment: str, one: Profile, two: Profile) -> Profile:
    parts = [profile.segments[segment] for profile in (one, two) if segment in profile.segments]
    return parts[0] if len(parts) == 1 else parts[0] + parts[1]


def segment_name(column: str, value: str) -> str:
    """What the rows of one value of a segment column are called everywhere, such as ``origin=JFK``."""
    return f"{column}={value}"


def as_matrix(histograms: Iterable[Histogram]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """
    Counts side by side, padded with zeros on the right.

    Returns
    -------
    ndarray of float, shape (columns, widest layout)
        Exact: counts stay far below 2**53.
    """
    rows = [histogram.counts for histogram in histograms]
    matrix = np.zeros((len(rows), max(map(len, rows), default=0)))
    for row, counts in zip(matrix, rows, strict=True):
        row[: len(counts)] = counts
    return matrix
