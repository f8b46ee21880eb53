"""What a window can show: held against checks of shifts of that very size."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from driftmon.core.check import Policy
from driftmon.core.evidence import detectable_kl, g_test, weigh
from driftmon.core.verdict import Threshold, judge
from driftmon.planning import in_deviations, plan, usual_rows, warning_likely
from tests.checks import baseline_of, flights
from tests.days import april, check_day

ROWS = st.integers(min_value=50, max_value=10**7)
BINS = st.integers(min_value=2, max_value=40)


def planned(baseline=None, *, rows=1_000, policy=None, **options):
    return plan(("flights", "day"), baseline or april(), policy or Policy(), rows=rows, **options)


def columns(made):
    return {column.column: column for column in made.columns}


def shifted(kl, bins, *, rows, reference_rows, times, seed):
    """Counts of uniform bins, and of a live side that a straight slope takes away by that KL: (reference, live)."""
    slope = np.linspace(-1, 1, bins)

    def shares(size):
        return (1 + size * slope) / bins

    size = brentq(lambda size: np.sum(shares(size) * np.log(shares(size) * bins)) - kl, 0, 0.999)
    rng = np.random.default_rng(seed)
    reference = rng.multinomial(reference_rows, np.full(bins, 1 / bins), size=times)
    return reference.astype(float), rng.multinomial(rows, shares(size), size=times).astype(float)


@pytest.mark.parametrize(
    ("rows", "reference_rows", "bins"), [(1_000, 20_000, 16), (500, 5_000, 10), (20_000, 80_000, 20)]
)
def test_the_smallest_shift_beyond_chance_is_found_9_times_in_10(rows, reference_rows, bins):
    kl = detectable_kl(bins, rows=rows, reference_rows=reference_rows)
    counts = shifted(kl, bins, rows=rows, reference_rows=reference_rows, times=2_000, seed=1)

    found = (g_test(*counts)[1] <= 0.01).mean()

    assert found == pytest.approx(0.9, abs=0.03)


@pytest.mark.parametrize(
    ("rows", "reference_rows", "bins"),
    [(1_000, 20_000, 16), (5_000, 20_000, 16), (500, 5_000, 10), (50_000, 80_000, 20)],
)
def test_a_shift_that_makes_a_warning_likely_makes_one_9_times_in_10(rows, reference_rows, bins):
    kl = warning_likely(0.02, bins, rows=rows, reference_rows=reference_rows)
    counts = shifted(kl, bins, rows=rows, reference_rows=reference_rows, times=2_000, seed=2)

    evidence = weigh(*counts, np.full(2_000, bins))

    found = (np.maximum(evidence.lower_bound, evidence.lower_bound_reverse) > 0.02).mean()
    assert 0.87 <= found <= 0.99  # either direction may warn, so a little more than one of them does


@pytest.mark.parametrize("rows", [150, 4_000])
def test_what_plan_calls_a_likely_warning_warns_9_times_in_10(rows):
    carrier = columns(planned(rows=rows))["carrier"]
    counts = shifted(carrier.warning_from, carrier.bins, rows=rows, reference_rows=30_000, times=2_000, seed=3)

    evidence = weigh(*counts, np.full(2_000, carrier.bins))

    bounds = np.maximum(evidence.lower_bound, evidence.lower_bound_reverse)
    warned = [
        judge(q_value=p, p_iid=p, bound=bound, threshold=carrier.threshold).breach
        for p, bound in zip(evidence.p_iid, bounds, strict=True)
    ]
    assert np.mean(warned) >= 0.87


@given(rows=ROWS, reference_rows=ROWS, bins=BINS, warning=st.floats(min_value=0, max_value=1))
def test_a_warning_needs_more_than_its_threshold_and_less_with_more_rows(rows, reference_rows, bins, warning):
    likely = warning_likely(warning, bins, rows=rows, reference_rows=reference_rows)

    assert math.isfinite(likely)
    assert likely > warning
    assert warning_likely(warning, bins, rows=2 * rows, reference_rows=reference_rows) < likely


@pytest.mark.parametrize("wobble", [0.0, 0.3])
@settings(max_examples=25, deadline=None)
@given(shift=st.floats(min_value=1e-3, max_value=1))
def test_the_rows_that_a_shift_needs_are_just_enough(wobble, shift):
    baseline = april(wobble=wobble, rows=4_000) if wobble else april()

    for column in planned(baseline, shift=shift).columns:
        if column.rows is None:
            most = columns(planned(baseline, rows=10**12, shift=shift))[column.column]
            assert most.shows >= shift
            assert column.hidden == (most.beyond_chance <= shift)
        else:
            enough, fewer = (
                columns(planned(baseline, rows=max(rows, 1), shift=shift))[column.column]
                for rows in (column.rows, column.rows - 1)
            )
            assert enough.in_reach
            assert column.rows == 1 or not fewer.in_reach


@given(shift=st.floats(min_value=1e-3, max_value=1), rows=st.integers(100, 10**6))
@settings(max_examples=50, deadline=None)
def test_a_shift_that_shows_needs_no_longer_window_and_never_hides(shift, rows):
    made = planned(april(wobble=0.3, rows=4_000), rows=rows, shift=shift)

    for column in made.columns:
        assert (made.windows(column) == 1) == column.in_reach
        assert not (column.in_reach and column.hidden)
        assert column.warning_from >= column.shows


def test_the_smallest_shift_beyond_chance_is_that_of_the_core():
    for column in planned().columns:
        assert column.beyond_chance == pytest.approx(detectable_kl(column.bins, rows=1_000, reference_rows=30_000))


def test_the_first_line_says_what_shows_what_warns_and_what_hides():
    made = planned(april(wobble=0.3, rows=4_000), rows=4_000)

    delay, carrier = columns(made)["dep_delay"], columns(made)["carrier"]
    assert carrier.in_reach
    assert not delay.in_reach
    assert made.headline == (
        "flights: in a window of 4,000 rows, a shift as large as the warning threshold, 0.02 nats, shows in 1 of 2 columns; "
        f"a warning is likely from {carrier.warning_from:.3f} to {delay.warning_from:.3f} nats on; "
        f"dep_delay varies by {delay.day_effect:.3f} from day to day, which hides shifts below {delay.usual:.3f}"
    )
    assert delay.hidden
    assert made.windows(delay) is None


def test_without_history_only_chance_hides_a_shift():
    made = planned(baseline_of(flights(20_000)))

    assert all(column.usual is None and not column.hidden for column in made.columns)
    assert all(column.shows == column.beyond_chance for column in made.columns)
    assert "varies by" not in made.headline


def test_a_wobble_is_what_usual_days_make_of_a_column():
    quiet, restless = (columns(planned(april(wobble=w, rows=4_000), rows=4_000))["dep_delay"] for w in (0.0, 0.3))

    assert quiet.usual < 0.02 < restless.usual


def test_a_longer_window_is_counted_in_windows_of_the_monitor():
    made = planned(shift=0.005)

    carrier = columns(made)["carrier"]
    assert made.windows(carrier) == math.ceil(carrier.rows / 1_000) > 1


def test_a_shift_below_the_noise_of_the_reference_needs_another_reference():
    made = planned(shift=1e-5)

    assert all(column.rows is None for column in made.columns)
    assert all(made.windows(column) is None for column in made.columns)


def test_the_answer_counts_columns_that_show_the_shift_asked_for():
    made = planned(shift=0.5)

    assert "a shift of 0.5 nats (1 sd of the mean) shows in 2 of 2 columns; it makes a warning likely in 2 of 2" in (
        made.headline
    )


def test_own_thresholds_are_each_columns_own():
    made = planned(policy=Policy(column_thresholds={"carrier": Threshold(0.001, 0.05)}))

    assert "a shift as large as the column's own warning threshold shows in 1 of 2 columns" in made.headline


def test_a_shift_of_a_numeric_column_is_said_in_standard_deviations():
    content = {column["column"]: column for column in planned().to_json()["columns"]}

    assert content["dep_delay"]["shows_sd"] == in_deviations(content["dep_delay"]["shows"])
    assert content["carrier"]["shows_sd"] is None


def test_usual_rows_are_those_of_past_windows_else_of_the_reference():
    checks = [check_day(0, rows=700), check_day(1, rows=900), check_day(2, rows=0), check_day(3, rows=800)]

    assert usual_rows(checks, april()) == 800
    assert usual_rows([], april()) == 1_000
    assert usual_rows([], april(timed=False)) is None
    assert usual_rows([], baseline_of(flights())) is None


def test_the_json_has_no_nan():
    for made in (planned(), planned(shift=1e-5), planned(baseline_of(flights(300)), rows=1)):
        json.dumps(made.to_json(), allow_nan=False)
