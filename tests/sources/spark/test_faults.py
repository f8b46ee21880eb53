"""What Spark says when something is wrong, in one line, with what is wrong and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftmon.errors import DataNotReady, SourceError, SourceUnavailable
from driftmon.sources.base import Selection
from driftmon.sources.memory import MemorySource
from driftmon.sources.spark.faults import asking
from driftmon.sources.spark.source import SparkSource

if TYPE_CHECKING:
    from pathlib import Path

TABLE = pa.table({"x": [float(n % 7) for n in range(100)], "city": ["JFK"] * 100})


def test_a_damaged_file_is_named(spark_session: Any, tmp_path: Path) -> None:
    for name in ("a", "b"):
        pq.write_table(TABLE, tmp_path / f"{name}.parquet")
    whole = (tmp_path / "b.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(whole[:100])
    learnt = MemorySource(TABLE).learn(Selection())

    with pytest.raises(SourceError) as caught:
        SparkSource(path=str(tmp_path), session=spark_session).count(learnt.columns)

    assert not caught.value.retryable
    assert f"file {tmp_path}/b.parquet cannot be read: it may be damaged" in str(caught.value)


def test_a_file_of_another_type_than_the_others_is_named(spark_session: Any, tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "a.parquet")
    pq.write_table(TABLE.set_column(0, "x", pa.array(["word"] * 100)), tmp_path / "b.parquet")
    learnt = MemorySource(TABLE).learn(Selection())

    with pytest.raises(SourceError) as caught:
        SparkSource(path=str(tmp_path), session=spark_session).count(learnt.columns)

    assert f"file {tmp_path}/b.parquet cannot be read" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_value_that_cannot_be_read_is_said_by_the_executor_that_met_it(spark_session: Any) -> None:
    query = "select if(id = 70, 'soon', '2013-01-01') as at, id as x from range(100)"
    source = SparkSource(query=query, session=spark_session, timestamp="at")

    with pytest.raises(SourceError, match=r"^timestamp column 'at' in the query: value 'soon' is not"):
        source.span()


def test_workers_without_python_are_an_error(spark_session: Any) -> None:
    context = spark_session.sparkContext
    before, context.pythonExec = context.pythonExec, "/nowhere/python"
    try:
        with pytest.raises(SourceError) as caught:
            SparkSource(query="select 1 as x", session=spark_session).count({})
    finally:
        context.pythonExec = before

    assert str(caught.value) == (
        "the query: workers have no Python at '/nowhere/python'; set PYSPARK_PYTHON to one that has numpy and pyarrow"
    )


def test_files_of_a_window_that_have_not_come_are_worth_waiting_for(spark_session: Any, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    from driftmon.core.window import Window

    window = Window(datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 2, tzinfo=UTC))
    dated = SparkSource(path=f"{tmp_path}/{{start:%Y-%m-%d}}.parquet", session=spark_session)
    plain = SparkSource(path=f"{tmp_path}/nowhere", session=spark_session)

    with pytest.raises(DataNotReady, match=r"2013-01-01\.parquet: no file for the window yet"):
        dated.count({}, window)
    with pytest.raises(SourceError, match="nowhere: no such file or folder for the cluster; check the path"):
        plain.count({}, window)


SAID = [
    (
        "Job aborted due to stage failure: Task 0 in stage 1.0 failed 4 times, most recent failure: Lost task 0.3 in stage "
        "1.0 (TID 5) (10.0.0.7 executor 1): org.apache.hadoop.security.AccessControlException: Permission denied: user=app, "
        "access=READ",
        SourceError,
        "table t: no permission to read it; check the rights of who runs Spark's executors",
    ),
    (
        "An exception was thrown from the Python worker:\nTraceback (most recent call last):\n"
        "ModuleNotFoundError: No module named 'pyarrow'",
        SourceError,
        "table t: workers have no package 'pyarrow'; install numpy and pyarrow for their Python",
    ),
    (
        "[PYTHON_VERSION_MISMATCH] Python in worker has different version: 3.9 than that in driver: 3.11, PySpark cannot run",
        SourceError,
        "table t: workers run another version of Python than the driver; set PYSPARK_PYTHON to the same version",
    ),
    (
        "An error occurred while calling o1.getResult.\n: org.apache.spark.SparkException: Job aborted due to stage failure: "
        "Master removed our application: FAILED\n\tat org.apache.spark.Some.call(Some.scala:1)",
        SourceUnavailable,
        "table t: the cluster was lost: Job aborted due to stage failure: Master removed our application: FAILED; try again later",
    ),
    (
        "[UNSUPPORTED_TIME_TYPE] The data type TIME is not supported. SQLSTATE: 0A000",
        SourceError,
        "table t: it has times of day; set spark.sql.timeType.enabled to true for the session",
    ),
    (
        "[CATALOG_NOT_FOUND] The catalog `lake` not found. Consider to set the SQL config. SQLSTATE: 42P08",
        SourceError,
        "table t: Spark cannot read it: The catalog `lake` not found. Consider to set the SQL config",
    ),
]


@pytest.mark.parametrize(("text", "kind", "line"), SAID)
def test_what_clusters_elsewhere_say_is_one_line(text: str, kind: type[SourceError], line: str) -> None:
    with pytest.raises(SourceError) as caught, asking("table t"):
        raise RuntimeError(text)

    assert type(caught.value) is kind
    assert str(caught.value) == line
