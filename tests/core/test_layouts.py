"""Where values are cut: specification A1, rule by rule, against a second implementation that is slow and plain."""

import bisect
import json
import math
import sys
import tracemalloc
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from driftmon.core.binning import BLOCK, count_numbers
from driftmon.core.categories import count_categories
from driftmon.core.labels import span_labels
from driftmon.core.layout import CategoricalLayout, NumericLayout, category_key, fingerprint, layout_from_json
from driftmon.core.learning import learn_categories, learn_numbers
from driftmon.core.tallying import CategoryTally

LARGEST = sys.float_info.max
TINY = 5e-324  # the smallest subnormal


# A second implementation of A1 -----------------------------------------------------------------------------------------


def plain_edges(values):
    """Edges by the letter of A1; None if no value is finite."""
    ordered = sorted(float(v) for v in values if math.isfinite(v))
    held = Counter(ordered)
    distinct = sorted(held)
    rows = len(ordered)
    if not distinct:
        return None
    lowest, highest = distinct[0], distinct[-1]
    below = max(math.nextafter(lowest, -math.inf), -LARGEST)
    if len(distinct) == 1:
        return tuple(sorted({below, lowest}))
    low = lowest if held[lowest] == 1 else below
    high = math.nextafter(highest, -math.inf) if held[highest] == 1 else highest
    if len(distinct) <= 20:
        inner = set(distinct)
    else:
        shares = [Fraction(p, 10) for p in range(1, 10)]
        shares += [Fraction(1, 100), Fraction(99, 100)] if rows >= 1_000 else []
        shares += [Fraction(1, 1000), Fraction(999, 1000)] if rows >= 10_000 else []
        inner = {ordered[math.ceil(rows * p) - 1] for p in shares}
        atoms = sorted((v for v in distinct if 20 * held[v] >= rows), key=lambda v: (-held[v], v))[:10]
        inner |= {edge for v in atoms for edge in (math.nextafter(v, -math.inf), v)}
    return tuple(sorted({low, high} | {edge for edge in inner if low < edge < high}))


def plain_counts(edges, values):
    """Rows of each bin: the first whose edge is not below the value; NaN is missing."""
    counts = [0] * (len(edges) + 2)
    for value in values:
        number = float(value)
        counts[-1 if math.isnan(number) else bisect.bisect_left(edges, number)] += 1
    return tuple(counts)


EXTREMES = [np.nan, np.inf, -np.inf, -0.0, 0.0, TINY, -TINY, 1e300, -1e300, LARGEST, -LARGEST]

FAMILIES = {
    "normal": lambda rng, rows: rng.normal(size=rows),
    "heavy tail": lambda rng, rows: rng.standard_cauchy(size=rows) ** 3,
    "counts": lambda rng, rows: rng.poisson(3, size=rows).astype(float),
    "rounded": lambda rng, rows: np.round(rng.normal(size=rows), 1),
    "mostly zero": lambda rng, rows: np.where(rng.random(rows) < 0.7, 0.0, rng.lognormal(size=rows)),
    "a dozen atoms": lambda rng, rows: np.where(
        rng.random(rows) < 0.95, rng.integers(0, 12, size=rows), rng.normal(5, 30, size=rows)
    ),
    "with gaps": lambda rng, rows: np.where(rng.random(rows) < 0.2, np.nan, rng.exponential(size=rows)),
    "extremes": lambda rng, rows: rng.choice(EXTREMES, size=rows),
}


def column(family, rows, seed):
    """A column of one of the shapes that real ones have."""
    return FAMILIES[family](np.random.default_rng(seed), rows)


columns = st.builds(column, st.sampled_from(sorted(FAMILIES)), st.integers(1, 1500), st.integers(0, 2**32))
wild_columns = hnp.arrays(np.float64, st.integers(1, 60), elements=st.floats())
near_columns = hnp.arrays(np.float64, st.integers(1, 80), elements=st.integers(0, 40).map(float))


