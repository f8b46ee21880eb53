"""
What every source does alike: one small nasty table, whatever holds it.

A new source adds one maker to `MAKERS`, and no test.
"""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from pyarrow import orc

from driftmon.core.layout import Kind
from driftmon.core.window import Window
from driftmon.errors import SourceError, UsageError
from driftmon.sources.base import Selection, Source
from driftmon.sources.files import FilesSource
from driftmon.sources.lake import DeltaSource, IcebergSource
from driftmon.sources.memory import MemorySource
from driftmon.sources.shared import Wanted, count_together
from driftmon.sources.spark.source import SparkSource
from driftmon.sources.sql.source import SqlSource
from tests.checks import empty_profile
from tests.sources import brute
from tests.sources.sql.tables import into_duckdb, into_postgresql, into_sqlite

if TYPE_CHECKING:
    from pathlib import Path

    from driftmon.core.histogram import Profile

ZONE = "America/New_York"
Maker = Callable[..., Source]


def memory(convert: Callable[[pa.Table], Any], table: pa.Table, folder: Path, **options: Any) -> Source:
    del folder
    return MemorySource(convert(table), **options)


def to_polars(table: pa.Table) -> Any:
    import polars as pl

    return pl.from_arrow(table)


def to_duckdb(table: pa.Table) -> Any:
    import duckdb

    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.register("rows", table)
    return connection.table("rows")


def to_lists(table: pa.Table) -> Any:
    return {name: table.column(name).to_pylist() for name in table.column_names}


def parquet(table: pa.Table, folder: Path, **options: Any) -> Source:
    pq.write_table(table, folder / "rows.parquet", row_group_size=50)
    return FilesSource(folder / "rows.parquet", **options)


def folder_of_parquet(table: pa.Table, folder: Path, **options: Any) -> Source:
    (folder / "_logs").mkdir(parents=True)
    (folder / "_logs" / "not-data.parquet").write_text("no rows in here")
    (folder / "README.md").write_text("what these files are")
    for number, start in enumerate(range(0, max(table.num_rows, 1), 70)):
        pq.write_table(table.slice(start, 70), folder / f"part-{number}.parquet")
    return FilesSource(folder, **options)


def hive(table: pa.Table, folder: Path, **options: Any) -> Source:
    if table.num_rows == 0:
        return parquet(table, folder, **options)
    partitioning = ds.partitioning(pa.schema([("city", pa.string()), ("flag", pa.bool_())]), flavor="hive")
    ds.write_dataset(table, folder, format="parquet", partitioning=partitioning, max_partitions=4096)
    return FilesSource(f"{folder}/**/*.parquet", **options)


def delimited(table: pa.Table, folder: Path, *, suffix: str = ".csv", delimiter: str = ",", **options: Any) -> Source:
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(table, sink, pyarrow.csv.WriteOptions(delimiter=delimiter))
    content = sink.getvalue().to_pybytes()
    compress = {".csv.gz": gzip.compress, ".csv.bz2": bz2.compress, ".csv.zst": partial(pa.compress, codec="zstd")}
    packed = compress.get(suffix, bytes)(content)
    path = folder / f"rows{suffix}"
    path.write_bytes(packed if isinstance(packed, bytes) else packed.to_pybytes())
    return FilesSource(path, **options)


def feather(table: pa.Table, folder: Path, **options: Any) -> Source:
    pyarrow.feather.write_feather(table, folder / "rows.feather", chunksize=30)
    return FilesSource(folder / "rows.feather", **options)


def orc_file(table: pa.Table, folder: Path, **options: Any) -> Source:
    orc.write_table(table, folder / "rows.orc")
    return FilesSource(folder / "rows.orc", **options)


def in_fsspec(table: pa.Table, folder: Path, **options: Any) -> Source:
    import fsspec

    url = f"memory://{folder}/rows.parquet"
    with fsspec.open(url, "wb") as stream:
        pq.write_table(table, stream)
    return FilesSource(url, **options)


def sqlite(table: pa.Table, folder: Path, *, as_query: bool = False, **options: Any) -> Source:
    url = into_sqlite(table, folder / "rows.db")
    return SqlSource(url, **_place(as_query=as_query), **options)


def in_duckdb(table: pa.Table, folder: Path, *, as_query: bool = False, **options: Any) -> Source:
    url = into_duckdb(table, folder / "rows.duckdb")
    return SqlSource(url, **_place(as_query=as_query), **options)


def in_postgresql(table: pa.Table, folder: Path, *, as_query: bool = False, **options: Any) -> Source:
    url = options.pop("request").getfixturevalue("postgresql_url")
    name = f"rows_{folder.name}"
    into_postgresql(table, url, name)
    return SqlSource(url, **_place(name, as_query=as_query), **options)


