"""Laws of counting, over random tables, random files and random batches."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftmon.core.histogram import Profile
from driftmon.core.layout import Kind
from driftmon.sources.base import Selection
from driftmon.sources.files import FilesSource
from driftmon.sources.memory import MemorySource
from tests.checks import empty_profile
from tests.sources import brute

if TYPE_CHECKING:
    import random

ZONE = "Europe/Berlin"
SCHEMA = pa.schema([
    ("f", pa.float64()), ("i", pa.int16()), ("b", pa.bool_()), ("s", pa.string()), ("t", pa.timestamp("us"))
])  # fmt: skip
KINDS = {"f": Kind.NUMERIC, "i": Kind.NUMERIC, "b": Kind.BOOLEAN, "s": Kind.CATEGORICAL, "t": Kind.DATETIME}

row = st.fixed_dictionaries(
    {
        "f": st.none() | st.floats(),
        "i": st.none() | st.integers(-5, 5),
        "b": st.none() | st.booleans(),
        "s": st.none() | st.sampled_from(["a", "b", "c", "", "é", "other"]),
        "t": st.none() | st.datetimes(datetime(2013, 1, 1), datetime(2014, 1, 1)),
    }
)
rows = st.lists(row, max_size=40)
reference = st.lists(row, min_size=1, max_size=60)
relaxed = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)


def table(content: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(content, schema=SCHEMA)


def source(content: list[dict[str, Any]]) -> MemorySource:
    return MemorySource(table(content), timezone=ZONE)


def learn(content: list[dict[str, Any]]) -> Any:
    return source(content).learn(Selection(kinds=KINDS))


@relaxed
@given(reference, rows)
def test_counts_are_what_a_row_by_row_count_counts_and_sum_to_the_rows(past: list[Any], live: list[Any]) -> None:
    learnt = learn(past)

    profile = source(live).count(learnt.columns)

    assert profile == brute.count(live, learnt.columns, ZONE, past)
    assert {histogram.rows for histogram in profile.histograms.values()} <= {len(live)}


@relaxed
@given(reference, rows, rows)
def test_counts_of_two_parts_add_to_the_counts_of_both(past: list[Any], one: list[Any], two: list[Any]) -> None:
    learnt = learn(past)

    total = source(one).count(learnt.columns) + source(two).count(learnt.columns)

    assert total == replace(source(one + two).count(learnt.columns), clues={})


@relaxed
@given(reference, rows, st.randoms(use_true_random=False))
def test_the_order_of_rows_is_irrelevant(past: list[Any], live: list[Any], rng: random.Random) -> None:
    shuffled_past, shuffled = rng.sample(past, len(past)), rng.sample(live, len(live))
    learnt = learn(past)

    assert learn(shuffled_past) == learnt
    assert source(shuffled).count(learnt.columns) == source(live).count(learnt.columns)


@relaxed
@given(reference, rows, st.lists(st.integers(0, 40), max_size=4), st.integers(1, 50))
def test_any_split_into_files_and_batches_counts_the_same(
    past: list[Any], live: list[Any], cuts: list[int], batch: int
) -> None:
    learnt = learn(past)
    bounds = [0, *sorted(min(cut, len(live)) for cut in cuts), len(live)]
    with TemporaryDirectory() as folder:
        for number, (start, end) in enumerate(pairwise(bounds)):
            part = table(live).slice(start, end - start)
            if number % 2:
                pq.write_table(part, f"{folder}/{number}.parquet", row_group_size=batch)
            else:
                pyarrow.feather.write_feather(part, f"{folder}/{number}.feather", chunksize=batch)

        profile = FilesSource(folder, timezone=ZONE).count(learnt.columns)

    assert profile == source(live).count(learnt.columns)


@relaxed
@given(reference, rows)
def test_text_in_files_counts_like_the_values_it_was_made_of(past: list[Any], live: list[Any]) -> None:
    learnt = learn(past)
    with TemporaryDirectory() as folder:
        pyarrow.csv.write_csv(table(live), f"{folder}/live.csv")

        profile = FilesSource(folder, timezone=ZONE).count(learnt.columns)

    assert profile == source(live).count(learnt.columns)


@relaxed
@given(reference)
def test_the_reference_counted_again_fills_every_bin_of_its_own_categories(past: list[Any]) -> None:
    learnt = learn(past)

    profile = source(past).count(learnt.columns)

    for name, histogram in profile.histograms.items():
        layout = learnt.columns[name].layout
        own = len(getattr(layout, "categories", ()))
        assert all(histogram.counts[:own])
        assert histogram.novel in {0, None}


@relaxed
@given(reference, st.lists(row, min_size=1, max_size=20))
def test_only_rows_without_a_value_are_missing(past: list[Any], live: list[Any]) -> None:
    learnt = learn(past)

    profile = source(live).count(learnt.columns)

    for name, histogram in profile.histograms.items():
        values = [brute.value_of(each, name, learnt.columns[name].kind, ZONE) for each in live]
        assert histogram.missing == values.count(None)


@relaxed
@given(reference, rows)
def test_segments_of_every_value_and_missing_rows_sum_to_all_rows(past: list[Any], live: list[Any]) -> None:
    learnt = learn(past)
    values = sorted({each["s"] for each in live if each["s"] is not None})

    profile = source(live).count(learnt.columns, segments={"s": values})

    absent = source([each for each in live if each["s"] is None]).count(learnt.columns)
    total = sum(profile.segments.values(), absent)
    assert all(part.clues == {} for part in profile.segments.values())
    assert (total.rows, total.histograms) == (profile.rows, profile.histograms)


@given(st.lists(st.text(string.printable, max_size=8), min_size=1, max_size=40))
@settings(deadline=None, max_examples=60)
def test_any_text_survives_a_csv_file(values: list[str]) -> None:
    content = [value for value in values if "\r" not in value]
    column = {"x": pa.array([*content, "end"])}
    learnt = MemorySource(column).learn(Selection(kinds={"x": Kind.CATEGORICAL}))
    with TemporaryDirectory() as folder:
        pyarrow.csv.write_csv(pa.table({**column, "y": [1] * (len(content) + 1)}), f"{folder}/live.csv")

        profile = FilesSource(folder).count(learnt.columns)

    assert profile == MemorySource(column).count(learnt.columns)


def test_an_empty_profile_is_what_no_rows_count() -> None:
    learnt = learn([{"f": 1.5, "i": 1, "b": True, "s": "a", "t": None}])

    profile = source([]).count(learnt.columns, segments={"s": ["a"]})

    assert profile == empty_profile(learnt.layouts, ["s=a"])
    assert isinstance(profile, Profile)