@given(st.one_of(columns, wild_columns, near_columns))
def test_layouts_follow_the_rules_to_the_letter(values):
    expected = plain_edges(values)

    layout = learn_numbers(values)

    assert (layout and layout.edges) == expected


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("rows", [999, 1_000, 9_999, 10_000, 20_011])
def test_layouts_of_large_columns_follow_the_rules_too(family, rows):
    values = column(family, rows, seed=rows)

    assert learn_numbers(values).edges == plain_edges(values)


@given(st.one_of(columns, wild_columns), st.one_of(columns, wild_columns))
def test_a_value_falls_into_the_first_bin_whose_edge_is_not_below_it(reference, live):
    layout = learn_numbers(reference) or NumericLayout((0.0,))

    assert count_numbers(layout, live).counts == plain_counts(layout.edges, live)


# Rule by rule ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "bins"),
    [
        pytest.param(10_000, 16, id="13 quantiles and both tails"),
        pytest.param(9_999, 14, id="no 1 in 1000 below 10,000 rows"),
        pytest.param(1_000, 14, id="1 in 100 from 1,000 rows on"),
        pytest.param(999, 12, id="deciles and both tails below"),
        pytest.param(1_000_000, 16, id="bins do not grow with the rows"),
    ],
)
def test_a_continuous_column_has_as_many_bins_as_its_rows_carry(rows, bins):
    layout = learn_numbers(np.random.default_rng(0).normal(size=rows))

    assert layout.size == bins + 1  # and the bin for missing values


def test_inner_edges_are_numpys_inverted_cdf_quantiles():
    rows = 10_007  # a prime: rows × share is never whole, so that rounding cannot move numpy to a neighbour
    values = np.random.default_rng(1).normal(size=rows)
    shares = [0.001, 0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 0.999]

    edges = learn_numbers(values).edges

    assert edges[1:-1] == tuple(np.quantile(values, shares, method="inverted_cdf").tolist())


def test_quantiles_of_a_whole_rank_are_not_moved_by_rounding():
    values = np.arange(1.0, 1001.0)  # the reference's p-quantile is 1000 p, exactly

    edges = learn_numbers(values).edges

    inner = (10.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0, 900.0, 990.0)
    assert edges == (1.0, *inner, math.nextafter(1000, 0))


def test_a_minimum_and_maximum_that_occur_once_belong_to_the_tails():
    values = np.arange(1.0, 101.0)

    histogram = count_numbers(learn_numbers(values), values)

    assert (histogram.counts[0], histogram.counts[-2]) == (1, 1)


def test_a_minimum_and_maximum_that_occur_twice_leave_the_tails_empty():
    values = np.append(np.arange(1.0, 101.0), [1.0, 100.0])

    histogram = count_numbers(learn_numbers(values), values)

    assert (histogram.counts[0], histogram.counts[-2]) == (0, 0)


def test_twenty_distinct_values_have_a_bin_each():
    values = np.repeat(np.arange(20.0), 5)

    layout = learn_numbers(values)

    assert count_numbers(layout, values).counts == (0, *[5] * 20, 0, 0)
    assert [b.label for b in layout.bins][:3] == ["< 0", "= 0", "(0, 1]"]


def test_twenty_one_distinct_values_are_cut_at_quantiles():
    assert learn_numbers(np.repeat(np.arange(21.0), 2)).size == 12 + 1


def test_a_value_that_holds_one_row_in_twenty_has_a_bin_of_its_own():
    values = np.concatenate((np.full(50, 7.77), np.linspace(0, 20, 950)))

    layout = learn_numbers(values)

    assert count_numbers(layout, values).counts[layout.edges.index(7.77)] == 50


def test_a_value_that_holds_fewer_has_not():
    values = np.concatenate((np.full(49, 2.5), np.linspace(0, 20, 951)))

    assert 2.5 not in learn_numbers(values).edges


def test_at_most_ten_values_have_a_bin_of_their_own_and_the_heaviest_win():
    # The values 0 to 14 hold at least 5 % each, ever more of them; 10 other values make more than 20 distinct.
    atoms = [np.full(60 + k, float(k)) for k in range(15)]
    values = np.concatenate([np.linspace(-200, -100, 10), *atoms])

    edges = set(learn_numbers(values).edges)

    own = [k for k in range(15) if {float(k), math.nextafter(k, -math.inf)} <= edges]
    assert own == list(range(5, 15))


