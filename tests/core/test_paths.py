"""Whichever way values are counted, compiled or by NumPy, as the type they are or as float64, the integers are the same."""

from __future__ import annotations

import math
import subprocess
import sys
from bisect import bisect_left
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from driftmon.core import compiled
from driftmon.core.binning import NumberCounts, add_to_table, count_numbers, number_bins, places, week_hours
from driftmon.core.categories import add_codes, code_counts, known_codes
from driftmon.core.compiled import available, counting_by
from driftmon.core.cuts import cuts, native
from driftmon.core.layout import NumericLayout

FLOATS = [np.float16, np.float32, np.float64]
INTEGERS = [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]
AWKWARD = [
    -1.5,
    -1.0,
    -0.0,
    0.0,
    0.1,
    0.5,
    1.0,
    2.0,
    5e-324,
    -5e-324,
    1e-40,
    127.0,
    128.0,
    255.0,
    65_504.0,
    3.4028235e38,
]
HUGE = [
    2.0**24,
    2.0**24 + 2,
    2.0**31,
    2.0**53,
    2.0**53 + 2,
    2.0**63,
    2.0**63 - 1_024,
    2.0**64,
    1e300,
    1.7976931348623157e308,
]
finite = st.sampled_from([*AWKWARD, *HUGE, *(-value for value in HUGE)]) | st.floats(
    allow_nan=False, allow_infinity=False
)
edges = st.lists(finite, min_size=1, max_size=20).map(lambda values: tuple(sorted({value + 0.0 for value in values})))
numbers = st.lists(finite | st.floats(), max_size=50)
paths = pytest.mark.parametrize("path", ["numpy", "compiled"])
some = settings(max_examples=40, deadline=None)


@pytest.fixture(scope="module", autouse=True)
def _compiled_loops_are_there() -> None:
    if not available():
        pytest.skip("llvmlite is not installed: NumPy is the only path")


def plain_counts(layout: NumericLayout, values: list[float]) -> tuple[int, ...]:
    counts = [0] * layout.size
    for value in values:
        counts[-1 if math.isnan(value) else bisect_left(layout.edges, value)] += 1
    return tuple(counts)


def whole(dtype: Any) -> st.SearchStrategy[list[int]]:
    least, most = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    special = [
        least,
        most,
        *(n for n in (0, 1, 127, 2**53, 2**53 + 1, 2**53 + 3, -(2**53) - 1, 2**63 - 513) if least <= n <= most),
    ]
    return st.lists(st.sampled_from(special) | st.integers(least, most), max_size=50)


@paths
@pytest.mark.parametrize("dtype", FLOATS)
@some
@given(edges=edges, values=numbers)
def test_floats_of_every_width_fall_in_the_bins_of_the_same_float64(
    path: Any, dtype: Any, edges: tuple[float, ...], values: list[float]
) -> None:
    layout = NumericLayout(edges)
    with np.errstate(over="ignore"):
        live = np.array(values).astype(dtype)

    with counting_by(path):
        counts, bins = count_numbers(layout, live).counts, number_bins(layout, live)

    assert counts == plain_counts(layout, [float(value) for value in live])
    assert tuple(np.bincount(bins, minlength=layout.size)) == counts


@paths
@pytest.mark.parametrize("dtype", INTEGERS)
@some
@given(edges=edges, data=st.data())
def test_integers_of_every_width_fall_in_the_bins_of_the_nearest_float64(
    path: Any, dtype: Any, edges: tuple[float, ...], data: st.DataObject
) -> None:
    layout = NumericLayout(edges)
    live = np.array(data.draw(whole(dtype)), dtype)

    with counting_by(path):
        counts, bins = count_numbers(layout, live).counts, number_bins(layout, live)

    assert counts == plain_counts(layout, live.astype(np.float64).tolist())
    assert tuple(np.bincount(bins, minlength=layout.size)) == counts


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
@given(edge=finite.filter(lambda edge: abs(edge) < 2.0**64), steps=st.integers(-3, 3))
def test_cuts_of_integers_are_exact_where_float64_has_gaps(dtype: Any, edge: float, steps: int) -> None:
    least, bounds = cuts((edge,), np.dtype(dtype)), np.iinfo(dtype)
    near = min(max((int(least[0]) if len(least) else int(bounds.max)) + steps, int(bounds.min)), int(bounds.max))

    above = bool(np.array([near], dtype).astype(np.float64)[0] > edge)

    assert above == (len(least) > 0 and near >= int(least[0]))


@paths
@given(edges=edges, values=numbers, cut=st.integers(0, 50), nulls=st.integers(0, 5))
def test_parts_add_wherever_they_are_cut(
    path: Any, edges: tuple[float, ...], values: list[float], cut: int, nulls: int
) -> None:
    layout, live = NumericLayout(edges), np.array(values)
    counts = NumberCounts(layout)

    with counting_by(path):
        counts.add(live[:cut], nulls=nulls)
        counts.add(live[cut:])

    assert counts.histogram() == count_numbers(layout, live, nulls=nulls)


@given(edges=edges, values=st.lists(st.integers(-100, 100), max_size=30), nulls=st.integers(0, 9))
def test_a_stand_in_for_missing_values_leaves_no_trace(edges: tuple[float, ...], values: list[int], nulls: int) -> None:
    layout, counts = NumericLayout(edges), NumberCounts(NumericLayout(edges))

    counts.add(np.array([*values, *[0] * nulls], np.int16))
    counts.as_missing(nulls, 0)

    assert counts.histogram() == count_numbers(layout, np.array(values, np.int16), nulls=nulls)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int8, np.uint16])
