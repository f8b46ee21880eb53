"""What is compared with what: each column of each segment, its reference beside its live counts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from driftmon.core.histogram import segment_name
from driftmon.core.history import History

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from driftmon.core.baseline import Baseline, BaselineColumn
    from driftmon.core.clues import Clues
    from driftmon.core.histogram import Histogram, Profile

__all__ = ["LEAST_REFERENCE_ROWS", "Pair", "pairs_of"]

LEAST_REFERENCE_ROWS = 200
"""With fewer reference rows numbers are shown, but never alert (docs/statistics.md, "Status")."""


@dataclass(frozen=True)
class Pair:
    """
    One column of one segment before the verdict.

    Parameters
    ----------
    name, segment, column
        Which; `segment` is None for all rows.
    reference, live : Histogram
        `live` is None if the column could not be counted, or no row of the segment came.
    problem : str or None
        Why it could not be counted.
    history : ndarray of int, shape (windows, bins)
        Counts of the reference's windows; none where the baseline has none.
    clues : (Clues or None, Clues or None)
        Of the reference and of the live rows.
    tops : ndarray of int, shape (windows, 2), or None
        How often the most frequent value of each reference window came, and all others.
    """

    name: str
    segment: str | None
    column: BaselineColumn
    reference: Histogram
    live: Histogram | None
    problem: str | None
    history: NDArray[np.int64]
    clues: tuple[Clues | None, Clues | None]
    tops: NDArray[np.int64] | None

    @cached_property
    def history_rows(self) -> NDArray[np.int64]:
        """Rows of each reference window."""
        rows: NDArray[np.int64] = self.history.sum(axis=-1)
        return rows

    @property
    def comparable(self) -> bool:
        """True if there are rows on both sides."""
        return self.live is not None and self.live.rows > 0 and self.reference.rows > 0

    def can_alert(self, min_rows: int) -> bool:
        """True if there are rows enough for a verdict."""
        return self.live is not None and self.live.rows >= min_rows and self.reference.rows >= LEAST_REFERENCE_ROWS


def pairs_of(baseline: Baseline, live: Profile) -> Iterator[Pair]:
    """
    The pairs of a check: all rows first, then the segments, each in the order of the data.

    Raises
    ------
    ValueError
        If a live histogram has other bins than the layout of its column.
    """
    parts: list[tuple[str | None, Profile, Profile | None]] = [(None, baseline.reference, live)]
    parts += [(name, reference, live.segments.get(name)) for name, reference in baseline.reference.segments.items()]
    owners = {segment_name(name, value): name for name, values in baseline.segments.items() for value in values}
    history = History({}) if baseline.history is None else baseline.history
    for segment, reference, current in parts:
        for name, column in baseline.columns.items():
            if segment is not None and owners.get(segment) == name:
                continue  # within one of its values, a column has nothing to say
            # Problems are told once, for all rows; they hold for every segment.
            problem = live.problems.get(name)
            histogram = None if current is None or problem is not None else current.histograms.get(name)
            size = column.layout.size
            if histogram is not None and len(histogram.counts) != size:
                bins = len(histogram.counts)
                raise ValueError(f"column {name!r} was counted in {bins} bins, its layout has {size}: count it again")
            yield Pair(
                name=name,
                segment=segment,
                column=column,
                reference=reference.histograms[name],
                live=histogram,
                problem=problem,
                history=history.counts.get((name, segment), np.zeros((0, size), dtype=np.int64)),
                clues=(reference.clues.get(name), None if current is None else current.clues.get(name)),
                tops=history.tops.get(name) if segment is None else None,
            )