def _place(table: str = "rows", *, as_query: bool) -> dict[str, str]:
    return {"query": f"SELECT * FROM {table} WHERE 1 = 1;"} if as_query else {"table": table}


def spark(table: pa.Table, folder: Path, **options: Any) -> Source:
    for number, start in enumerate(range(0, max(table.num_rows, 1), 70)):
        pq.write_table(table.slice(start, 70), folder / f"part-{number}.parquet")
    session = options.pop("request").getfixturevalue("spark_connect_session")
    return SparkSource(path=str(folder), session=session, **options)


def delta(table: pa.Table, folder: Path, **options: Any) -> Source:
    from deltalake import write_deltalake

    write_deltalake(str(folder / "table"), table)
    return DeltaSource(folder / "table", **options)


def iceberg(table: pa.Table, folder: Path, *, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Source:
    from pyiceberg.catalog import load_catalog
    from pyiceberg.utils.config import Config

    name = f"test{folder.name}"
    properties = {"type": "sql", "uri": f"sqlite:///{folder}/catalogue.db", "warehouse": f"file://{folder}/warehouse"}
    for key, value in properties.items():
        monkeypatch.setenv(f"PYICEBERG_CATALOG__{name.upper()}__{key.upper()}", value)
    monkeypatch.setattr("pyiceberg.catalog._ENV_CONFIG", Config())  # it is read when the library is loaded
    catalog = load_catalog(name)
    catalog.create_namespace("shop")
    catalog.create_table("shop.rows", table.schema).append(table)
    return IcebergSource(name, "shop.rows", **options)


MAKERS: dict[str, Maker] = {
    "memory-pandas": partial(memory, lambda table: table.to_pandas()),
    "memory-polars": partial(memory, to_polars),
    "memory-arrow": partial(memory, lambda table: table),
    "memory-arrow-rows-apart": partial(memory, lambda table: pa.Table.from_batches(table.to_batches(1), table.schema)),
    "memory-arrow-reader": partial(memory, lambda table: table.to_reader(7)),
    "memory-duckdb": partial(memory, to_duckdb),
    "memory-lists": partial(memory, to_lists),
    "parquet": parquet,
    "parquet-folder": folder_of_parquet,
    "parquet-hive": hive,
    "parquet-fsspec": in_fsspec,
    "csv": delimited,
    "csv-semicolon": partial(delimited, delimiter=";"),
    "csv-gz": partial(delimited, suffix=".csv.gz"),
    "csv-bz2": partial(delimited, suffix=".csv.bz2"),
    "csv-zst": partial(delimited, suffix=".csv.zst"),
    "tsv": partial(delimited, suffix=".tsv", delimiter="\t"),
    "feather": feather,
    "orc": orc_file,
    "delta": delta,
    "iceberg": iceberg,
    "sqlite": sqlite,
    "sqlite-query": partial(sqlite, as_query=True),
    "postgresql": in_postgresql,
    "postgresql-query": partial(in_postgresql, as_query=True),
    "duckdb": in_duckdb,
    "duckdb-query": partial(in_duckdb, as_query=True),
    "spark": spark,
}

UNORDERED = ["sqlite", "sqlite-query", "postgresql", "postgresql-query", "duckdb", "duckdb-query", "spark"]
"""Sources whose rows have no order: they have no clues of numbers, for which rows are picked by their place."""


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Maker:
    """Builds the source under test from a table."""
    made = 0

    def maker(table: pa.Table, **options: Any) -> Source:
        nonlocal made
        made += 1
        folder = tmp_path / str(made)
        folder.mkdir()
        if request.param.startswith(("postgresql", "spark")):
            options["request"] = request  # only these need a server
        if request.param == "iceberg":
            options["monkeypatch"] = request.getfixturevalue("monkeypatch")  # catalogues are found by the environment
        return MAKERS[request.param](table, folder, **{"timezone": ZONE, **options})

    return maker


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Callable[[Profile], Profile]:
    """What the source under test has to tell of a profile."""
    ordered = request.node.callspec.params["make"] not in UNORDERED
    return lambda profile: profile if ordered else replace(profile, clues={})


ROWS = 240
START = datetime(2013, 3, 9, 18)

# 240 rows, 15 minutes apart: over the hour that New York skipped on 2013-03-10.
CITIES = ["JFK", "Newark, NJ", 'the "old" one', "two\nlines", "☃ 🛩️", "other", "NA", "", None, " padded "]


def nasty(rows: int = ROWS, *, shift: int = 0) -> pa.Table:
    """Numbers, categories and times of every sort; the same in every format, as far as it can say them."""
    at = range(shift, shift + rows)
    odd = [float("nan"), float("inf"), float("-inf"), -0.0, 0.0, 1e300, -1e300, 5e-324, None, 0.1]
    booked = [None if n % 29 == 3 else START + timedelta(minutes=15 * n) for n in at]
    return pa.table(
        {
            "odd": pa.array([odd[n % 10] if n % 3 == 0 else n % 77 / 7 for n in at], pa.float64()),
            "half": pa.array([None if n % 11 == 0 else n % 9 / 2 for n in at], pa.float32()),
            "count": pa.array([n * n % 57 for n in at], pa.int32()),
            "price": pa.array([Decimal(n * 37 % 1_001) / 100 for n in at], pa.decimal128(12, 2)),
            "flag": pa.array([(None, True, False, False)[n % 4] for n in at], pa.bool_()),
            "city": pa.array([CITIES[n * n % 10] for n in at], pa.string()),
            "tail": pa.array([f"N{n % 45}" for n in at], pa.string()),
            "booked": pa.array(booked, pa.timestamp("us")),
            "sent": pa.array(
                [None if each is None else each.replace(tzinfo=UTC) for each in booked], pa.timestamp("us", "UTC")
            ),
            "day": pa.array([date(2013, 3, 9) + timedelta(days=n % 9) for n in at], pa.date32()),
            "same": pa.array([7] * rows, pa.int64()),
            "number": pa.array(range(10_000, 10_000 + rows), pa.int64()),
            "key": pa.array([f"key {n}" for n in range(rows)], pa.string()),
            "void": pa.array([None] * rows, pa.float64()),
        }
    )


KINDS = {
    "odd": Kind.NUMERIC,
    "half": Kind.NUMERIC,
    "count": Kind.NUMERIC,
    "price": Kind.NUMERIC,
    "flag": Kind.BOOLEAN,
    "city": Kind.CATEGORICAL,
    "tail": Kind.CATEGORICAL,
    "booked.hour": Kind.DATETIME,
    "booked.weekday": Kind.DATETIME,
    "sent.hour": Kind.DATETIME,
    "sent.weekday": Kind.DATETIME,
    "day.weekday": Kind.DATETIME,
    "same": Kind.NUMERIC,
}


def test_learns_the_layouts_that_a_row_by_row_reading_learns(make: Maker) -> None:
    table = nasty()

    learnt = make(table).learn(Selection())

    found = {name: (column.kind, column.layout, column.singletons) for name, column in learnt.columns.items()}
    assert found == brute.learn(table.to_pylist(), KINDS, ZONE)
    reasons = {item.column: item.reason for item in learnt.excluded}
    assert set(reasons) == {"number", "key", "void"}
    assert reasons["void"] == "no values in the reference"
    assert all(reasons[name].startswith("looks like an identifier") for name in ("number", "key"))


def test_counts_what_a_row_by_row_count_counts(make: Maker, told: Callable[[Profile], Profile]) -> None:
    reference, live = nasty(), nasty(150, shift=85)
    learnt = make(reference).learn(Selection())

    profile = make(live).count(learnt.columns)

    assert told(profile) == told(brute.count(live.to_pylist(), learnt.columns, ZONE, reference.to_pylist()))
    assert {histogram.rows for histogram in profile.histograms.values()} == {150}


@pytest.mark.parametrize("timestamp", ["booked", "sent", "day"])
def test_a_window_holds_the_rows_of_its_half_open_span(
    make: Maker, timestamp: str, told: Callable[[Profile], Profile]
) -> None:
    table = nasty()
    source = make(table, timestamp=timestamp)
    learnt = source.learn(Selection())
    # From midnight to midnight in New York: 23 hours.
    window = Window(datetime(2013, 3, 10, 5, tzinfo=UTC), datetime(2013, 3, 11, 4, tzinfo=UTC))

    profile = source.count(learnt.columns, window)

    rows = brute.inside(table.to_pylist(), timestamp, window, ZONE)
    assert 0 < len(rows) < ROWS
    assert told(profile) == told(brute.count(rows, learnt.columns, ZONE, table.to_pylist()))


def test_learning_keeps_to_the_window_of_the_reference(make: Maker) -> None:
    table = nasty()
    window = Window(datetime(2013, 3, 9, tzinfo=UTC), datetime(2013, 3, 11, 4, tzinfo=UTC))

    learnt = make(table, timestamp="booked").learn(Selection(include=["count", "city"]), window)

    rows = brute.inside(table.to_pylist(), "booked", window, ZONE)
    expected = brute.learn(rows, {"count": Kind.NUMERIC, "city": Kind.CATEGORICAL}, ZONE)
    assert {
        name: (column.kind, column.layout, column.singletons) for name, column in learnt.columns.items()
    } == expected


def test_an_empty_window_is_an_empty_profile(make: Maker) -> None:
    source = make(nasty(), timestamp="booked")
    learnt = source.learn(Selection())

    profile = source.count(learnt.columns, Window(datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 2, tzinfo=UTC)))

    assert profile == empty_profile(learnt.layouts)


