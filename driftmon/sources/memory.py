"""Rows in memory: data frames, Arrow tables, arrays by name."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from driftmon.sources.readable import ReadableSource

if TYPE_CHECKING:
    from driftmon.core.window import Window
    from driftmon.sources.arrow.reading import Reader
    from driftmon.sources.arrow.tables import TableRows

__all__ = ["MemorySource"]


class MemorySource(ReadableSource):
    """
    Rows that are in memory already.

    Parameters
    ----------
    data : object
        A pandas data frame (its index is not a column), anything that speaks the Arrow C stream (Polars, Arrow tables and
        readers, DuckDB relations), or a mapping of column names to arrays or lists. Looked at only when asked for, then once: a
        reader that can be read a single time is kept as a table. Must not change while the source is in use.
    timestamp : str, optional
        The column that windows go by; None: every row belongs to every window.
    timezone : str
        Of timestamps that carry none, and of the hours and weekdays of datetime columns.

    Examples
    --------
    >>> from driftmon.sources.base import Selection
    >>> source = MemorySource({"price": [1.0, 2.5, 2.5, 4.0]})
    >>> learnt = source.learn(Selection())
    >>> source.count(learnt.columns).histograms["price"].rows
    4
    """

    def __init__(self, data: object, *, timestamp: str | None = None, timezone: str = "UTC") -> None:
        self._data = data
        self._timestamp = timestamp
        self._timezone = timezone
        self._rows: TableRows | None = None
        self._lock = Lock()

    def _reader(self, window: Window | None) -> Reader:
        from driftmon.sources.arrow.reading import Reader  # noqa: PLC0415 - Arrow loads slowly; constructors must not
        from driftmon.sources.arrow.tables import TableRows, as_table  # noqa: PLC0415 - as above

        with self._lock:
            if self._rows is None:
                self._rows = TableRows(as_table(self._data))
        return Reader(self._rows, self._timestamp, self._timezone, window)
