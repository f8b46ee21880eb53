"""What a sample of values says beyond its bins."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from driftmon.core.clues import LEAST_SAMPLE, MOST_PEAKS, Clues, numeric_clues, top_rows
from driftmon.core.layout import NumericLayout

LAYOUT = NumericLayout((-1.0, 0.0, 1.0))


def test_peaks_are_the_repeated_values_most_frequent_first():
    clues = numeric_clues(LAYOUT, np.array([3.0, 1.0, 3.0, 2.0, 3.0, 1.0, 7.0]))

    assert clues.rows == 7
    assert clues.peaks == ((3.0, 3), (1.0, 2))


def test_only_so_many_peaks_are_kept():
    clues = numeric_clues(LAYOUT, np.repeat(np.arange(100.0), 2))

    assert len(clues.peaks) == MOST_PEAKS
    assert clues.peaks[0] == (0.0, 2)


def test_missing_and_infinite_values_are_passed_over_and_zeros_are_one_value():
    clues = numeric_clues(LAYOUT, np.array([np.nan, np.inf, -np.inf, -0.0, 0.0]))

    assert (clues.rows, clues.peaks) == (2, ((0.0, 2),))
    assert math.copysign(1, clues.peaks[0][0]) == 1


def test_deciles_need_enough_values():
    values = np.arange(1.0, LEAST_SAMPLE + 1)

    assert numeric_clues(LAYOUT, values[1:]).deciles == ()
    assert numeric_clues(LAYOUT, values).deciles == tuple(
        np.quantile(values, np.arange(1, 10) / 10, method="inverted_cdf")
    )


def test_values_beyond_the_outer_edges_have_deciles_of_their_own():
    inside, beyond = np.linspace(-0.99, 1, 300), np.linspace(50, 149, 100)

    clues = numeric_clues(LAYOUT, np.concatenate([inside, beyond]))

    assert clues.outside == tuple(np.quantile(beyond, np.arange(1, 10) / 10, method="inverted_cdf"))


@given(hnp.arrays(np.float64, st.integers(0, 300), elements=st.one_of(st.floats(), st.integers(-3, 3).map(float))))
def test_clues_are_finite_and_come_back_from_json(values):
    clues = numeric_clues(LAYOUT, values)

    assert Clues.from_json(clues.to_json()) == clues
    assert all(map(math.isfinite, [*clues.deciles, *clues.outside, *(value for value, _ in clues.peaks)]))
    assert sum(rows for _, rows in clues.peaks) <= clues.rows <= len(values)


@given(st.permutations([0.0, 0.0, 1.0, 5.0, 5.0, 5.0, -3.0]))
def test_the_order_of_a_sample_does_not_matter(values):
    assert numeric_clues(LAYOUT, np.array(values)) == numeric_clues(LAYOUT, np.sort(values))


def test_new_categories_come_back_from_json():
    clues = Clues(10, new=(("ZZ", 7), ('"><script>', 1)))

    assert Clues.from_json(clues.to_json()) == clues
    assert pytest.approx(clues.rows) == 10


def test_the_most_frequent_value_of_each_window_is_counted_whichever_it_is():
    values = np.array([1.0, 2.0, 2.0, 5.0, 5.0, 5.0, np.nan, 7.0, np.inf])
    windows = np.array([0, 0, 0, 2, 0, 2, 2, 2, 2])

    assert top_rows(values, windows, 4).tolist() == [[2, 2], [0, 0], [2, 1], [0, 0]]
    assert top_rows(values[:0], windows[:0], 2).tolist() == [[0, 0], [0, 0]]


@given(st.lists(st.tuples(st.integers(-2, 2).map(float), st.integers(0, 3)), max_size=40))
def test_the_rows_of_the_most_frequent_values_are_those_of_a_count_by_hand(rows):
    found = top_rows(np.array([value for value, _ in rows]), np.array([window for _, window in rows], dtype=np.intp), 4)

    for window, (most, others) in enumerate(found.tolist()):
        counts = Counter(value for value, place in rows if place == window)
        assert most == max(counts.values(), default=0)
        assert most + others == counts.total()


def test_numbers_near_the_end_of_all_numbers_have_clues_too():
    values = np.array([-1.7e308, 1.7e308, 1.7e308, 0.0])

    assert numeric_clues(LAYOUT, values).peaks == ((1.7e308, 2),)
    assert top_rows(values, np.zeros(4, dtype=np.intp), 1).tolist() == [[2, 2]]
