"""Order statistics by passes: whatever the grid, the room, the partitions and their order, the layout is that of all values."""

import pickle
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from driftmon.core.compiled import counting_by
from driftmon.core.grids import CELLS, WHOLE_LINE, Grid, keys_of, numbers_of
from driftmon.core.learning import learn_numbers, learn_ordered
from driftmon.core.pieces import Pieces
from driftmon.core.sampled import SAMPLED, Sampled, share_of
from driftmon.core.selecting import GATHERED, Cut, Survey

LARGEST = sys.float_info.max
TINY = 5e-324
EXTREMES = [np.nan, np.inf, -np.inf, -0.0, 0.0, TINY, -TINY, 3 * TINY, 2.0**53, 2.0**53 + 2, 1e300, LARGEST, -LARGEST]


# By passes -------------------------------------------------------------------------------------------------------------


def summed(states):
    """The sum of the states of partitions, each of which has crossed a border between processes."""
    first, *others = [pickle.loads(pickle.dumps(state)) for state in states]
    for other in others:
        first.merge(other)
    return first


def gathered(make, parts):
    states = []
    for part in parts:
        state = make()
        for batch in part:
            state.add(batch)
        states.append(state)
    return summed(states)


def learn_by_passes(parts, grid, room):
    """The layout of partitions of batches, and how often they were read."""
    survey = gathered(lambda: Survey(grid), parts)
    passes = 1
    pieces = Pieces.surveyed(survey)
    while len(pieces.needed):
        spans = pieces.spans(grid, room)
        pieces = pieces.cut(gathered(lambda spans=spans: Cut(spans), parts))
        passes += 1
    return learn_ordered(pieces), passes


def cut_up(values, partitions, rows_each):
    return [
        [part[start : start + rows_each] for start in range(0, max(len(part), 1), rows_each)]
        for part in np.array_split(values, partitions)
    ]


# Columns and grids -----------------------------------------------------------------------------------------------------

FAMILIES = {
    "normal": lambda rng, rows: rng.normal(size=rows),
    "far from zero": lambda rng, rows: rng.normal(1e6, 1e-3, size=rows),
    "many orders of magnitude": lambda rng, rows: rng.lognormal(0, 8, size=rows),
    "heavy tails": lambda rng, rows: rng.standard_cauchy(size=rows) ** 3,
    "counts": lambda rng, rows: rng.poisson(30, size=rows).astype(float),
    "rounded": lambda rng, rows: np.round(rng.normal(size=rows), 2),
    "mostly zero": lambda rng, rows: np.where(rng.random(rows) < 0.7, 0.0, rng.lognormal(size=rows)),
    "a dozen atoms": lambda rng, rows: np.where(
        rng.random(rows) < 0.95, rng.integers(0, 12, size=rows), rng.normal(5, 30, size=rows)
    ),
    "neighbours": lambda rng, rows: numbers_of(keys_of(np.array([1e9])) + rng.integers(0, 60, rows).astype(np.uint64)),
    "huge whole numbers": lambda rng, rows: rng.integers(2**50, 2**62, rows).astype(float),
    "subnormals": lambda rng, rows: rng.integers(-40, 40, rows) * TINY,
    "with gaps": lambda rng, rows: np.where(rng.random(rows) < 0.2, np.nan, rng.exponential(size=rows)),
    "extremes": lambda rng, rows: rng.choice(EXTREMES, size=rows),
    "sorted": lambda rng, rows: np.sort(rng.normal(size=rows)),
    "constant": lambda rng, rows: np.full(rows, rng.normal()),
}

columns = st.builds(
    lambda family, rows, seed: FAMILIES[family](np.random.default_rng(seed), rows),
    st.sampled_from(sorted(FAMILIES)),
    st.integers(1, 1500),
    st.integers(0, 2**32),
)
wild_columns = hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats())
patterns = hnp.arrays(np.uint64, st.integers(1, 60)).map(lambda bits: bits.view(np.float64))
any_columns = st.one_of(columns, wild_columns, patterns)

