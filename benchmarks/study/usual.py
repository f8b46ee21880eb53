"""Whether windows that are usual look so: `p_history` of days that vary by the law of the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.study.columns import baseline_of, drawn_windows, normal_rows, numbered
from driftmon.core.check import Policy, check

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.study.days import DayProcess

__all__ = ["Case", "p_values"]

INCIDENT = 1.0
"""By how many standard deviations the mean was off on a day of incident."""


@dataclass(frozen=True)
class Case:
    """
    A history and the windows judged by it.

    Parameters
    ----------
    process : DayProcess
    rows : tuple of int
        Rows a day of the reference; the days take turns.
    live_rows : int
    windows : int
        Days of the reference.
    incidents : int
        Days of the reference that were none of the usual.
    shift : float
        By how many standard deviations the live windows are off.
    """

    process: DayProcess
    rows: tuple[int, ...] = (20_000,)
    live_rows: int = 20_000
    windows: int = 30
    incidents: int = 0
    shift: float = 0.0


def p_values(case: Case, columns: int, live: int, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """
    Judge live days of columns that each have a history of their own.

    Parameters
    ----------
    case : Case
    columns, live : int
        Histories, and days judged by each: the days that follow.

    Returns
    -------
    dict of str to ndarray of float, shape (live, columns)
        ``p_history`` and ``p_iid``.
    """
    past, future = case.process.draw(columns, case.windows + live, rng).split(case.windows)
    past.centre[:, 3 : 3 + case.incidents] += INCIDENT
    sizes = [case.rows[day % len(case.rows)] for day in range(case.windows)]
    baseline = baseline_of(numbered(normal_rows(past, sizes, rng)), clues=False)
    found: dict[str, list[list[float]]] = {"p_history": [], "p_iid": []}
    for window in drawn_windows(baseline, future.moved(case.shift), case.live_rows, rng):
        scores = [column.scores for column in check(baseline, window, policy=Policy()).columns]
        for name, rows in found.items():
            rows.append([getattr(score, name) for score in scores])
    return {name: np.array(rows, dtype=np.float64) for name, rows in found.items()}
