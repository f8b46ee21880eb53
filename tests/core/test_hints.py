"""Hints at the cause of a drift: given where the numbers agree with it, and never on quiet columns."""

import numpy as np
import pytest

from driftmon.core.baseline import Baseline, BaselineColumn, Learnt
from driftmon.core.categories import count_categories
from driftmon.core.check import Policy, check
from driftmon.core.histogram import Histogram, Profile
from driftmon.core.history import History
from driftmon.core.layout import CategoricalLayout, Kind
from driftmon.core.learning import learn_categories
from driftmon.core.tallying import CategoryTally
from tests.core.test_quality import M, N, check_categories, check_numbers, names, normal

SHAPES = {
    "normal": lambda rng, rows: rng.normal(50, 10, rows),
    "around zero": lambda rng, rows: rng.normal(0, 1, rows),
    "lognormal": lambda rng, rows: rng.lognormal(3, 1, rows),
    "heavy tail": lambda rng, rows: rng.standard_t(3, rows),
    "whole numbers": lambda rng, rows: rng.poisson(30, rows).astype(float),
    "zero-inflated": lambda rng, rows: np.where(rng.random(rows) < 0.4, 0.0, rng.lognormal(2, 1, rows)),
}


def pair(shape, rows=N, seed=0):
    rng = np.random.default_rng(seed)
    return SHAPES[shape](rng, M), SHAPES[shape](rng, rows)


UNITS = {
    1000: "multiplied by 1000",
    100: "multiplied by 100",
    10: "multiplied by 10",
    60: "multiplied by 60",
    0.01: "divided by 100",
    0.001: "divided by 1000",
    1 / 3600: "divided by 3,600",
    1e6: "multiplied by 1,000,000",
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("factor", UNITS)
def test_another_unit_is_named(shape, factor):
    reference, live = pair(shape)

    assert check_numbers(reference, live * factor).hint == f"values look {UNITS[factor]}"


def test_a_changed_sign_is_named():
    reference, live = pair("normal")

    assert check_numbers(reference, -live).hint == "values look of the opposite sign"


def test_a_part_in_another_unit_is_named_with_its_share():
    reference, live = pair("normal")
    live[:600] *= 1000

    assert check_numbers(reference, live).hint == "12 % of the values look multiplied by 1000"


@pytest.mark.parametrize("value", [-999, 9999, -1e9])
@pytest.mark.parametrize("shape", ["normal", "lognormal", "whole numbers"])
def test_a_sentinel_value_is_named(value, shape):
    reference, live = pair(shape)
    live[:100] = value

    hint = check_numbers(reference, live).hint

    assert hint is not None
    assert hint.endswith(f"of the rows hold {value:g}, beyond all reference values: does it stand for missing?")


@pytest.mark.parametrize("share", [0.1, 0.4, 1.0])
def test_a_constant_that_was_filled_in_is_named(share):
    reference, live = pair("normal")
    live[: int(N * share)] = 50.0

    hint = check_numbers(reference, live).hint

    assert hint is not None
    assert hint.endswith("of the values are 50 (reference 0 %): was one value filled in?")


def test_a_category_that_replaced_the_others_is_named():
    hint = check_categories(names(M), ["c3"] * N).hint

    assert hint is not None
    assert hint.startswith("100 % of the rows hold c3 (reference 1")


def hours(rows, seed, shift=0):
    shares = np.array([1, 1, 1, 1, 2, 5, 9, 9, 8, 7, 6, 6, 6, 6, 6, 6, 7, 8, 7, 5, 4, 3, 2, 1], dtype=float)
    drawn = np.random.default_rng(seed).choice(24, rows, p=shares / shares.sum())
    return (drawn + shift) % 24


def check_hours(reference, live):
    """The column ``booked.hour`` of a timestamp."""
    tally = CategoryTally()
    tally.add([f"{hour:02}" for hour in reference], [1] * len(reference))
    layout = learn_categories(tally, order={f"{hour:02}": hour for hour in range(24)})
    before, now = (
        Profile(len(rows), {"booked.hour": count_categories(layout, [f"{h:02}" for h in rows], [1] * len(rows))})
        for rows in (reference, live)
    )
    column = BaselineColumn(Kind.DATETIME, "timestamp", layout, tally.singletons)
    return check(Baseline(Learnt({"booked.hour": column}), before), now, policy=Policy())["booked.hour"]


@pytest.mark.parametrize("shift", [1, -1, 5, -8, 12])
def test_a_moved_clock_is_named_for_hours_of_timestamps(shift):
    hint = check_hours(hours(M, 0), hours(N, 1, shift)).hint

    assert hint == f"hours look shifted by {shift:+d}: another time zone, or daylight saving?"


@pytest.mark.parametrize("shift", [1, -5])
def test_a_moved_clock_is_named_for_numeric_hours(shift):
    hint = check_numbers(hours(M, 0).astype(float), hours(N, 1, shift).astype(float)).hint

    assert hint == f"hours look shifted by {shift:+d}: another time zone, or daylight saving?"


@pytest.mark.parametrize("shift", [1, -1])
@pytest.mark.parametrize("seed", range(5))
def test_an_hour_more_or_less_is_named_though_neighbouring_hours_are_much_alike(seed, shift):
    """As in flights: most rows of one hour are made up by those of the next, and samples differ by chance."""
    shares = np.array([0, 0, 0, 0, 0, 1, 8, 7, 8, 6, 5, 5, 5, 6, 6, 7, 7, 7, 6, 6, 5, 3, 1, 0], dtype=float)
    rng = np.random.default_rng(seed)
    reference, live = (rng.choice(24, rows, p=shares / shares.sum()) for rows in (20_000, 1_500))

    hint = check_numbers(reference.astype(float), (live + shift).astype(float)).hint

    assert hint == f"hours look shifted by {shift:+d}: another time zone, or daylight saving?"


@pytest.mark.parametrize("factor", [1000, 100])
@pytest.mark.parametrize("seed", range(5))
def test_another_unit_is_named_though_the_deciles_jump_between_a_few_values(seed, factor):
    """As in visibility: nearly always 10 miles, so that the first decile is 6 in one sample and 7 in another."""
    values, rng = np.array([2.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]), np.random.default_rng(seed)
    reference = rng.choice(values, 20_000, p=[0.03, 0.03, 0.039, 0.01, 0.03, 0.02, 0.841])
    live = rng.choice(values, 5_000, p=[0.03, 0.03, 0.03, 0.02, 0.03, 0.02, 0.84])

    assert check_numbers(reference, live * factor).hint == f"values look {UNITS[factor]}"


def test_hours_that_changed_otherwise_are_not_called_a_moved_clock():
    rng = np.random.default_rng(2)

    assert check_hours(hours(M, 0), rng.integers(0, 24, N)).hint is None
    assert check_hours(hours(M, 0), np.where(rng.random(N) < 0.3, 3, hours(N, 1))).hint is None


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [100, 1_000, 10_000])
def test_quiet_columns_have_no_hint(shape, rows):
    assert {check_numbers(*pair(shape, rows, seed)).hint for seed in range(5)} == {None}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("change", ["shift", "spread", "mixture"])
