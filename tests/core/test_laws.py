"""
Laws that hold for every input: of the formulas, and of the whole path from rows over a layout and counts to a score.

Those of docs/statistics.md, C4. What is exact in exact arithmetic may differ by rounding here; each tolerance says how much.
"""

import math
import random

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from driftmon.core.baseline import Baseline, BaselineColumn, Learnt
from driftmon.core.binning import count_numbers
from driftmon.core.categories import count_categories
from driftmon.core.check import Policy, check
from driftmon.core.divergence import kl_divergence, smoothed
from driftmon.core.evidence import g_test, weigh
from driftmon.core.histogram import Histogram, Profile, as_matrix
from driftmon.core.layout import Kind
from driftmon.core.learning import learn_categories, learn_numbers
from driftmon.core.tallying import CategoryTally
from driftmon.core.verdict import Status
from tests.checks import empty_profile

ROUNDING = 1e-14


# From rows to a score --------------------------------------------------------------------------------------------------


def learn(rows):
    """The layout of a column of numbers or of strings (None: missing)."""
    if rows.dtype != object:
        return learn_numbers(rows)
    tally = CategoryTally()
    present = [value for value in rows if value is not None]
    tally.add(present, [1] * len(present))
    return learn_categories(tally)


def count(layout, rows):
    if rows.dtype != object:
        return count_numbers(layout, rows)
    present = [value for value in rows if value is not None]
    return count_categories(layout, present, [1] * len(present), nulls=len(rows) - len(present))


def weigh_one(reference, live):
    """The evidence of one column, as plain numbers, from two histograms or two sequences of counts."""
    reference, live = (h if isinstance(h, Histogram) else Histogram(tuple(map(int, h))) for h in (reference, live))
    evidence = weigh(as_matrix([reference]), as_matrix([live]), np.array([len(reference.counts)]))
    return {name: values[0] for name, values in vars(evidence).items()}


def score(reference, live):
    """Rows of both sides to the evidence."""
    layout = learn(reference)
    return weigh_one(count(layout, reference), count(layout, live))


def normal(rows, seed, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, size=rows)


def shaped(shape, rows, seed):
    """A column of one of the shapes that real ones have."""
    rng = np.random.default_rng(seed)
    values = {
        "normal": lambda: rng.normal(size=rows),
        "counts": lambda: rng.poisson(3, size=rows).astype(float),
        "mostly zero": lambda: np.where(rng.random(rows) < 0.7, 0.0, rng.lognormal(size=rows)),
        "rounded, with gaps": lambda: np.where(rng.random(rows) < 0.2, np.nan, np.round(rng.normal(size=rows), 1)),
        "a few values": lambda: rng.integers(0, 7, size=rows).astype(float),
    }
    return values[shape]()


shapes = st.sampled_from(["normal", "counts", "mostly zero", "rounded, with gaps", "a few values"])
real_numbers = st.builds(shaped, shapes, st.integers(1, 800), st.integers(0, 2**32))
wild_numbers = hnp.arrays(np.float64, st.integers(1, 40), elements=st.floats())
numbers = st.one_of(real_numbers, wild_numbers).filter(lambda rows: np.isfinite(rows).any())
live_numbers = st.one_of(real_numbers, wild_numbers)


def categories(shares, rows, seed):
    rng = np.random.default_rng(seed)
    names = np.array([*(f"v{i}" for i in range(len(shares) - 1)), None], dtype=object)
    return rng.choice(names, size=rows, p=np.array(shares) / sum(shares))


strings = st.builds(
    categories,
    st.lists(st.sampled_from([0.001, 0.01, 0.1, 1.0]), min_size=2, max_size=45),
    st.integers(1, 800),
    st.integers(0, 2**32),
)
any_pair = st.one_of(st.tuples(numbers, live_numbers), st.tuples(strings, strings))


