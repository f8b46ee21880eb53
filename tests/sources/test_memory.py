"""Rows in memory: frames of every library, and what is wrong with some of them."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from driftmon.core.layout import CategoricalLayout, Kind
from driftmon.errors import SourceError
from driftmon.sources.base import Selection
from driftmon.sources.memory import MemorySource


def dtype(column: Any) -> str:
    return MemorySource({"x": column}).inspect().columns[0].dtype


def categories(column: Any) -> tuple[str, ...]:
    layout = MemorySource({"x": column}).learn(Selection(kinds={"x": Kind.CATEGORICAL})).columns["x"].layout
    assert isinstance(layout, CategoricalLayout)
    return layout.categories


def test_the_index_of_a_pandas_frame_is_not_a_column() -> None:
    frame = pd.DataFrame({"x": [1.5, 2.5]}, index=pd.Index(["u", "v"], name="who"))

    assert [column.name for column in MemorySource(frame).inspect().columns] == ["x"]
    assert MemorySource(frame).inspect().rows == 2


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.Series([1, 2, None], dtype="Int64"), "int64"),
        (pd.Series([1.5, None], dtype="Float32"), "float32"),
        (pd.Series([True, None], dtype="boolean"), "bool"),
        (pd.Series(["a", None], dtype="string"), "string"),
        (pd.Series(["a", None], dtype="category"), "string"),
        (pd.Series([3, 1], dtype="category"), "int64"),
        (pd.Series([datetime(2013, 5, 1), None]), "timestamp"),
        (pd.Series(pd.to_datetime(["2013-05-01"]).tz_localize("Europe/Berlin")), "timestamp"),
        (pd.Series([pd.Timedelta(1), None]), "duration"),
        (pd.Series([date(2013, 5, 1), None]), "date"),
        (pd.Series([Decimal("1.50"), None]), "decimal"),
        (pd.Series([True, None], dtype=object), "bool"),
        (pd.Series([1, 2.5, None], dtype=object), "float64"),
        (pd.Series([1, "a"], dtype=object), "string"),
        (pd.Series(pd.arrays.SparseArray([0.0, 1.0])), "float64"),
        (pd.Series([[1], [2]]), "list"),
        (pd.Series(pd.period_range("2013-05", periods=2, freq="M")), "pandas.period"),
        (np.array([1.5, 2.5], dtype=np.float16), "float16"),
        (np.array(["a", "b"]), "string"),
        (np.array(["2013-05-01"], dtype="datetime64[D]"), "date"),
        (np.ma.masked_array([1, 2], mask=[True, False]), "int64"),
        (pl.Series([1, None], dtype=pl.UInt8), "uint8"),
        (pl.Series(["a", "b"], dtype=pl.Enum(["a", "b"])), "string"),
        (pa.chunked_array([[1], [2]]), "int64"),
        ([1, 2, None], "int64"),
        ((True, False), "bool"),
        ([None, None], "null"),
        (range(3), "int64"),
    ],
    ids=lambda value: (
        value if isinstance(value, str) else type(value).__name__ + str(getattr(value, "dtype", value))[:40]
    ),
)
def test_columns_of_every_library_have_their_types(column: Any, expected: str) -> None:
    assert dtype(column) == expected


def test_values_of_mixed_types_are_categories_of_their_text() -> None:
    mixed = [1, "1", 2.5, True, None, float("nan"), pd.NA, pd.NaT, np.float64("nan"), Decimal(7)] * 30

    source = MemorySource(pd.DataFrame({"x": pd.Series(mixed, dtype=object)}))
    learnt = source.learn(Selection())

    layout = learnt.columns["x"].layout
    assert isinstance(layout, CategoricalLayout)
    assert layout.categories == ("1", "2.5", "7", "True")
    assert source.count(learnt.columns).histograms["x"].counts == (60, 30, 30, 30, 0, 150)


def test_strings_survive_whatever_they_hold() -> None:
    odd = ['say "hi"', "two\nlines", "nul\0inside", "☃ 🛩️", "", " ", "x" * 1_000_000, "NaN", "é"]

    for column in (odd * 30, pd.Series(odd * 30), pa.array(odd * 30), pl.Series(odd * 30)):
        found = categories(column)

        assert len(found) == len(odd)
        assert set(odd) - {"x" * 1_000_000} < set(found)


MAKERS = {
    "list": list,
    "series": lambda values: pd.Series(values, dtype=object),
    "array": lambda values: np.array(values, dtype=object),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_lone_surrogates_survive_and_stay_apart(make: Any) -> None:
    values = ["\ud800", "\ud801", "plain", None] * 30
    source = MemorySource({"x": make(values)})

    learnt = source.learn(Selection())

    layout = learnt.columns["x"].layout
    assert isinstance(layout, CategoricalLayout)
    assert sorted(layout.categories) == ["plain", "\ud800", "\ud801"]
    profile = source.count(learnt.columns, segments={"x": ["\ud800"]})
    assert profile.histograms["x"].counts == (30, 30, 30, 0, 30)
    assert profile.segments["x=\ud800"].rows == 30


def test_text_that_is_not_text_at_all_stays_apart() -> None:
    broken = pa.array([b"\xff", b"\xfe", b"ok"] * 30).cast(pa.string(), safe=False)

    assert len(categories(broken)) == 3


def test_a_reader_that_can_be_read_once_serves_every_call() -> None:
    table = pa.table({"x": [1.0, 2.0, 2.0, 4.0]})
    source = MemorySource(table.to_reader())

    inspection = source.inspect()
    learnt = source.learn(Selection())
    profiles = [source.count(learnt.columns) for _ in range(2)]

    assert inspection.rows == 4
    assert profiles[0] == profiles[1] == MemorySource(table).count(learnt.columns)


def test_one_source_can_be_counted_by_many_threads_at_once() -> None:
    table = pa.table({"x": np.random.default_rng(0).normal(size=200_000), "c": ["a", "b"] * 100_000})
    learnt = MemorySource(table).learn(Selection())
    source = MemorySource(table.to_reader())

    with ThreadPoolExecutor(4) as pool:
        profiles = list(pool.map(lambda _: source.count(learnt.columns), range(8)))

    assert all(profile == profiles[0] for profile in profiles)
    assert profiles[0].rows == 200_000


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "column name 'a' comes more than once"),
        (pd.DataFrame([[1, 2]], columns=["1", 1]), "column name '1' comes more than once"),
        (pa.table([[1], [2]], names=["a", "a"]), "column name 'a' comes more than once"),
        ({"a": [1, 2], "b": [1]}, "columns must have the same number of rows: 'a' has 2, 'b' has 1"),
        ({"a": 5}, "column 'a' is 5; expected an array or a list"),
        ({"a": "text"}, "column 'a' is 'text'; expected an array or a list"),
        ({"a": np.ones((2, 2))}, "column 'a' has 2 dimensions"),
        ([1, 2, 3], "cannot read rows from 'list'; expected a pandas or Polars data frame"),
        (None, "cannot read rows from 'NoneType'"),
        (pl.LazyFrame({"a": [1]}), "call .collect() first"),
        (pa.array([1, 2]), "cannot read"),
        (pl.Series("a", [1, 2]), "cannot read"),
        (pd.Series([1, 2]), "cannot read"),
    ],
    ids=str,
)
def test_what_is_no_table_is_an_error_in_one_line(data: Any, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        MemorySource(data).inspect()

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_making_a_source_reads_nothing() -> None:
    MemorySource(object(), timestamp="x", timezone="nowhere")


def test_sources_can_be_imported_without_arrow_or_pandas() -> None:
    code = (
        "import sys; from driftmon.sources.files import FilesSource; from driftmon.sources.memory import MemorySource; "
        "FilesSource('x.parquet'); MemorySource({}); print({'pyarrow', 'pandas', 'fsspec'} & set(sys.modules))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


def test_an_unknown_zone_is_an_error_when_rows_are_read() -> None:
    with pytest.raises(SourceError, match="time zone 'Mars' is unknown"):
        MemorySource({"x": [1]}, timezone="Mars").count({})


def test_segments_whose_column_is_gone_are_left_out_and_said() -> None:
    source = MemorySource({"x": [1.5, 2.5, 2.5], "s": ["a", "b", "b"]})
    learnt = source.learn(Selection(include=["x"]))

    profile = MemorySource({"x": [1.5, 2.5, 2.5]}).count(learnt.columns, segments={"s": ["a", "b"]})

    assert profile.histograms["x"].rows == 3
    assert profile.segments == {}
    assert profile.problems["s"].startswith("gone: not in the data")


def test_zoned_and_naive_times_can_stand_side_by_side() -> None:
    at = [datetime(2013, 5, 1, tzinfo=UTC), datetime(2013, 5, 1, 1)]

    assert dtype(pd.Series(at, dtype=object)) in {"string", "timestamp"}