def test_many_rows_on_one_value_give_each_edge_once():
    values = np.concatenate((np.zeros(9_950), np.arange(1.0, 51.0)))  # every quantile but the last is 0

    assert learn_numbers(values).edges == (-TINY, 0.0, 40.0, math.nextafter(50, 0))


# Extremes --------------------------------------------------------------------------------------------------------------


def test_a_constant_column_has_one_bin_for_its_value_and_the_tails():
    layout = learn_numbers(np.full(500, 3.5))

    assert layout.edges == (math.nextafter(3.5, 0), 3.5)
    assert count_numbers(layout, np.array([3.4, 3.5, 3.5, 3.6, np.nan])).counts == (1, 2, 1, 1)
    assert [b.label for b in layout.bins] == ["< 3.5", "= 3.5", "> 3.5", "missing"]


def test_two_values_have_a_bin_each():
    layout = learn_numbers(np.array([1.0, 2.0] * 50))

    assert count_numbers(layout, np.array([0, 1, 1, 1.5, 2, 3])).counts == (1, 2, 2, 1, 0)


def test_a_single_row_is_a_constant():
    assert learn_numbers(np.array([2.0])).edges == (math.nextafter(2, 0), 2.0)


@pytest.mark.parametrize("values", [[], [np.nan] * 3, [np.inf, -np.inf], [np.nan, np.inf]])
def test_without_a_finite_value_there_is_nothing_to_learn(values):
    assert learn_numbers(np.array(values)) is None


def test_infinities_and_missing_values_shape_no_bin():
    values = np.random.default_rng(2).normal(size=500)
    with_others = np.concatenate(([np.inf] * 9, values, [np.nan] * 90, [-np.inf] * 9))

    assert learn_numbers(with_others) == learn_numbers(values)


def test_infinities_fall_into_the_open_ends_and_only_missing_values_are_missing():
    layout = NumericLayout((0.0, 1.0))

    histogram = count_numbers(layout, np.array([-np.inf, np.inf, np.inf, np.nan]), nulls=2)

    assert histogram.counts == (1, 0, 2, 3)
    assert histogram.missing == 3


@pytest.mark.parametrize(
    ("values", "edges"),
    [
        pytest.param([LARGEST] * 5, (math.nextafter(LARGEST, 0), LARGEST), id="the largest float"),
        pytest.param([-LARGEST] * 5, (-LARGEST,), id="the least float"),
        pytest.param([-LARGEST, -LARGEST, LARGEST, LARGEST], (-LARGEST, LARGEST), id="both, twice"),
        pytest.param([-LARGEST, LARGEST], (-LARGEST, math.nextafter(LARGEST, 0)), id="both, once"),
        pytest.param(
            [-LARGEST, -LARGEST, *map(float, range(20)), *map(float, range(20))],
            (-LARGEST, *[1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 17.0, 19.0]),
            id="the least float among others",
        ),
        pytest.param([1e300, 1e300, -1e300, -1e300], (math.nextafter(-1e300, -math.inf), -1e300, 1e300), id="1e300"),
        pytest.param([TINY, TINY, 3 * TINY, 3 * TINY], (0.0, TINY, 3 * TINY), id="subnormals"),
        pytest.param([-0.0] * 9, (-TINY, 0.0), id="minus zero"),
        pytest.param([-0.0, 0.0, 1.0, 1.0], (-TINY, 0.0, 1.0), id="both zeros are one value"),
    ],
)
def test_the_extremes_of_floats_have_finite_edges_that_hold_their_rows(values, edges):
    layout = learn_numbers(np.array(values))
    histogram = count_numbers(layout, np.array(values))

    assert layout.edges == edges
    assert all(math.copysign(1, edge) > 0 for edge in layout.edges if edge == 0)
    assert histogram.rows == len(values)
    assert "inf" not in " ".join(b.label for b in layout.bins)


@given(wild_columns)
def test_any_column_of_floats_gives_a_layout_that_holds_it_whole(values):
    layout = learn_numbers(values)
    if layout is None:
        assert not np.isfinite(values).any()
        return

    histogram = count_numbers(layout, values)

    assert histogram.rows == len(values)
    assert histogram.missing == np.isnan(values).sum()