@given(any_pair)
def test_a_score_is_finite_non_negative_and_bounded_by_the_reference(pair):
    reference, live = pair

    found = score(reference, live)

    assert all(np.isfinite(value).all() for name, value in found.items() if name != "higher")
    assert np.isnan(found["higher"]) or 0 <= found["higher"] <= 1
    assert 0 <= found["hellinger"] <= 1
    assert 0 <= found["total_variation"] <= 1
    assert 0 <= found["kl"] <= math.log(2 * len(reference) + 1) + ROUNDING
    assert 0 <= found["kl_reverse"] <= math.log(2 * len(live) + 1) + ROUNDING
    assert 0 <= found["js"] <= math.log(2) + ROUNDING
    assert 0 <= found["p_iid"] <= 1
    assert 0 <= found["lower_bound"] <= max(found["excess"], 0) <= found["upper_bound"]


@given(st.one_of(numbers, strings))
def test_rows_never_drift_from_themselves(rows):
    found = score(rows, rows)

    assert found["kl"] == found["kl_reverse"] == found["psi"] == found["js"] == 0
    assert found["p_iid"] == 1
    assert found["lower_bound"] == found["lower_bound_reverse"] == 0


@given(any_pair)
def test_every_row_is_in_exactly_one_bin(pair):
    reference, live = pair
    layout = learn(reference)

    histogram = count(layout, live)

    assert histogram.rows == sum(histogram.counts) == len(live)
    assert len(histogram.counts) == layout.size == len(layout.bins)
    assert histogram.novel is None or histogram.novel <= histogram.counts[-2]


@given(any_pair, st.integers(0, 2**32))
def test_the_order_of_rows_does_not_matter(pair, seed):
    reference, live = pair
    rng = np.random.default_rng(seed)

    layout, shuffled_layout = learn(reference), learn(rng.permutation(reference))

    assert shuffled_layout == layout
    assert count(layout, rng.permutation(live)) == count(layout, live)


@given(any_pair, st.integers(0, 800))
def test_counts_of_parts_add_up_to_the_counts_of_the_whole(pair, cut):
    reference, live = pair
    layout = learn(reference)

    assert count(layout, live[:cut]) + count(layout, live[cut:]) == count(layout, live)


@given(st.one_of(numbers, strings), st.lists(st.integers(0, 800), max_size=4))
def test_a_profile_counted_in_chunks_is_the_profile_counted_at_once(rows, cuts):
    layout = learn(rows)
    parts = np.split(rows, sorted(min(cut, len(rows)) for cut in cuts))

    total = empty_profile({"x": layout})
    for part in parts:
        total += Profile(len(part), {"x": count(layout, part)})

    assert total == Profile(len(rows), {"x": count(layout, rows)})


@given(any_pair)
def test_a_hundredfold_of_the_same_rows_scores_the_same(pair):
    reference, live = pair

    once, often = score(reference, live), score(reference, np.tile(live, 100))

    assert often["kl"] == pytest.approx(once["kl"], rel=0, abs=1e-12)


@given(numbers, live_numbers.filter(len), st.integers(0, 2**32), st.floats())
def test_one_outlier_moves_at_most_one_row_between_bins(reference, live, seed, outlier):
    layout = learn(reference)
    changed = live.copy()
    changed[random.Random(seed).randrange(len(live))] = outlier

    before, after = count(layout, live).counts, count(layout, changed).counts

    assert sum(abs(a - b) for a, b in zip(before, after, strict=True)) in (0, 2)


@given(numbers, live_numbers, st.integers(1, 50))
def test_missing_values_are_counted_as_missing_and_nowhere_else(reference, live, gaps):
    layout = learn(reference)

    before = count(layout, live).counts
    with_nan = count(layout, np.append(live, [np.nan] * gaps)).counts
    with_null = count_numbers(layout, live, nulls=gaps).counts

    assert with_nan == with_null == (*before[:-1], before[-1] + gaps)


