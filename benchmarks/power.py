"""What a check finds, and how sure its bounds are: ``python -m benchmarks.power``, with ``--full`` for more runs. Seeded."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.study.bounds import Categorical, Law, Normal, bounds
from benchmarks.study.days import DayProcess
from benchmarks.study.flights import read
from benchmarks.study.real import CHANGES, REFERENCE, planted
from benchmarks.study.shapes import FAULTS, Sizes, results
from benchmarks.study.tables import percent, print_table
from benchmarks.study.usual import Case, p_values
from driftmon.core.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftmon.core.check import ColumnResult

SEED = 20260201


def _zipf(power: float) -> Categorical:
    weights = np.arange(1.0, 51.0) ** -power
    return Categorical(tuple((weights / weights.sum()).tolist()))


CELLS: tuple[tuple[str, Law, Law, tuple[int, int]], ...] = (
    ("no drift", Normal(), Normal(), (1_000, 1_000)),
    ("no drift", Normal(), Normal(), (10_000, 1_000)),
    ("no drift", Normal(), Normal(), (10_000, 10_000)),
    ("shift .05 sd", Normal(), Normal(0.05), (10_000, 10_000)),
    ("shift .15 sd", Normal(), Normal(0.15), (2_000, 200)),
    ("shift .45 sd", Normal(), Normal(0.45), (10_000, 1_000)),
    ("shift 1 sd", Normal(), Normal(1.0), (10_000, 10_000)),
    ("spread x1.5", Normal(), Normal(0.0, 1.5), (50_000, 20_000)),
    ("rare category .1 % -> 2 %", Categorical((0.999, 0.001)), Categorical((0.98, 0.02)), (30_000, 10_000)),
    ("rare category .3 % -> 2 %", Categorical((0.997, 0.003)), Categorical((0.98, 0.02)), (10_000, 10_000)),
    ("Zipf 50: 1.1 -> 1.3", _zipf(1.1), _zipf(1.3), (10_000, 1_000)),
)

LEVELS = (0.05, 0.01, 0.001)

USUAL = (
    ("clean", Case(DayProcess(), shift=0.3)),
    ("clean", Case(DayProcess("gauss", 0.05), shift=0.3)),
    ("clean", Case(DayProcess("AR(.7)", 0.1), shift=0.3)),
    ("clean", Case(DayProcess("weekly", 0.1), shift=0.3)),
    ("clean", Case(DayProcess("gauss", 0.2), shift=0.3)),
    ("clean", Case(DayProcess("gauss", 0.2), shift=1.0)),
    ("clean", Case(DayProcess("sundays", 0.05), shift=0.5)),
    ("clean", Case(DayProcess("sundays", 0.05), shift=1.0)),
    ("2 of 30 days off by 1 sd", Case(DayProcess("gauss", 0.02), incidents=2, shift=0.3)),
    ("2 of 30 days off by 1 sd", Case(DayProcess("gauss", 0.05), incidents=2, shift=0.3)),
    ("2 of 30 days off by 1 sd", Case(DayProcess("gauss", 0.05), incidents=2, shift=0.5)),
)


def main(*, full: bool) -> None:
    """Simulate and print."""
    faults(runs=100 if full else 25)
    coverage(times=2_000 if full else 400)
    beyond_usual(columns=200 if full else 60)
    flights(times=50 if full else 10)


def faults(runs: int) -> None:
    """Faults: how often each is found, by KL, quality checks and hints."""
    rows = []
    for number, (name, fault) in enumerate(FAULTS.items()):
        found = results(fault.shape, fault, Sizes(), runs, np.random.default_rng([SEED, number]))
        rows.append((name, fault.shape, *_summary(found)))
    header = ("what", "column", "KL", "info or worse", "warning or worse", "critical", "quality problem", "hint")
    print_table(f"5,000 live rows, 20,000 reference rows, {runs} runs; % of runs", header, rows)


def _summary(found: Sequence[ColumnResult]) -> tuple[str, ...]:
    urgency = np.array([column.status.urgency for column in found])
    kl = np.mean([column.scores.kl for column in found if column.scores is not None])
    problems = Counter(str(problem.check) for column in found for problem in column.problems)
    hints = Counter(column.hint for column in found if column.hint is not None)
    return (
        f"{kl:.3f}",
        *(
            percent(float((urgency >= least.urgency).mean()), 0)
            for least in (Status.INFO, Status.WARNING, Status.CRITICAL)
        ),
        ", ".join(f"{name} {percent(times / len(found), 0)}" for name, times in problems.most_common()),
        f"{percent(hints.total() / len(found), 0)}: {hints.most_common(1)[0][0]}" if hints else "",
    )


def coverage(times: int) -> None:
    """Bounds: how often they hold what they promise."""
    rows = []
    for number, (name, reference, live, sizes) in enumerate(CELLS):
        found = bounds(reference, live, sizes, times, np.random.default_rng([SEED, 100 + number]))
        rows.append(
            (
                name,
                f"{sizes[1]:,}, {sizes[0]:,}",
                f"{found.truth:.4f}",
                f"{found.excess:.4f}",
                percent(found.lower),
                percent(found.upper),
                percent(found.raised),
                f"{found.ratio:.2f}" if found.truth == 0 else "",
            )
        )
    header = ("truth", "n, m", "true KL", "mean excess", "lower holds %", "upper holds %", "lower > 0 %", "KL / floor")
    print_table(f"Bounds of 95 % each, {times} windows and references", header, rows)


def beyond_usual(columns: int) -> None:
    """The power of the test against the history (shifts beyond what is usual)."""
    rows = []
    for number, (name, case) in enumerate(USUAL):
        p = p_values(case, columns, 40, np.random.default_rng([SEED, 200 + number]))["p_history"]
        rows.append((case.process, name, f"{case.shift:g}", *(percent(float((p <= a).mean()), 0) for a in LEVELS)))
    header = ("days", "history", "shift in sd", "found at 5 %", "at 1 %", "at 0.1 %")
    print_table(
        f"Shifts beyond what is usual, {columns} histories of 30 days x 40 windows of 20,000 rows", header, rows
    )


def flights(times: int) -> None:
    """Shifts planted in real rows."""
    table, rows = read(), []
    for number, change in enumerate(CHANGES):
        found = planted(table, change, 5_000, times, np.random.default_rng([SEED, 300 + number]))
        for column, said in found.items():
            breach = said["warning"] + said["critical"]
            rows.append((change, column, *(f"{count} of {times}" for count in (breach, said["problem"], said["hint"]))))
    header = ("planted", "column", "warning or worse", "quality problem", "hint")
    print_table(
        f"Flights split at random, {REFERENCE:,} reference rows, 5,000 live rows, a shift planted", header, rows
    )


if __name__ == "__main__":
    main(full="--full" in sys.argv)
