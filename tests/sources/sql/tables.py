"""Arrow tables put into databases, with the types that people declare there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pyarrow as pa

__all__ = ["POSTGRESQL", "SQLITE", "into_duckdb", "into_postgresql", "into_sqlite", "sql_type"]

SQLITE = {
    "bool": "BOOLEAN",
    "int": "INTEGER",
    "float": "REAL",
    "decimal": "DECIMAL(12, 2)",
    "string": "TEXT",
    "timestamp": "DATETIME",
    "date": "DATE",
    "time": "TIME",
}
POSTGRESQL = {
    "bool": "boolean",
    "int8": "smallint",
    "int16": "smallint",
    "int32": "integer",
    "int64": "bigint",
    "float": "real",
    "double": "double precision",
    "decimal": "numeric(12, 2)",
    "string": "text",
    "timestamp[us]": "timestamp",
    "timestamp[us, tz=UTC]": "timestamptz",
    "date": "date",
    "time": "time",
    "duration": "interval",
}


def sql_type(type_: Any, names: dict[str, str]) -> str:
    """The longest name that fits."""
    text = "float64" if str(type_) == "double" and "double" not in names else str(type_)
    return names[max((name for name in names if text.startswith(name)), key=len)]


def into_sqlite(table: pa.Table, file: Path, name: str = "rows") -> str:
    """Write a table, and give the URL of its database."""
    quoted = '"' + name.replace('"', '""') + '"'
    columns = [f'"{f.name.replace(chr(34), chr(34) * 2)}" {sql_type(f.type, SQLITE)}' for f in table.schema]
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"CREATE TABLE {quoted} ({', '.join(columns)})")
        marks = ", ".join("?" * table.num_columns)
        connection.executemany(
            f"INSERT INTO {quoted} VALUES ({marks})", (list(map(_plain, row)) for row in _rows(table))
        )
        connection.commit()
    return f"sqlite:///{file}"


def into_postgresql(table: pa.Table, url: str, name: str = "rows") -> str:
    """Write a table into a database, and give its URL."""
    columns = [sql.SQL("{} " + sql_type(f.type, POSTGRESQL)).format(sql.Identifier(f.name)) for f in table.schema]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE TABLE {} ({})").format(sql.Identifier(name), sql.SQL(", ").join(columns)))
        with connection.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(name))) as copy:
            for row in _rows(table):
                copy.write_row(row)
    return url


def into_duckdb(table: pa.Table, file: Path, name: str = "rows") -> str:
    """Write a table, and give the URL of its database."""
    with duckdb.connect(file) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("given", table)
        connection.execute(f'CREATE TABLE "{name.replace(chr(34), chr(34) * 2)}" AS SELECT * FROM given')
    return f"duckdb:///{file}"


def _rows(table: pa.Table) -> Iterable[tuple[Any, ...]]:
    columns = [column.to_pylist() for column in table.columns]
    # A table without columns has no rows to zip.
    return zip(*columns, strict=True)


def _plain(value: Any) -> Any:
    """A value as SQLAlchemy and pandas write it into SQLite."""
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value
