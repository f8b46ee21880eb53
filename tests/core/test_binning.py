"""Bins row by row: what counting counts, one value at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftmon.core.binning import category_bins, count_categories, count_numbers, number_bins
from driftmon.core.layout import CategoricalLayout, NumericLayout, category_key

SMALL = st.sampled_from([-1.5, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0, 5e-324, 1e300])
edges = st.lists(SMALL | st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=30).map(
    lambda values: tuple(sorted({value + 0.0 for value in values}))
)
numbers = st.lists(SMALL | st.floats(), max_size=60)


@given(edges, numbers, st.sampled_from([np.float64, np.float32, np.float16]))
def test_the_bins_of_numbers_are_what_counting_counts(
    edges: tuple[float, ...], values: list[float], dtype: Any
) -> None:
    layout = NumericLayout(edges)
    with np.errstate(over="ignore"):
        live = np.array(values).astype(dtype)

    bins = number_bins(layout, live)

    assert tuple(np.bincount(bins, minlength=layout.size)) == count_numbers(layout, live).counts
    assert bins.tolist() == [number_bins(layout, live[place : place + 1])[0] for place in range(len(live))]


@pytest.mark.parametrize("edges", [1, 253, 254, 255, 256, 1_000])
def test_any_number_of_bins_is_told_apart(edges: int) -> None:
    layout = NumericLayout(tuple(map(float, range(edges))))
    live = np.array([-np.inf, -0.5, *range(edges), edges - 0.5, np.inf, np.nan])

    bins = number_bins(layout, live)

    assert bins.tolist() == [0, 0, *range(edges), edges, edges, edges + 1]


def test_numbers_of_many_blocks_are_binned_like_those_of_one() -> None:
    rng = np.random.default_rng(3)
    layout = NumericLayout((-1.0, 0.0, 0.5))
    live = rng.normal(size=200_001)
    live[rng.random(len(live)) < 0.1] = np.nan

    bins = number_bins(layout, live)

    expected = np.where(np.isnan(live), 4, np.searchsorted(layout.edges, live, side="left"))
    assert np.array_equal(bins, expected)


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint64, np.bool_])
def test_whole_numbers_have_the_bins_of_the_same_floats(dtype: Any) -> None:
    layout = NumericLayout((0.0, 1.0, 2.5))
    live = np.array([0, 1, 1, 0], dtype=dtype)

    assert number_bins(layout, live).tolist() == [0, 1, 1, 0]


@given(st.lists(st.none() | st.sampled_from(["a", "b", "new", "", "x" * 500, "x" * 501, "rare"]), max_size=30))
def test_the_bins_of_categories_are_what_counting_counts(values: list[str | None]) -> None:
    layout = CategoricalLayout(("a", "", category_key("x" * 500), "b"))

    bins = category_bins(layout, values)

    present = [value for value in values if value is not None]
    counted = count_categories(layout, present, [1] * len(present), nulls=values.count(None))
    assert tuple(np.bincount(bins, minlength=layout.size)) == counted.counts
