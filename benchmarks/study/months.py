"""Many columns over a month of days: which rules alarm, when, and how often without a cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.study.columns import Rows, baseline_of, normal_rows, numbered, profile_of
from benchmarks.study.days import Days
from driftmon.core.check import Policy, check
from driftmon.core.evidence import adjusted_p_values
from driftmon.core.histogram import Profile, as_matrix
from driftmon.core.sustained import POOLED, sustained
from driftmon.core.verdict import Threshold

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from benchmarks.study.days import DayProcess
    from driftmon.core.baseline import Baseline
    from driftmon.core.check import CheckResult, ColumnResult

__all__ = ["DRIFTING", "Month", "Setting", "rules_of", "run_month"]

DRIFTING = 10
"""Columns that drift, in the second run."""

CREEP = 0.02
"""Standard deviations a day."""


@dataclass(frozen=True)
class Setting:
    """A month to simulate."""

    process: DayProcess
    rows: int = 5_000
    columns: int = 500
    windows: int = 30
    days: int = 30


@dataclass(frozen=True)
class Month:
    """
    What came of it, by rule.

    Parameters
    ----------
    false : mapping of str to ndarray of bool, shape (days, columns)
        Alarms when no column drifts.
    found : mapping of str to ndarray of bool, shape (days, drifting columns)
        Alarms in the columns that creep, among others that do not.
    """

    false: dict[str, NDArray[np.bool_]]
    found: dict[str, NDArray[np.bool_]]

    def first_alarm(self, rule: str) -> tuple[float, float]:
        """The mean day of the first alarm in a drifting column, and the share of them that had one."""
        alarms = self.found[rule]
        ever = alarms.any(axis=0)
        return float(alarms.argmax(axis=0)[ever].mean() + 1) if ever.any() else float("nan"), float(ever.mean())


def run_month(setting: Setting, rng: np.random.Generator) -> Month:
    """Simulate a month without drift, and the same with `DRIFTING` columns that creep."""
    every = setting.process.draw(setting.columns, setting.windows + setting.days, rng)
    past, future = every.split(setting.windows)
    baseline = baseline_of(numbered(normal_rows(past, setting.rows, rng)))
    quiet = _windows(baseline, normal_rows(future, setting.rows, rng))
    creeping = Days(future.centre[:DRIFTING], future.spread[:DRIFTING])
    creeping = creeping.moved(CREEP * np.arange(1.0, setting.days + 1))
    drifting = _windows(baseline, normal_rows(creeping, setting.rows, rng))
    both = [
        Profile(calm.rows, {**calm.histograms, **moved.histograms}, clues={**calm.clues, **moved.clues})
        for calm, moved in zip(quiet, drifting, strict=True)
    ]
    found = rules_of(baseline, both)
    return Month(rules_of(baseline, quiet), {rule: alarms[:, :DRIFTING] for rule, alarms in found.items()})


def _windows(baseline: Baseline, columns: Iterable[list[Rows]]) -> list[Profile]:
    """The profile of each day, of rows by column and day."""
    named = dict(numbered(columns))
    return [profile_of(baseline, {name: rows[day] for name, rows in named.items()}) for day in range(len(named["x0"]))]


def rules_of(baseline: Baseline, windows: Sequence[Profile]) -> dict[str, NDArray[np.bool_]]:
    """Which columns each rule would report in each window, shape (windows, columns)."""
    results = [check(baseline, window, policy=Policy()) for window in windows]
    p_iid = _numbers(results, "p_iid")
    return {
        "p_iid < .05": p_iid < 0.05,
        "BH 5 % on p_iid": np.array([adjusted_p_values(row) for row in p_iid]) <= 0.05,
        "KL > 0.1": _numbers(results, "kl") > 0.1,
        "p_history < .01": _numbers(results, "p_history") < 0.01,
        "info or worse": _numbers(results, "q_value") <= 0.05,
        "**warning or worse**": np.array([[column.status.breach for column in result.columns] for result in results]),
        "**sustained drift**": _sustained(baseline, windows, results),
        "quality problem": np.array([[bool(column.problems) for column in result.columns] for result in results]),
        "hint": np.array([[column.hint is not None for column in result.columns] for result in results]),
    }


def _numbers(results: Sequence[CheckResult], score: str) -> NDArray[np.float64]:
    return np.array([[_number(column, score) for column in result.columns] for result in results])


def _number(column: ColumnResult, score: str) -> float:
    value = getattr(column.scores, score)
    return np.nan if value is None else value


def _sustained(baseline: Baseline, windows: Sequence[Profile], results: Sequence[CheckResult]) -> NDArray[np.bool_]:
    reference = as_matrix(baseline.reference.histograms[name] for name in baseline.columns)
    counts = np.array([as_matrix(window.histograms[name] for name in baseline.columns) for window in windows])
    bins = np.array([column.layout.size for column in baseline.columns.values()])
    usual, chance = _numbers(results, "p_history"), _numbers(results, "p_iid")
    p = np.where(np.isnan(usual), chance, usual)
    told = np.where(np.isnan(usual[0]), 0, _numbers(results[:1], "history_windows")[0]).astype(np.int64)
    warning = np.full(len(bins), Threshold().warning)
    drifting = []
    for day in range(1, len(windows) + 1):
        pooled = counts[max(day - POOLED, 0) : day].sum(axis=0)
        states = sustained(p[:day], told, reference, pooled, bins, warning)
        drifting.append([state.drifting for state in states])
    return np.array(drifting)