@pytest.mark.parametrize(
    "dtype",
    ["bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"],
)
def test_every_number_type_is_cut_and_counted_by_its_value(dtype):
    values = np.random.default_rng(3).integers(0, 2 if dtype == "bool" else 100, size=300).astype(dtype)
    as_floats = [float(v) for v in values]

    layout = learn_numbers(values)

    assert layout.edges == plain_edges(as_floats)
    assert count_numbers(layout, values).counts == plain_counts(layout.edges, as_floats)


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_integers_up_to_two_to_the_53_keep_their_neighbours_apart(dtype):
    top = 2**53
    values = np.array([top - 3, top - 3, top - 2, top - 1, top - 1, top - 1, top], dtype=dtype)

    layout = learn_numbers(values)

    assert count_numbers(layout, values).counts == (0, 2, 1, 3, 1, 0)
    assert layout.bins[2].label == f"= {top - 2}"


def test_integers_beyond_two_to_the_53_cross_no_smaller_edge():
    layout = NumericLayout((0.0, 2.0**53))

    assert count_numbers(layout, np.array([2**63 - 1, 2**53, 2**53 + 2, -(2**63)])).counts == (1, 1, 2, 0)
    assert count_numbers(layout, np.array([2**64 - 1], dtype=np.uint64)).counts == (0, 0, 1, 0)


def test_learning_leaves_the_rows_as_they_were_and_reads_frozen_memory():
    values = np.random.default_rng(4).normal(size=100)
    before = values.copy()
    values.flags.writeable = False

    learn_numbers(values)

    assert (values == before).all()


def test_columns_longer_than_a_block_are_counted_whole():
    values = np.random.default_rng(5).normal(size=2 * BLOCK + 17)
    values[::1000] = np.nan
    layout = learn_numbers(values)
    position = np.searchsorted(layout.edges, values, side="left")
    position[np.isnan(values)] = layout.size - 1

    assert count_numbers(layout, values).counts == tuple(np.bincount(position, minlength=layout.size).tolist())
    assert count_numbers(layout, values[::3]).rows == len(values[::3])  # a view with gaps in memory


@pytest.mark.parametrize("edges", [(), (math.nan,), (0.0, math.inf)])
def test_a_numeric_layout_without_finite_edges_is_refused(edges):
    with pytest.raises(ValueError, match="needs finite edges"):
        NumericLayout(edges)


@pytest.mark.parametrize("edges", [(1.0, 1.0), (2.0, 1.0), (-0.0, 0.0)])
def test_edges_that_do_not_increase_are_refused(edges):
    with pytest.raises(ValueError, match="must increase strictly"):
        NumericLayout(edges)


# Labels ----------------------------------------------------------------------------------------------------------------


@given(st.one_of(columns, wild_columns, near_columns))
def test_labels_are_distinct_short_and_in_the_order_of_the_bins(values):
    layout = learn_numbers(values) or NumericLayout((0.0,))

    labels = [b.label for b in layout.bins]

    assert len(set(labels)) == len(labels) == layout.size
    assert max(map(len, labels)) <= 2 * 24 + 4  # two numbers of 17 digits with sign and exponent
    assert not any("inf" in label or "nan" in label or "-0," in label for label in labels)
    assert labels[-1] == "missing"


@given(st.one_of(columns, wild_columns))
def test_bins_join_without_gap_or_overlap(values):
    layout = learn_numbers(values) or NumericLayout((0.0,))
    spans = layout.bins[:-1]

    assert [b.upper for b in spans] == [*layout.edges, None]
    assert [b.lower for b in spans] == [None, *layout.edges]
    assert all(b.numeric for b in spans)
    assert not layout.bins[-1].numeric


