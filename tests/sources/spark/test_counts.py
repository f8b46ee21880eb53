"""What a cluster counts: the integers that one process counts of the same rows, whatever Spark does with rows and names."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftmon.core.layout import Kind
from driftmon.core.window import Window
from driftmon.errors import SourceError, SourceUnavailable
from driftmon.sources.arrow.reading import Reader
from driftmon.sources.base import Selection, no_progress
from driftmon.sources.files import FilesSource
from driftmon.sources.memory import MemorySource
from driftmon.sources.spark.frame import Frame
from driftmon.sources.spark.learning import learn
from driftmon.sources.spark.session import quiet
from driftmon.sources.spark.source import SparkSource
from driftmon.sources.spark.watching import watched

if TYPE_CHECKING:
    from pathlib import Path

    from driftmon.core.histogram import Profile
    from tests.sources.spark.cluster import Cluster

ZONE = "America/New_York"
PARTITIONS = 20
"""More than one task adds up: those of two levels of the tree."""


def counts(profile: Profile) -> Profile:
    """Without what only rows in an order can tell."""
    return replace(profile, clues={})


def rows(number: int) -> pa.Table:
    """The rows that `QUERY` makes, in memory."""
    n = np.arange(number)
    return pa.table(
        {
            "n": n,
            "x": (n * 7919 % 10_007) / 7.0,
            "big": np.where(n % 5 == 0, n * n * 1e9, n / 3.0),
            "city": [f"city {k}" for k in n % 37],
            "tail": [f"N{k}" for k in n * n % 997],
            "flag": pa.array([None if k % 11 == 0 else k % 3 == 0 for k in n.tolist()]),
        }
    )


QUERY = """
select id as n, (id * 7919 % 10007) / 7.0D as x,
       case when id % 5 = 0 then id * id * 1e9D else id / 3.0D end as big,
       concat('city ', id % 37) as city, concat('N', id * id % 997) as tail,
       case when id % 11 = 0 then null else id % 3 = 0 end as flag
