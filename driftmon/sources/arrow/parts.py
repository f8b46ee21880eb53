"""The parts of datetime columns that are monitored: hours and weekdays of the wall clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.types as pat

from driftmon.sources.arrow.times import per_second, raw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftmon.sources.arrow.batches import Array
    from driftmon.sources.arrow.zones import Zone

__all__ = ["ORDERS", "Walls", "walls"]

KEYS = {
    "hour": tuple(f"{hour:02d}" for hour in range(24)),
    "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}

ORDERS = {part: {key: place for place, key in enumerate(keys)} for part, keys in KEYS.items()}
"""The natural order of the categories of each part."""

HOUR, DAY = 3_600, 86_400

THURSDAY = 3
"""The weekday of 1970-01-01, Monday being 0."""


@dataclass(frozen=True)
class Walls:
    """
    What a wall clock showed, for each row.

    Parameters
    ----------
    seconds : ndarray of int, shape (rows,)
        Since 1970, or since midnight for times of day.
    missing : ndarray of bool, shape (rows,), or None
        None if every row has a value.
    """

    seconds: NDArray[np.int64]
    missing: NDArray[np.bool_] | None

    def part(self, name: str) -> Array:
        """Hours or weekdays, as a dictionary array."""
        codes = self.seconds // HOUR % 24 if name == "hour" else (self.seconds // DAY + THURSDAY) % 7
        indices: Array = pa.array(codes.astype(np.int8), mask=self.missing)
        return pa.DictionaryArray.from_arrays(indices, pa.array(KEYS[name], pa.large_string()))


def walls(array: Array, zone: Zone) -> Walls:
    """
    The wall clock of a zone at the timestamps, dates or times of day of an Arrow array.

    Values that carry no time zone are what the wall clock showed.
    """
    missing = np.asarray(array.is_null()) if array.null_count else None
    if pat.is_date32(array.type):
        return Walls(raw(array) * DAY, missing)
    if pat.is_date64(array.type):
        return Walls(raw(array) // 1_000, missing)
    seconds = raw(array) // per_second(array.type)
    zoned = pat.is_timestamp(array.type) and array.type.tz is not None
    return Walls(zone.walls(seconds, 1) if zoned else seconds, missing)
