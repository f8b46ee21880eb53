"""Columns on the way that those of a monitor take: rows, layouts, counts, a baseline with its history, a window's profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from driftmon.core.baseline import Baseline, BaselineColumn, Learnt
from driftmon.core.binning import count_numbers
from driftmon.core.categories import count_categories
from driftmon.core.clues import SAMPLE, Clues, numeric_clues, top_rows
from driftmon.core.histogram import Histogram, Profile
from driftmon.core.history import History
from driftmon.core.layout import CategoricalLayout, Kind, NumericLayout
from driftmon.core.learning import learn_categories, learn_numbers
from driftmon.core.tallying import CategoryTally
from driftmon.core.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from benchmarks.study.days import Days
    from driftmon.core.history import Key

__all__ = ["Categories", "Rows", "baseline_of", "daily", "drawn_windows", "normal_rows", "numbered", "profile_of"]

FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)

OF_WINDOW = 1_024
"""Rows of a reference window that its most frequent value is told by, as sources do."""


@dataclass(frozen=True)
class Categories:
    """
    Rows of a categorical column.

    Parameters
    ----------
    codes : ndarray of int, shape (rows,)
        Position of each row's name; -1 for none.
    names : tuple of str
    """

    codes: NDArray[np.int64]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: NDArray[np.int64] | slice) -> Categories:
        return Categories(self.codes[rows], self.names)

    def tally(self) -> tuple[list[str], list[int], int]:
        """The names that occur, the rows of each, and the rows without one."""
        rows = np.bincount(self.codes + 1, minlength=len(self.names) + 1)
        held = np.flatnonzero(rows[1:])
        return [self.names[place] for place in held], rows[1:][held].tolist(), int(rows[0])


Rows = Categories | np.ndarray[tuple[int, ...], np.dtype[np.float64]]
"""Of one column; numbers may be NaN."""


@dataclass
class _Drawn:
    """A baseline under way."""

    columns: dict[str, BaselineColumn] = field(default_factory=dict)
    counts: dict[str, list[Histogram]] = field(default_factory=dict)
    clues: dict[str, Clues] = field(default_factory=dict)
    tops: dict[str, NDArray[np.int64]] = field(default_factory=dict)


def daily(days: int) -> tuple[Window, ...]:
    """Consecutive days."""
    day = timedelta(days=1)
    return tuple(Window(FIRST_DAY + i * day, FIRST_DAY + (i + 1) * day) for i in range(days))


def numbered(columns: Iterable[list[Rows]]) -> Iterator[tuple[str, list[Rows]]]:
    """Columns with names."""
    return ((f"x{number}", column) for number, column in enumerate(columns))


def normal_rows(days: Days, rows: int | Sequence[int], rng: np.random.Generator) -> Iterator[list[Rows]]:
    """
    The rows of each normal column, day by day.

    Parameters
    ----------
    days : Days
    rows : int or sequence of int
        Of every day, or of each.
    """
    sizes = [rows] * days.centre.shape[1] if isinstance(rows, int) else rows
    for centre, spread in zip(days.centre, days.spread, strict=True):
        yield [rng.normal(*where) for where in zip(centre, spread, sizes, strict=True)]


def baseline_of(
    columns: Iterable[tuple[str, Sequence[Rows]]], *, windows: tuple[Window, ...] | None = None, clues: bool = True
) -> Baseline:
    """
    A baseline whose columns are learnt from all their rows and counted window by window.

    Parameters
    ----------
    columns : iterable of (str, sequence of Rows)
        Each with its rows in each window; the windows of all columns have the same rows.
    windows : tuple of Window, optional
        By default days; empty if the parts are blocks of a reference without timestamp.
    clues : bool
        False to save the time where only KL matters.
    """
    drawn = _Drawn()
    for name, parts in columns:
        rows = _joined(parts)
        column = drawn.columns[name] = _learnt(name, rows)
        drawn.counts[name] = [_counted(column, part) for part in parts]
        if clues:
            drawn.clues |= _clues(name, column, rows[:: max(len(rows) // SAMPLE, 1)])
            drawn.tops |= _tops(name, parts)
    reference = {name: sum(counts[1:], counts[0]) for name, counts in drawn.counts.items()}
    counts: dict[Key, NDArray[np.int64]] = {
        (name, None): np.array([each.counts for each in parts]) for name, parts in drawn.counts.items()
    }
    days = daily(len(next(iter(counts.values())))) if windows is None else windows
    profile = Profile(next(iter(reference.values())).rows, reference, clues=drawn.clues)
    return Baseline(Learnt(drawn.columns), profile, history=History(counts, days, drawn.tops))


def _tops(name: str, parts: Sequence[Rows]) -> dict[str, NDArray[np.int64]]:
    """The most frequent number of each window, in a sample; nothing for categories."""
    samples = [part[:: -(-len(part) // OF_WINDOW)] for part in parts if not isinstance(part, Categories)]
    if not samples:
        return {}
    windows = np.repeat(np.arange(len(samples)), [len(sample) for sample in samples])
    return {name: top_rows(np.concatenate(samples), windows, len(samples))}


def _joined(parts: Sequence[Rows]) -> Rows:
    categories = [part for part in parts if isinstance(part, Categories)]
    if categories:
        return Categories(np.concatenate([part.codes for part in categories]), categories[0].names)
    return np.concatenate([part for part in parts if not isinstance(part, Categories)])


def _learnt(name: str, rows: Rows) -> BaselineColumn:
    if isinstance(rows, Categories):
        tally = CategoryTally()
        tally.add(*rows.tally()[:2])
        return BaselineColumn(Kind.CATEGORICAL, "string", learn_categories(tally), tally.singletons)
    layout = learn_numbers(rows)
    if layout is None:
        raise ValueError(f"column {name} has no number to learn from")
    return BaselineColumn(Kind.NUMERIC, "double", layout)


def _counted(column: BaselineColumn, rows: Rows) -> Histogram:
    if isinstance(column.layout, NumericLayout) and not isinstance(rows, Categories):
        return count_numbers(column.layout, rows)
    if isinstance(column.layout, CategoricalLayout) and isinstance(rows, Categories):
        names, counts, nulls = rows.tally()
        return count_categories(column.layout, names, counts, nulls=nulls)
    raise TypeError(f"rows of another kind than the column, which is {column.kind}")


def _clues(name: str, column: BaselineColumn, rows: Rows) -> dict[str, Clues]:
    """Of the first rows, if they are numbers: simulated rows are in no order, so that these are as good as any."""
    if isinstance(column.layout, NumericLayout) and not isinstance(rows, Categories):
        return {name: numeric_clues(column.layout, rows[:SAMPLE])}
    return {}


def profile_of(baseline: Baseline, columns: Mapping[str, Rows]) -> Profile:
    """The profile of a window."""
    histograms = {name: _counted(baseline.columns[name], rows) for name, rows in columns.items()}
    clues: dict[str, Clues] = {}
    for name, rows in columns.items():
        clues |= _clues(name, baseline.columns[name], rows)
    return Profile(next(iter(histograms.values())).rows, histograms, clues=clues)


def drawn_windows(baseline: Baseline, days: Days, rows: int, rng: np.random.Generator) -> list[Profile]:
    """
    The profile of each day of normal columns, its counts drawn at once.

    Exact, since a day's rows are independent draws of a known law and the layouts do not depend on them: the counts are multinomial.
    """
    counts = []
    for column, centre, spread in zip(baseline.columns.values(), days.centre, days.spread, strict=True):
        if not isinstance(column.layout, NumericLayout):
            raise TypeError("only numeric columns can be drawn at once")
        below = ndtr((np.array(column.layout.edges) - centre[:, np.newaxis]) / spread[:, np.newaxis])
        shares = np.diff(below, prepend=0.0, append=1.0, axis=-1)
        valued = rng.multinomial(rows, shares)
        counts.append(np.append(valued, np.zeros((len(valued), 1), dtype=np.int64), axis=-1).tolist())
    return [
        Profile(rows, {name: Histogram(tuple(counts[i][day])) for i, name in enumerate(baseline.columns)})
        for day in range(days.centre.shape[1])
    ]
