"""How often a check is wrong: ``python -m benchmarks.false_alarms``, with ``--full`` for more repetitions. Seeded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.study.days import DayProcess
from benchmarks.study.flights import read
from benchmarks.study.months import DRIFTING, Setting, run_month
from benchmarks.study.real import REFERENCE, REFERENCE_DAYS, daily_checks, random_splits
from benchmarks.study.shapes import SHAPES, Sizes, results
from benchmarks.study.tables import percent, print_table
from benchmarks.study.usual import Case, p_values
from driftmon.core.verdict import Status

if TYPE_CHECKING:
    from driftmon.core.check import ColumnResult

SEED = 20260101

LEVELS = (0.05, 0.01, 0.001)

MONTHS = (
    Setting(DayProcess()),
    Setting(DayProcess("gauss", 0.05, common=0.3)),
    Setting(DayProcess("gauss", 0.1, common=0.5, together="t4")),
    Setting(DayProcess("gauss", 0.05, common=0.3), rows=500),
    Setting(DayProcess("sundays", 0.05), columns=100),
)


GAUSS = DayProcess("gauss", 0.05)

CASES = (
    ("20,000 rows", Case(DayProcess())),
    ("1,000 rows", Case(GAUSS, (1_000,), 1_000)),
    ("20,000 rows", Case(GAUSS)),
    ("20,000 rows", Case(DayProcess("gauss", 0.2))),
    ("20,000 rows, 14 days", Case(DayProcess("gauss", 0.2), windows=14)),
    ("20,000 rows, 7 days", Case(GAUSS, windows=7)),
    ("20,000 rows, 90 days", Case(GAUSS, windows=90)),
    ("20,000 rows", Case(DayProcess("t4", 0.1))),
    ("20,000 rows", Case(DayProcess("AR(.7)", 0.1))),
    ("20,000 rows", Case(DayProcess("weekly", 0.1))),
    ("20,000 rows", Case(DayProcess("sundays", 0.05))),
    ("history of 20,000, live 500", Case(DayProcess(), live_rows=500)),
    ("history of 20,000, live 500", Case(GAUSS, live_rows=500)),
    ("history of 500, live 20,000", Case(GAUSS, (500,))),
    ("history of 2,000, live 20,000", Case(GAUSS, (2_000,))),
    ("history of 500 to 20,000, live 5,000", Case(GAUSS, (500, 20_000, 2_000, 8_000), 5_000)),
    ("2 of 30 days of the history off by 1 sd", Case(DayProcess("gauss", 0.02), incidents=2)),
    ("2 of 30 days of the history off by 1 sd", Case(GAUSS, incidents=2)),
)


def main(*, full: bool) -> None:
    """Simulate and print."""
    months(times=5 if full else 1)
    wobble(seeds=20 if full else 5)
    usual(columns=400 if full else 50)
    quiet_shapes(runs=200 if full else 25)
    flights(times=200 if full else 40)


def usual(columns: int) -> None:
    """Usual windows: how often one is called unusual."""
    rows = []
    for number, (sizes, case) in enumerate(CASES):
        rng = np.random.default_rng([SEED, 100 + number])
        p = p_values(case, columns, 60, rng)
        rates = (
            " / ".join(percent(float((p[name] <= a).mean()), 2) for a in LEVELS) for name in ("p_iid", "p_history")
        )
        rows.append((case.process, sizes, *rates))
    header = ("days", "sizes", "p_iid: false at 5 / 1 / 0.1 %", "p_history: false at 5 / 1 / 0.1 %")
    print_table(f"Usual windows, {columns} histories x 60 live days, 30 days of history unless said", header, rows)


def months(times: int) -> None:
    """False alarms in a month, and when a creep is reported."""
    for number, setting in enumerate(MONTHS):
        rng = np.random.default_rng([SEED, number])
        runs = [run_month(setting, rng) for _ in range(times)]
        rows = []
        for rule in runs[0].false:
            false = np.array([run.false[rule] for run in runs])
            days, found = np.mean([run.first_alarm(rule) for run in runs], axis=0)
            at_once = false.any(axis=2).sum(axis=1).mean()
            rows.append(
                (rule, f"{false.sum() / times:.1f}", f"{at_once:.1f}", f"{days:.1f}", f"{found * DRIFTING:.1f}")
            )
        header = (
            "rule",
            "false column-days a month",
            "days with one",
            "mean day of the first true alarm",
            "found of 10",
        )
        print_table(f"{setting.process}, {setting.rows:,} rows a day, {setting.columns} columns", header, rows)


def wobble(seeds: int) -> None:
    """The judge's question: 500 column-days, at most one warning."""
    setting = Setting(DayProcess("gauss", 0.05), rows=20_000, columns=50, days=10)
    runs = [run_month(setting, np.random.default_rng([SEED, 50, seed])) for seed in range(seeds)]
    rows = [
        (rule, f"{np.mean([run.false[rule].sum() for run in runs]):.1f}", max(run.false[rule].sum() for run in runs))
        for rule in runs[0].false
    ]
    title = f"A wobble of 0.05 sd, 20,000 rows a day: alarms in 500 column-days, {seeds} seeds"
    print_table(title, ("rule", "mean", "most"), rows)


