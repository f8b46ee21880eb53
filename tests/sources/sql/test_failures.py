"""What goes wrong between us and a database: one line that says where, what, and what to do; and whether to try again."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pyarrow as pa
import pytest

from driftmon.core.baseline import BaselineColumn
from driftmon.core.layout import Kind, NumericLayout
from driftmon.errors import DriftmonError, SourceError, SourceUnavailable, UsageError
from driftmon.sources.base import Selection
from driftmon.sources.sql.source import SqlSource
from tests.servers import PASSWORD, free_port
from tests.sources.sql.tables import into_duckdb, into_postgresql, into_sqlite

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.servers import PostgreSQL

COLUMNS = {"x": BaselineColumn(Kind.NUMERIC, "float64", NumericLayout((1.0, 2.0)))}
ROWS = pa.table({"x": [0.5, 1.5, 2.5, None]})


@pytest.fixture(scope="module")
def database(postgresql_server: PostgreSQL) -> Iterator[str]:
    name = postgresql_server.create_database()
    into_postgresql(ROWS, postgresql_server.url(name))
    yield name
    postgresql_server.drop_database(name)


def refused(ask: Callable[[], object]) -> DriftmonError:
    """What is said, on one line and without the password."""
    with pytest.raises(DriftmonError) as caught:
        ask()
    assert "\n" not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    return caught.value


def test_a_server_that_is_not_there_is_worth_another_try() -> None:
    said = refused(SqlSource(f"postgresql://me:{PASSWORD}@127.0.0.1:{free_port()}/x", table="rows").inspect)

    assert isinstance(said, SourceUnavailable)
    assert "table 'rows' in postgresql+psycopg://127.0.0.1" in str(said)
    assert "cannot be reached" in str(said)


def test_a_wrong_password_is_not(postgresql_server: PostgreSQL) -> None:
    said = refused(SqlSource(postgresql_server.url(password="wrong"), table="rows").inspect)

    assert type(said) is SourceError
    assert "refuses the login" in str(said)
    assert "check user and password" in str(said)


def test_a_database_and_a_table_that_are_not_there_are_named(postgresql_server: PostgreSQL, database: str) -> None:
    absent = refused(SqlSource(postgresql_server.url("nowhere"), table="rows").inspect)
    gone = refused(lambda: SqlSource(postgresql_server.url(database), table="row").count(COLUMNS))

    assert 'database "nowhere" does not exist' in str(absent)
    assert 'relation "row" does not exist' in str(gone)
    assert not gone.retryable


def test_a_table_without_the_right_to_read_it_asks_for_the_right(postgresql_server: PostgreSQL, database: str) -> None:
    postgresql_server.execute(f"CREATE ROLE stranger LOGIN PASSWORD '{PASSWORD}'")
    try:
        source = SqlSource(postgresql_server.url(database, user="stranger"), table="rows")

        said = refused(lambda: source.count(COLUMNS))
    finally:
        postgresql_server.execute("DROP ROLE stranger")

    assert "permission denied for table rows" in str(said)
    assert "GRANT" in str(said)


def test_a_statement_timeout_of_the_url_ends_a_count_that_may_be_tried_again(
    postgresql_server: PostgreSQL, database: str
) -> None:
    url = f"{postgresql_server.url(database)}?options=-c%20statement_timeout%3D100"
    source = SqlSource(url, query="SELECT x FROM rows, pg_sleep(5)")

    said = refused(lambda: source.count(COLUMNS))

    assert isinstance(said, SourceUnavailable)
    assert "statement timeout" in str(said)


def test_a_connection_lost_in_the_middle_of_a_scan_is_worth_another_try(
    postgresql_server: PostgreSQL, database: str
) -> None:
    source = SqlSource(postgresql_server.url(database), query="SELECT x FROM rows, pg_sleep(60)")
    said: list[DriftmonError] = []
    counting = threading.Thread(target=lambda: said.append(refused(lambda: source.count(COLUMNS))))
    counting.start()

    def kill() -> bool:
        with psycopg.connect(postgresql_server.url(database), autocommit=True) as connection:
            asleep = "datname = current_database() AND state = 'active' AND wait_event = 'PgSleep'"
            return bool(
                connection.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {asleep}").rowcount
            )

    deadline = time.monotonic() + 30
    while not kill():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    counting.join(30)
    assert isinstance(said[0], SourceUnavailable)
    assert "terminating connection" in str(said[0])


def test_a_column_that_changes_its_type_is_the_only_problem(postgresql_server: PostgreSQL, database: str) -> None:
    source = SqlSource(postgresql_server.url(database), query="SELECT x::text AS x, 1 AS y FROM rows")

    profile = source.count({**COLUMNS, "y": COLUMNS["x"]})

    assert profile.problems["x"].startswith("type changed from float64 to string")
    assert profile.histograms["y"].counts == (4, 0, 0, 0)


def test_a_source_cannot_write(postgresql_server: PostgreSQL, database: str, tmp_path: Path) -> None:
    postgresql_server.execute(
        "CREATE FUNCTION spoil() RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN DELETE FROM rows; RETURN 1; END $$",
        database,
    )
    source = SqlSource(postgresql_server.url(database), query="SELECT spoil() AS x")

    said = refused(lambda: source.count(COLUMNS))
    whole = SqlSource(postgresql_server.url(database), table="rows").count(COLUMNS)

    assert "cannot execute DELETE in a read-only transaction" in str(said)
    assert whole.rows == 4


@pytest.mark.parametrize("into", [into_sqlite, into_duckdb])
def test_files_that_are_not_there_or_no_database_are_named(into: Any, tmp_path: Path) -> None:
    url = into(ROWS, tmp_path / "rows.db")
    (tmp_path / "other.db").write_text("no database\n" * 1_000)

    absent = refused(SqlSource(url.replace("rows.db", "nowhere.db"), table="rows").inspect)
    broken = refused(SqlSource(url.replace("rows.db", "other.db"), table="rows").inspect)
    gone = refused(lambda: SqlSource(url, table="row").count(COLUMNS))

    assert "no such file" in str(absent)
    assert "is damaged" in str(broken)
    assert "has no such table" in str(gone)
    assert sorted(file.name for file in tmp_path.iterdir() if "nowhere" in file.name) == []


def test_a_query_that_is_no_query_is_told_so(postgresql_server: PostgreSQL, database: str) -> None:
    said = refused(SqlSource(postgresql_server.url(database), query="SELEKT 1").inspect)

    assert "does not understand the query" in str(said)


def test_values_that_are_no_numbers_are_found_in_a_column_of_numbers(tmp_path: Path) -> None:
    url = into_sqlite(ROWS, tmp_path / "rows.db")
    with closing(sqlite3.connect(tmp_path / "rows.db")) as connection:
        connection.execute("INSERT INTO rows VALUES ('many')")
        connection.commit()

    profile = SqlSource(url, table="rows").count(COLUMNS)

    assert profile.problems["x"].startswith("type changed from float64 to string")
    assert profile.rows == 5


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"connection": "nonsense", "table": "t"}, "connection is not the URL of a database"),
        ({"connection": "sqlite://", "table": "t"}, "must name a file"),
        ({"connection": "sqlite:///x.db"}, "exactly one of table and query"),
        ({"connection": "sqlite:///x.db", "table": "t", "query": "SELECT 1"}, "exactly one of table and query"),
        ({"connection": "sqlite:///x.db", "query": " ; "}, "the query is empty"),
        ({"connection": "sqlite:///x.db", "table": "a..b"}, "has an empty part"),
        ({"connection": "sqlite:///x.db", "table": '"a'}, "does not end"),
        ({"connection": "oracel://h/d", "table": "t"}, "no driver for 'oracel' databases is installed"),
        ({"connection": "mysql://h/d", "table": "t"}, "run: pip install pymysql"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(options: dict[str, str], words: str) -> None:
    said = refused(lambda: SqlSource(options.pop("connection"), **options).inspect())

    assert words in str(said)
    assert isinstance(said, UsageError | SourceError)


def test_hostile_names_and_values_are_only_names_and_values(tmp_path: Path, postgresql_server: PostgreSQL) -> None:
    names = ['a"b', "c%d", "e:f", "g\\h", "i j", "k.l", "select", "M'n", "\u202eo", "%(p)s"]
    values = ["a'b", "100%", "%s", ":x", "\\", "two\nlines", "\u202eabc", '"', "{{", "--"]
    content = pa.table({name: pa.array([*values * 30]) for name in names})
    database = postgresql_server.create_database()
    urls = [
        into_sqlite(content, tmp_path / "h.db", 'the "table" %s'),
        into_duckdb(content, tmp_path / "h.duckdb", 'the "table" %s'),
        into_postgresql(content, postgresql_server.url(database), 'the "table" %s'),
    ]

    for url in urls:
        source = SqlSource(url, table='"the ""table"" %s"')
        learnt = source.learn(Selection())
        profile = source.count(learnt.columns, segments={'a"b': values})

        assert set(profile.histograms) == set(names)
        assert {histogram.counts for histogram in profile.histograms.values()} == {(*[30] * 10, 0, 0)}
        assert {segment.rows for segment in profile.segments.values()} == {30}
    postgresql_server.drop_database(database)
