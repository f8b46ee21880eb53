"""One reading of a source: its rows, the window, the time zone, and somebody who watches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftmon.sources.arrow.timefilter import TimeFilter
from driftmon.sources.arrow.zones import Zone
from driftmon.sources.base import no_progress

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from driftmon.core.window import Window
    from driftmon.sources.arrow.batches import Batch, Field, Rows
    from driftmon.sources.base import Progress

__all__ = ["Reader"]


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
        if self._progress is not no_progress:
            total = self.total()
            self._expected = None if total is None else self._read + times * total

    def read(self, names: Collection[str]) -> Iterator[Batch]:
        """The rows of the window, batch by batch, with those of the named columns that are there."""
        asked = {*names} if self._filter is None else {*names, self._filter.column}
        for batch in self._rows.batches(asked, self._filter):
            self._read += batch.rows
            self._progress(self._read, self._expected)
            yield batch if self._filter is None else self._filter.keep(batch)
