"""Quality checks beside KL: missing, out of range, new categories, one value too often (specification A6)."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency, false_discovery_control

from driftmon.core.baseline import Baseline, BaselineColumn, Learnt
from driftmon.core.binning import count_numbers
from driftmon.core.categories import count_categories
from driftmon.core.check import Policy, check
from driftmon.core.clues import numeric_clues, top_rows
from driftmon.core.histogram import Profile
from driftmon.core.history import History
from driftmon.core.layout import Kind
from driftmon.core.learning import learn_categories, learn_numbers
from driftmon.core.quality import LEAST_CHANGE, QualityCheck, Share, judge_shares
from driftmon.core.tallying import CategoryTally

M, N = 20_000, 5_000


def numbers(values):
    return values[~np.isnan(values)], int(np.isnan(values).sum())


def check_numbers(reference, live, *, history=None, **policy):
    """A numeric column from rows to its verdict."""
    layout = learn_numbers(numbers(reference)[0])
    column = BaselineColumn(Kind.NUMERIC, "double", layout)
    before, now = (
        Profile(len(rows), {"x": count_numbers(layout, rows)}, clues={"x": numeric_clues(layout, rows)})
        for rows in (reference, live)
    )
    windows = None
    if history is not None:
        numbers_ = np.repeat(np.arange(len(history)), [len(rows) for rows in history])
        tops = {"x": top_rows(np.concatenate(history), numbers_, len(history))}
        windows = History({("x", None): np.array([count_numbers(layout, rows).counts for rows in history])}, (), tops)
    return check(Baseline(Learnt({"x": column}), before, None, windows), now, policy=Policy(**policy))["x"]


def check_categories(reference, live):
    """A categorical column from rows to its verdict."""
    tally = CategoryTally()
    tally.add(reference, [1] * len(reference))
    layout = learn_categories(tally)
    column = BaselineColumn(Kind.CATEGORICAL, "string", layout, tally.singletons)
    before, now = (
        Profile(len(rows), {"x": count_categories(layout, rows, [1] * len(rows))}) for rows in (reference, live)
    )
    return check(Baseline(Learnt({"x": column}), before), now, policy=Policy())["x"]


def found(result):
    return {str(quality.check): quality for quality in result.quality}


def problems(result):
    return {str(quality.check) for quality in result.problems}


def normal(rows, seed=0, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, rows)


def names(rows, seed=0, size=8):
    return np.random.default_rng(seed).choice([f"c{i}" for i in range(size)], rows).tolist()


def test_p_values_are_those_of_scipys_two_proportion_g_test():
    shares = [
        Share(QualityCheck.MISSING, (200, 10_000), (40, 1_000)),
        Share(QualityCheck.NOVEL, (3, 10_000), (9, 1_000)),
        Share(QualityCheck.OUT_OF_RANGE, (2, 10_000), (0, 1_000)),
    ]

    judged = judge_shares(shares)

    tables = [[[a, b - a] for a, b in (share.reference, share.live)] for share in shares]
    expected = [chi2_contingency(table, lambda_="log-likelihood", correction=False).pvalue for table in tables]
    assert [quality.p_value for quality in judged] == pytest.approx(expected, rel=1e-10)
    assert [quality.q_value for quality in judged] == pytest.approx(
        false_discovery_control(expected).tolist(), rel=1e-10
    )
    assert [(quality.reference, quality.live) for quality in judged] == [(0.02, 0.04), (0.0003, 0.009), (0.0002, 0.0)]


def test_no_shares_are_no_problem():
    assert judge_shares([]) == []


def test_every_share_has_a_line_of_its_own():
    assert set(found(check_numbers(np.round(normal(M), 1), np.round(normal(N, 1), 1)))) == {
        "missing",
        "out_of_range",
        "top_value",
    }
    assert set(found(check_categories(names(M), names(N, 1)))) == {"missing", "novel", "top_value"}


def test_quiet_columns_have_no_problem():
    assert problems(check_numbers(normal(M), normal(N, 1))) == set()
    assert problems(check_categories(names(M), names(N, 1))) == set()


def test_more_missing_values_are_a_problem():
    live = normal(N, 1)
    live[:250] = np.nan

    result = check_numbers(normal(M), live)

    assert problems(result) == {"missing"}
    assert found(result)["missing"].live == 0.05


def test_fewer_missing_values_are_a_problem_too():
    reference = normal(M)
    reference[:2_000] = np.nan

    assert problems(check_numbers(reference, normal(N, 1))) == {"missing"}


def test_values_out_of_range_are_a_problem():
    live = normal(N, 1)
    live[:100] = -999

    result = check_numbers(normal(M), live)

    assert problems(result) == {"out_of_range", "top_value"}
    assert found(result)["out_of_range"].live == pytest.approx(0.02, abs=0.002)
    assert found(result)["top_value"].value == "-999"


def test_new_categories_are_a_problem():
    live = names(N, 1)
    live[:100] = ["new"] * 100

    result = check_categories(names(M), live)

    assert problems(result) == {"novel"}
    assert found(result)["novel"].live == 0.02
    assert found(result)["novel"].reference == 0


def test_new_categories_of_a_long_tail_are_expected():
    def tail(rows, seed):
        return np.random.default_rng(seed).zipf(1.3, rows).astype(str).tolist()

    result = check_categories(tail(M, 0), tail(N, 1))

    assert found(result)["novel"].live > 0.02
    assert problems(result) == set()


def test_a_spike_inside_a_bin_that_kl_cannot_see_is_a_problem():
    """One value filled in where the others of its bin were: the counts of all bins stay."""
    rng = np.random.default_rng(3)
    live = normal(N, 1)
    inside = np.flatnonzero((live > 0.3) & (live < 0.5))
    live[rng.choice(inside, 150, replace=False)] = 0.4

    result = check_numbers(normal(M), live)

    assert result.status == "ok"
    assert problems(result) == {"top_value"}
    assert found(result)["top_value"].value == "0.4"


def test_a_most_frequent_value_that_is_always_frequent_is_no_problem():
    def zeros(rows, seed):
        rng = np.random.default_rng(seed)
        return np.where(rng.random(rows) < 0.7, 0.0, rng.lognormal(size=rows))

    result = check_numbers(zeros(M, 0), zeros(N, 1))

    assert found(result)["top_value"].value == "0"
    assert found(result)["top_value"].live == pytest.approx(0.7, abs=0.02)
    assert problems(result) == set()


def test_shares_that_vary_from_window_to_window_are_judged_by_that():
    """A missing rate between 2 and 10 %, day by day: 9 % is far beyond chance, and usual."""
    rng = np.random.default_rng(0)

    def day(share, seed):
        values = normal(2_000, seed)
        values[: int(2_000 * share)] = np.nan
        return values

    windows = [day(share, seed) for seed, share in enumerate(rng.uniform(0.02, 0.10, 60))]
    usual, unusual = day(0.09, 1_000), day(0.35, 1_000)
    reference = np.concatenate(windows)

    assert problems(check_numbers(reference, usual)) == {"missing"}
    assert problems(check_numbers(reference, usual, history=windows)) == set()
    assert problems(check_numbers(reference, unusual, history=windows)) == {"missing"}


def test_a_most_frequent_value_that_is_another_one_every_day_is_judged_by_days():
    """Some readings of a day are shared by many rows, as the weather of an hour is: each day has its own frequent values."""

    def weather(seed, readings=54):
        rng = np.random.default_rng(seed)
        return rng.choice(rng.normal(size=readings), 950)

    windows = [weather(seed) for seed in range(60)]
    stuck = weather(1_000)
    stuck[:200] = stuck[0]
    reference = np.concatenate(windows)

    assert problems(check_numbers(reference, weather(1_001))) == {"top_value"}
    assert problems(check_numbers(reference, weather(1_001), history=windows)) == set()
    result = check_numbers(reference, stuck, history=windows)
    assert problems(result) == {"top_value"}
    assert found(result)["top_value"].whichever, "the share before is that of other values"
    assert not found(check_numbers(reference, stuck))["top_value"].whichever
    assert "before, the most frequent value had" in result.hint


def test_less_than_a_percentage_point_is_no_problem_however_certain():
    [small, large] = judge_shares(
        [
            Share(QualityCheck.MISSING, (0, 10**7), (99_000, 10**7)),
            Share(QualityCheck.MISSING, (0, 10**7), (101_000, 10**7)),
        ]
    )

    assert LEAST_CHANGE == 0.01
    assert (small.problem, large.problem) == (False, True)
    assert small.q_value < 1e-300


def test_a_value_that_became_rarer_is_no_problem_of_its_own():
    [quality] = judge_shares([Share(QualityCheck.TOP_VALUE, (9_000, 10_000), (8_000, 10_000))])

    assert quality.q_value < 1e-10
    assert not quality.problem


def test_a_value_picked_out_of_many_must_be_more_certain():
    [one], [picked] = (
        judge_shares([Share(QualityCheck.TOP_VALUE, (10, 1_000), (35, 1_000), candidates=candidates)])
        for candidates in (1, 30)
    )

    assert picked.p_value == pytest.approx(30 * one.p_value)


def test_columns_without_rows_enough_for_a_verdict_have_no_quality_checks():
    assert check_numbers(normal(M), normal(50, 1)).quality == ()
    assert check_numbers(normal(100), normal(N, 1)).quality == ()


@given(st.lists(st.tuples(st.integers(0, 1_000), st.integers(0, 1_000)), min_size=1, max_size=12))
def test_a_problem_is_never_within_a_percentage_point_and_numbers_stay_in_range(pairs):
    judged = judge_shares([Share(QualityCheck.MISSING, (a, 1_000), (b, 1_000)) for a, b in pairs])

    for (a, b), quality in zip(pairs, judged, strict=True):
        assert 0 <= quality.p_value <= quality.q_value <= 1
        assert not (quality.problem and abs(a - b) < 10)


@pytest.mark.parametrize("values", [60, 200, 2_000])
@pytest.mark.parametrize("rows", [100, 1_000])
def test_a_value_that_the_reference_holds_but_does_not_list_is_not_new(values, rows):
    for seed in range(10):
        rng = np.random.default_rng(seed)
        reference, live = (rng.integers(0, values, size).astype(float) for size in (M, rows))

        assert problems(check_numbers(reference, live)) == set()