def test_segments_count_the_rows_of_each_value_apart(make: Maker) -> None:
    table = nasty()
    source = make(table)
    learnt = source.learn(Selection())
    segments = {"city": ["JFK", "two\nlines", "nowhere"], "flag": ["true"], "count": ["0"], "booked.hour": ["04"]}

    profile = source.count(learnt.columns, segments=segments)

    rows = table.to_pylist()
    kinds = {**KINDS, "count": Kind.CATEGORICAL}
    expected = {
        f"{name}={value}": [row for row in rows if brute.value_of(row, name, kinds[name], ZONE) == value]
        for name, values in segments.items()
        for value in values
    }
    assert {name: segment.rows for name, segment in profile.segments.items()} == {
        name: len(part) for name, part in expected.items()
    }
    for name, part in expected.items():
        assert profile.segments[name].histograms == brute.count(part, learnt.columns, ZONE, rows).histograms


@pytest.mark.parametrize("timestamp", ["booked", "sent", "day"])
def test_a_history_has_the_counts_of_each_of_its_windows(make: Maker, timestamp: str) -> None:
    source = make(nasty(), timestamp=timestamp)
    learnt = source.learn(Selection())
    segments = {"city": ["JFK", "nowhere"], "flag": ["true"], "tail": []}
    # Eight hours each, over the hour that New York skipped; the last ones have no rows.
    start = datetime(2013, 3, 9, 21, tzinfo=UTC)
    windows = [Window(start + timedelta(hours=n), start + timedelta(hours=n + 8)) for n in range(0, 96, 8)]

    history = source.history(learnt.columns, windows, segments=segments)

    profiles = [source.count(learnt.columns, window, segments=segments) for window in windows]
    assert history.windows == tuple(windows)
    assert set(history.counts) == {
        (name, segment) for name in learnt.columns for segment in [None, *profiles[0].segments]
    }
    for (name, segment), counts in history.counts.items():
        parts = [profile if segment is None else profile.segments[segment] for profile in profiles]
        assert counts.tolist() == [list(part.histograms[name].counts) for part in parts]


