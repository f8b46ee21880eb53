"""Rows on a Spark cluster: a table of its catalogue, files that it can see, or the rows of a query."""

from __future__ import annotations

import weakref
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from driftmon.errors import SourceUnavailable, UsageError
from driftmon.sources.base import no_progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from driftmon.core.baseline import BaselineColumn, Learnt
    from driftmon.core.histogram import Profile
    from driftmon.core.history import History
    from driftmon.core.window import Window
    from driftmon.sources.arrow.reading import Reader
    from driftmon.sources.base import Inspection, Progress, Selection
    from driftmon.sources.spark.frame import DataFrame, Frame
    from driftmon.sources.spark.partitions import Blocks, Reading, Windows
    from driftmon.sources.spark.session import Lease, Session

__all__ = ["SparkSource"]

SAMPLED_ROWS = 1_000
"""Rows that show what text of a timestamp column means, when it is only to be shown."""


class SparkSource:
    """
    Rows on a Spark cluster.

    The executors count, with the kernel of all other sources on Arrow batches of each partition; the cluster adds the counts up,
    and they are all that it sends back. Counts are those of the same rows in files, to the last integer. What needs rows in an
    order, which a cluster has not, is left out: `Clues` of numeric columns, and the ``tops`` of a history.

    Parameters
    ----------
    table : str, optional
        A table or view of the session's catalogue: ``flights``, ``lake.flights``.
    path : str, optional
        Files or a folder as the cluster sees them. ``{start:%Y-%m-%d}`` stands for the bound of the window, as in files.
    query : str, optional
        A select statement. Exactly one of `table`, `path` and `query` is given.
    format : str, optional
        Of `path`: ``parquet``, ``delta``, ``iceberg``, ``orc``; None: the session's default, mostly Parquet.
    master : str, optional
        Where a session of our own runs: ``spark://HOST:PORT``, ``yarn``, ``local[4]``. None: what Spark's configuration says.
        A session that is active in this process already is used instead.
    remote : str, optional
        Spark Connect: ``sc://HOST:PORT``. Wins over a session that is active.
    session : SparkSession, optional
        To be used, whatever else is said.
    timestamp : str, optional
        The column that windows go by; None: every row belongs to the window.
    timezone : str
        Of timestamps that carry none (``TIMESTAMP_NTZ``, dates, text), and of hours and weekdays. The session's does not matter.
    progress : Progress, optional
        Called with the rows counted when a count ends.

    Notes
    -----
    A session that was made here is kept from the first call on, and ends with the last source that uses it: by `close`, when the
    source is no longer used, or at the end of the process. Sessions of others are never stopped.
    """

    def __init__(  # noqa: PLR0913 - each option is a key of a monitor file
        self,
        *,
        table: str | None = None,
        path: str | None = None,
        query: str | None = None,
        format: str | None = None,  # noqa: A002 - as the key of a monitor file, and Spark, call it
        master: str | None = None,
        remote: str | None = None,
        session: Session | None = None,
        timestamp: str | None = None,
        timezone: str = "UTC",
        progress: Progress = no_progress,
    ) -> None:
        if sum(each is not None for each in (table, path, query)) != 1:
            raise UsageError("rows on Spark are one of table, path and query; give exactly one")
        self._table = table
        self._path = path
        self._query = query
        self._format = format
        self._master = master
        self._remote = remote
        self._session = session
        self._timestamp = timestamp
        self._timezone = timezone
        self._progress = progress
        self._lease: Lease | None = None

    def close(self) -> None:
        """Give the session back now; the next call takes one again."""
        if self._lease is not None:
            self._lease.release()
            self._lease = None

    def inspect(self) -> Inspection:
        """Columns and types; how many rows there are is not known without counting them."""
        from driftmon.sources.arrow import kernel  # noqa: PLC0415 - Arrow loads slowly; constructors must not
        from driftmon.sources.arrow.reading import Reader  # noqa: PLC0415 - as above
        from driftmon.sources.spark.sampled import SampledRows  # noqa: PLC0415 - as above

        with self._frame(None, any_window=True) as frame:
            return kernel.inspect(Reader(SampledRows(frame, SAMPLED_ROWS), self._timestamp, self._timezone, None))

    def span(self) -> Window | None:
        """From when to when the rows are, by their timestamps; None without any."""
        from driftmon.core.window import Window  # noqa: PLC0415 - as above
        from driftmon.sources.arrow.extent import extent  # noqa: PLC0415 - as above
        from driftmon.sources.arrow.times import instant_of  # noqa: PLC0415 - as above
        from driftmon.sources.spark.partitions import Span  # noqa: PLC0415 - as above

        if self._timestamp is None:
            return None
        with self._frame(None, any_window=True) as frame:
            extent(self._reader(frame, None))
            reading = frame.reading([self._timestamp], None)
            ends = frame.ends(frame.part(reading), Span(reading))
        return None if ends is None else Window(*map(instant_of, ends))

    def learn(self, selection: Selection, window: Window | None = None) -> Learnt:
        """Learn layouts from the rows of a window; see `Source.learn`."""
        from driftmon.sources.spark.learning import learn  # noqa: PLC0415 - as above

        with self._frame(window) as frame:
            return learn(frame, selection, self._reader(frame, window), self._progress)

    def count(
        self,
        columns: Mapping[str, BaselineColumn],
        window: Window | None = None,
        *,
        segments: Mapping[str, Sequence[str]] | None = None,
    ) -> Profile:
        """Count the rows of a window into learnt layouts; see `Source.count`."""
        from driftmon.sources.arrow import kernel  # noqa: PLC0415 - as above
        from driftmon.sources.arrow.columns import raw_names  # noqa: PLC0415 - as above
        from driftmon.sources.spark.cells import ProfileCells  # noqa: PLC0415 - as above
        from driftmon.sources.spark.partitions import Count  # noqa: PLC0415 - as above

        with self._frame(window) as frame:
            # What types alone say, the kernel says of no rows.
            problems = kernel.count(self._reader(frame, window), columns, segments).problems
            counted = {name: column for name, column in columns.items() if name not in problems}
            parts = {name: values for name, values in (segments or {}).items() if name not in problems}
            reading = frame.reading(raw_names(counted, parts), window)
            cells = ProfileCells(counted, parts)
            sums = frame.sums(frame.part(reading, window), Count(reading, counted, parts), cells.size)
        profile = cells.profile(sums)
        self._progress(profile.rows, profile.rows)
        return replace(profile, problems={**problems, **profile.problems})

    def history(
        self,
        columns: Mapping[str, BaselineColumn],
        split: Sequence[Window] | int,
        window: Window | None = None,
        *,
        segments: Mapping[str, Sequence[str]] | None = None,
    ) -> History:
        """
        Count many windows, or blocks of rows, in one pass; see `Source.history`.

        The order of the data is that of Spark's partitions: within a file that of its rows, from file to file any. Blocks are
        counted in two passes, the first of which only counts the rows of each partition.
        """
        from driftmon.core.history import History  # noqa: PLC0415 - as above
        from driftmon.core.window import Window  # noqa: PLC0415 - as above
        from driftmon.sources.arrow import kernel  # noqa: PLC0415 - as above
        from driftmon.sources.arrow.columns import raw_names  # noqa: PLC0415 - as above
        from driftmon.sources.spark.cells import HistoryCells  # noqa: PLC0415 - as above
        from driftmon.sources.spark.partitions import Windows  # noqa: PLC0415 - as above

        with self._frame(window) as frame:
            # What types alone say, the kernel says of no rows; and whether the windows can be counted at all.
            none = kernel.history(self._reader(frame, window), columns, split, segments)
            counted = {name: column for name, column in columns.items() if (name, None) in none.counts}
            parts = {
                name: values for name, values in (segments or {}).items() if name in counted or name not in columns
            }
            cells = HistoryCells(counted, parts, split if isinstance(split, int) else len(split))
            reading = frame.reading({*raw_names(counted, parts), *self._timestamps(none.windows)}, window)
            if isinstance(split, int):
                work: Blocks | Windows = _blocks(frame, reading, counted, parts, split)
                part = frame.part(reading, window)
            else:
                work = Windows(reading, counted, parts, none.windows)
                around = Window(none.windows[0].start, none.windows[-1].end) if none.windows else None
                part = frame.part(reading, window, around)
            counts = cells.counts(frame.sums(part, work, cells.size))
        rows = next((int(table.sum()) for (_, segment), table in counts.items() if segment is None), 0)
        self._progress(rows, rows)
        return History(counts, none.windows)

    @contextmanager
    def _frame(self, window: Window | None, *, any_window: bool = False) -> Iterator[Frame]:
        """The table, on a session that has this package."""
        from driftmon.sources.spark.faults import asking  # noqa: PLC0415 - as above
        from driftmon.sources.spark.frame import Frame  # noqa: PLC0415 - as above
        from driftmon.sources.spark.watching import watched  # noqa: PLC0415 - as above

        path, dated = self._path_of(window, any_window=any_window)
        place = f"table {self._table}" if self._table is not None else path or "the query"
        try:
            with asking(place, dated=dated):
                held = self._leased()
                with watched(held.session, place) if held.own_driver else nullcontext():
                    yield Frame(self._opened(held.session, path), place, self._timestamp, self._timezone)
        except SourceUnavailable:
            # A session that lost its cluster does not find it again.
            self.close()
            raise

    def _leased(self) -> Lease:
        """A session that has this package, the same from call to call."""
        from driftmon.sources.spark.session import lease  # noqa: PLC0415 - as above
        from driftmon.sources.spark.shipping import send_package  # noqa: PLC0415 - as above

        if self._lease is None:
            self._lease = lease(self._session, master=self._master, remote=self._remote)
            weakref.finalize(self, self._lease.release)
            send_package(self._lease.session)
        return self._lease

    def _opened(self, session: Session, path: str | None) -> DataFrame:
        if self._table is not None:
            return session.table(self._table)
        if path is not None:
            reader = session.read if self._format is None else session.read.format(self._format)
            return reader.load(path)
        # In brackets, so that a statement that changes something is none.
        query = (self._query or "").strip().rstrip(";")
        return session.sql(f"select * from (\n{query}\n)")  # noqa: S608 - the owner's own query, with the owner's rights

    def _path_of(self, window: Window | None, *, any_window: bool) -> tuple[str | None, bool]:
        """The path of a window, and whether it depends on the window."""
        from driftmon.sources import placeholders  # noqa: PLC0415 - as above

        if self._path is None:
            return None, False
        path = placeholders.resolved(self._path, window, self._timezone, any_window=any_window)
        return path, placeholders.has_window(self._path)

    def _reader(self, frame: Frame, window: Window | None) -> Reader:
        """No rows, of which the kernel tells what the types alone say."""
        from driftmon.sources.arrow.reading import Reader  # noqa: PLC0415 - as above

        return Reader(frame, self._timestamp, self._timezone, window)

    def _timestamps(self, windows: Sequence[Window]) -> list[str]:
        return [self._timestamp] if windows and self._timestamp is not None else []


def _blocks(
    frame: Frame,
    reading: Reading,
    columns: Mapping[str, BaselineColumn],
    segments: Mapping[str, Sequence[str]],
    blocks: int,
) -> Blocks:
    """Blocks of the rows in the order of the partitions, which have to be counted first."""
    from driftmon.sources.spark.partitions import Blocks  # noqa: PLC0415 - as above

    rows = frame.rows_by_partition(frame.reading((), reading.window))
    firsts: dict[int, int] = {}
    total = 0
    for partition in sorted(rows):
        firsts[partition] = total
        total += rows[partition]
    return Blocks(reading, columns, segments, blocks, firsts, total)
