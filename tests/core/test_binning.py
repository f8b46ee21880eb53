"""Bins row by row: what counting counts, one value at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftmon.core.binning import count_numbers, number_bins
from driftmon.core.categories import category_bins, count_categories
from driftmon.core.clues import MOST_KEPT, NewCategories
from driftmon.core.layout import CategoricalLayout, NumericLayout, category_key, fingerprint

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


WORDS = ["a", "b", "new", "", "x" * 500, "x" * 501, "rare", "other"]


@pytest.mark.parametrize("rare", [b"", fingerprint("rare").to_bytes(8, "big"), None], ids=["none", "one", "unknown"])
@given(values=st.lists(st.none() | st.sampled_from(WORDS), max_size=30))
def test_the_bins_of_categories_are_what_counting_counts(rare: bytes | None, values: list[str | None]) -> None:
    layout = CategoricalLayout(("a", "", category_key("x" * 500), "b"), rare)

    bins = category_bins(layout, values)
    novel = category_bins(layout, values, novel=True)

    present = [value for value in values if value is not None]
    counted = count_categories(layout, present, [1] * len(present), nulls=values.count(None))
    assert tuple(np.bincount(bins, minlength=layout.size)) == counted.counts
    assert np.array_equal(np.where(novel == layout.size, layout.size - 2, novel), bins)
    assert np.count_nonzero(novel == layout.size) == (counted.novel or 0)


def test_new_categories_are_told_with_the_rows_of_each() -> None:
    layout = CategoricalLayout(("a",), fingerprint("rare").to_bytes(8, "big"))
    new = NewCategories()

    count_categories(layout, ["a", "rare", "p", "q", "r"], [90, 50, 7, 9, 4], new=new)
    count_categories(layout, ["p", "s"], [2, 5], new=new)

    # Most rows first, ties in the order of strings; four rows are too few to name.
    assert new.named() == (("p", 9), ("q", 9), ("s", 5))


def test_where_novelty_is_unknown_nothing_is_called_new() -> None:
    new = NewCategories()

    histogram = count_categories(CategoricalLayout(("a",), None), ["b"], [100], new=new)

    assert (histogram.novel, new.named()) == (None, ())


def test_of_many_new_categories_the_frequent_ones_are_kept_in_little_memory() -> None:
    new = NewCategories()
    few = [f"frequent {n:02d}" for n in range(20)]

    for start in range(0, 200_000, 20_000):
        new.add([f"once {n}" for n in range(start, start + 20_000)] + few, [1] * 20_000 + [10 + n for n in range(20)])

    assert new.named() == tuple((name, 10 * (10 + n)) for n, name in reversed([*enumerate(few)]))[:10]
    assert len(new._rows) <= MOST_KEPT
