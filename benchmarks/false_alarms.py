"""How often a check is wrong: ``python -m benchmarks.false_alarms``, with ``--full`` for more repetitions. Seeded."""

from __future__ import annotations

import sys

import numpy as np

from benchmarks.study.days import DayProcess
from benchmarks.study.months import DRIFTING, Setting, run_month
from benchmarks.study.tables import percent, print_table
from benchmarks.study.usual import Case, p_values

SEED = 20260101

LEVELS = (0.05, 0.01, 0.001)

MONTHS = (
    Setting(DayProcess()),
    Setting(DayProcess("gauss", 0.05, common=0.3)),
    Setting(DayProcess("gauss", 0.1, common=0.5, together="t4")),
    Setting(DayProcess("gauss", 0.05, common=0.3), rows=500),
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
    ("history of 20,000, live 500", Case(DayProcess(), live_rows=500)),
    ("history of 20,000, live 500", Case(GAUSS, live_rows=500)),
    ("history of 500, live 20,000", Case(GAUSS, (500,))),
    ("history of 500 to 20,000, live 5,000", Case(GAUSS, (500, 20_000, 2_000, 8_000), 5_000)),
    ("2 of 30 days of the history off by 1 sd", Case(DayProcess("gauss", 0.02), incidents=2)),
    ("2 of 30 days of the history off by 1 sd", Case(GAUSS, incidents=2)),
)


def main(*, full: bool) -> None:
    """Simulate and print."""
    months(times=5 if full else 1)
    usual(columns=400 if full else 100)


def usual(columns: int) -> None:
    """Table B4.2."""
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
    """Table B5."""
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


if __name__ == "__main__":
    main(full="--full" in sys.argv)
