"""The border that rows never cross: what every source does, whatever holds its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from driftmon.core.baseline import BaselineColumn, Learnt
    from driftmon.core.histogram import Profile
    from driftmon.core.history import History
    from driftmon.core.layout import Kind
    from driftmon.core.window import Window

__all__ = ["ColumnInfo", "Inspection", "Progress", "Selection", "Source", "no_progress"]

Progress = Callable[[int, int | None], None]
"""Called now and then with the rows read so far and, where that is known, the rows there are."""


def no_progress(rows: int, total: int | None) -> None:
    """Say nothing: for callers without anybody to watch."""


@dataclass(frozen=True)
class ColumnInfo:
    """
    A column as the source sees it before reading a row.

    `kind` is None for types that cannot be monitored (lists, structs, bytes); `dtype` is the type as people say it.
    """

    name: str
    dtype: str
    kind: Kind | None


@dataclass(frozen=True)
class Inspection:
    """
    What a source holds, found without counting: for ``validate`` and ``init``.

    Parameters
    ----------
    columns : tuple of ColumnInfo
        In the order of the data.
    rows : int or None
        Where that is known without reading (Parquet footers, frames in memory).
    naive_timestamp : bool
        True if the timestamp column carries no time zone and is therefore read in the monitor's.
    """

    columns: tuple[ColumnInfo, ...]
    rows: int | None = None
    naive_timestamp: bool = False


@dataclass(frozen=True)
class Selection:
    """
    Which columns to monitor, and how.

    Parameters
    ----------
    include : sequence of str or None
        None means every column but those of `exclude` and the timestamp.
    exclude : sequence of str
    kinds : mapping of str to Kind
        What the owner says about a column; it wins over the data type.
    """

    include: Sequence[str] | None = None
    exclude: Sequence[str] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)


class Source(Protocol):
    """
    A place that rows live in.

    A source is bound to its place, its timestamp column (or None) and a time zone. It keeps nothing between calls, reads in
    batches, and raises `driftmon.errors.SourceError` (or a subclass that says whether trying again can help) for anything that
    keeps the whole place from being read. What is wrong with one column is that column's problem alone.
    """

    def inspect(self) -> Inspection:
        """Columns, types and what else is known without reading all rows."""
        ...

    def span(self) -> Window | None:
        """From when to when the rows are, by their timestamps; None without a timestamp, and without any rows that have one."""
        ...

    def learn(self, selection: Selection, window: Window | None = None) -> Learnt:
        """
        Learn layouts from the rows of a window (None: all rows): the reference's, once for each baseline.

        Raises
        ------
        SourceError
            If a column that `selection` names is not in the data (with the nearest names), two columns share a name, there are
            no rows, or the place cannot be read.
        """
        ...

    def count(
        self,
        columns: Mapping[str, BaselineColumn],
        window: Window | None = None,
        *,
        segments: Mapping[str, Sequence[str]] | None = None,
    ) -> Profile:
        """
        Count the rows of a window (None: all rows) into learnt layouts.

        Parameters
        ----------
        columns : mapping of str to BaselineColumn
            By monitored name, or under any name if `BaselineColumn.of` says which column is meant; a ``datetime`` column is
            named after its part, such as ``booked.hour``.
        window : Window, optional
        segments : mapping of str to sequence of str, optional
            Segment columns, each with the values to count apart; the profile's segments are named ``column=value``.

        Returns
        -------
        Profile
            Every histogram sums to the profile's rows. A column that is gone or of another kind is in ``problems`` instead.
            Where rows have no order, as on a cluster, numeric columns have no ``clues``: a sample is picked by the place of a row.
        """
        ...

    def history(
        self,
        columns: Mapping[str, BaselineColumn],
        split: Sequence[Window] | int,
        window: Window | None = None,
        *,
        segments: Mapping[str, Sequence[str]] | None = None,
    ) -> History:
        """
        Count many windows in one pass: for each the very counts that `count` gives of it.

        Parameters
        ----------
        columns : mapping of str to BaselineColumn
        split : sequence of Window, or int
            Windows in the order of time, none over another; rows in none of them do not count. An int means so many consecutive
            blocks, with as equally many rows as can be, in the order of the data: row i of n is in block ``i * split // n``.
        window : Window, optional
            Only the rows of this one.
        segments : mapping of str to sequence of str, optional
            As of `count`.

        Returns
        -------
        History
            Columns that cannot be counted are left out, and segments whose column cannot be read; where rows have no order, the
            ``tops`` as well.

        Raises
        ------
        ValueError
            If windows are out of order or overlap, or there are less than one block.
        UsageError
            If `split` are windows and the source has no timestamp.
        """
        ...
