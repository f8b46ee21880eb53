"""The same rows give the same counts, wherever they are: in memory, in SQLite, in PostgreSQL, in DuckDB."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from driftmon.core.layout import Kind, category_key
from driftmon.core.window import Window
from driftmon.sources.base import Selection
from driftmon.sources.memory import MemorySource
from driftmon.sources.sql.source import SqlSource
from tests.sources.sql.tables import into_duckdb, into_postgresql, into_sqlite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import PostgreSQL

ZONE = "Asia/Kathmandu"  # 15 minutes off the half hours
LONG = "x" * 130

SCHEMA = pa.schema(
    [
        ("f", pa.float64()),
        ("g", pa.float32()),
        ("i", pa.int64()),
        ("n", pa.decimal128(12, 2)),
        ("b", pa.bool_()),
        ("s", pa.string()),
        ("t", pa.timestamp("us")),
        ("z", pa.timestamp("us", "UTC")),
        ("d", pa.date32()),
    ]
)
KINDS = {
    **dict.fromkeys("fgin", Kind.NUMERIC),
    "b": Kind.BOOLEAN,
    "s": Kind.CATEGORICAL,
    **dict.fromkeys("tzd", Kind.DATETIME),
}

times = st.datetimes(datetime(2013, 3, 1), datetime(2013, 4, 30))
words = [
    "a",
    "A",
    "b",
    "",
    "é",
    "e\u0301",
    "other",
    "a ",
    "100%",
    ":x",
    "it's",
    '"',
    "\\",
    "two\nlines",
    "\u202eabc",
    LONG,
    LONG + "y",
]
row = st.fixed_dictionaries(
    {
        "f": st.none() | st.floats() | st.sampled_from([0.0, -0.0, 1.0, 2.0, 0.1, 0.1 + 0.2]),
        "g": st.none() | st.floats(width=32) | st.sampled_from([0.5, 1.5]),
        "i": st.none() | st.integers(-3, 3) | st.integers(-(2**63), 2**63 - 1) | st.sampled_from([2**53, 2**53 + 1]),
        "n": st.none() | st.decimals(-3, 3, places=2) | st.decimals(-(10**9), 10**9, places=2),
        "b": st.none() | st.booleans(),
        "s": st.none() | st.sampled_from(words),
        "t": st.none() | times,
        "z": st.none() | times.map(lambda each: each.replace(tzinfo=UTC)),
        "d": st.none() | times.map(lambda each: each.date()),
    }
)
# Some rows again and again: layouts have bins of their own only for what is frequent.
reference = st.lists(st.tuples(row, st.sampled_from([1, 1, 25])), min_size=1, max_size=12).map(
    lambda each: [found for found, times in each for _ in range(times)]
)
rows = st.lists(row, max_size=30)
few = settings(
    suppress_health_check=list(HealthCheck), deadline=None, max_examples=6, phases=(Phase.explicit, Phase.generate)
)
START = datetime(2013, 3, 8, tzinfo=UTC)
WINDOWS = [Window(START + timedelta(days=n), START + timedelta(days=n + 2)) for n in (0, 2, 7, 9)]


def table(content: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(content, schema=SCHEMA)


@pytest.fixture(scope="module")
def database(postgresql_server: PostgreSQL) -> Iterator[str]:
    name = postgresql_server.create_database()
    yield postgresql_server.url(name)
    postgresql_server.drop_database(name)


def places(content: pa.Table, database: str, folder: str, **options: Any) -> dict[str, SqlSource]:
    """The same rows in three databases."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS rows")
    urls = {
        "sqlite": into_sqlite(content, Path(folder) / "rows.db"),
        "postgresql": into_postgresql(content, database),
        "duckdb": into_duckdb(content, Path(folder) / "rows.duckdb"),
    }
    return {name: SqlSource(url, table="rows", timezone=ZONE, **options) for name, url in urls.items()}


@few
@given(reference, rows)
def test_every_database_counts_what_memory_counts(database: str, past: list[Any], live: list[Any]) -> None:
    memory = MemorySource(table(live), timezone=ZONE)
    learnt = MemorySource(table(past), timezone=ZONE).learn(Selection(kinds=KINDS))
    segments = {"s": ["a", "A", "100%", LONG, category_key(LONG)], "b": ["true"], "i": ["2", "9007199254740993"]}

    expected = memory.count(learnt.columns, segments=segments)
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        for name, source in places(table(live), database, folder).items():
            assert ordered(source.count(learnt.columns, segments=segments)) == ordered(expected), name


@few
@given(reference, rows, st.sampled_from(["t", "z", "d"]))
def test_every_database_counts_the_windows_that_memory_counts(
    database: str, past: list[Any], live: list[Any], timestamp: str
) -> None:
    memory = MemorySource(table(live), timestamp=timestamp, timezone=ZONE)
    learnt = MemorySource(table(past), timezone=ZONE).learn(Selection(kinds=KINDS))

    expected = memory.history(learnt.columns, WINDOWS, segments={"s": ["a", "A"]})
    window = memory.count(learnt.columns, WINDOWS[1])
    with TemporaryDirectory() as folder:
        for name, source in places(table(live), database, folder, timestamp=timestamp).items():
            found = source.history(learnt.columns, WINDOWS, segments={"s": ["a", "A"]})
            assert replace(found, tops={}) == replace(expected, tops={}), name
            assert ordered(source.count(learnt.columns, WINDOWS[1])) == ordered(window), name


@few
@given(reference)
def test_every_database_teaches_what_memory_teaches(database: str, past: list[Any]) -> None:
    expected = MemorySource(table(past), timezone=ZONE).learn(Selection(kinds=KINDS)).layouts

    with TemporaryDirectory() as folder:
        for name, source in places(table(past), database, folder).items():
            assert source.learn(Selection(kinds=KINDS)).layouts == expected, name


def ordered(profile: Any) -> Any:
    """Without what is told by the order of rows: samples of numbers."""
    categories = {name: clues for name, clues in profile.clues.items() if not clues.deciles and not clues.peaks}
    return replace(profile, clues={name: each for name, each in categories.items() if name in {"s", "b", "d.weekday"}})
