"""Learning from the reference: what is monitored, what is left out and why, and in how much memory."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

from driftmon.core.layout import CategoricalLayout, Kind, NumericLayout
from driftmon.core.learning import learn_numbers
from driftmon.errors import SourceError
from driftmon.sources.arrow.learning import Learning
from driftmon.sources.arrow.reading import Reader
from driftmon.sources.arrow.tables import TableRows
from driftmon.sources.base import Selection
from driftmon.sources.memory import MemorySource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from driftmon.core.baseline import Learnt
    from driftmon.sources.arrow.batches import Batch
    from driftmon.sources.arrow.timefilter import TimeFilter

HOURLY = [datetime(2013, 5, 1) + timedelta(hours=n) for n in range(480)]


def learn(columns: dict[str, Any], **selection: Any) -> Learnt:
    return MemorySource(columns).learn(Selection(**selection))


def reason(columns: dict[str, Any], name: str) -> str | None:
    return {item.column: item.reason for item in learn(columns).excluded}.get(name)


# --- what is monitored -------------------------------------------------------------------------------------------------------


def test_columns_keep_the_order_of_the_data() -> None:
    columns = {"z": [1.5, 1.5], "at": HOURLY[:2], "a": [True, False]}

    assert list(learn(columns, include=["a", "at", "z"]).columns) == ["z", "at.hour", "at.weekday", "a"]


def test_parts_can_be_included_and_excluded_by_their_names() -> None:
    columns = {"at": HOURLY, "x": np.linspace(0, 1, 480)}

    assert set(learn(columns, include=["at.hour", "x"]).columns) == {"at.hour", "x"}
    assert set(learn(columns, exclude=["at.hour"]).columns) == {"at.weekday", "x"}
    assert set(learn(columns, exclude=["at"]).columns) == {"x"}
    assert set(learn(columns, include=["at"], exclude=["at.weekday"]).columns) == {"at.hour"}


@pytest.mark.parametrize(
    ("selection", "said"),
    [
        ({"include": ["pric"]}, "column 'pric' of include is not in the data: did you mean 'price'?"),
        ({"exclude": ["Price"]}, "column 'Price' of exclude is not in the data: did you mean 'price'?"),
        ({"kinds": {"zzz": Kind.NUMERIC}}, "column 'zzz' of kinds is not in the data: it has 'price', 'at'"),
        ({"include": ["price", "price"]}, "include names 'price' more than once"),
        ({"exclude": ["at", "at"]}, "exclude names 'at' more than once"),
        ({"include": ["price.hour"]}, "column 'price.hour' of include is not in the data: 'price' has no such part"),
        ({"exclude": ["at.minute"]}, "column 'at.minute' of exclude is not in the data"),
    ],
)
def test_a_selection_that_names_what_is_not_there_is_an_error(selection: dict[str, Any], said: str) -> None:
    with pytest.raises(SourceError) as caught:
        learn({"price": [1.0, 2.0], "at": HOURLY[:2]}, **selection)

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_column_named_like_a_part_of_another_is_monitored_and_the_other_is_left_out_with_a_reason() -> None:
    learnt = learn({"a": HOURLY, "a.hour": np.linspace(0, 1, 480)})

    assert list(learnt.columns) == ["a.hour"]
    assert learnt.columns["a.hour"].kind is Kind.NUMERIC
    assert learnt.excluded[0].column == "a"
    assert "its part would be named 'a.hour', which is a column of its own" in learnt.excluded[0].reason


def test_a_part_of_a_part_is_a_part_of_a_column_with_a_dot() -> None:
    source = MemorySource({"a.hour": HOURLY})
    learnt = source.learn(Selection())

    assert list(learnt.columns) == ["a.hour.hour", "a.hour.weekday"]
    assert source.count(learnt.columns).histograms["a.hour.hour"].rows == 480


def test_a_constant_column_is_monitored() -> None:
    learnt = learn({"n": [7] * 50, "s": ["same"] * 50, "b": [True] * 50, "f": [0.0, -0.0] * 25})

    assert set(learnt.columns) == {"n", "s", "b", "f"}
    layout = learnt.columns["f"].layout
    assert isinstance(layout, NumericLayout)
    assert layout.edges[-1] == 0


def test_extreme_numbers_are_numbers() -> None:
    values = [
        1e300,
        -1e300,
        5e-324,
        -5e-324,
        0.0,
        -0.0,
        float("inf"),
        float("-inf"),
        float("nan"),
        1.7976931348623157e308,
    ]
    source = MemorySource({"x": values * 3})

    learnt = source.learn(Selection())
    histogram = source.count(learnt.columns).histograms["x"]

    assert histogram.rows == 30
    assert histogram.missing == 3


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([None] * 30, "no values in the reference"),
        (pa.nulls(30), "no values in the reference"),
        (pa.nulls(30, pa.string()), "no values in the reference"),
        (pa.nulls(30, pa.timestamp("us")), "no values in the reference"),
        ([float("nan")] * 30, "no values in the reference"),
        ([float("inf")] * 30, "no finite values in the reference"),
    ],
    ids=["None", "null", "strings", "timestamps", "NaN", "inf"],
)
def test_a_column_without_values_is_left_out_once_with_the_reason(values: Any, said: str) -> None:
    learnt = learn({"x": values, "y": [1.5] * 30})

    assert [(item.column, item.reason) for item in learnt.excluded] == [("x", said)]


def test_no_rows_are_an_error_even_if_there_is_nothing_to_monitor() -> None:
    for columns in ({"x": []}, {"x": pa.nulls(0)}, {"x": pa.array([], pa.binary())}):
        with pytest.raises(SourceError, match="the reference has no rows; a baseline needs some"):
            learn(columns)


# --- identifiers -------------------------------------------------------------------------------------------------------------

SHUFFLED = random.Random(0).sample(range(1_000), 1_000)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("row", range(1_000)),
        ("row", SHUFFLED),
        ("row", [float(n) for n in SHUFFLED]),
        ("row", random.Random(1).sample(range(20_000), 1_000)),
        ("id", [n * 10_007 for n in range(30)]),
        ("user_id", [n * 10_007 // 2 for n in range(30)]),
        ("userId", [n * 10_007 for n in range(30)]),
        ("userID", [n * 10_007 for n in range(30)]),
        ("UUID", [n * 10_007 for n in range(30)]),
        ("hash", [2**53, 5, 5]),
        ("hash", pa.array([-(2**60), 5, 5])),
        ("hash", pa.array([2**64 - 1, 5, 5], pa.uint64())),
        ("key", [f"order {n}" for n in range(300)]),
        ("note", ["same"] * 100 + [f"free text {n}" for n in range(120)]),
    ],
)
def test_identifiers_are_left_out_with_the_numbers_and_what_to_do(name: str, values: Any) -> None:
    said = reason({name: values if isinstance(values, pa.Array) else list(values), "y": [1.5] * len(values)}, name)

    assert said is not None
    assert said.startswith("looks like an identifier")
    if name != "hash":
        assert f"{len(values):,} rows" in said
        assert f"set its kind: {{{name}: " in said


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("price", [n % 400 for n in range(1_000)]),
        ("elevation", random.Random(2).sample(range(2_000_000), 1_000)),
        ("score", np.random.default_rng(0).normal(size=1_000)),
        ("year", range(1_990, 2_013)),
        ("store_id", [n % 12 for n in range(1_000)]),
        ("paid", [n * 10_007 for n in range(30)]),
        ("android", [n * 10_007 for n in range(30)]),
        ("ratio_id", np.random.default_rng(0).normal(size=1_000)),
        ("word", [f"word {n % 100}" for n in range(300)]),
        ("huge", [1e300, 2.0**53, 1.5]),
    ],
)
def test_quantities_and_categories_are_not_taken_for_identifiers(name: str, values: Any) -> None:
    assert reason({name: list(values)}, name) is None


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (list(range(1_000)), Kind.NUMERIC),
        ([2**60 + n for n in range(50)], Kind.NUMERIC),
        ([f"k{n}" for n in range(100)], Kind.CATEGORICAL),
        (list(range(100)), Kind.CATEGORICAL),
    ],
)
def test_an_owner_who_names_the_kind_has_identifiers_monitored(values: list[Any], kind: Kind) -> None:
    learnt = learn({"id": values}, kinds={"id": kind})

    assert learnt.columns["id"].kind is kind


def test_few_rows_of_truths_and_times_are_no_identifiers() -> None:
    learnt = learn({"b": [True, False], "at": HOURLY[:2]})

    assert set(learnt.columns) == {"b", "at.hour", "at.weekday"}


# --- memory ------------------------------------------------------------------------------------------------------------------


class CountedRows(TableRows):
    """Rows that remember what was read of them."""

    def __init__(self, table: pa.Table, batch_rows: int) -> None:
        super().__init__(table, batch_rows)
        self.passes: list[set[str]] = []

    def batches(self, names: Collection[str], filter_: TimeFilter | None) -> Iterator[Batch]:
        self.passes.append(set(names))
        return super().batches(names, filter_)


def mixed(rows: int) -> pa.Table:
    rng = np.random.default_rng(0)
    return pa.table(
        {
            "a": rng.normal(size=rows),
            "b": rng.integers(0, 50, rows),
            "c": [f"c{n}" for n in rng.integers(0, 40, rows)],
            "d": rng.normal(size=rows),
            "at": pa.array(rng.integers(0, 10**9, rows), pa.timestamp("s")),
        }
    )


@pytest.mark.parametrize("budget", [1, 8_000, 16_000, 10**9])
def test_layouts_do_not_depend_on_how_many_values_fit_in_memory(budget: int) -> None:
    rows = CountedRows(mixed(1_000), batch_rows=64)

    learnt = Learning(Reader(rows, None, "UTC", None), Selection(), budget=budget).learn()

    assert learnt == MemorySource(mixed(1_000)).learn(Selection())
    # Whole numbers are known once they are counted; of others those next to quantiles are looked at again.
    assert rows.passes == [{"a", "b", "c", "d", "at"}] + [{"a", "d"}] * (len(rows.passes) - 1)
    assert len(rows.passes) == (1 if budget == 10**9 else 2)


def test_only_the_columns_in_hand_are_read() -> None:
    rows = CountedRows(mixed(100), batch_rows=64)

    Learning(Reader(rows, None, "UTC", None), Selection(include=["a", "at.hour"])).learn()

    assert rows.passes == [{"a", "at"}]


def test_learning_is_exact_over_batches() -> None:
    table = mixed(5_000)

    learnt = Learning(Reader(CountedRows(table, batch_rows=7), None, "UTC", None), Selection()).learn()

    assert learnt.columns["a"].layout == learn_numbers(table.column("a").to_numpy())


def test_more_categories_than_are_kept_leave_the_frequent_ones() -> None:
    rare = [f"rare {n}" for n in range(130_000)]
    values = [value for each in rare for value in (each, "often", "often")]

    learnt = MemorySource({"x": pa.array(values)}).learn(Selection())

    layout = learnt.columns["x"].layout
    assert isinstance(layout, CategoricalLayout)
    assert layout.categories[0] == "often"
    assert layout.rare is None
    assert learnt.columns["x"].singletons is None


def test_very_many_categories_are_counted_whole() -> None:
    live = MemorySource({"x": pa.array([f"new {n}" for n in range(400_000)] + ["often"] * 1_000)})
    learnt = learn({"x": ["often", "rare"] * 30})

    histogram = live.count(learnt.columns).histograms["x"]

    assert histogram.counts == (1_000, 0, 400_000, 0)
    assert histogram.novel == 400_000


def test_a_million_distinct_strings_are_an_identifier() -> None:
    values = pa.array([f"string number {n}" for n in range(1_000_000)])

    said = reason({"x": values, "y": np.ones(1_000_000)}, "x")

    assert said is not None
    assert "about 992,000 (within 4.7 %) distinct values in 1,000,000 rows" in said


def test_memory_stays_bounded_over_a_million_distinct_strings(tmp_path: Path) -> None:
    code = """
import resource, sys
import pyarrow as pa, pyarrow.parquet as pq
from driftmon.core.layout import Kind
from driftmon.sources.base import Selection
from driftmon.sources.files import FilesSource

with pq.ParquetWriter(sys.argv[1], pa.schema([("s", pa.string())])) as writer:
    for start in range(0, 1_000_000, 50_000):
        writer.write_table(pa.table({"s": [f"a string of some length, number {n}" for n in range(start, start + 50_000)]}))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
source = FilesSource(sys.argv[1])
learnt = source.learn(Selection(kinds={"s": Kind.CATEGORICAL}))
print(source.count(learnt.columns).rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""

    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "s.parquet")], capture_output=True, text=True, check=True
    )

    rows, mebibytes = map(int, done.stdout.split())
    assert rows == 1_000_000
    assert mebibytes < 500