def quiet_shapes(runs: int) -> None:
    """Columns of every shape in which nothing changed."""
    rows = []
    for number, shape in enumerate(SHAPES):
        for live in (100, 1_000, 10_000):
            rng = np.random.default_rng([SEED, 200 + number, live])
            rows.append((shape, f"{live:,}", *_false(results(shape, None, Sizes(live=live), runs, rng))))
    header = ("column", "live rows", "info", "warning or worse", "quality problem", "hint")
    print_table(f"Nothing changed, 20,000 reference rows: how many of {runs} runs had", header, rows)


def _false(found: list[ColumnResult]) -> tuple[int, ...]:
    return (
        sum(column.status is Status.INFO for column in found),
        sum(column.status.breach for column in found),
        sum(bool(column.problems) for column in found),
        sum(column.hint is not None for column in found),
    )


def flights(times: int) -> None:
    """Real rows, split at random and day by day."""
    table = read()
    found = random_splits(table, (100, 1_000, 10_000), times, np.random.default_rng([SEED, 300]))
    rows = [(f"{live:,}", "20 blocks" if told else "none", *_false(columns)) for (live, told), columns in found.items()]
    header = ("live rows", "history", "info", "warning or worse", "quality problem", "hint")
    columns = len(table.columns)
    print_table(
        f"Flights split at random, {REFERENCE:,} reference rows, {times} checks of {columns} columns: columns with",
        header,
        rows,
    )
    checks = daily_checks(table)
    days = {name: [result[name] for result in checks] for name in table.columns}
    print_table(
        f"Flights day by day, the first {REFERENCE_DAYS} days are the reference: % of {len(checks)} days",
        ("column", "τ²", "KL > 0.1", "p_iid < .01", "p_history < .01", "warning or worse", "problem", "hint"),
        [(name, *_daily(of_column)) for name, of_column in days.items()],
    )


def _daily(columns: list[ColumnResult]) -> tuple[str, ...]:
    scores = [column.scores for column in columns if column.scores is not None]
    return (
        f"{scores[0].day_effect:.4f}",
        *(
            percent(float(np.mean(flags)))
            for flags in (
                [score.kl > 0.1 for score in scores],
                [score.p_iid < 0.01 for score in scores],
                [score.p_history is not None and score.p_history < 0.01 for score in scores],
                [column.status.breach for column in columns],
                [bool(column.problems) for column in columns],
                [column.hint is not None for column in columns],
            )
        ),
    )


if __name__ == "__main__":
    main(full="--full" in sys.argv)
