"""
Counting in the database against fetching the rows: ``python -m benchmarks.sql``.

Fills a table of a PostgreSQL server of its own, then counts all its columns in the database and, for comparison, fetches the same rows
through a server-side cursor into Arrow arrays, as text and in the binary format, without counting them. One run, one machine: only the
ratios count. Needs PostgreSQL's server programs.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import TYPE_CHECKING

import psycopg
import pyarrow as pa

from driftmon.core.baseline import BaselineColumn
from driftmon.core.layout import CategoricalLayout, Kind, NumericLayout
from driftmon.sources.sql.source import SqlSource
from tests.servers import postgresql

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS, NUMERIC, CATEGORICAL, EDGES, CATEGORIES, ROUNDS, FETCHED = 1_000_000, 15, 5, 15, 20, 3, 20_000


def main() -> None:
    """Measure and print."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with postgresql() as server:
        url = server.url()
        _fill(url, rows)
        source = SqlSource(url, table="measured")
        columns = _columns()
        scan = _median(lambda: _scans(url))
        count = _median(lambda: source.count(columns))
        read_before = _blocks_read(url)
        source.count(columns)
        passes = (_blocks_read(url) - read_before) / _pages(url)
        text = _median(lambda: _fetch(url, binary=False), rounds=1)
        binary = _median(lambda: _fetch(url, binary=True), rounds=1)
    values = rows * (NUMERIC + CATEGORICAL)
    print(f"PostgreSQL, {rows:,} rows x {NUMERIC} numeric and {CATEGORICAL} categorical columns, medians of {ROUNDS}")
    print(f"  counting in the database        {count:6.2f} s   ({count / values * 1e9:.0f} ns a value)")
    print(f"  fetching, as text / counting    {text / count:6.1f}")
    print(f"  fetching, binary / counting     {binary / count:6.1f}")
    print(f"  counting / a sum of one column  {count / scan:6.1f}")
    print(f"  times that the table was read   {passes:6.2f}")


def _fill(url: str, rows: int) -> None:
    numbers = [f"random() AS x{n}" for n in range(NUMERIC)]
    texts = [f"'category-' || floor(random() * {CATEGORIES})::int AS c{n}" for n in range(CATEGORICAL)]
    with psycopg.connect(url, autocommit=True) as connection:
        select = f"SELECT {', '.join(numbers + texts)} FROM generate_series(1, {rows})"  # noqa: S608 - numbers of ours
        connection.execute(f"CREATE TABLE measured AS {select}".encode())
        connection.execute("VACUUM ANALYZE measured")


def _columns() -> dict[str, BaselineColumn]:
    edges = NumericLayout(tuple(n / (EDGES + 1) for n in range(1, EDGES + 1)))
    categories = CategoricalLayout(tuple(f"category-{n}" for n in range(CATEGORIES)))
    return {
        **{f"x{n}": BaselineColumn(Kind.NUMERIC, "float64", edges) for n in range(NUMERIC)},
        **{f"c{n}": BaselineColumn(Kind.CATEGORICAL, "string", categories, 0) for n in range(CATEGORICAL)},
    }


def _scans(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("SELECT sum(x14) FROM measured").fetchall()


def _blocks_read(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        query = "SELECT heap_blks_read + heap_blks_hit FROM pg_statio_user_tables WHERE relname = 'measured'"
        return int(_one(connection.execute(query)))


def _pages(url: str) -> int:
    with psycopg.connect(url) as connection:
        return int(_one(connection.execute("SELECT relpages FROM pg_class WHERE relname = 'measured'")))


def _one(cursor: psycopg.Cursor[tuple[int, ...]]) -> int:
    row = cursor.fetchone()
    return 0 if row is None else row[0]


def _fetch(url: str, *, binary: bool) -> None:
    with psycopg.connect(url) as connection, connection.cursor("rows", binary=binary) as cursor:
        cursor.execute("SELECT * FROM measured")
        while rows := cursor.fetchmany(FETCHED):
            for column in zip(*rows, strict=True):
                pa.array(column)


def _median(work: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