from range(0, {rows}, 1, {partitions})
"""


def test_layouts_learnt_in_passes_are_those_of_one_process(spark_session: Any) -> None:
    table = rows(4_000)
    query = QUERY.format(rows=4_000, partitions=PARTITIONS)
    selection = Selection(exclude=["n"])
    with quiet():
        SparkSource(query=query, session=spark_session).count({})  # sends the package
        frame = Frame(spark_session.sql(query), "the query", None, "UTC")

    learnt = learn(frame, selection, Reader(frame, None, "UTC", None), no_progress, sampled_rows=100)

    assert learnt == MemorySource(table).learn(selection)


def test_a_worker_killed_in_mid_job_loses_nothing(spark_session: Any, spark_cluster: Cluster) -> None:
    number = 480_000
    table = rows(number)
    learnt = MemorySource(table).learn(Selection(exclude=["n"]))
    source = SparkSource(query=QUERY.format(rows=number, partitions=24), session=spark_session)
    segments = {"city": ["city 3", "nowhere"]}
    found: list[Profile] = []
    thread = threading.Thread(target=lambda: found.append(source.count(learnt.columns, segments=segments)))
    thread.start()
    done = completed_tasks(spark_session)
    spark_cluster.kill(spark_cluster.workers[0])
    thread.join()
    spark_cluster.add_worker()

    assert 0 < done < 24
    assert counts(found[0]) == counts(MemorySource(table).count(learnt.columns, segments=segments))


def completed_tasks(session: Any) -> int:
    """Wait until some tasks of a running stage have ended; how many."""
    tracker = session.sparkContext.statusTracker()
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for stage in tracker.getActiveStageIds():
            info = tracker.getStageInfo(stage)
            if info is not None and info.numTasks == 24 and info.numCompletedTasks >= 2:
                return int(info.numCompletedTasks)
        time.sleep(0.01)
    pytest.fail("no task of the job ended")


def test_a_job_without_any_worker_ends_with_a_word_and_goes_on_once_there_are_some(
    spark_session: Any, spark_cluster: Cluster
) -> None:
    source = SparkSource(query="select id from range(100)", session=spark_session)
    source.count({})
    for worker in list(spark_cluster.workers):
        spark_cluster.kill(worker)

    with pytest.raises(SourceUnavailable) as caught, watched(spark_session, "the query", patience=2):
        source.count({})

    assert str(caught.value).startswith(
        f"the query: {spark_cluster.url} has had no worker for this job for 2 seconds; "
    )
    spark_cluster.add_worker()
    spark_cluster.add_worker()
    assert source.count({}).rows == 100


NAMES = ["a.b", "we`ird", 'q"uo te', "A", "a", "c0", "b.c.d", "text"]


def test_names_of_every_sort_are_columns_of_their_own(spark_session: Any, tmp_path: Path) -> None:
    table = pa.table({name: [float(n * k % 7) for n in range(50)] for k, name in enumerate(NAMES, start=1)})
    pq.write_table(table, tmp_path / "rows.parquet")
    learnt = MemorySource(table).learn(Selection())

    profile = SparkSource(path=str(tmp_path), session=spark_session).count(learnt.columns)

    assert list(learnt.columns) == NAMES
    assert counts(profile) == counts(MemorySource(table).count(learnt.columns))


def test_the_time_zone_of_the_session_changes_nothing(spark_session: Any, tmp_path: Path) -> None:
    instants = [datetime(2013, 3, 9, 18, tzinfo=UTC) + timedelta(minutes=47 * n) for n in range(120)]
    table = pa.table(
        {
            "aware": pa.array(instants, pa.timestamp("us", "UTC")),
            "naive": pa.array([each.replace(tzinfo=None) for each in instants], pa.timestamp("us")),
            "day": pa.array([each.date() for each in instants], pa.date32()),
            "text": [each.isoformat() for each in instants],
        }
    )
    pq.write_table(table, tmp_path / "rows.parquet")
    window = Window(datetime(2013, 3, 10, 5, tzinfo=UTC), datetime(2013, 3, 12, 4, tzinfo=UTC))
    kinds = {"aware": Kind.CATEGORICAL, "text": Kind.DATETIME}
    before = spark_session.conf.get("spark.sql.session.timeZone")
    spark_session.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    try:
        for timestamp in table.column_names:
            options = {"timestamp": timestamp, "timezone": ZONE}
            files = FilesSource(tmp_path, **options)
            cluster = SparkSource(path=str(tmp_path), session=spark_session, **options)
            learnt = files.learn(Selection(kinds=kinds))

            if timestamp == "aware":  # once is enough: every other column is among those that are learnt
                assert cluster.learn(Selection(kinds=kinds)) == learnt
            assert counts(cluster.count(learnt.columns, window)) == counts(files.count(learnt.columns, window))
    finally:
        spark_session.conf.set("spark.sql.session.timeZone", before)


def test_only_what_is_needed_is_read(spark_session: Any, tmp_path: Path) -> None:
    for month in (1, 2):
        folder = tmp_path / f"month={month}"
        folder.mkdir()
        at = [datetime(2013, month, 1 + n % 28) for n in range(60)]
        pq.write_table(
            pa.table({"at": at, "x": [float(n) for n in range(60)], "y": ["word"] * 60}), folder / "1.parquet"
        )
    frame = Frame(spark_session.read.load(str(tmp_path)), "rows", "at", "UTC")
    window = Window(datetime(2013, 1, 5, tzinfo=UTC), datetime(2013, 1, 6, tzinfo=UTC))

    part = frame.part(frame.reading(["x"], window), window)

    plan = part._jdf.queryExecution().executedPlan().toString()
    assert "ReadSchema: struct<at:timestamp_ntz,x:double>" in plan
    assert "GreaterThanOrEqual(at,2013-01-05T00:00), LessThan(at,2013-01-06T00:00)" in plan
    assert part.count() == 2


def test_new_categories_are_named_and_counted_over_all_partitions(spark_session: Any) -> None:
    query = "select concat('city ', id % {number}) as city from range(0, 600, 1, 3)"
    learnt = SparkSource(query=query.format(number=4), session=spark_session).learn(Selection())

    profile = SparkSource(query=query.format(number=6), session=spark_session).count(learnt.columns)

    assert profile.histograms["city"].novel == 200
    assert profile.clues["city"].new == (("city 4", 100), ("city 5", 100))


def test_a_statement_that_is_no_query_is_refused(spark_session: Any) -> None:
    with pytest.raises(SourceError, match="the query: Spark cannot read it: Syntax error"):
        SparkSource(query="create table surprise (x int)", session=spark_session).inspect()


def test_types_that_cannot_be_monitored_are_said_to_be(spark_session: Any) -> None:
    query = """select id, array(id) as several, cast('x' as binary) as bytes, interval '2' month as months,
               parse_json('[1]') as json, null as nothing, id % 3 as x from range(50)"""
    source = SparkSource(query=query, session=spark_session)

    learnt = source.learn(Selection(exclude=["id"]))

    reasons = {item.column: item.reason for item in learnt.excluded}
    assert list(learnt.columns) == ["x"]
    assert reasons.keys() == {"several", "bytes", "months", "json", "nothing"}
    assert reasons["nothing"] == "no values in the reference"
    assert all("cannot be monitored" in reasons[name] for name in ("several", "bytes", "months", "json"))


def test_two_columns_of_one_name_are_an_error(spark_session: Any) -> None:
    with pytest.raises(SourceError, match="the query: column name 'x' comes more than once"):
        SparkSource(query="select 1 as x, 2 as x", session=spark_session).inspect()


VALUES = st.lists(
    st.tuples(
        st.one_of(st.none(), st.floats(), st.sampled_from([0.0, -0.0, 1.5, float("nan")])),
        st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
        st.one_of(st.none(), st.text(max_size=5)),
        st.one_of(st.none(), st.booleans()),
        st.one_of(st.none(), st.dates(date(1, 1, 1), date(9999, 12, 31))),
        st.one_of(st.none(), st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))),
    ),
    min_size=1,
    max_size=60,
)
TYPES = [pa.float64(), pa.int64(), pa.string(), pa.bool_(), pa.date32(), pa.timestamp("us")]


@given(reference=VALUES, live=VALUES)
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_cluster_counts_what_one_process_counts(
    reference: list[tuple[Any, ...]], live: list[tuple[Any, ...]], spark_session: Any, tmp_path: Path
) -> None:
    tables = [
        pa.table({f"c.{n}": pa.array([row[n] for row in values], type_) for n, type_ in enumerate(TYPES)})
        for values in (reference, live)
    ]
    for table, name in zip(tables, ("reference.parquet", "live.parquet"), strict=True):
        pq.write_table(table, tmp_path / name)
    learnt = MemorySource(tables[0], timezone=ZONE).learn(
        Selection(kinds={"c.1": Kind.NUMERIC, "c.2": Kind.CATEGORICAL})
    )

    profile = SparkSource(path=str(tmp_path / "live.parquet"), session=spark_session, timezone=ZONE).count(
        learnt.columns
    )

    assert counts(profile) == counts(MemorySource(tables[1], timezone=ZONE).count(learnt.columns))