def test_a_history_without_a_timestamp_is_of_blocks_of_rows(make: Maker) -> None:
    source = make(nasty(150))
    learnt = source.learn(Selection())

    history = source.history(learnt.columns, 20)

    # Which rows come first is for the place to say: the folders of a partition have an order of their own.
    whole = source.count(learnt.columns)
    assert history.windows == ()
    for (name, _), counts in history.counts.items():
        assert counts.sum(axis=1).tolist() == [len([i for i in range(150) if i * 20 // 150 == n]) for n in range(20)]
        assert tuple(counts.sum(axis=0)) == whole.histograms[name].counts
    with pytest.raises(UsageError, match="rows without a timestamp column are in no window"):
        source.history(learnt.columns, [Window(datetime(2013, 3, 9, tzinfo=UTC), datetime(2013, 3, 10, tzinfo=UTC))])


@pytest.mark.parametrize("timestamp", ["booked", "sent", "day"])
def test_the_span_is_from_the_first_to_the_last_timestamp(make: Maker, timestamp: str) -> None:
    table = nasty()

    span = make(table, timestamp=timestamp).span()

    instants = [brute.instant(row[timestamp], ZONE) for row in table.to_pylist() if row[timestamp] is not None]
    assert span == Window(min(instants), max(instants) + timedelta(microseconds=1))
    assert make(table).span() is None


def test_several_count_in_one_pass_what_each_counts_alone(make: Maker) -> None:
    source = make(nasty())
    ours, theirs = (make(nasty(90 + 60 * shift, shift=shift)).learn(Selection()).columns for shift in (0, 1))
    some = {name: column for name, column in theirs.items() if name in {"delay", "city", "booked.hour"}}
    segments = {"flag": ["true"]}
    wanted = [Wanted(ours, segments), Wanted(some, {}), Wanted(ours, {})]

    together = count_together(source, wanted, None)

    assert together == [source.count(each.columns, segments=each.segments) for each in wanted]


def test_new_categories_are_counted_as_novel(make: Maker) -> None:
    reference, live = nasty(), nasty(40)
    column = live.column_names.index("city")
    live = live.set_column(column, "city", pa.array(["LaGuardia"] * 39 + [None]))
    learnt = make(reference).learn(Selection(include=["city"]))

    profile = make(live).count(learnt.columns)

    assert profile.histograms["city"].counts[-2:] == (39, 1)
    assert profile.histograms["city"].novel == 39


def test_a_column_that_is_gone_is_the_only_problem(make: Maker) -> None:
    table = nasty()
    learnt = make(table).learn(Selection())

    profile = make(table.drop_columns(["half", "booked"])).count(learnt.columns)

    assert set(profile.problems) == {"half", "booked.hour", "booked.weekday"}
    assert profile.problems["half"].startswith("gone: not in ")
    assert set(profile.histograms) == set(learnt.columns) - set(profile.problems)


def test_a_column_of_another_type_is_the_only_problem(make: Maker) -> None:
    table = nasty()
    learnt = make(table).learn(Selection())
    words = pa.array(["many", "few"] * (ROWS // 2))

    profile = make(table.set_column(table.column_names.index("count"), "count", words)).count(learnt.columns)

    assert set(profile.problems) == {"count"}
    assert (
        "type changed from int" in profile.problems["count"]
        or "value 'many' is not a number" in profile.problems["count"]
    )
    assert set(profile.histograms) == set(learnt.columns) - {"count"}


def test_a_live_column_without_values_is_all_missing(make: Maker) -> None:
    table = nasty()
    source = make(table)
    learnt = source.learn(Selection(include=["count", "tail", "flag", "booked"]))
    empty = table
    for name in ("count", "tail", "flag", "booked"):
        place = empty.column_names.index(name)
        empty = empty.set_column(place, name, pa.nulls(ROWS, empty.schema.field(name).type))

    profile = make(empty).count(learnt.columns)

    assert profile.problems == {}
    assert {histogram.missing for histogram in profile.histograms.values()} == {ROWS}


def test_no_reference_rows_are_an_error(make: Maker) -> None:
    with pytest.raises(SourceError, match="no rows"):
        make(nasty(0)).learn(Selection())


def test_a_window_without_reference_rows_is_an_error_that_names_it(make: Maker) -> None:
    window = Window(datetime(2001, 1, 1, tzinfo=UTC), datetime(2001, 1, 2, tzinfo=UTC))

    with pytest.raises(SourceError, match="no rows between 2001-01-01T00:00:00Z/2001-01-02T00:00:00Z"):
        make(nasty(), timestamp="booked").learn(Selection(), window)


def test_a_timestamp_column_that_is_not_there_is_an_error_with_the_nearest_name(make: Maker) -> None:
    source = make(nasty(), timestamp="boked")
    window = Window(datetime(2013, 3, 10, tzinfo=UTC), datetime(2013, 3, 11, tzinfo=UTC))

    with pytest.raises(SourceError, match=r"timestamp column 'boked' is not in .*: did you mean 'booked'"):
        source.learn(Selection(), window)
    with pytest.raises(SourceError, match="did you mean 'booked'"):
        source.count({}, window)
    with pytest.raises(SourceError, match="did you mean 'booked'"):
        source.inspect()


def test_an_unknown_column_of_the_selection_is_an_error_with_the_nearest_name(make: Maker) -> None:
    with pytest.raises(SourceError, match=r"column 'cty' of include is not in .*: did you mean 'city'\?"):
        make(nasty()).learn(Selection(include=["cty"]))


def test_inspection_tells_columns_and_kinds(make: Maker) -> None:
    inspection = make(nasty(), timestamp="booked").inspect()

    kinds = {column.name: column.kind for column in inspection.columns if column.name != "void"}
    assert kinds == {
        "odd": Kind.NUMERIC,
        "half": Kind.NUMERIC,
        "count": Kind.NUMERIC,
        "price": Kind.NUMERIC,
        "flag": Kind.BOOLEAN,
        "city": Kind.CATEGORICAL,
        "tail": Kind.CATEGORICAL,
        "booked": Kind.DATETIME,
        "sent": Kind.DATETIME,
        "day": Kind.DATETIME,
        "same": Kind.NUMERIC,
        "number": Kind.NUMERIC,
        "key": Kind.CATEGORICAL,
    }
    assert inspection.rows in {ROWS, None}
    assert inspection.naive_timestamp


def test_an_aware_timestamp_is_told_from_a_naive_one(make: Maker) -> None:
    assert not make(nasty(), timestamp="sent").inspect().naive_timestamp
