"""Rows in a database: PostgreSQL, DuckDB, SQLite, and whatever else SQLAlchemy speaks to."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from driftmon.sources.base import no_progress
from driftmon.sources.readable import ReadableSource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftmon.core.baseline import BaselineColumn
    from driftmon.core.histogram import Profile
    from driftmon.core.history import History
    from driftmon.core.window import Window
    from driftmon.sources.arrow.reading import Reader
    from driftmon.sources.base import Progress
    from driftmon.sources.sql.counted import Asked

__all__ = ["SqlSource"]

logger = logging.getLogger(__name__)


class SqlSource(ReadableSource):
    """
    Rows of a table, a view or a query.

    Nothing is asked before a method is called. Every call is one transaction that cannot write, where the database has that.

    Parameters
    ----------
    connection : str
        A SQLAlchemy URL, ``env:NAME`` (an environment variable that holds one) or ``airflow:CONN_ID``.
    table : str, optional
        Such as ``schema.table``; parts may be quoted (``lake."Daily.Flights"``). Exactly one of `table` and `query`.
    query : str, optional
        A SELECT statement.
    timestamp : str, optional
        The column that windows go by; None: every row belongs to the window.
    timezone : str
        Of timestamps that carry none, and of the hours and weekdays of datetime columns.
    progress : Progress, optional
        Called with the rows read so far, where rows are read.

    Raises
    ------
    UsageError
        If neither or both of `table` and `query` are given.
    """

    def __init__(
        self,
        connection: str,
        *,
        table: str | None = None,
        query: str | None = None,
        timestamp: str | None = None,
        timezone: str = "UTC",
        progress: Progress = no_progress,
    ) -> None:
        self._connection = connection
        self._table = table
        self._query = query
        self._timestamp = timestamp
        self._timezone = timezone
        self._progress = progress

    def count(
        self,
        columns: Mapping[str, BaselineColumn],
        window: Window | None = None,
        *,
        segments: Mapping[str, Sequence[str]] | None = None,
    ) -> Profile:
        """Count the rows of a window into learnt layouts, in the database where that can be; see `Source.count`."""
        from driftmon.sources.sql import counted  # noqa: PLC0415 - SQLAlchemy and Arrow load slowly; constructors must not
        from driftmon.sources.sql.terms import NotInSql  # noqa: PLC0415 - as above

        try:
            return counted.count(self._asked(), columns, window, segments or {})
        except NotInSql as exc:
            logger.info("%s; its rows are read instead of counted in the database", exc)
            return super().count(columns, window, segments=segments)

    def history(
        self,
        columns: Mapping[str, BaselineColumn],
        split: Sequence[Window] | int,
        window: Window | None = None,
        *,
        segments: Mapping[str, Sequence[str]] | None = None,
    ) -> History:
        """
        Count many windows in the database, or read the rows and count blocks of them; see `Source.history`.

        The order of rows is the one that the database gives them in: that of the row numbers in SQLite, of the pages of the table
        in PostgreSQL, of the query's ORDER BY where it has one.
        """
        from driftmon.sources.sql import counted  # noqa: PLC0415 - as above
        from driftmon.sources.sql.terms import NotInSql  # noqa: PLC0415 - as above

        if not isinstance(split, int):
            try:
                return counted.history(self._asked(), columns, split, window, segments or {})
            except NotInSql as exc:
                logger.info("%s; its rows are read instead of counted in the database", exc)
        return super().history(columns, split, window, segments=segments)

    def _reader(self, window: Window | None) -> Reader:
        from driftmon.sources.arrow.reading import Reader  # noqa: PLC0415 - as above
        from driftmon.sources.sql.rows import SqlRows  # noqa: PLC0415 - as above

        asked = self._asked()
        rows = SqlRows(asked.address, asked.relation, asked.place)
        return Reader(rows, self._timestamp, self._timezone, window, self._progress)

    def _asked(self) -> Asked:
        from driftmon.sources.sql.connections import resolve  # noqa: PLC0415 - as above
        from driftmon.sources.sql.counted import Asked  # noqa: PLC0415 - as above
        from driftmon.sources.sql.relations import relation  # noqa: PLC0415 - as above

        found = relation(self._table, self._query)
        address = resolve(self._connection)
        return Asked(address, found, f"{found.name} in {address.name}", self._timestamp, self._timezone)
