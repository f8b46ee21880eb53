"""Connections that can read and nothing else."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftmon.errors import SourceError, UsageError
from driftmon.sources.sql.faults import asking

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from driftmon.sources.sql.connections import Address

__all__ = ["connected"]

PATIENCE = 30
"""Seconds to wait for another process's lock, or for a server that has vanished without a word."""

PACKAGES = {
    "postgresql+psycopg": "'driftmon-pipeline[postgres]'",
    "duckdb": "'driftmon-pipeline[duckdb]'",
    "mysql+pymysql": "pymysql",
    "mssql+pyodbc": "pyodbc",
    "snowflake": "snowflake-sqlalchemy",
    "bigquery": "sqlalchemy-bigquery",
    "redshift+psycopg2": "sqlalchemy-redshift psycopg2-binary",
    "trino": "'trino[sqlalchemy]'",
}
"""What to install for each dialect."""

SETTINGS: dict[str, tuple[str, ...]] = {
    "postgresql": (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
        # Times come and go in UTC; scans begin at the beginning; statements are too short to be worth compiling.
        "SET LOCAL TIME ZONE 'UTC'",
        "SET LOCAL synchronize_seqscans = off",
        "SET LOCAL jit = off",
    ),
    "duckdb": ("SET TimeZone = 'UTC'",),
    "mysql": ("SET time_zone = '+00:00'",),
    "snowflake": ("ALTER SESSION SET TIMEZONE = 'UTC'",),
}
"""What each transaction begins with."""


@contextmanager
def connected(address: Address, place: str) -> Iterator[Connection]:
    """
    A transaction that sees one state of the database, where the database has that, and cannot write.

    Parameters
    ----------
    address : Address
    place : str
        What is read, for messages.

    Raises
    ------
    SourceError
        If the database refuses, then or until the end of the block; see `asking`.
    """
    with asking(place):
        engine = _engine(address, place)
        try:
            with engine.connect() as connection, connection.begin():
                for statement in SETTINGS.get(connection.dialect.name, ()):
                    connection.exec_driver_sql(statement)
                yield connection
        finally:
            engine.dispose()


def _engine(address: Address, place: str) -> Engine:
    from sqlalchemy import create_engine  # noqa: PLC0415 - loads slowly
    from sqlalchemy.pool import NullPool  # noqa: PLC0415 - as above

    url = address.url
    # No statement comes twice: looking for it among those that came before would cost as much as writing it.
    options: dict[str, Any] = {"poolclass": NullPool, "hide_parameters": True, "query_cache_size": 0}
    kind = url.get_backend_name()
    if kind == "sqlite":
        file = _file(address, place)
        return create_engine("sqlite+pysqlite://", creator=lambda: _open_sqlite(file), **options)
    if kind == "duckdb":
        _file(address, place)
        options["connect_args"] = {"read_only": True}
    elif url.drivername == "postgresql+psycopg":
        options["connect_args"] = _postgresql_options(url.query)
    try:
        return create_engine(url, **options)
    except ImportError as exc:
        package = PACKAGES.get(url.drivername, f"the package of {exc.name!r}")
        raise SourceError(f"{place}: {kind} needs a driver; run: pip install {package}") from exc


def _file(address: Address, place: str) -> Path:
    name = address.url.database
    if not name or name == ":memory:":
        raise UsageError(f"{place}: the URL of the database must name a file: {address.url.get_backend_name()}:///FILE")
    file = Path(name).absolute()
    if not file.exists():
        raise SourceError(f"{place}: no such file {str(file)!r}; check the path of the database")
    return file


def _open_sqlite(file: Path) -> sqlite3.Connection:
    # isolation_level=None: the module's own idea of transactions leaves reads outside of them.
    uri = f"{file.as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN")
    return connection


def _postgresql_options(given: Any) -> dict[str, Any]:  # noqa: ANN401 - SQLAlchemy's mapping of strings
    defaults: dict[str, Any] = {
        "application_name": "driftmon",
        "client_encoding": "utf8",
        "connect_timeout": 10,
        "keepalives_idle": PATIENCE,
        "tcp_user_timeout": PATIENCE * 1000,
    }
    arguments = {key: value for key, value in defaults.items() if key not in given}
    # Without named prepared statements: connection poolers between us and the server may not know them.
    arguments["prepare_threshold"] = None
    return arguments
