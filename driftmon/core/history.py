"""
How much a column moves by itself: the counts of each reference window, and what they let us expect of the next one
(docs/statistics.md, "Is it more than usual?").

Windows of real data differ when nothing is wrong. The test of `evidence` knows the noise of sampling only; it calls most quiet
days of a large table real. Here every reference window is compared with the rest of the reference, and live windows are judged by
how those came out.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtr, stdtrit

from driftmon.core.divergence import kl_contributions, smoothed
from driftmon.core.evidence import noise_floor

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import timedelta

    from numpy.typing import NDArray

    from driftmon.core.window import Window

__all__ = ["ALIKE", "BLOCKS", "LEAST_WINDOWS", "MOST_WINDOWS", "Calibration", "History", "Usual", "calibrate"]

LEAST_WINDOWS = 7
"""Fewer windows do not tell what is usual."""

BLOCKS = 20
"""Consecutive blocks of rows that stand for windows where the reference has no timestamp."""

MOST_WINDOWS = 400
"""Windows kept of a reference: a year of days. More would not sharpen what is usual."""

COLUMNS_AT_ONCE = 64
"""Columns of one block of arithmetic: some 100,000 numbers stay in the cache."""

ALIKE = 1.25
"""By which factor the lengths of windows of one kind may differ: a day of 23 hours, a month of 28 days."""

WEEK = 7
"""One window in so many is a pattern, such as Sundays; fewer that stand out are incidents."""

AS_FAR = 2.0
"""A window that is at most so many times as far out, beyond noise, as one reference window in `WEEK` is one of those."""

Key = tuple[str, str | None]
"""A column and its segment; None for all rows."""


@dataclass(frozen=True, eq=False)
class History:
    """
    The counts of each reference window, or of consecutive blocks of rows.

    Parameters
    ----------
    counts : mapping of (str, str or None) to ndarray of int, shape (windows, bins)
        By column and segment, in the bins of the column's layout, oldest first. A row of zeros is a window without rows, or one
        that is left out.
    windows : tuple of Window
        When; empty for blocks.
    tops : mapping of str to ndarray of int, shape (windows, 2)
        Of numeric columns, for each window: the rows of its most frequent value, and those of all others, in a sample.
    """

    counts: Mapping[Key, NDArray[np.int64]]
    windows: tuple[Window, ...] = ()
    tops: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)

    @property
    def timed(self) -> bool:
        """True for windows, False for blocks of rows without a timestamp."""
        return bool(self.windows)

    @property
    def length(self) -> timedelta | None:
        """The median length of the windows; None for blocks."""
        lengths = sorted(window.end - window.start for window in self.windows)
        return lengths[len(lengths) // 2] if lengths else None

    def like(self, window: Window | None) -> bool:
        """True if the windows are of the same kind as a live one: of about its length, as days and months differ a little."""
        length = self.length
        return length is not None and (window is None or length / ALIKE <= window.end - window.start <= length * ALIKE)

    def without(self, left_out: Mapping[Window, Iterable[Key]]) -> History:
        """The same history, in which some windows of some columns have no rows: those that alerted."""
        rows = {window: row for row, window in enumerate(self.windows)}
        counts, tops = dict(self.counts), dict(self.tops)
        for window, keys in left_out.items():
            for key in keys:
                if window in rows and key in counts:
                    counts[key] = _emptied(counts[key], rows[window])
                    if key[1] is None and key[0] in tops:
                        tops[key[0]] = _emptied(tops[key[0]], rows[window])
        return History(counts, self.windows, tops)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, History):
            return NotImplemented
        same = self.windows == other.windows
        return same and _equal(self.counts, other.counts) and _equal(self.tops, other.tops)

    __hash__ = None  # type: ignore[assignment]  # arrays have no hash


def _emptied(table: NDArray[np.int64], row: int) -> NDArray[np.int64]:
    changed = table.copy()
    changed[row] = 0
    return changed


def _equal(one: Mapping[Any, NDArray[np.int64]], other: Mapping[Any, NDArray[np.int64]]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(counts, other[key]) for key, counts in one.items())


@dataclass(frozen=True)
class Usual:
    """
    A window's KL beside what is usual, one element a column.

    Attributes
    ----------
    p_history : ndarray of float
        Probability that a usual window is at least so far from the reference.
    limit : ndarray of float
        Nats: the KL that at most one usual window in a hundred exceeds.
    """

    p_history: NDArray[np.float64]
    limit: NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """
    What the history of each column lets us expect of its next window.

    Attributes
    ----------
    windows : ndarray of int, shape (columns,)
        Windows that it stands on; fewer than `LEAST_WINDOWS`, and the other numbers mean nothing.
    day_effect : ndarray of float, shape (columns,)
        τ², nats: how far a usual window is from the others, beyond the noise of sampling.
    centre, spread : ndarray of float, shape (columns,)
        Mean and standard deviation of the cube roots of KL over what noise and day effect explain.
    weekly : ndarray of float, shape (columns,)
        Nats beyond noise that one window in `WEEK` reached.
    """

    windows: NDArray[np.int64]
    day_effect: NDArray[np.float64]
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    weekly: NDArray[np.float64]

    @cached_property
    def enough(self) -> NDArray[np.bool_]:
        """Which columns have windows enough to tell what is usual."""
        return self.windows >= LEAST_WINDOWS

    def judge(self, kl: NDArray[np.float64], noise_floor: NDArray[np.float64]) -> Usual:
        """
        How unusual a window is: a prediction interval of Student's t, on the scale on which KL is nearly normal.

        Parameters
        ----------
        kl, noise_floor : ndarray of float, shape (columns,)
            Nats.

        References
        ----------
        docs/statistics.md, "Is it more than usual?". Wilson & Hilferty (1931), PNAS 17, 684, for the cube root.
        """
        explained = noise_floor + self.day_effect
        freedom = np.maximum(self.windows - 1, 1)
        # The next window varies by itself, and the mean of the past ones is not exactly known.
        width = self.spread * np.sqrt(1 + 1 / np.maximum(self.windows, 1))
        above = np.cbrt(_ratio(kl, explained)) - self.centre
        # A history that never moved at all is exceeded by whatever moves.
        never = np.where(above > 0, np.inf, np.where(above < 0, -np.inf, 0.0))
        p_history = stdtr(freedom, -np.divide(above, width, out=never, where=width > 0))
        # Sundays are no bell curve: what comes once a week is usual however narrow the spread of the other days. The same holds
        # for windows much larger than those of the reference, whose noise hides how far apart they really are.
        weekly = noise_floor + AS_FAR * self.weekly
        p_history = np.where(kl <= weekly, np.maximum(p_history, 1 / (WEEK + 1)), p_history)
        limit = explained * np.maximum(self.centre + stdtrit(freedom, 0.99) * width, 0.0) ** 3
        return Usual(p_history, np.maximum(limit, weekly))


def calibrate(
    reference: NDArray[np.float64],
    history: Iterable[NDArray[np.int64]],
    bins: NDArray[np.int64],
    *,
    least_rows: int = 1,
) -> Calibration:
    """
    Learn what is usual from the windows of the reference, each against all the others.

    Leaving a window out of what it is compared with matters: a reference that contains it is closer to it than to any later one.

    Parameters
    ----------
    reference : ndarray of float, shape (columns, bins)
        Counts of the whole reference.
    history : iterable of ndarray of int, shape (windows, bins of the column)
        By column; the windows may differ in number.
    bins : ndarray of int, shape (columns,)
    least_rows : int
        Windows with fewer rows are passed over, as live windows so small get no verdict.

    References
    ----------
    docs/statistics.md, "Is it more than usual?" and "Usual windows" in "The study".
    """
    columns = list(history)
    learnt = Calibration(np.zeros(len(columns), dtype=np.int64), *np.zeros((4, len(columns))))
    alike: dict[tuple[int, ...], list[int]] = defaultdict(list)  # columns of one shape are one block of arithmetic
    for place, (counts, size) in enumerate(zip(columns, bins.tolist(), strict=True)):
        alike[len(counts), size].append(place)
    for (_, size), places in alike.items():
        for first in range(0, len(places), COLUMNS_AT_ONCE):
            some = np.array(places[first : first + COLUMNS_AT_ONCE])
            live = np.stack([columns[place] for place in some]).astype(np.float64)
            _learn(learnt, some, live, reference[some, np.newaxis, :size] - live, least_rows)
    return learnt


def _learn(
    learnt: Calibration,
    places: NDArray[np.intp],
    live: NDArray[np.float64],
    rest: NDArray[np.float64],
    least_rows: int,
) -> None:
    """Fill in what is usual for some columns, from counts of shape (columns, windows, bins)."""
    counted = (live.sum(axis=-1) >= max(least_rows, 1)) & (rest.sum(axis=-1) > 0)
    learnt.windows[places] = counted.sum(axis=-1)
    patterns: dict[bytes, list[int]] = defaultdict(list)  # mostly one: all columns have the rows of their window
    for row in np.flatnonzero(learnt.windows[places] >= LEAST_WINDOWS).tolist():
        patterns[counted[row].tobytes()].append(row)
    for rows in patterns.values():
        kept = counted[rows[0]]
        found = _usual(live[rows][:, kept], rest[rows][:, kept])
        learned = (learnt.day_effect, learnt.centre, learnt.spread, learnt.weekly)
        for numbers, values in zip(learned, found, strict=True):
            numbers[places[rows]] = values


def _usual(live: NDArray[np.float64], rest: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """The numbers of `Calibration` after the first, of columns with counts of shape (columns, windows, bins)."""
    kl = kl_contributions(*smoothed(live, rest, np.full(live.shape[:-1], live.shape[-1]))).sum(axis=-1)
    used = ((live + rest) > 0).sum(axis=-1)
    floor = noise_floor(used, live.sum(axis=-1), rest.sum(axis=-1))
    excess, windows = kl - floor, kl.shape[-1]
    day_effect = np.maximum(excess.mean(axis=-1), 0.0)
    weekly = np.maximum(np.partition(excess, -(windows // WEEK), axis=-1)[:, -(windows // WEEK)], 0.0)
    g = np.cbrt(_ratio(kl, floor + day_effect[:, np.newaxis]))
    low, high = np.quantile(g, (0.25, 0.75), axis=-1)
    most = (high + 1.5 * (high - low))[:, np.newaxis]
    # An incident in the reference must not make incidents usual; but what comes as often as once a week is usual.
    rare = (g > most).sum(axis=-1) < windows // WEEK
    g = np.where(rare[:, np.newaxis], np.minimum(g, most), g)
    return day_effect, g.mean(axis=-1), g.std(axis=-1, ddof=1), weekly


def _ratio(kl: NDArray[np.float64], explained: NDArray[np.float64]) -> NDArray[np.float64]:
    """KL over what is explained; 0 where both are, as in a column with one value."""
    return np.divide(kl, explained, out=np.zeros_like(kl), where=explained > 0)