INCREASING = {
    "cube": lambda x: x**3,
    "exponential": np.exp,
    "line": lambda x: 3.7 * x - 1000,
    "arc tangent": np.arctan,
    "signed root": lambda x: np.sign(x) * np.sqrt(np.abs(x)),
}


@pytest.mark.parametrize("name", INCREASING)
@given(real_numbers, real_numbers)
def test_strictly_increasing_maps_leave_every_number_unchanged(name, reference, live):
    change = INCREASING[name]
    values = np.unique(np.concatenate((reference, live)))
    values = values[~np.isnan(values)]
    assume(np.isfinite(reference).any())
    assume((np.diff(change(values)) > 0).all())  # rounding must not make two values one

    before, after = score(reference, live), score(change(reference), change(live))

    assert all(np.array_equal(before[key], after[key], equal_nan=True) for key in before)


@given(real_numbers, real_numbers)
def test_the_number_type_of_whole_numbers_does_not_matter(reference, live):
    reference, live = (np.nan_to_num(np.round(rows)) for rows in (reference, live))

    as_floats = score(reference, live)
    as_integers = score(reference.astype(np.int32), live.astype(np.float32))

    assert as_floats["kl"] == as_integers["kl"]
    assert as_floats["p_iid"] == as_integers["p_iid"]


@pytest.mark.parametrize("outliers", [[1e6], [-1e6], [1e300], [np.inf]])
def test_one_outlier_does_not_hide_a_shift(outliers):
    reference, live = normal(10_000, seed=1), normal(10_000, seed=2, shift=1.0)

    clean, dirty = score(reference, live), score(reference, np.append(live[:-1], outliers))

    assert clean["kl"] == pytest.approx(0.5, abs=0.05)
    assert dirty["kl"] == pytest.approx(clean["kl"], rel=0.01)


def test_an_outlier_in_the_reference_does_not_hide_a_shift_either():
    reference, live = normal(10_000, seed=1), normal(10_000, seed=2, shift=1.0)

    clean, dirty = score(reference, live), score(np.append(reference[:-1], 1e6), live)

    assert dirty["kl"] == pytest.approx(clean["kl"], rel=0.01)


# The verdict on rows ---------------------------------------------------------------------------------------------------


def verdict(reference_columns, live_columns):
    """Rows of several columns to the result of a check."""
    learnt = Learnt({
        name: BaselineColumn(Kind.CATEGORICAL if rows.dtype == object else Kind.NUMERIC, str(rows.dtype), learn(rows))
        for name, rows in reference_columns.items()
    })  # fmt: skip
    profiles = [
        Profile(len(rows), {name: count(layout, columns[name]) for name, layout in learnt.layouts.items()})
        for columns in (reference_columns, live_columns)
        for rows in [next(iter(columns.values()))]
    ]
    return check(Baseline(learnt, profiles[0]), profiles[1], policy=Policy())


@given(st.integers(200, 2000), shapes, st.integers(0, 2**32))
def test_live_rows_that_are_the_reference_are_ok(rows, shape, seed):
    columns = {"x": shaped(shape, rows, seed), "c": categories([1, 1, 0.1, 0.01], rows, seed)}

    result = verdict(columns, columns)

    assert result.status is Status.OK
    for column in result.columns:
        assert (column.status, column.kl, column.scores.p_value, column.scores.q_value) == (Status.OK, 0, 1, 1)
        assert column.novel is None or column.novel <= 2 / rows  # the unique smallest and largest


@given(st.permutations(["a", "b", "c", "d"]))
def test_the_order_of_columns_changes_no_verdict(order):
    reference = {name: normal(400, seed=i) for i, name in enumerate("abcd")}
    live = {name: normal(300, seed=9 + i, shift=0.2 * i) for i, name in enumerate("abcd")}

    result = verdict({name: reference[name] for name in order}, live)

    expected = verdict(reference, live)
    assert {r.column: r for r in result.columns} == {r.column: r for r in expected.columns}
    assert result.ranked() == expected.ranked()
    assert result.baseline == expected.baseline


