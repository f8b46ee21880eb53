"""Clues: the rows that are picked, and the new categories that are named."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftmon.core.clues import SAMPLE, Clues, numeric_clues
from driftmon.core.layout import Kind
from driftmon.core.window import Window
from driftmon.sources.arrow.sampling import Sample
from driftmon.sources.base import Selection
from driftmon.sources.files import FilesSource
from driftmon.sources.memory import MemorySource

if TYPE_CHECKING:
    from pathlib import Path


@given(st.lists(st.integers(0, 5_000) | st.integers(0, 40), max_size=12))
def test_the_rows_that_are_picked_follow_from_how_many_there_are(batches: list[int]) -> None:
    rows = sum(batches)
    step = 1
    while -(-rows // step) > SAMPLE:
        step *= 2
    sample, first = Sample(["x"]), 0

    for size in batches:
        sample.add({"x": pa.array(np.arange(first, first + size))}, size)
        first += size

    assert sample.values("x").tolist() == list(range(0, rows, step))
    assert len(sample.values("x")) > SAMPLE // 2 or step == 1


def test_a_column_that_cannot_be_counted_any_more_has_no_sample() -> None:
    sample = Sample(["x", "y"])

    sample.add({"x": pa.array([1]), "y": pa.array([2])}, 1)
    sample.add({"y": pa.array([3])}, 1)

    assert sample.values("y").tolist() == [2, 3]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1, None, 3], pa.int64()),
        pa.array([1, None, 3], pa.float16()),
        pa.array([1, None, 3], pa.uint8()),
        pa.array([1, float("nan"), 3], pa.float32()),
    ],
    ids=lambda values: str(values.type),
)
def test_numbers_of_any_type_are_picked_with_nan_for_none(values: Any) -> None:
    sample = Sample(["x"])

    sample.add({"x": values}, 3)

    np.testing.assert_array_equal(sample.values("x"), [1, np.nan, 3])


def table(rows: int = 20_000) -> pa.Table:
    rng = np.random.default_rng(5)
    start = np.datetime64("2013-03-09T00:00:00", "us")
    return pa.table(
        {
            "at": start + rng.integers(0, 4 * 86_400_000_000, rows),
            "x": pa.array(rng.normal(size=rows), mask=rng.random(rows) < 0.05),
            "n": rng.integers(0, 50, rows),
            "s": rng.choice(["a", "b", "c", "d", "e"], rows, p=[0.4, 0.3, 0.2, 0.0997, 0.0003]).tolist(),
        }
    )


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_files_and_batches_make_no_difference(tmp_path: Path, suffix: str) -> None:
    content = table()
    learnt = MemorySource(content.slice(0, 500)).learn(Selection())
    for number in range(4):
        part = content.slice(number * 5_000, 5_000)
        if suffix == "parquet":
            pq.write_table(part, tmp_path / f"{number}.parquet", row_group_size=300)
        else:
            pyarrow.feather.write_feather(part, tmp_path / f"{number}.feather", chunksize=7)

    profile = FilesSource(tmp_path).count(learnt.columns)

    assert profile == MemorySource(content).count(learnt.columns)
    assert profile.clues["x"] == numeric_clues(
        learnt.columns["x"].layout, content["x"].to_numpy()[::8].astype(np.float64)
    )


def test_rows_of_other_windows_are_not_picked() -> None:
    content = table()
    source = MemorySource(content, timestamp="at")
    learnt = source.learn(Selection())
    window = Window(
        *(
            content["at"].to_pylist()[0].replace(hour=hour, minute=0, second=0, microsecond=0, tzinfo=UTC)
            for hour in (0, 12)
        )
    )

    profile = source.count(learnt.columns, window)

    at = content["at"].to_numpy()
    start, end = (np.datetime64(bound.replace(tzinfo=None)) for bound in (window.start, window.end))
    inside = content.filter(pa.array((at >= start) & (at < end)))
    assert 0 < inside.num_rows < content.num_rows
    assert profile.clues == MemorySource(inside).count(learnt.columns).clues


def test_new_categories_are_named_if_they_have_rows_enough() -> None:
    learnt = MemorySource({"s": ["a"] * 50 + ["b"], "flag": [True] * 51}).learn(Selection())
    live = ["a", "b", None, "x" * 200, *["often"] * 9, *["also"] * 9, *["rarely"] * 4]

    profile = MemorySource({"s": live, "flag": [False] * len(live)}).count(learnt.columns, segments={"s": ["a"]})

    assert profile.clues == {
        "s": Clues(len(live) - 1, new=(("also", 9), ("often", 9))),
        "flag": Clues(len(live), new=(("false", len(live)),)),
    }
    assert profile.segments["s=a"].clues == {}


def test_what_cannot_be_counted_has_no_clues_and_neither_have_no_rows() -> None:
    learnt = MemorySource({"x": [1.0, 2.0], "s": ["a", "a"]}).learn(Selection(kinds={"s": Kind.CATEGORICAL}))

    assert MemorySource({"s": ["a"]}).count(learnt.columns).clues.keys() == {"s"}
    assert MemorySource({"x": [], "s": []}).count(learnt.columns).clues == {}
    assert MemorySource({"x": [1.0]}).count({}).clues == {}