@pytest.mark.parametrize(
    ("edges", "labels"),
    [
        pytest.param([0.5], ["<= 0.5", "> 0.5"], id="one edge"),
        pytest.param([math.nextafter(0.5, 0)], ["< 0.5", ">= 0.5"], id="one edge just below a value"),
        pytest.param(
            [math.nextafter(0.5, 0), 2.5, math.nextafter(8, 0)],
            ["< 0.5", "[0.5, 2.5]", "(2.5, 8)", ">= 8"],
            id="closed and open",
        ),
        pytest.param([1.0, 2.0, 3.0], ["<= 1", "(1, 2]", "(2, 3]", "> 3"], id="whole numbers"),
        pytest.param([1e-12, 1e12], ["<= 1e-12", "(1e-12, 1000000000000]", "> 1000000000000"], id="far apart"),
        pytest.param([1e300], ["<= 1e+300", "> 1e+300"], id="huge"),
        pytest.param(
            [math.nextafter(LARGEST, 0), LARGEST],
            ["<= 1.7976931348623155e+308", "= 1.7976931348623157e+308", "> 1.7976931348623157e+308"],
            id="the largest float",
        ),
        pytest.param([-TINY, 0.0, TINY], ["< 0", "= 0", "= 4.941e-324", "> 4.941e-324"], id="subnormal"),
        pytest.param([12345.678, 54321.5], ["<= 12346", "(12346, 54322]", "> 54322"], id="amounts"),
        pytest.param([-0.123456, 98765.4321], ["<= -0.1235", "(-0.1235, 98765]", "> 98765"], id="small and large"),
        pytest.param(
            [1700000001.25, 1700000001.5],
            ["<= 1700000001.2", "(1700000001.2, 1700000001.5]", "> 1700000001.5"],
            id="as few digits as keep edges apart",
        ),
        pytest.param(
            [0.12341, 0.12346],
            ["<= 0.1234", "(0.1234, 0.12346]", "> 0.12346"],
            id="each nearer to itself than to its neighbours",
        ),
        pytest.param(
            [10.35702, math.nextafter(10.35702, 11), 20.7],
            ["< 10.36", "= 10.36", "(10.36, 20.7]", "> 20.7"],
            id="around a value that is less round than its neighbour",
        ),
        pytest.param(
            [1700000001.2, 1700000001.3],
            ["<= 1700000001.2", "(1700000001.2, 1700000001.3]", "> 1700000001.3"],
            id="close together",
        ),
    ],
)
def test_labels_read_like_the_values(edges, labels):
    assert span_labels(edges) == labels


# Categories ------------------------------------------------------------------------------------------------------------


def tally_of(counts):
    tally = CategoryTally()
    tally.add(counts.keys(), counts.values())
    return tally


def test_the_most_frequent_category_comes_first_and_ties_go_by_name():
    layout = learn_categories(tally_of({"b": 30, "d": 25, "a": 30, "c": 99}))

    assert layout.categories == ("c", "a", "b", "d")
    assert [b.label for b in layout.bins] == ["c", "a", "b", "d", "other", "missing"]
    assert [b.category for b in layout.bins] == ["c", "a", "b", "d", None, None]


def test_thirty_categories_have_a_bin_and_a_tie_at_the_border_goes_by_name():
    layout = learn_categories(tally_of({f"v{i:02}": 50 for i in reversed(range(40))}))

    assert layout.categories == tuple(f"v{i:02}" for i in range(30))


def test_a_category_needs_twenty_rows_for_a_bin_of_its_own():
    layout = learn_categories(tally_of({"rare": 19, "enough": 20}))

    assert layout.categories == ("enough",)


def test_a_column_of_rare_categories_alone_has_only_other_and_missing():
    layout = learn_categories(tally_of({"a": 3, "b": 4}))

    assert [b.label for b in layout.bins] == ["other", "missing"]
    assert count_categories(layout, ["a", "new"], [2, 1], nulls=4).counts == (3, 4)


def test_categories_with_a_natural_order_keep_it():
    hours = {str(hour): hour for hour in range(24)}

    layout = learn_categories(tally_of({"23": 90, "7": 50, "12": 70, "3": 2}), order=hours)

    assert layout.categories == ("7", "12", "23")


