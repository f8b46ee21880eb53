"""Checks of the flights: split at random, with shifts planted, and day by day (the judge's questions, and statistics G)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.study.columns import Categories, Rows, baseline_of, profile_of
from benchmarks.study.flights import split
from driftmon.core.check import Policy, check
from driftmon.core.layout import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.study.flights import Table
    from driftmon.core.check import CheckResult, ColumnResult

__all__ = ["CHANGES", "REFERENCE", "REFERENCE_DAYS", "daily_checks", "planted", "random_splits"]

REFERENCE = 30_000
"""Reference rows of a random split."""

REFERENCE_DAYS = 90
"""The first days, which the others are compared with."""


def random_splits(
    table: Table, sizes: tuple[int, ...], times: int, rng: np.random.Generator
) -> dict[tuple[int, bool], list[ColumnResult]]:
    """
    Check rows against other rows of the same table: nothing has drifted.

    Returns
    -------
    dict of (int, bool) to list of ColumnResult
        By the rows of a window, and whether the reference had a history (in blocks).
    """
    found: dict[tuple[int, bool], list[ColumnResult]] = {(rows, told): [] for rows in sizes for told in (True, False)}
    for _ in range(times):
        drawn = split(table, REFERENCE, max(sizes), rng)
        for rows in sizes:
            window = drawn.window(rows)
            for told in (True, False):
                baseline = drawn.baseline if told else replace(drawn.baseline, history=None)
                found[rows, told].extend(check(baseline, window, policy=Policy()).columns)
    return found


def _every_fiftieth(rows: int) -> NDArray[np.bool_]:
    chosen: NDArray[np.bool_] = np.arange(rows) % 50 == 0
    return chosen


def _moved(rows: Rows) -> Rows:
    return rows if isinstance(rows, Categories) else rows + 0.5 * np.nanstd(rows)


def _sentinel(rows: Rows) -> Rows:
    return rows if isinstance(rows, Categories) else np.where(_every_fiftieth(len(rows)), -999.0, rows)


def _thousand(rows: Rows) -> Rows:
    return rows if isinstance(rows, Categories) else 1000 * rows


def _new_category(rows: Rows) -> Rows:
    if not isinstance(rows, Categories):
        return rows
    return Categories(np.where(_every_fiftieth(len(rows)), len(rows.names), rows.codes), (*rows.names, "never seen"))


CHANGES: dict[str, Callable[[Rows], Rows]] = {
    "mean +0.5 sd": _moved,
    "2 % sentinel -999": _sentinel,
    "all x1000": _thousand,
    "2 % new category": _new_category,
}
"""What is planted, in all columns of the kind that can have it."""


def planted(table: Table, change: str, rows: int, times: int, rng: np.random.Generator) -> dict[str, Counter[str]]:
    """
    Plant a shift in the live rows of random splits.

    Returns
    -------
    dict of str to Counter of str
        By column: how often it had each status, a ``problem`` and a ``hint``.
    """
    found: dict[str, Counter[str]] = {}
    for _ in range(times):
        drawn = split(table, REFERENCE, rows, rng)
        result = check(drawn.baseline, drawn.window(rows, lambda _, values: CHANGES[change](values)), policy=Policy())
        for column in result.columns:
            if (column.kind is Kind.CATEGORICAL) == (change == "2 % new category"):
                said = [str(column.status), *["problem"] * bool(column.problems), *["hint"] * (column.hint is not None)]
                found.setdefault(column.column, Counter()).update(said)
    return found


def daily_checks(table: Table) -> list[CheckResult]:
    """Check every day of the table against its first `REFERENCE_DAYS`, which are the history."""
    starts = np.searchsorted(table.days, np.arange(table.days[-1] + 2))
    days = [slice(first, last) for first, last in pairwise(starts)]
    past = ((name, [rows[day] for day in days[:REFERENCE_DAYS]]) for name, rows in table.columns.items())
    baseline = baseline_of(past)
    rng = np.random.default_rng(0)
    results = []
    for day in days[REFERENCE_DAYS:]:
        order = rng.permutation(np.arange(day.start, day.stop))  # clues are of the first rows
        window = profile_of(baseline, {name: rows[order] for name, rows in table.columns.items()})
        results.append(check(baseline, window, policy=Policy()))
    return results