finite = st.floats(-1e300, 1e300)
grids = st.one_of(
    st.just(WHOLE_LINE),
    st.builds(
        lambda ends, linear: Grid(*sorted(ends), linear),
        st.tuples(finite, finite).filter(lambda ends: abs(ends[1] - ends[0]) > 1e-300),
        st.booleans(),
    ),
)


@given(
    any_columns,
    st.one_of(grids, st.integers(0, 100)),
    st.sampled_from([0, 10, 10**6]),
    st.integers(1, 4),
    st.sampled_from([7, 100, 10**4]),
    st.sampled_from(["numpy", "compiled"]),
)
def test_the_layout_is_that_of_all_values_whatever_the_passes(values, grid, room, partitions, rows_each, path):
    if isinstance(grid, int):
        grid = Grid.fitted(values[: max(grid, 1)])
    expected = learn_numbers(values)

    with counting_by(path):
        layout, passes = learn_by_passes(cut_up(values, partitions, rows_each), grid, room)

    assert layout == expected
    assert passes <= 6


@given(any_columns, grids, st.permutations(range(4)))
def test_partitions_add_in_any_order(values, grid, order):
    parts = cut_up(values, 4, 50)

    layouts = [learn_by_passes(some, grid, 10)[0] for some in (parts, [parts[place] for place in order])]

    assert layouts[0] == layouts[1]


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_a_grid_that_was_fitted_to_some_of_the_values_leaves_two_passes(family):
    values = FAMILIES[family](np.random.default_rng(1), 60_000)
    few, many = values[:20_000], 2
    if family == "sorted":  # shows only its beginning
        few, many = values[:2_000], 3
    elif family == "extremes":  # half of the rows next to 0, too many to gather
        many = 3

    layout, passes = learn_by_passes([[values]], Grid.fitted(few), 20_000)

    assert layout == learn_numbers(values)
    assert passes <= many


def test_few_values_are_gathered_of_a_column_that_fits_its_grid():
    values = np.random.default_rng(0).normal(size=200_000)
    grid = Grid.fitted(values[:50_000])
    survey = gathered(lambda: Survey(grid), [[values]])

    spans = Pieces.surveyed(survey).spans(grid, 10_000)
    cut = gathered(lambda: Cut(spans), [[values]])

    assert (spans.shift[spans.low < spans.high] == GATHERED).all()
    assert sum(map(len, cut.gathered)) < 1_000


def test_a_value_of_most_rows_is_not_gathered():
    values = np.where(np.random.default_rng(0).random(100_000) < 0.9, 0.1, np.random.default_rng(1).random(100_000))
    survey = gathered(lambda: Survey(WHOLE_LINE), [[values]])

    spans = Pieces.surveyed(survey).spans(WHOLE_LINE, 95_000)
    cut = gathered(lambda: Cut(spans), [[values]])

    assert sum(map(len, cut.gathered)) < 10_000


def test_other_rows_in_a_later_pass_are_noticed():
    values = np.random.default_rng(0).normal(size=5_000)
    pieces = Pieces.surveyed(gathered(lambda: Survey(WHOLE_LINE), [[values]]))
    spans = pieces.spans(WHOLE_LINE, 10_000)

    with pytest.raises(ValueError, match="values where there were 5,000 before"):
        pieces.cut(gathered(lambda: Cut(spans), [[np.append(values, values[:2_500])]]))


def test_counts_of_different_grids_do_not_add():
    one, two = Survey(WHOLE_LINE), Survey(Grid(0.0, 1.0, linear=True))

    with pytest.raises(ValueError, match="do not add"):
        one.merge(two)


