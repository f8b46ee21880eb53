"""What only PostgreSQL has: types of its own, collations, indexes that windows should use."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pyarrow as pa
import pytest

from driftmon.core.baseline import BaselineColumn
from driftmon.core.layout import CategoricalLayout, Kind, NumericLayout
from driftmon.core.window import Window
from driftmon.sources.base import Selection
from driftmon.sources.memory import MemorySource
from driftmon.sources.sql.source import SqlSource

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import PostgreSQL


@pytest.fixture(scope="module")
def url(postgresql_server: PostgreSQL) -> Iterator[str]:
    name = postgresql_server.create_database()
    yield postgresql_server.url(name)
    postgresql_server.drop_database(name)


def test_types_of_its_own_count_like_the_values_that_they_stand_for(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
        connection.execute(
            "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)"
        )
        connection.execute(
            "CREATE TABLE own (m mood, u uuid, c char(5), w text COLLATE nocase, n numeric, p numeric(20, 0), t timestamp)"
        )
        connection.execute(
            "INSERT INTO own SELECT m::mood, u::uuid, c, w, n::numeric, p::numeric, t::timestamp FROM (VALUES"
            " ('sad', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'ab', 'x', '0.1', '9007199254740993', '2013-03-10 02:30'),"
            " ('ok', NULL, 'ab ', 'X', '1e400', '5', 'infinity'),"
            " (NULL, NULL, '', 'x', 'NaN', NULL, '0044-03-15 BC'),"
            " ('ok', NULL, NULL, 'X ', '-1e400', '-7', '9999-12-31 23:59:59.999999')"
            ") AS r (m, u, c, w, n, p, t), generate_series(1, 25)"
        )
    same = MemorySource(
        {
            "m": ["sad", "ok", None, "ok"] * 25,
            "u": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", None, None, None] * 25,
            "c": ["ab", "ab", "", None] * 25,
            "w": ["x", "X", "x", "X "] * 25,
            "n": pa.array([0.1, float("inf"), None, float("-inf")] * 25),
            "p": pa.array([9007199254740992.0, 5.0, None, -7.0] * 25),
            "t": pa.array([datetime(2013, 3, 10, 2, 30), None, None, datetime(9999, 12, 31, 23, 59)] * 25),
        }
    )
    kinds = Selection(kinds={"u": Kind.CATEGORICAL, "p": Kind.NUMERIC})
    source = SqlSource(url, table="own")

    learnt, expected = source.learn(kinds), same.learn(kinds)
    profile = source.count(learnt.columns, segments={"w": ["x"], "m": ["ok"]})

    assert learnt.layouts == expected.layouts
    counted = same.count(expected.columns, segments={"w": ["x"], "m": ["ok"]})
    assert profile.histograms == counted.histograms
    assert {name: part.histograms for name, part in profile.segments.items()} == {
        name: part.histograms for name, part in counted.segments.items()
    }


def test_long_whole_numbers_that_name_rows_are_left_out_as_in_files(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE named (id numeric(20, 0), x integer)")
        connection.execute(
            "INSERT INTO named SELECT 9007199254740992 + n * 9973, n % 9 FROM generate_series(1, 50) AS n"
        )

    (left_out,) = SqlSource(url, table="named").learn(Selection()).excluded

    assert left_out.column == "id"
    assert left_out.reason.startswith("looks like an identifier")


def test_edges_are_never_rounded_to_the_type_of_a_column(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE edges (r real, d numeric(4, 1), b bigint)")
        connection.execute("INSERT INTO edges VALUES (0.1, 0.1, 9007199254740993), (0.5, 0.3, 9007199254740995)")
    columns = {
        # The real 0.1 is a little more than the double 0.1, and 0.1 + 0.2 a little more than 0.3.
        "r": BaselineColumn(Kind.NUMERIC, "float32", NumericLayout((0.1, 0.5))),
        "d": BaselineColumn(Kind.NUMERIC, "float64", NumericLayout((0.1, 0.1 + 0.2, 5e6))),
        # As floats they are 9007199254740992 and ...996.
        "b": BaselineColumn(Kind.NUMERIC, "int64", NumericLayout((2.0**53, 2.0**53 + 2))),
    }

    histograms = SqlSource(url, table="edges").count(columns).histograms

    assert histograms["r"].counts == (0, 2, 0, 0)
    assert histograms["d"].counts == (1, 1, 0, 0, 0)
    assert histograms["b"].counts == (1, 0, 1, 0)


@pytest.mark.parametrize("kind", ["timestamp", "timestamptz", "date"])
def test_a_window_is_answered_by_an_index_on_the_timestamp(url: str, kind: str) -> None:
    name = f"indexed_{kind}"
    with psycopg.connect(url, autocommit=True) as connection:
        hours = "timestamp '2013-01-01' + n * interval '1 hour'"
        connection.execute(
            f"CREATE TABLE {name} AS SELECT ({hours})::{kind} AS at, 1.0::float8 AS x FROM generate_series(0, 20000) n"
        )
        connection.execute(f"CREATE INDEX ON {name} (at)")
        connection.execute(f"ANALYZE {name}")
    start = datetime(2013, 5, 1, tzinfo=UTC)
    source = SqlSource(url, table=name, timestamp="at")
    columns = {"x": BaselineColumn(Kind.NUMERIC, "float64", NumericLayout((1.0,)))}

    profile = source.count(columns, Window(start, start + timedelta(days=1)))

    assert profile.rows == 24
    deadline = time.monotonic() + 30
    while not index_scans(url, name):  # the server tells a little later
        assert time.monotonic() < deadline, "the index was not used"
        time.sleep(0.1)


def index_scans(url: str, table: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        query = "SELECT sum(idx_scan)::int FROM pg_stat_user_indexes WHERE relname = %s"
        row = connection.execute(query, [table]).fetchone()
        return row[0] if row else 0


def test_new_categories_are_named_with_their_rows(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE news AS SELECT 'new ' || n % 2 AS a, n % 3 = 0 AS b FROM generate_series(1, 30) n"
        )
    columns = {
        "a": BaselineColumn(Kind.CATEGORICAL, "string", CategoricalLayout(("old",)), 0),
        "b": BaselineColumn(Kind.BOOLEAN, "bool", CategoricalLayout(("false",)), 0),
    }

    profile = SqlSource(url, table="news").count(columns)

    assert profile.histograms["a"].novel == 30
    assert profile.clues["a"].new == (("new 0", 15), ("new 1", 15))
    assert profile.clues["b"].new == (("true", 10),)