@pytest.mark.parametrize("rows", [0, 1, 15, 16, 17, 2_047, 2_048, 2_049, 32_768, 70_001])
def test_no_row_is_lost_at_the_end_of_a_block(dtype: Any, rows: int) -> None:
    layout = NumericLayout((1.0, 2.5, 40.0, 100.0))
    live = (np.arange(rows) % 127).astype(dtype)

    found = []
    for path in ("numpy", "compiled"):
        with counting_by(path):  # type: ignore[arg-type]
            found.append((count_numbers(layout, live).counts, number_bins(layout, live).tolist()))

    assert found[0] == found[1]
    assert found[0][0] == tuple(np.bincount(np.searchsorted(layout.edges, live), minlength=layout.size))


@pytest.mark.parametrize("way", ["strided", "big endian", "boolean", "read only"])
@paths
def test_any_memory_layout_counts_the_same(path: Any, way: str) -> None:
    layout = NumericLayout((0.5, 3.0))
    live = np.arange(40) % 5
    other = {
        "strided": np.repeat(live, 2)[::2],
        "big endian": live.astype(">f8"),
        "boolean": live > 3,
        "read only": np.frombuffer(live.tobytes(), live.dtype),
    }[way]

    with counting_by(path):
        counts = count_numbers(layout, other).counts

    assert counts == plain_counts(layout, other.astype(np.float64).tolist())
    assert np.shares_memory(native(live), live)


@paths
@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("categories", [1, 3, 100, 5_000])
def test_codes_are_counted_alike(path: Any, dtype: Any, categories: int) -> None:
    most = min(categories, int(np.iinfo(dtype).max) + 1)
    codes = (np.arange(3_001) * 7 % most).astype(dtype)
    counts = code_counts(categories)

    with counting_by(path):
        add_codes(counts, codes[:1_000])
        add_codes(counts, codes[1_000:])

    assert np.array_equal(known_codes(counts), np.bincount(codes.astype(np.intp), minlength=categories))


@paths
def test_codes_of_no_category_are_missing_if_they_were_announced_and_refused_if_not(path: Any) -> None:
    told, untold = code_counts(2), code_counts(2)

    with counting_by(path):
        add_codes(told, np.array([0, -1, 1, -1], np.int32), nulls=2)
        add_codes(untold, np.array([0, 1, 2], np.int8))

    assert known_codes(told).tolist() == [1, 1]
    with pytest.raises(IndexError, match="1 codes outside of a dictionary of 2 values"):
        known_codes(untold)


@paths
@pytest.mark.parametrize(("groups", "bins"), [(3, 4), (40_000, 7), (2, 300)])
def test_tables_of_groups_and_bins_add_up(path: Any, groups: int, bins: int) -> None:
    rng = np.random.default_rng(groups)
    which, numbers = rng.integers(0, groups, 5_000), rng.integers(0, bins, 5_000)
    table = np.zeros((groups, bins), np.int64)

    with counting_by(path):
        add_to_table(table, which, numbers.astype(np.min_scalar_type(bins)))

    expected = np.zeros_like(table)
    np.add.at(expected, (which, numbers), 1)
    assert np.array_equal(table, expected)


@paths
@some
@given(
    times=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40),
    hour=st.sampled_from([1, 3_600, 3_600_000, 3_600_000_000, 3_600_000_000_000]),
)
def test_hours_of_the_week_go_on_before_1970(path: Any, times: list[int], hour: int) -> None:
    # A Monday is 72 hours before Thursday, 1 January 1970; hours of units near the end of 64 bits are none.
    times = [time for time in times if abs(time // hour) < 2**62]

    with counting_by(path):
        hours = week_hours(np.array(times, np.int64), hour)

    assert hours.tolist() == [(time // hour + 72) % 168 for time in times]


@paths
@given(
    values=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40),
    starts=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=100),
)
def test_places_are_those_of_a_binary_search(path: Any, values: list[int], starts: list[int]) -> None:
    live, ascending = np.array(values, np.int64), np.array(sorted(starts), np.int64)

    with counting_by(path):
        found = places(live, ascending)

    assert np.array_equal(found, np.searchsorted(ascending, live, side="right"))


def test_a_process_loads_the_loops_once_it_has_counted_enough_to_pay_for_them() -> None:
    code = (
        "import sys, numpy as np\n"
        "from driftmon.core import binning, compiled\n"
        "from driftmon.core.layout import NumericLayout\n"
        "live = np.zeros(compiled.WORTH // 2, np.int8)\n"
        "for _ in range(3):\n"
        "    counts = binning.count_numbers(NumericLayout((1.0,)), live)\n"
        "    print('llvmlite' in sys.modules, counts.counts == (len(live), 0, 0))\n"
    )

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert told.split() == ["False", "True", "False", "True", "True", "True"]


def test_without_llvmlite_numpy_counts_the_same() -> None:
    code = (
        "import sys; sys.modules['llvmlite'] = None\n"
        "import numpy as np\n"
        "from driftmon.core.binning import count_numbers\n"
        "from driftmon.core.compiled import available, counting_by\n"
        "from driftmon.core.layout import NumericLayout\n"
        "live = np.array([-np.inf, -0.0, 0.0, 1.0, np.nan, np.inf])\n"
        "with counting_by('compiled'):\n"
        "    print(available(), *count_numbers(NumericLayout((0.0, 1.0)), live).counts)\n"
    )

    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert told.split() == ["False", "3", "1", "1", "1"]


def test_a_path_is_chosen_for_as_long_as_it_is_asked_for() -> None:
    with counting_by("compiled"):
        inside = compiled.loops(1)
        with counting_by("numpy"):
            nested = compiled.loops(2**30)

    assert (inside is None, nested) == (False, None)