def test_plain_drift_has_no_hint(shape, change):
    reference, live = pair(shape)
    centre, spread = np.median(reference), np.subtract(*np.quantile(reference, [0.84, 0.16])) / 2
    changed = {
        "shift": live + spread,
        "spread": centre + 1.7 * (live - centre),
        "mixture": np.where(np.random.default_rng(1).random(N) < 0.3, live + 2 * spread, live),
    }[change]

    result = check_numbers(reference, changed)

    assert result.status in {"warning", "critical"}
    assert result.hint is None or "are" in result.hint, (
        "an atom that moved with the rest may be named, no unit or clock"
    )


def test_a_column_that_did_not_drift_has_no_hint_whatever_its_values():
    assert check_numbers(normal(M), normal(N, 1)).hint is None
    assert check_categories(names(M), names(N, 1)).hint is None
    assert check_hours(hours(M, 0), hours(N, 1)).hint is None


def test_small_samples_give_no_hint():
    reference, live = pair("normal", rows=99)

    assert check_numbers(reference, live * 1000, min_rows=50).hint is None


@pytest.mark.parametrize("shift", [0.37, 2.5])
@pytest.mark.parametrize("shape", ["whole numbers", "zero-inflated"])
def test_values_that_all_moved_together_are_not_called_filled_in_or_missing(shape, shift):
    reference, live = pair(shape)

    result = check_numbers(reference, live + shift)

    assert result.status == "critical"
    assert result.hint is None


@pytest.mark.parametrize("shift", [0.4, 0.5, 0.7])
def test_a_column_around_zero_that_moved_is_not_said_to_have_changed_its_sign(shift):
    reference, live = pair("around zero")

    result = check_numbers(reference, live + shift)

    assert result.status.breach
    assert result.hint is None


@pytest.mark.parametrize("value", [-1.0, -9.0, 99.0])
def test_a_conventional_sentinel_just_out_of_range_is_named(value):
    rng = np.random.default_rng(0)
    reference, live = rng.uniform(0, 90, M), rng.uniform(0, 90, N)
    live[:100] = value

    assert f"hold {value:g}, beyond all reference values" in check_numbers(reference, live).hint


def test_a_new_record_that_some_rows_share_is_no_sentinel():
    rng = np.random.default_rng(0)
    reference, live = rng.uniform(0, 90, M), rng.uniform(0, 90, N)
    live[:100] = 103.5

    result = check_numbers(reference, live)

    assert result.status.breach
    assert result.hint is None


WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def check_weekdays(live, *, history=None):
    """The column ``booked.weekday``: a reference of many weeks, live rows as given."""
    layout = CategoricalLayout(WEEKDAYS)
    column = BaselineColumn(Kind.DATETIME, "timestamp", layout, 0)
    before, now = (Profile(sum(rows), {"booked.weekday": Histogram((*rows, 0, 0))}) for rows in ([900] * 7, live))
    baseline = Baseline(Learnt({"booked.weekday": column}), before, None, history)
    return check(baseline, now, policy=Policy())["booked.weekday"]


def test_one_day_is_not_compared_with_whole_weeks():
    one_day = check_weekdays([0, 0, 0, 5_000, 0, 0, 0])

    assert one_day.status == "insufficient_data"
    assert "takes a whole week" in one_day.reason
    assert (one_day.hint, one_day.problems) == (None, [])


def test_weeks_are_compared_with_weeks():
    assert check_weekdays([700] * 7).status == "ok"
    assert check_weekdays([900] * 6 + [0]).status == "critical"


def test_one_day_is_compared_with_the_days_of_a_history():
    days = np.zeros((28, 9), dtype=np.int64)
    days[np.arange(28), np.arange(28) % 7] = 225
    history = History({("booked.weekday", None): days})

    assert check_weekdays([0, 0, 0, 5_000, 0, 0, 0], history=history).status == "ok"


def test_numbers_near_the_end_of_all_numbers_are_no_unit():
    reference, live = pair("normal")
    reference[::3] = 1.7e308
    reference[::4] = -1.7e308

    assert check_numbers(reference, live).hint is None
    assert check_numbers(reference / 1e300, live * 1e305).status == "critical"