# Of the counts ---------------------------------------------------------------------------------------------------------


@st.composite
def tables(draw, sides=2, most=10**6, bins=None):
    """Counts of several sides over the same bins, at least one row each."""
    size = bins or draw(st.integers(2, 16))
    counts = draw(hnp.arrays(np.int64, (sides, size), elements=st.sampled_from([0, 1, 2, 3]) | st.integers(0, most)))
    assume(counts.any(axis=1).all())
    return counts.tolist()


@given(tables(sides=1), st.integers(1, 1000))
def test_proportional_counts_have_no_divergence(sides, times):
    (reference,) = sides

    assert weigh_one(reference, [times * c for c in reference])["kl"] <= ROUNDING


@given(tables(), st.integers(1, 1000))
def test_the_number_of_live_rows_does_not_matter(sides, times):
    reference, live = sides

    few, many = weigh_one(reference, live), weigh_one(reference, [times * c for c in live])

    assert many["kl"] == pytest.approx(few["kl"], rel=1e-12, abs=ROUNDING)


@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_bins_does_not_matter(sides, rng):
    bins = list(zip(*sides, strict=True))
    rng.shuffle(bins)

    before, after = weigh_one(*sides), weigh_one(*zip(*bins, strict=True))

    for key in ("kl", "kl_reverse", "js", "excess", "standard_error", "p_iid"):
        assert after[key] == pytest.approx(before[key], rel=1e-9, abs=ROUNDING)


def channel(counts, weight, uniform):
    """The common channel in its general form: with probability `weight` a row becomes a draw from `uniform`."""
    return (1 - weight) * np.array(counts) / sum(counts) + weight * uniform


@given(tables(), st.randoms(use_true_random=False))
def test_merging_bins_never_raises_the_divergence(sides, rng):
    reference, live = sides
    bins = len(reference)
    weight, uniform = bins / (2 * sum(reference) + bins), np.full(bins, 1 / bins)
    # Each bin joins one of fewer groups; a group gets the uniform weights of its members.
    group = [rng.randrange(rng.randint(1, bins)) for _ in range(bins)]
    merged_reference, merged_live, merged_uniform = (
        np.bincount(group, weights=side, minlength=bins) for side in (reference, live, uniform)
    )

    fine = kl_divergence(channel(live, weight, uniform), channel(reference, weight, uniform))
    used = merged_uniform > 0
    coarse = kl_divergence(
        channel(merged_live[used], weight, merged_uniform[used]),
        channel(merged_reference[used], weight, merged_uniform[used]),
    )

    assert weigh_one(reference, live)["kl"] == pytest.approx(fine, rel=1e-9, abs=ROUNDING)
    assert coarse <= fine + ROUNDING


@given(tables(sides=3, most=1000), st.integers(1, 9), st.integers(1, 9))
def test_a_mixture_is_no_farther_than_the_mean_of_its_parts(sides, first, second):
    reference, one, two = sides
    # Shares mix like first : second if each side is blown up to the rows of both.
    mixture = [first * sum(two) * a + second * sum(one) * b for a, b in zip(one, two, strict=True)]

    together = weigh_one(reference, mixture)["kl"]
    mean = (first * weigh_one(reference, one)["kl"] + second * weigh_one(reference, two)["kl"]) / (first + second)

    assert together <= mean + ROUNDING


@given(st.integers(2, 5), st.integers(2, 5), st.data())
def test_the_divergence_of_two_columns_is_that_of_one_and_of_the_other_given_it(rows, columns, data):
    reference, live = data.draw(tables(bins=rows * columns))
    p, q = smoothed(np.array(live, float), np.array(reference, float), np.array(rows * columns))
    p, q = p.reshape(rows, columns), q.reshape(rows, columns)

    marginal = kl_divergence(p.sum(axis=1), q.sum(axis=1))
    conditional = kl_divergence(p / p.sum(axis=1, keepdims=True), q / q.sum(axis=1, keepdims=True))

    joint = weigh_one(reference, live)["kl"]
    assert joint == pytest.approx(marginal + p.sum(axis=1) @ conditional, rel=1e-9, abs=ROUNDING)


