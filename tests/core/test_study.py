"""
The study of benchmarks/ in small: how often checks are wrong, and that they find what was planted. Seeded; the limits are those of
statistics C5 or four standard errors of the simulation.
"""

import numpy as np
import pytest

from benchmarks.study import flights
from benchmarks.study.columns import Categories
from benchmarks.study.days import DayProcess
from benchmarks.study.months import Setting, run_month
from benchmarks.study.usual import Case, p_values
from driftmon.core.check import Policy, check

WOBBLE = DayProcess("gauss", 0.05)
SPLITS = 40


def rates(case, columns, live, seed):
    found = p_values(case, columns, live, np.random.default_rng(seed))
    return {name: (p <= 0.01).mean() for name, p in found.items()}


# Days that vary -------------------------------------------------------------------------------------------------------


def test_days_that_wobble_are_usual_to_a_history_that_wobbled_and_drift_to_a_test_of_chance():
    found = rates(Case(WOBBLE, (5_000,), 5_000), columns=120, live=50, seed=1)

    assert 0.004 <= found["p_history"] <= 0.04
    assert found["p_iid"] > 0.4


def test_days_alike_are_as_usual_as_chance_has_it():
    found = rates(Case(DayProcess(), (2_000,), 2_000), columns=120, live=50, seed=2)

    assert 0.004 <= found["p_history"] <= 0.02
    assert found["p_iid"] <= 0.013


def test_incidents_in_the_history_do_not_raise_the_false_alarms():
    found = rates(Case(WOBBLE, (5_000,), 5_000, incidents=2), columns=60, live=50, seed=3)

    assert found["p_history"] <= 0.02


@pytest.fixture(scope="module")
def month():
    """50 columns over 20 days of 20,000 rows that wobble by 0.05 standard deviations; then the same, in which ten of them creep."""
    return run_month(Setting(WOBBLE, rows=20_000, columns=50, windows=20, days=20), np.random.default_rng(4))


def test_a_daily_wobble_gives_at_most_one_warning_in_500_column_days(month):
    breaches = month.false["**warning or worse**"]

    assert breaches.size == 1_000
    assert breaches.sum() <= breaches.size / 500
    assert month.false["**sustained drift**"].sum() == 0
    assert month.false["BH 5 % on p_iid"].mean() > 0.5, "what the same days look like without a history"


def test_a_creep_is_found_once_it_is_large_enough(month):
    day, found = month.first_alarm("**sustained drift**")

    assert found == 1
    assert 10 <= day <= 17


# Real rows, split at random --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    return flights.read()


@pytest.fixture(scope="module")
def splits(table):
    rng = np.random.default_rng(5)
    return [flights.split(table, 20_000, 10_000, rng) for _ in range(SPLITS)]


@pytest.mark.parametrize("rows", [1_000, 10_000])
def test_real_rows_split_at_random_have_not_drifted(splits, rows):
    columns = [
        column for split in splits for column in check(split.baseline, split.window(rows), policy=Policy()).columns
    ]

    assert len(columns) == 17 * SPLITS
    assert [column for column in columns if column.status.breach or column.problems or column.hint] == []


def with_new_category(rows):
    codes = rows.codes.copy()
    codes[::50] = len(rows.names)
    return Categories(codes, (*rows.names, "never seen"))


def with_sentinel(rows):
    return np.where(np.arange(len(rows)) % 50 == 0, -999.0, rows)


CHANGES = {
    "half a standard deviation": lambda rows: rows + 0.5 * np.nanstd(rows),
    "a thousand times": lambda rows: 1000 * rows,
    "2 % sentinel": with_sentinel,
    "2 % new category": with_new_category,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_planted_shift_of_5000_real_rows_is_found_in_every_column_and_in_no_other(splits, change):
    kind = Categories if change == "2 % new category" else np.ndarray

    for split in splits[:10]:
        window = split.window(5_000, lambda _, rows: CHANGES[change](rows) if isinstance(rows, kind) else rows)
        columns = check(split.baseline, window, policy=Policy()).columns
        found = {column.column for column in columns if column.status.breach or column.problems}

        assert found == {name for name, rows in split.table.columns.items() if isinstance(rows, kind)}
