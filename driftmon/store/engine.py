"""Connections and transactions: SQLite and PostgreSQL made to behave alike."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import NullPool

from driftmon.errors import StoreError, StoreVersionError, UsageError
from driftmon.store.failures import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

__all__ = ["Database"]

PATIENCE = 30
"""Seconds to wait for another process's lock; a transaction of ours takes a fraction of one."""

_EXPECTED = "expected sqlite:///FILE or postgresql://USER:PASSWORD@HOST:PORT/DATABASE"

_POSTGRESQL_DRIVERS = {"postgres", "postgresql", "postgresql+psycopg"}
_SQLITE_DRIVERS = {"sqlite", "sqlite+pysqlite"}


class Database:
    """
    A results database that can be spoken to: reads see one state of it, writes happen whole or not at all.

    A forked process may go on using it: connections are never shared with the parent.

    Parameters
    ----------
    url : str or URL
        ``sqlite:///FILE``, or ``postgresql://...`` (through psycopg 3).
    read_only : bool
        Refuse every write, and create no file.

    Raises
    ------
    UsageError
        If the URL names another kind of database, or cannot be read.
    StoreError
        If the driver is not installed, or the file's folder cannot be made.
    """

    def __init__(self, url: str | URL, *, read_only: bool = False) -> None:
        parsed = _parsed(url)
        self.read_only = read_only
        self.file: Path | None = None
        if parsed.drivername in _SQLITE_DRIVERS:
            # Absolute, so that it stays the same file when the process changes its folder.
            self.file = Path(str(parsed.database)).absolute()
            self._engine = _sqlite_engine(self.file, read_only=read_only)
            self.name = f"sqlite:///{self.file}"
        else:
            self._engine = _postgresql_engine(parsed)
            self.name = _shown(parsed)
        self._process = os.getpid()

    @property
    def absent(self) -> bool:
        """True for a SQLite file that is not there; one in a folder that this user may not look into is for SQLite to refuse."""
        try:
            return self.file is not None and not self.file.exists()
        except PermissionError:
            return False

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees the database as it was when it began, and changes nothing."""
        if self.read_only and self.absent:
            raise StoreVersionError(
                f"results database {self.name} does not exist yet; run: driftmon db upgrade, or a first check"
            )
        options = {"isolation_level": "REPEATABLE READ"} if self.file is None else {}
        with translated(self.name), self._connected(options) as connection, connection.begin():
            if self.file is None:
                connection.execute(text("SET TRANSACTION READ ONLY"))
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that commits at the end of the block, and leaves nothing behind if the block raises."""
        with self._writing("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def migrating(self) -> Iterator[Connection]:
        """
        A writing transaction for changes of the schema, one process at a time.

        Foreign keys are not enforced on SQLite, where changing a table can mean to make it anew and drop the old one.
        """
        if self.file is not None:
            _create_folder(self.file, self.name)
            with translated(self.name):
                _use_write_ahead_log(self.file)
        with self._writing("PRAGMA foreign_keys = OFF", "BEGIN IMMEDIATE") as connection:
            if self.file is None:
                # Any number will do that nobody else uses; released at the end of the transaction.
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('driftmon_schema'))"))
            yield connection

    @contextmanager
    def maintaining(self) -> Iterator[Connection]:
        """A connection outside of any transaction, for what a database does about its own files."""
        options = {"isolation_level": "AUTOCOMMIT"} if self.file is None else {"sqlite_begin": ()}
        with translated(self.name), self._connected(options) as connection:
            yield connection

    @contextmanager
    def _writing(self, *sqlite_begin: str) -> Iterator[Connection]:
        if self.read_only:
            raise StoreError(f"results database {self.name} was opened read-only; open it for writing")
        options: dict[str, Any] = {"isolation_level": "READ COMMITTED"}
        if self.file is not None:
            options = {"sqlite_begin": sqlite_begin}
        with translated(self.name), self._connected(options) as connection, connection.begin():
            if self.file is None:
                connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}s'"))
            yield connection

    def close(self) -> None:
        """Close idle connections. Speaking to the database again opens new ones."""
        self._engine.dispose()

    def _connected(self, options: dict[str, Any]) -> Connection:
        if os.getpid() != self._process:
            # A forked child must neither speak on its parent's connections nor close them.
            self._engine.dispose(close=False)
            self._process = os.getpid()
        return self._engine.connect().execution_options(**options)


def _parsed(url: str | URL) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        # The message of the parser can hold a part of the password, so it is not passed on.
        raise UsageError(f"the database URL cannot be read: {_EXPECTED}") from None
    if parsed.drivername in _POSTGRESQL_DRIVERS:
        # Named in full, since what a bare postgresql:// means changed from SQLAlchemy 2.0 to 2.1.
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in _SQLITE_DRIVERS:
        raise UsageError(f"database URL {_shown(parsed)!r}: {parsed.drivername!r} is not supported; {_EXPECTED}")
    if not parsed.database or parsed.database == ":memory:" or parsed.query:
        raise UsageError(f"database URL {_shown(parsed)!r} must name a file and nothing else: sqlite:///FILE")
    return parsed


def _shown(url: URL) -> str:
    # The query can hold secrets too.
    return url.set(query={}).render_as_string(hide_password=True)


def _create_folder(file: Path, name: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise StoreError(f"results database {name}: cannot make its folder: {exc}; name another place") from exc


def _sqlite_engine(file: Path, *, read_only: bool) -> Engine:
    def connect() -> sqlite3.Connection:
        # Never "rwc": where somebody deleted the file, an empty one would take its place.
        connection = _sqlite_connection(file, mode="ro" if read_only else "rw")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    # Opening a file is cheap, and no pool means no connection for a forked child to inherit.
    engine = create_engine("sqlite+pysqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Writers take the lock before they read what they change (BEGIN IMMEDIATE), so that they wait for each other instead of
        # failing half-way.
        for statement in connection.get_execution_options().get("sqlite_begin", ("BEGIN",)):
            connection.exec_driver_sql(statement)

    return engine


def _sqlite_connection(file: Path, *, mode: str) -> sqlite3.Connection:
    # isolation_level=None: the module's own idea of transactions leaves reads outside of them.
    return sqlite3.connect(
        f"{file.as_uri()}?mode={mode}", uri=True, timeout=PATIENCE, isolation_level=None, check_same_thread=False
    )


def _use_write_ahead_log(file: Path) -> None:
    """Let readers read while somebody writes; kept in the file. SQLite does not wait for locks here, so we do."""
    deadline = time.monotonic() + PATIENCE
    with closing(_sqlite_connection(file, mode="rwc")) as connection:
        while True:
            try:
                # Only heard before the first table is made: what is deleted later can be given back to the disk piece by piece.
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as exc:
                if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return


def _postgresql_engine(url: URL) -> Engine:
    defaults: dict[str, Any] = {
        "application_name": "driftmon",
        "client_encoding": "utf8",
        "connect_timeout": 10,
        # A server that vanished without a word is noticed after half a minute, not after hours.
        "keepalives_idle": PATIENCE,
        "tcp_user_timeout": PATIENCE * 1000,
    }
    arguments = {key: value for key, value in defaults.items() if key not in url.query}
    # Without named prepared statements: connection poolers between us and the server may not know them.
    arguments["prepare_threshold"] = None
    try:
        return create_engine(url, connect_args=arguments, pool_size=1, pool_pre_ping=True, hide_parameters=True)
    except ImportError as exc:
        raise StoreError("PostgreSQL needs a driver; run: pip install 'driftmon-pipeline[postgres]'") from exc