@given(any_columns, st.integers(1, 3), st.integers(0, 3))
def test_values_held_and_values_counted_add(values, partitions, spilled):
    states = [Survey() for _ in range(partitions)]
    for place, (state, part) in enumerate(zip(states, np.array_split(values, partitions), strict=True)):
        state.add(part)
        if place < spilled:
            state.spill(WHOLE_LINE)

    survey = summed(states)

    finite_ones = values[np.isfinite(values)]
    assert survey.rows == len(finite_ones)
    assert survey.infinite == np.isinf(values).sum()
    assert survey.whole == bool((finite_ones == np.floor(finite_ones)).all())
    if spilled:
        assert survey.counts.sum() == len(finite_ones)
    else:
        assert sorted(survey.values) == sorted(finite_ones)


# Grids -----------------------------------------------------------------------------------------------------------------


@given(st.one_of(wild_columns, patterns), grids)
def test_a_larger_number_never_has_a_smaller_cell(values, grid):
    ordered = np.sort(values[np.isfinite(values)])

    cells = grid.cells(ordered)

    assert (np.diff(cells) >= 0).all()
    assert ((cells >= 0) & (cells < CELLS)).all()


@given(st.one_of(wild_columns, patterns), grids)
def test_the_bounds_of_a_cell_are_its_first_and_last_number(values, grid):
    cells = grid.cells(values[np.isfinite(values)])

    low, high = grid.bounds(cells)

    assert (grid.cells(low) == cells).all()
    assert (grid.cells(high) == cells).all()
    with np.errstate(over="ignore"):
        before, after = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
    some = np.isfinite(before)
    assert (grid.cells(before[some]) < cells[some]).all()
    some = np.isfinite(after)
    assert (grid.cells(after[some]) > cells[some]).all()


@given(st.one_of(wild_columns, patterns))
def test_keys_are_in_the_order_of_numbers_and_lead_back_to_them(values):
    ordered = np.sort(values[~np.isnan(values)])

    keys = keys_of(ordered)

    assert (numbers_of(keys) == ordered).all()
    assert ((np.diff(keys.astype(object)) > 0) == (ordered[1:] > ordered[:-1])).all()


# Distinct numbers ------------------------------------------------------------------------------------------------------


@given(any_columns, st.integers(1, 3), st.sampled_from(["numpy", "compiled"]))
def test_distinct_numbers_are_counted_as_long_as_all_are_taken(values, partitions, path):
    with counting_by(path):
        sampled = gathered(lambda: Sampled(1.0), cut_up(values, partitions, 100))

    finite_ones = values[np.isfinite(values)]
    distinct, rows = np.unique(finite_ones, return_counts=True)
    assert sampled.distinct == len(distinct)
    assert sampled.repeats == bool((rows > 1).any())


@pytest.mark.parametrize("path", ["numpy", "compiled"])
def test_a_sample_is_of_the_same_numbers_whatever_the_order(path):
    values = np.random.default_rng(0).integers(0, 10**9, 50_000).astype(float)
    expected = gathered(lambda: Sampled(0.1), [[values]])

    with counting_by(path):
        sampled = gathered(lambda: Sampled(0.1), cut_up(values[::-1], 3, 1_000))

    assert sampled.distinct == expected.distinct
    assert (sampled.keys == expected.keys).all()
    assert (sampled.rows == expected.rows).all()


def test_distinct_numbers_are_estimated_within_their_error_from_a_sample():
    rng = np.random.default_rng(0)
    for repeats in (1, 2, 50):
        values = np.repeat(np.arange(1_000_000 // repeats, dtype=float) * 7, repeats)
        sampled = gathered(lambda: Sampled(0.05), [[rng.permutation(values)]])

        error = abs(sampled.distinct * repeats / len(values) - 1)
        assert error < 4 / np.sqrt(sampled.taken)
        assert sampled.repeats is (repeats > 1)


def test_all_numbers_are_taken_of_some_rows_and_as_many_of_more():
    assert share_of(SAMPLED) == 1
    assert share_of(4 * SAMPLED) == 0.25