@given(st.integers(2, 5), st.integers(2, 5), st.data())
def test_the_likelihood_ratio_of_two_columns_splits_likewise(rows, columns, data):
    sides = [np.array(side, float) for side in data.draw(tables(bins=rows * columns))]
    reference, live = (side.reshape(rows, columns) for side in sides)

    of_one, _ = g_test(reference.sum(axis=1), live.sum(axis=1))
    present = (reference.sum(axis=1) > 0) & (live.sum(axis=1) > 0)  # else there is nothing to compare
    of_other_given_one, _ = g_test(reference[present], live[present])

    joint, _ = g_test(*sides)
    assert joint == pytest.approx(of_one + of_other_given_one.sum(), rel=1e-9, abs=1e-9)


@given(tables(), tables())
def test_divergences_of_independent_columns_add_up_without_smoothing(one, two):
    shares = [[(np.array(side) + 1) / (sum(side) + len(side)) for side in sides] for sides in (one, two)]

    joint = [np.outer(a, b).ravel() for a, b in zip(*shares, strict=True)]

    apart = sum(kl_divergence(live, reference) for reference, live in shares)
    assert kl_divergence(joint[1], joint[0]) == pytest.approx(apart, rel=1e-9, abs=ROUNDING)


@given(tables())
def test_contributions_are_never_negative_and_add_up(sides):
    reference, live = sides
    p, q = smoothed(np.array(live, float), np.array(reference, float), np.array(len(live)))

    found = weigh_one(reference, live)

    assert (found["contributions"] >= 0).all()
    assert found["contributions"].sum() == pytest.approx(found["kl"], rel=1e-14, abs=0)
    assert found["kl"] == pytest.approx(float(kl_divergence(p, q)), rel=1e-9, abs=ROUNDING)


@given(tables(), st.integers(0, 20))
def test_a_bin_that_is_empty_on_both_sides_adds_nothing(sides, position):
    reference, live = ([*side[:position], 0, *side[position:]] for side in sides)

    found = weigh_one(reference, live)

    assert found["contributions"][min(position, len(sides[0]))] == 0
    assert found["p_iid"] == pytest.approx(weigh_one(*sides)["p_iid"], rel=1e-9)
    assert found["noise_floor"] == weigh_one(*sides)["noise_floor"]


@given(st.lists(tables(), min_size=1, max_size=5))
def test_columns_weighed_together_get_the_numbers_of_each_alone(pairs):
    reference, live = (as_matrix(Histogram(tuple(pair[side])) for pair in pairs) for side in (0, 1))

    together = weigh(reference, live, np.array([len(pair[0]) for pair in pairs]))

    for row, pair in enumerate(pairs):
        alone = weigh_one(*pair)
        for name, values in vars(together).items():
            found = values[row][: len(pair[0])] if name == "contributions" else values[row]
            assert found == pytest.approx(alone[name], rel=1e-12, abs=ROUNDING, nan_ok=True)
        assert not together.contributions[row][len(pair[0]) :].any()


@given(tables())
def test_swapping_the_sides_swaps_the_directions_and_changes_no_test(sides):
    reference, live = sides

    forward, backward = weigh_one(reference, live), weigh_one(live, reference)

    assert forward["kl_reverse"] == backward["kl"]
    assert forward["lower_bound_reverse"] == backward["lower_bound"]
    assert forward["psi"] == pytest.approx(backward["psi"], rel=1e-14)
    assert forward["noise_floor"] == backward["noise_floor"]
    assert forward["p_iid"] == pytest.approx(backward["p_iid"], rel=1e-9)