def test_rows_of_new_and_rare_values_are_other_and_only_new_ones_are_novel():
    layout = learn_categories(tally_of({"JFK": 100, "LGA": 50, "ISP": 3, "HPN": 1}))

    histogram = count_categories(layout, ["JFK", "ISP", "XXX", "JFK", "HPN", "YYY"], [10, 2, 5, 1, 1, 1], nulls=7)

    assert histogram.counts == (11, 0, 9, 7)
    assert histogram.novel == 6


def test_every_value_in_other_is_novel_when_the_reference_had_no_rare_one():
    layout = learn_categories(tally_of({"JFK": 100}))

    assert count_categories(layout, ["JFK", "EWR"], [1, 2]).novel == 2
    assert count_categories(layout, ["JFK"], [1]).novel == 0


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 40)), max_size=80), st.lists(st.integers(0, 90), max_size=50)
)
def test_novelty_is_counted_like_a_plain_count(reference_rows, live):
    reference = Counter()
    for value, rows in reference_rows:
        reference[f"v{value}"] += rows
    layout = learn_categories(tally_of(reference))
    values = [f"v{value}" for value in live]

    histogram = count_categories(layout, values, [1] * len(values))

    assert histogram.novel == sum(1 for value in values if value not in reference)
    assert histogram.counts[:-2] == tuple(values.count(category) for category in layout.categories)
    assert histogram.rows == len(values)


def test_values_and_counts_of_different_lengths_are_refused():
    layout = learn_categories(tally_of({"a": 30}))

    with pytest.raises(ValueError, match="shorter"):
        count_categories(layout, ["a", "b"], [1])
    with pytest.raises(ValueError, match="shorter"):
        CategoryTally().add(["a", "b"], [1])


STRANGE = [
    "",
    " ",
    "other",
    "missing",
    '"other"',
    "a\nb",
    "nul\x00nul",
    "🛫🛬",
    "e\u0301",
    "é",
    "\ud800",
    "'",
    '"',
    "\\n",
    "\t",
]


def test_strange_strings_keep_apart_and_have_readable_labels():
    layout = learn_categories(tally_of(dict.fromkeys(STRANGE, 25)))

    labels = [b.label for b in layout.bins]

    assert set(layout.categories) == set(STRANGE)
    assert len(set(labels)) == len(STRANGE) + 2
    assert all(label.isprintable() and label.strip() == label and label for label in labels)
    assert {"🛫🛬", "é", '"other"', '""', '"a\\nb"', '"nul\\u0000nul"'} <= set(labels)
    assert count_categories(layout, STRANGE, range(1, len(STRANGE) + 1)).counts[-2] == 0


def test_strings_of_a_megabyte_are_kept_short_and_apart():
    ends_in_a, ends_in_b = "x" * 1_000_000 + "a", "x" * 1_000_000 + "b"

    layout = learn_categories(tally_of({ends_in_a: 30, ends_in_b: 25}))

    assert [len(category) for category in layout.categories] == [120, 120]
    assert count_categories(layout, [ends_in_b, ends_in_a, "x" * 1_000_000], [5, 7, 1]).counts == (7, 5, 1, 0)


def test_a_string_of_120_characters_is_kept_whole():
    assert category_key("é" * 120) == "é" * 120
    assert len(category_key("é" * 121)) == 120


def test_fingerprints_are_the_same_everywhere():
    assert fingerprint("JFK") == 0xBCFC05B1A292B502  # stored with baselines: another value would make all of them novel


def test_categories_must_be_distinct():
    with pytest.raises(ValueError, match="must be distinct"):
        CategoricalLayout(("a", "a"))


# Tallies ---------------------------------------------------------------------------------------------------------------


def test_a_column_whose_rows_mostly_have_their_own_value_identifies_them():
    assert tally_of({f"id{i}": 1 for i in range(60)} | {"x": 59}).identifies  # 61 values in 119 rows
    assert not tally_of({f"id{i}": 1 for i in range(60)} | {"x": 62}).identifies  # 61 values in 122 rows
    assert not CategoryTally().identifies


def test_singletons_are_the_values_of_one_row():
    tally = tally_of({"a": 1, "b": 2, "c": 1})
    tally.add(["c", "d"], [1, 1])

    assert tally.singletons == 2  # a and d
    assert tally.rows == 6


