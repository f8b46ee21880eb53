"""Weeks that move on by a day, judged by several histories of one reference (decision 24)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.study.columns import baseline_of, drawn_windows, normal_rows, numbered
from driftmon.core.check import Policy, check
from driftmon.core.history import History
from driftmon.core.window import Window
from driftmon.reference import apart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.study.days import DayProcess
    from driftmon.core.histogram import Profile

__all__ = ["HISTORIES", "WEEK", "Judged", "Weeks", "judged"]

WEEK = 7

Split = Callable[[Sequence[Window]], list[Window]]


def _overlapping(days: Sequence[Window]) -> list[Window]:
    return [Window(days[n].start, days[n + WEEK - 1].end) for n in range(len(days) - WEEK + 1)]


HISTORIES: dict[str, Split | None] = {
    "chance only": None,
    "days": list,
    "overlapping weeks": _overlapping,
    "**weeks that share no row**": lambda days: apart(days, WEEK),
}
"""Ways to learn what is usual for a week; shorter windows stand in where there are too few weeks."""


@dataclass(frozen=True)
class Weeks:
    """A reference of so many days, and the live days that follow; `shift` in standard deviations of the rows."""

    process: DayProcess
    reference: int
    rows: int = 5_000
    live: int = 60
    shift: float = 0.0


@dataclass(frozen=True)
class Judged:
    """
    Verdicts, shape (windows, columns).

    Parameters
    ----------
    p : ndarray of float
        Of each verdict, before adjusting for the other columns.
    drift : ndarray of bool
        Beyond chance and what is usual, of whatever size.
    alert : ndarray of bool
        Warning or worse.
    """

    p: NDArray[np.float64]
    drift: NDArray[np.bool_]
    alert: NDArray[np.bool_]


def judged(case: Weeks, columns: int, rng: np.random.Generator) -> dict[str, Judged]:
    """Judge every week of the live days, each a day after the one before, by each of `HISTORIES`; in the order of time."""
    past, future = case.process.draw(columns, case.reference + case.live, rng).split(case.reference)
    baseline = baseline_of(numbered(normal_rows(past, case.rows, rng)), clues=False)
    days = drawn_windows(baseline, future.moved(case.shift), case.rows, rng)
    weeks = [_summed(days[n : n + WEEK]) for n in range(len(days) - WEEK + 1)]
    daily = baseline.history
    if daily is None:
        raise TypeError("a baseline of days has a history")
    found = {}
    for name, split in HISTORIES.items():
        told = replace(baseline, history=None if split is None else _regrouped(daily, split(daily.windows)))
        results = [check(told, week, policy=Policy()) for week in weeks]
        scores = [[column.scores for column in result.columns] for result in results]
        p = np.array([[score.p_value for score in row if score] for row in scores])
        q = np.array([[score.q_value for score in row if score] for row in scores], dtype=np.float64)
        alert = np.array([[column.status.breach for column in result.columns] for result in results])
        found[name] = Judged(p, q <= 0.05, alert)
    return found


def _summed(days: Sequence[Profile]) -> Profile:
    return sum(days[1:], days[0])


def _regrouped(history: History, windows: Sequence[Window]) -> History:
    """The same history in windows of several of its days."""
    starts = {day.start: place for place, day in enumerate(history.windows)}
    ends = {day.end: place + 1 for place, day in enumerate(history.windows)}
    spans = [(starts[window.start], ends[window.end]) for window in windows]
    counts = {key: np.array([table[a:b].sum(axis=0) for a, b in spans]) for key, table in history.counts.items()}
    return History(counts, tuple(windows))
