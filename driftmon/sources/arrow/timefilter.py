"""Which rows belong to a window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from driftmon.core.window import Window
from driftmon.errors import SourceError
from driftmon.sources.arrow.batches import Batch, nearest
from driftmon.sources.arrow.kinds import Family, column_type, value_type
from driftmon.sources.arrow.text import ValueProblem, read_instants

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftmon.sources.arrow.batches import Array, ArrowType
    from driftmon.sources.arrow.zones import Zone

__all__ = ["TimeFilter", "per_second"]

DAY = 86_400
MARGIN_DAYS = 2
Expression: TypeAlias = Any  # of Arrow, which publishes no types

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def per_second(arrow: ArrowType) -> int:
    """Units a second of an Arrow timestamp, time or duration type."""
    return _PER_SECOND[arrow.unit]


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
        if self.column not in batch.columns:
            raise SourceError(
                f"timestamp column {self.column!r} is not in {batch.origin or 'the data'}: "
                f"{nearest(self.column, batch.names)}"
            )
        inside = self._inside(batch)
        rows = int(np.count_nonzero(inside))
        if rows == batch.rows:
            return batch
        first = int(inside.argmax())
        # Rows mostly come in the order of time: then nothing needs to be copied.
        if rows == 0 or inside[first : first + rows].all():
            return batch.slice(first, rows)
        return batch.filter(pa.array(inside), rows)

    def around(self) -> TimeFilter:
        """
        A window some days longer on either side.

        The name of a daily partition stands for all rows of its day, in whichever zone; what lies outside this window has none of
        the rows of the window itself.
        """
        margin = timedelta(days=MARGIN_DAYS)
        return replace(self, window=Window(self.window.start - margin, self.window.end + margin))

    def bounds(self, arrow: ArrowType) -> tuple[int, int] | None:
        """
        The window in the units of a timestamp or date type, for comparing raw values: ``lower <= value < upper``.

        None for any other type.
        """
        family = column_type(arrow).family
        if family is Family.DATE:
            unit = DAY * 1_000_000 if pat.is_date32(arrow) else 1_000
        elif family is Family.TIMESTAMP:
            unit = 1_000_000 // per_second(arrow) if arrow.unit != "ns" else 0
        else:
            return None
        zoned = family is Family.TIMESTAMP and arrow.tz is not None
        ends = [
            _microseconds(end) if zoned else self.zone.first_wall(end) for end in (self.window.start, self.window.end)
        ]
        lower, upper = (end * 1_000 if unit == 0 else -(-end // unit) for end in ends)
        return lower, upper

    def expression(self, arrow: ArrowType) -> Expression | None:
        """The window as a condition that Parquet statistics can answer; None for types without any."""
        bounds = self.bounds(arrow)
        if bounds is None:
            return None
        storage = pa.int32() if pat.is_date32(arrow) else pa.int64()
        lower, upper = (pa.array([_clamped(bound, storage)], storage).view(arrow)[0] for bound in bounds)
        return (pc.field(self.column) >= lower) & (pc.field(self.column) <= upper)

    def _inside(self, batch: Batch) -> NDArray[np.bool_]:
        array = batch.columns[self.column]
        plain = value_type(array.type)
        if plain != array.type:
            array = array.cast(plain)
        family = column_type(plain).family
        if family is Family.TEXT:
            array = self._read(array, batch)
        elif family is Family.NOTHING:
            return np.zeros(batch.rows, dtype=np.bool_)
        bounds = self.bounds(array.type)
        if bounds is None:
            raise SourceError(
                f"timestamp column {self.column!r}{batch.place} is {column_type(plain).name}; "
                "expected timestamps, dates or ISO 8601 text"
            )
        values = np.asarray(_raw(array))
        inside: NDArray[np.bool_] = (values >= bounds[0]) & (values < bounds[1])
        if array.null_count:
            inside &= np.asarray(array.is_valid())
        return inside

    def _read(self, array: Array, batch: Batch) -> Array:
        try:
            return read_instants(array, self.zone)
        except ValueProblem as exc:
            raise SourceError(f"timestamp column {self.column!r}{batch.place}: {exc}") from exc


def _raw(array: Array) -> Array:
    storage = pa.int32() if pat.is_date32(array.type) else pa.int64()
    raw = array.view(storage)
    return pc.fill_null(raw, 0) if raw.null_count else raw


def _microseconds(instant: datetime) -> int:
    since = instant - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * DAY + since.seconds) * 1_000_000 + since.microseconds


def _clamped(bound: int, storage: ArrowType) -> int:
    most: int = 2 ** (storage.bit_width - 1) - 1
    return min(max(bound, -most - 1), most)
