"""A timestamp column as plain numbers, and instants in the same units: what makes rows and windows comparable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from driftmon.core.names import nearest
from driftmon.errors import SourceError
from driftmon.sources.arrow.kinds import Family, column_type, value_type
from driftmon.sources.arrow.text import ValueProblem, read_instants

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftmon.sources.arrow.batches import Array, ArrowType, Batch
    from driftmon.sources.arrow.zones import Zone

__all__ = ["DAY", "EPOCH", "Times", "cut", "instant_of", "microseconds_of", "per_second", "raw", "read_times"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400
MICROSECOND = timedelta(microseconds=1)

_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


@dataclass(frozen=True)
class Times:
    """
    The timestamps of some rows.

    Parameters
    ----------
    type : Arrow type
        Of timestamps or dates: the unit of `values`, and whether they are instants (with a zone) or readings of a wall clock.
    values : ndarray of int, shape (rows,)
    present : ndarray of bool, shape (rows,), or None
        Which rows have a timestamp; None if all have.
    """

    type: ArrowType
    values: NDArray[np.int64]
    present: NDArray[np.bool_] | None


def read_times(batch: Batch, column: str, zone: Zone) -> Times:
    """
    The timestamps of a batch.

    Raises
    ------
    SourceError
        If the column is not there, or does not hold timestamps.
    """
    if column not in batch.columns:
        raise SourceError(
            f"timestamp column {column!r} is not in {batch.origin or 'the data'}: {nearest(column, batch.names)}"
        )
    array = batch.columns[column]
    plain = value_type(array.type)
    if plain != array.type:
        array = array.cast(plain)
    family = column_type(plain).family
    if family is Family.NOTHING:
        return Times(pa.timestamp("us", "UTC"), np.zeros(batch.rows, np.int64), np.zeros(batch.rows, np.bool_))
    if family is Family.TEXT:
        try:
            array = read_instants(array, zone)
        except ValueProblem as exc:
            raise SourceError(f"timestamp column {column!r}{batch.place}: {exc}") from exc
    elif family not in {Family.TIMESTAMP, Family.DATE}:
        raise SourceError(
            f"timestamp column {column!r}{batch.place} is {column_type(plain).name}; "
            "expected timestamps, dates or ISO 8601 text"
        )
    present = np.asarray(array.is_valid()) if array.null_count else None
    return Times(array.type, raw(array), present)


def cut(instant: datetime, arrow: ArrowType, zone: Zone) -> int:
    """
    Where an instant cuts the values of a timestamp or date type: those from this number on are rows at or after it.

    The number may lie outside of what the type holds.
    """
    if pat.is_timestamp(arrow) and arrow.tz is not None:
        microseconds = microseconds_of(instant)
    else:
        microseconds = zone.first_wall(instant)
    if pat.is_date32(arrow):
        return -(-microseconds // (DAY * 1_000_000))
    units = 1_000 if pat.is_date64(arrow) else per_second(arrow)
    return -(-microseconds * units // 1_000_000)


def microseconds_of(instant: datetime) -> int:
    """Since 1970 UTC."""
    return (instant - EPOCH) // MICROSECOND


def instant_of(microseconds: int) -> datetime:
    """The instant so long after 1970 UTC, or the nearest that `datetime` can tell: typing errors make years beyond."""
    first, last = map(microseconds_of, (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)))
    return EPOCH + min(max(microseconds, first), last) * MICROSECOND


def per_second(arrow: ArrowType) -> int:
    """Units a second of an Arrow timestamp, time or duration type."""
    return _PER_SECOND[arrow.unit]


def raw(array: Array) -> NDArray[np.int64]:
    """The integers behind dates, times and timestamps, 0 where there is none."""
    short = pat.is_date32(array.type) or pat.is_time32(array.type)
    numbers = array.view(pa.int32() if short else pa.int64())
    return np.asarray(pc.fill_null(numbers, 0) if numbers.null_count else numbers, dtype=np.int64)