def test_a_million_distinct_strings_fit_in_bounded_memory_and_are_told_to_identify():
    tally, traced = CategoryTally(), 250_000  # tracing is slow, and so many show it
    tracemalloc.start()

    tally.add((f"{i:0100}" for i in range(traced)), [1] * traced)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    tally.add((f"user-{i}" for i in range(traced, 1_000_000)), [1] * (1_000_000 - traced))

    assert peak < 35e6  # 100,000 strings of 149 bytes with their counts; all 250,000 take 45e6
    assert len(tally.counts) <= 100_000
    assert tally.rows == 1_000_000
    assert tally.identifies
    assert tally.singletons is None
    assert learn_categories(tally).rare is None


def test_a_tally_that_forgets_keeps_the_frequent_categories():
    tally = CategoryTally()
    for batch in range(30):  # 210,000 rows: ten airports among ever new tail numbers
        tally.add([f"N{batch}-{i}" for i in range(4_000)], [1] * 4_000)
        tally.add([f"airport{i}" for i in range(10)], [300 - i for i in range(10)])

    again = tally.recounted({name: 30 * (300 - int(name[7:])) for name in tally.frequent})
    layout = learn_categories(again)
    histogram = count_categories(layout, ["airport3", "N1-1"], [5, 1])

    assert tally.pruned
    assert layout.categories == tuple(f"airport{i}" for i in range(10))
    assert histogram.counts[3] == 5
    assert histogram.novel is None  # too many values to remember them


@pytest.mark.parametrize("distinct", [100_001, 150_000, 400_000])
def test_a_tally_that_forgets_still_tells_how_many_values_there_were(distinct):
    tally = CategoryTally()

    for _ in range(2):
        tally.add((f"v{i}" for i in range(distinct)), [2] * distinct)

    assert tally.pruned
    assert abs(tally.distinct / distinct - 1) < 3 / np.sqrt(4_094)
    assert not tally.identifies


@pytest.mark.parametrize(("rows_each", "identifies"), [(1, True), (3, False)])
def test_a_tally_that_forgets_knows_whether_it_identifies(rows_each, identifies):
    tally = CategoryTally()

    tally.add([f"v{i}" for i in range(100_001)], [rows_each] * 100_001)

    assert tally.pruned
    assert tally.identifies is identifies
    assert tally.distinct <= tally.rows


def test_users_that_come_again_after_very_many_others_do_not_identify():
    tally = CategoryTally()
    # The first 100,000 rows are of as many users: nothing has repeated yet when the first ones are forgotten.
    tally.add((f"user {i}" for i in range(300_000)), [1] * 300_000)
    assert tally.identifies

    for _ in range(3):
        tally.add((f"user {i}" for i in range(300_000)), [1] * 300_000)

    assert not tally.identifies


def test_a_tally_that_forgot_rare_values_of_a_column_that_repeats_does_not_identify():
    tally = CategoryTally()
    for _ in range(3):
        tally.add([f"v{i}" for i in range(70_000)], [1] * 70_000)
    tally.add([f"w{i}" for i in range(40_000)], [1] * 40_000)

    assert tally.pruned
    assert not tally.identifies


# Round trips -----------------------------------------------------------------------------------------------------------


@given(st.one_of(columns, wild_columns))
def test_a_numeric_layout_survives_json_to_the_last_bit(values):
    layout = learn_numbers(values) or NumericLayout((0.0,))

    again = layout_from_json(json.loads(json.dumps(layout.to_json(), allow_nan=False)))

    assert again == layout


@given(st.lists(st.text(max_size=125), max_size=8), st.booleans())
def test_a_categorical_layout_survives_json_with_what_it_knows_of_rare_values(values, forgot):
    counts = {value: 1 + 9 * position for position, value in enumerate(values)}
    layout = learn_categories(tally_of(counts))
    if forgot:
        layout = CategoricalLayout(layout.categories, None)

    again = layout_from_json(json.loads(json.dumps(layout.to_json(), allow_nan=False)))

    assert again == layout
    assert count_categories(again, values, [1] * len(values)) == count_categories(layout, values, [1] * len(values))
