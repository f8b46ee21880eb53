"""Shortcuts through a file change nothing but the time: every type, batch, row group and path gives the same integers."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftmon.core.baseline import BaselineColumn
from driftmon.core.categories import count_categories
from driftmon.core.compiled import counting_by
from driftmon.core.layout import CategoricalLayout, Kind, NumericLayout, category_key, fingerprint
from driftmon.errors import SourceError
from driftmon.sources.arrow import categories, tally
from driftmon.sources.arrow.batches import record_batch
from driftmon.sources.arrow.categories import CategoryCounts
from driftmon.sources.arrow.counting import count_batches
from driftmon.sources.arrow.decimals import read_decimals
from driftmon.sources.arrow.zones import Zone
from driftmon.sources.base import Selection
from driftmon.sources.files import FilesSource

if TYPE_CHECKING:
    from collections.abc import Sequence

ROWS = 3_000
UTC = Zone("UTC")
relaxed = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=50)
words = st.none() | st.sampled_from(["a", "b", "other", "", "é", "x" * 120, "x" * 121, "rare", "new", "\0"])


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def every_type() -> pa.Table:
    rng = np.random.default_rng(7)
    missing = rng.random(ROWS) < 0.1
    numbers = np.where(rng.random(ROWS) < 0.1, np.nan, np.round(rng.normal(0, 50, ROWS), 1))
    numbers[:3] = np.inf, -np.inf, -0.0
    columns: dict[str, Any] = {}
    for dtype in ("float64", "float32", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"):
        values = numbers if dtype.startswith("f") else np.abs(np.nan_to_num(numbers, posinf=9, neginf=7)) % 120
        columns[dtype] = pa.array(values.astype(dtype))
        columns[f"{dtype} and null"] = pa.array(values.astype(dtype), mask=missing)
    cents = [Decimal(int(cent)).scaleb(-2) for cent in rng.integers(-(10**6), 10**6, ROWS)]
    columns["decimal"] = pa.array(cents, pa.decimal128(12, 2))
    columns["long decimal"] = pa.array([cent * 10**20 for cent in cents], pa.decimal256(60, 2))
    columns["bool"] = pa.array(rng.random(ROWS) < 0.3, mask=missing)
    columns["few"] = pa.array([f"category {n}" for n in rng.zipf(1.5, ROWS) % 40], mask=missing)
    columns["many"] = pa.array([f"street {n}" for n in rng.integers(0, 900, ROWS)])
    columns["coded"] = columns["few"].dictionary_encode()
    columns["time"] = pa.array(rng.integers(0, 10**15, ROWS), mask=missing).cast(pa.timestamp("us", "UTC"))
    columns["date"] = pa.array(rng.integers(-9_000, 9_000, ROWS).astype("int32")).cast(pa.date32())
    return pa.table(columns)


def counted(path: Any, columns: Any) -> Any:
    segments = {"few": ["category 1", "category 2"], "bool": ["true"]}
    with counting_by(path):
        return FilesSource("live", timezone="America/New_York").count(columns, segments=segments)


def test_files_of_every_type_count_the_same_by_every_path_and_cut() -> None:
    table = every_type()
    Path("live").mkdir()
    pq.write_table(table, "live/a.parquet")
    learnt = FilesSource("live", timezone="America/New_York").learn(Selection())
    expected = counted("numpy", learnt.columns)

    found = [counted("compiled", learnt.columns)]
    pq.write_table(table, "live/a.parquet", row_group_size=701, use_dictionary=False)
    found += [counted("numpy", learnt.columns), counted("compiled", learnt.columns)]
    for number in range(3):
        pq.write_table(table.slice(number * 1_000, 1_000), f"live/{'abc'[number]}.parquet")
    found += [counted("compiled", learnt.columns)]

    assert len(learnt.columns) >= 28
    assert expected.problems == {}
    assert [profile == expected for profile in found] == [True] * 4


def test_counts_by_segment_leave_the_counts_of_all_rows_as_they_are() -> None:
    Path("live").mkdir()
    pq.write_table(every_type(), "live/a.parquet", row_group_size=500)
    source = FilesSource("live")
    learnt = source.learn(Selection())

    parted = source.count(learnt.columns, segments={"few": ["category 1"], "int8": ["3"]})

    assert parted.histograms == source.count(learnt.columns).histograms


def test_a_segment_column_that_fails_half_way_does_not_take_the_others_along() -> None:
    Path("live").mkdir()
    one = pa.table({"x": [1.0, 2.0, 3.0], "s": ["a", "b", "a"]})
    pq.write_table(one, "live/a.parquet")
    pq.write_table(one.set_column(1, "s", pa.array([1, 2, 3])), "live/b.parquet")
    columns = {
        "x": BaselineColumn(Kind.NUMERIC, "float64", NumericLayout((1.5, 2.5))),
        "s": BaselineColumn(Kind.CATEGORICAL, "string", CategoricalLayout(("a",))),
    }

    profile = FilesSource("live").count(columns, segments={"s": ["a"]})

    assert profile.histograms["x"].counts == (2, 2, 2, 0)
    assert "type changed from string to int64 in live/b.parquet" in profile.problems["s"]


@relaxed
@given(
    units=st.lists(st.none() | st.integers(-(10**30), 10**30) | st.integers(-(2**53) - 3, 2**53 + 3), max_size=30),
    scale=st.integers(0, 30),
    skip=st.integers(0, 3),
)
def test_decimals_are_the_float_that_their_text_is(units: list[int | None], scale: int, skip: int) -> None:
    values = [None if unit is None else Decimal(unit).scaleb(-scale) for unit in units]
    array = pa.array(values, pa.decimal256(70, scale)).cast(pa.decimal128(38, scale))[skip:]

    floats = read_decimals(array)

    assert floats.equals(array.cast(pa.string()).cast(pa.float64()))


@pytest.mark.parametrize("make", [pa.decimal32, pa.decimal64, pa.decimal128, pa.decimal256])
def test_decimals_of_every_width_are_read(make: Any) -> None:
    array = pa.array([Decimal("1.50"), None, Decimal("-0.07"), Decimal("12345.67")], make(7, 2))

    assert read_decimals(array).to_pylist() == [1.5, None, -0.07, 12345.67]
    assert read_decimals(array[:0]).to_pylist() == []


def category_counts(values: Sequence[str | None], rare: bytes | None, how: str, size: int) -> Any:
    layout = CategoricalLayout(("a", "", category_key("x" * 121), "é"), rare)
    columns = {"s": BaselineColumn(Kind.CATEGORICAL, "string", layout)}
    type_ = pa.string() if how == "string" else pa.large_string()
    batches = []
    for start in range(0, len(values), size):
        array = pa.array(values[start : start + size], type_)
        array = array.dictionary_encode() if how == "coded" else array
        batches.append(record_batch(pa.record_batch([array], ["s"])))
    present = [value for value in values if value is not None]
    expected = count_categories(layout, present, [1] * len(present), nulls=len(values) - len(present))
    return count_batches(batches, columns, zone=UTC).histograms["s"], expected


@pytest.mark.parametrize("rare", [b"", fingerprint("rare").to_bytes(8, "big"), None], ids=["none", "one", "unknown"])
@relaxed
@given(values=st.lists(words, max_size=30), size=st.integers(1, 10))
def test_text_counts_the_same_however_it_is_stored(rare: bytes | None, values: list[str | None], size: int) -> None:
    for how in ("string", "large string", "coded"):
        found, expected = category_counts(values, rare, how, size)

        assert found == expected


def test_rare_categories_are_looked_at_once_and_counted_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tally, "MOST_PENDING", 10)
    names = [f"rare {n}" for n in range(60)]
    marks = sorted(fingerprint(name) for name in names[:50])
    layout = CategoricalLayout(("a",), b"".join(mark.to_bytes(8, "big") for mark in marks))
    asked: list[int] = []
    plain = categories.category_bins
    monkeypatch.setattr(
        categories,
        "category_bins",
        lambda layout, values, **more: asked.append(len(values)) or plain(layout, values, **more),
    )
    counts = CategoryCounts(layout)

    for start in range(0, 600, 20):
        counts.add(pa.array([*(names[(start + n) % 60] for n in range(20)), "a", None]).dictionary_encode())

    histogram = counts.histogram()
    assert (histogram.counts, histogram.novel) == ((30, 600, 30), 100)
    assert counts.new.named()[0] == ("rare 50", 10)
    # Fifty once, the ten new ones and "a" whenever they come.
    assert sum(asked) <= 50 + 10 * 10 + 30


def test_one_truncated_file_among_many_is_named() -> None:
    table = pa.table({"x": np.random.default_rng(0).normal(size=5_000)})
    Path("live").mkdir()
    for name in "abcde":
        pq.write_table(table, f"live/{name}.parquet")
    columns = FilesSource("live/a.parquet").learn(Selection()).columns
    content = Path("live/d.parquet").read_bytes()
    Path("live/d.parquet").write_bytes(content[:-100])

    with pytest.raises(SourceError, match=r"^live/d\.parquet: cannot be read: .*write it again$"):
        FilesSource("live").count(columns)


def test_a_file_that_vanishes_while_others_are_read_is_named() -> None:
    table = pa.table({"x": np.random.default_rng(0).normal(size=5_000)})
    Path("live").mkdir()
    for number in range(10):
        pq.write_table(table, f"live/{number}.parquet")
    columns = FilesSource("live/0.parquet").learn(Selection()).columns

    def remove(rows: int, total: int | None) -> None:
        Path("live/9.parquet").unlink(missing_ok=True)

    with pytest.raises(SourceError, match=r"^live/9\.parquet: no such file or folder"):
        FilesSource("live", progress=remove).count(columns)


def test_damaged_codes_are_refused_before_they_are_counted() -> None:
    damaged = pa.DictionaryArray.from_arrays(pa.array([0, 7, 1], pa.int32()), pa.array(["a", "b"]), safe=False)
    counts = CategoryCounts(CategoricalLayout(("a",)))
    counts.add(damaged)

    with pytest.raises(IndexError, match="codes outside of a dictionary of 2 values"):
        counts.histogram()
