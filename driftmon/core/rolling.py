"""
Windows that are sums of others: counts add, and what samples say beside them is put together.

Counts of a sum are exactly those of its rows. Clues are not: two samples of windows of unequal size are no sample of both, so
values are weighted by the rows that they stand for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from driftmon.core.clues import LEAST_SAMPLE, MOST_NEW, MOST_PEAKS, Clues

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftmon.core.histogram import Histogram, Profile
    from driftmon.core.window import Window

__all__ = ["rolled"]

OUTSIDE = (0, -2)
"""The bins of a numeric layout that hold what is beyond all edges."""


def rolled(parts: Mapping[Window, Profile]) -> Profile:
    """
    The profile of a window from those of its parts.

    Parameters
    ----------
    parts : mapping of Window to Profile
        At least one, oldest first; together all rows of the window, each once.

    Returns
    -------
    Profile
        The counts that all rows read at once would have. A column that one part could not count is in ``problems``, with the part.
    """
    named = [_located(window, part) for window, part in parts.items()]
    total = sum(named[1:], named[0])
    return replace(total, clues=_clues(list(parts.values()), total.histograms))


def _located(window: Window, part: Profile) -> Profile:
    """The same profile, whose problems say where they are."""
    return replace(part, problems={name: f"{problem} ({window})" for name, problem in part.problems.items()})


def _clues(parts: Sequence[Profile], columns: Mapping[str, Histogram]) -> dict[str, Clues]:
    filled = [part for part in parts if part.rows]
    found = {}
    for name in columns:
        samples = [_Sample(part.clues[name], part.histograms[name]) for part in filled if name in part.clues]
        if samples and len(samples) == len(filled):
            found[name] = samples[0].clues if len(samples) == 1 else _merged(samples)
    return found


@dataclass(frozen=True)
class _Sample:
    """What a sample of one part says of a column, and the counts of all its rows."""

    clues: Clues
    histogram: Histogram

    @property
    def valued(self) -> int:
        """Rows with a value."""
        return self.histogram.rows - self.histogram.missing

    @property
    def outside(self) -> int:
        """Rows beyond the edges."""
        return sum(self.histogram.counts[place] for place in OUTSIDE)


def _merged(samples: Sequence[_Sample]) -> Clues:
    new: Counter[str] = Counter()
    for sample in samples:
        new.update(dict(sample.clues.new))
    named = tuple(sorted(new.items(), key=lambda item: (-item[1], item[0]))[:MOST_NEW])
    if not any(sample.clues.deciles or sample.clues.peaks for sample in samples):
        return Clues(sum(sample.clues.rows for sample in samples), new=named)
    # As large as a sample of all rows can be that no part has too few values for.
    sampled = [sample for sample in samples if sample.clues.rows and sample.valued]
    part = min((sample.clues.rows / sample.valued for sample in sampled), default=0.0)
    peaks: dict[float, float] = {}
    for sample in sampled:
        for value, rows in sample.clues.peaks:
            peaks[value] = peaks.get(value, 0.0) + part * sample.valued * rows / sample.clues.rows
    repeated = sorted(((value, round(rows)) for value, rows in peaks.items()), key=lambda item: (-item[1], item[0]))
    rows = round(part * sum(sample.valued for sample in sampled))
    return Clues(
        rows,
        tuple((value, number) for value, number in repeated if number > 1)[:MOST_PEAKS],
        _deciles([(sample.clues.deciles, sample.valued) for sample in sampled]) if rows >= LEAST_SAMPLE else (),
        _deciles([(sample.clues.outside, sample.outside) for sample in sampled]),
        named,
    )


def _deciles(parts: Sequence[tuple[tuple[float, ...], int]]) -> tuple[float, ...]:
    """The deciles of a mixture from those of its parts, to within a tenth; none if most of it is not known."""
    known = [(deciles, rows) for deciles, rows in parts if deciles]
    total = sum(rows for _, rows in known)
    if 2 * total <= sum(rows for _, rows in parts):
        return ()
    values = np.concatenate([deciles for deciles, _ in known])
    weights = np.concatenate([np.full(len(deciles), rows / len(deciles)) for deciles, rows in known])
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    # A little less than the share itself: sums of fractions end a little off.
    places = np.searchsorted(reached, total * (np.arange(1, 10) / 10) * (1 - 1e-9))
    return tuple(values[order][np.minimum(places, len(values) - 1)].tolist())
