"""Which rows belong to a window, and to which of several."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from driftmon.core.window import Window
from driftmon.sources.arrow.kinds import Family, column_type
from driftmon.sources.arrow.times import cut, read_times

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from driftmon.sources.arrow.batches import ArrowType, Batch
    from driftmon.sources.arrow.zones import Zone

__all__ = ["TimeFilter", "WindowParts"]

MARGIN_DAYS = 2
Expression: TypeAlias = Any  # of Arrow, which publishes no types


@dataclass(frozen=True)
class TimeFilter:
    """
    The rows whose timestamp lies in a window.

    Timestamps without a time zone, dates and text without an offset are wall clocks of `zone`. Rows without a timestamp belong to
    no window.

    Parameters
    ----------
    column : str
    window : Window
    zone : Zone
    """

    column: str
    window: Window
    zone: Zone

    def keep(self, batch: Batch) -> Batch:
        """
        The rows of a batch that belong to the window.

        Raises
        ------
        SourceError
            If the timestamp column is not there, or does not hold timestamps.
        """
        times = read_times(batch, self.column, self.zone)
        lower, upper = (cut(end, times.type, self.zone) for end in (self.window.start, self.window.end))
        inside: NDArray[np.bool_] = (times.values >= lower) & (times.values < upper)
        if times.present is not None:
            inside &= times.present
        return _only(batch, inside)

    def around(self) -> TimeFilter:
        """
        A window some days longer on either side.

        The name of a daily partition stands for all rows of its day, in whichever zone; what lies outside this window has none of
        the rows of the window itself.
        """
        margin = timedelta(days=MARGIN_DAYS)
        return replace(self, window=Window(self.window.start - margin, self.window.end + margin))

    def expression(self, arrow: ArrowType) -> Expression | None:
        """The window as a condition that Parquet statistics can answer; None for types without any."""
        if column_type(arrow).family not in {Family.TIMESTAMP, Family.DATE}:
            return None
        storage = pa.int32() if pat.is_date32(arrow) else pa.int64()
        ends = (cut(end, arrow, self.zone) for end in (self.window.start, self.window.end))
        lower, upper = (pa.array([_clamped(end, storage)], storage).view(arrow)[0] for end in ends)
        return (pc.field(self.column) >= lower) & (pc.field(self.column) <= upper)


class WindowParts:
    """
    The rows of several windows, each with the number of its window.

    Parameters
    ----------
    column : str
        The timestamp.
    windows : sequence of Window
        In the order of time, none over another.
    zone : Zone
    """

    def __init__(self, column: str, windows: Sequence[Window], zone: Zone) -> None:
        self._column = column
        self._windows = windows
        self._zone = zone
        self._cuts: dict[ArrowType, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}

    def keep(self, batch: Batch) -> tuple[Batch, NDArray[np.intp]]:
        """The rows of a batch that belong to one of the windows, and to which each does; errors as of `TimeFilter.keep`."""
        times = read_times(batch, self._column, self._zone)
        starts, lasts = self._ends(times.type)
        # A window that a coarse type leaves without values has the start of the next one, which comes last.
        numbers = np.searchsorted(starts, times.values, side="right") - 1
        inside = numbers >= 0
        inside[inside] = times.values[inside] <= lasts[numbers[inside]]
        if times.present is not None:
            inside &= times.present
        return _only(batch, inside), numbers[inside]

    def _ends(self, arrow: ArrowType) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The first and the last value of each window, in the units of a type."""
        if arrow not in self._cuts:
            most = np.iinfo(np.int64).max
            starts = [cut(window.start, arrow, self._zone) for window in self._windows]
            starts = [start for start in starts if start <= most]  # later ones hold no value of the type
            lasts = [cut(window.end, arrow, self._zone) - 1 for window in self._windows[: len(starts)]]
            first, last = (np.array([_clamped(end, pa.int64()) for end in ends], np.int64) for ends in (starts, lasts))
            self._cuts[arrow] = first, last
        return self._cuts[arrow]


def _only(batch: Batch, inside: NDArray[np.bool_]) -> Batch:
    rows = int(np.count_nonzero(inside))
    if rows == batch.rows:
        return batch
    first = int(inside.argmax())
    # Rows mostly come in the order of time: then nothing needs to be copied.
    if rows == 0 or inside[first : first + rows].all():
        return batch.slice(first, rows)
    return batch.filter(pa.array(inside), rows)


def _clamped(bound: int, storage: ArrowType) -> int:
    most: int = 2 ** (storage.bit_width - 1) - 1
    return min(max(bound, -most - 1), most)
