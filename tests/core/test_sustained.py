"""Sustained drift: a weighted mean over windows and a pooled bound (specification A6), against the plain recursion."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import false_discovery_control, norm

from driftmon.core.evidence import weigh
from driftmon.core.sustained import LARGEST_SURPRISE, LOOKED_BACK, ewma, surprise, sustained

BINS = 16


def recursion(p_values, history_windows):
    """A6, one window at a time."""
    mean = 0.0
    for p in p_values:
        mean = 0.8 * mean + 0.2 * max(min(norm.isf(p), 3), -3)
    t = len(p_values)
    spread = math.sqrt(0.2 / 1.8 * (1 - 0.8 ** (2 * t)) + (1 / history_windows if history_windows else 0))
    return mean, norm.sf(mean / spread)


def states(p, *, shift=0.0, rows=5_000, history_windows=30, warning=0.02, seed=0):
    """The state of columns whose newest pooled counts moved by `shift` standard deviations."""
    p = np.asarray(p, dtype=float)
    columns = p.shape[1]
    rng = np.random.default_rng(seed)
    edges = norm.ppf(np.arange(1, BINS) / BINS)
    shares = np.diff(norm.cdf(edges - shift), prepend=0, append=1)
    pooled = rng.multinomial(rows, shares, size=columns).astype(float)
    reference = rng.multinomial(100_000, [1 / BINS] * BINS, size=columns).astype(float)
    bins = np.full(columns, BINS)
    found = sustained(p, np.full(columns, history_windows), reference, pooled, bins, np.full(columns, warning))
    return found, weigh(reference, pooled, bins)


@pytest.mark.parametrize("windows", [1, 5, 60])
@pytest.mark.parametrize("history_windows", [0, 7, 90])
def test_the_state_agrees_with_the_recursion_to_ten_digits(windows, history_windows):
    p = np.random.default_rng(1).uniform(size=(windows, 4)) ** 3

    found, evidence = states(p, history_windows=history_windows)

    expected = [recursion(column, history_windows) for column in p.T]
    assert [state.ewma for state in found] == pytest.approx([mean for mean, _ in expected], rel=1e-10)
    assert [state.p_value for state in found] == pytest.approx([tail for _, tail in expected], rel=1e-9)
    adjusted = false_discovery_control([state.p_value for state in found])
    assert [state.q_value for state in found] == pytest.approx(adjusted.tolist(), rel=1e-10)
    assert {state.windows for state in found} == {windows}
    bounds = np.maximum(evidence.lower_bound, evidence.lower_bound_reverse)
    assert [state.lower_bound for state in found] == bounds.tolist()


def test_surprise_is_the_p_value_in_standard_deviations_and_bounded():
    p = np.array([0.5, 0.01, 0.99, 0.0, 1.0, 1e-300])

    assert surprise(p).tolist() == pytest.approx([0, 2.3263479, -2.3263479, 3, -3, 3], abs=1e-7)
    assert LARGEST_SURPRISE == 3


def test_windows_without_a_verdict_are_passed_over():
    z = np.array([[1.0], [np.nan], [2.0], [np.nan]])

    assert ewma(z)[0].tolist() == ewma(z[[0, 2]])[0].tolist()
    assert ewma(z)[1].tolist() == [2]


def test_a_column_without_any_verdict_has_no_mean():
    assert [part.tolist() for part in ewma(np.full((3, 1), np.nan))] == [[0.0], [0]]


@given(hnp.arrays(np.float64, st.tuples(st.integers(1, 90), st.just(2)), elements=st.floats(-3, 3)))
def test_what_lies_far_back_does_not_matter(z):
    mean, windows = ewma(z)

    assert np.abs(mean - ewma(z[-LOOKED_BACK:])[0]).max() == 0
    assert windows.max() <= LOOKED_BACK
    assert np.abs(mean).max() <= LARGEST_SURPRISE


def test_many_windows_that_are_a_little_unusual_are_sustained_drift():
    [state], _ = states(np.full((14, 1), 0.03), shift=0.35)

    assert state.drifting


@pytest.mark.parametrize("columns", [4, 20])
@pytest.mark.parametrize("history_windows", [30, 90])
def test_one_bad_day_is_not_sustained_drift(columns, history_windows):
    rng = np.random.default_rng(3)
    called = 0
    for _ in range(50):
        p = rng.uniform(size=(15, columns))
        p[7, 0] = 0.0
        for day in range(8, 16):
            found, _ = states(p[:day], shift=1.0, history_windows=history_windows)
            called += found[0].drifting

    assert called <= 40, "of 400 days; with twice as large a surprise of one window it is one to two days each time"


@pytest.mark.parametrize("windows", [1, 2])
def test_nothing_has_lasted_before_three_windows(windows):
    [state], _ = states(np.zeros((windows, 1)), shift=1.0, history_windows=90)

    assert state.q_value < 0.01
    assert not state.drifting


def test_another_threshold_changes_nothing_but_the_verdict():
    [state], _ = states(np.full((14, 1), 0.03), shift=0.35)

    assert state.under(0.02) == state
    assert state.under(state.lower_bound) == replace(state, drifting=False)
    assert not replace(state, q_value=None).under(0.0).drifting


def test_three_bad_days_in_a_row_are_sustained_drift():
    p = np.full((12, 20), 0.5)
    p[-3:, 0] = 0.0

    assert states(p, shift=1.0)[0][0].drifting


def test_what_is_unusual_but_small_is_not():
    [state], _ = states(np.full((14, 1), 1e-9), shift=0.1, rows=10**6)

    assert state.p_value < 1e-6
    assert state.lower_bound < 0.02
    assert not state.drifting


def test_what_is_large_but_usual_is_not():
    [state], _ = states(np.full((14, 1), 0.4), shift=0.5)

    assert state.lower_bound > 0.1
    assert not state.drifting


def test_quiet_columns_seldom_drift():
    """500 columns, 30 windows each, none of which moved."""
    p = np.random.default_rng(2).uniform(size=(30, 500))

    assert sum(state.drifting for day in range(1, 31) for state in states(p[:day])[0]) == 0
