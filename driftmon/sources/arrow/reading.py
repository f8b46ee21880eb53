"""One reading of a source: its rows, the window, the time zone, and somebody who watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from driftmon.core.window import Window
from driftmon.sources.arrow.selection import needed_timestamp
from driftmon.sources.arrow.timefilter import TimeFilter, WindowParts
from driftmon.sources.arrow.zones import Zone
from driftmon.sources.base import no_progress

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from driftmon.sources.arrow.batches import Batch, Field, Rows
    from driftmon.sources.base import Progress

__all__ = ["Reader", "numbered"]


class Reader:
    """
    The rows of a window, as often as they are asked for.

    Parameters
    ----------
    rows : Rows
    timestamp : str or None
        None: every row belongs to the window.
    zone : str
        Of wall clocks.
    window : Window or None
        None: all rows.
    progress : Progress, optional
    """

    def __init__(
        self, rows: Rows, timestamp: str | None, zone: str, window: Window | None, progress: Progress = no_progress
    ) -> None:
        self.zone = Zone(zone)
        self.place = rows.place
        self.timestamp = timestamp
        self.window = window
        self._rows = rows
        self._filter = None if window is None or timestamp is None else TimeFilter(timestamp, window, self.zone)
        self._progress = progress
        self._read = 0
        self._expected: int | None = None

    def fields(self) -> Sequence[Field]:
        """Every column, in the order of the data."""
        return self._rows.fields()

    def total(self) -> int | None:
        """The rows of one reading, at most; None if nobody can tell without reading them."""
        return self._rows.total(self._filter)

    def expect(self, times: int) -> None:
        """Say how often the rows will be read from now on, for those who watch."""
        self._expect(times, self._filter)

    def read(self, names: Collection[str]) -> Iterator[Batch]:
        """The rows of the window, batch by batch, with those of the named columns that are there."""
        for batch in self._batches(names, self._filter):
            yield batch if self._filter is None else self._filter.keep(batch)

    def in_windows(self, names: Collection[str], windows: Sequence[Window]) -> Iterator[tuple[Batch, NDArray[np.intp]]]:
        """
        As `read`, but the rows of several windows only, each with the number of its window.

        Parameters
        ----------
        names : collection of str
        windows : sequence of Window
            In the order of time, none over another.

        Raises
        ------
        UsageError
            If there is no timestamp to go by.
        """
        timestamp = needed_timestamp(self.timestamp, self.place)
        if not windows:
            return
        parts = WindowParts(timestamp, windows, self.zone)
        around = Window(windows[0].start, windows[-1].end)
        within = self.window is None or (self.window.start <= around.start and around.end <= self.window.end)
        filter_ = TimeFilter(timestamp, around, self.zone) if within else self._filter
        self._expect(1, filter_)
        for batch in self._batches(names, filter_):
            yield parts.keep(batch if within or self._filter is None else self._filter.keep(batch))

    def in_blocks(self, names: Collection[str], blocks: int) -> Iterator[tuple[Batch, NDArray[np.intp]]]:
        """As `read`, with each row the number of its block: of so many consecutive ones, with as equally many rows as can be."""
        self._expect(2, self._filter)
        rows = sum(batch.rows for batch in self.read(()))
        yield from numbered(self.read(names), blocks, rows)

    def _expect(self, times: int, filter_: TimeFilter | None) -> None:
        if self._progress is not no_progress:
            total = self._rows.total(filter_)
            self._expected = None if total is None else self._read + times * total

    def _batches(self, names: Collection[str], filter_: TimeFilter | None) -> Iterator[Batch]:
        asked = {*names} if filter_ is None else {*names, filter_.column}
        for batch in self._rows.batches(asked, filter_):
            self._read += batch.rows
            self._progress(self._read, self._expected)
            yield batch


def numbered(
    batches: Iterator[Batch], blocks: int, rows: int, *, first: int = 0
) -> Iterator[tuple[Batch, NDArray[np.intp]]]:
    """
    Batches, with each row the number of its block: row i of n is in block ``i * blocks // n``.

    Parameters
    ----------
    batches : iterator of Batch
    blocks : int
        How many there are.
    rows : int
        Rows of all batches, wherever these are.
    first : int
        Rows before those of the first batch.
    """
    for batch in batches:
        numbers = np.arange(first, first + batch.rows) * blocks // max(rows, 1)
        # Rows that came since they were counted are of the last block.
        yield batch, np.minimum(numbers, blocks - 1)
        first += batch.rows
