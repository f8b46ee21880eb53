"""The parts of datetime columns that are monitored: hours and weekdays of the wall clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.types as pat

from driftmon.core.binning import week_hours
from driftmon.sources.arrow.times import per_second, raw

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftmon.sources.arrow.batches import Array
    from driftmon.sources.arrow.zones import Zone

__all__ = ["ORDERS", "Walls", "walls"]

_NAMES = {
    "hour": tuple(f"{hour:02d}" for hour in range(24)),
    "weekday": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}

ORDERS = {part: {key: place for place, key in enumerate(keys)} for part, keys in _NAMES.items()}
"""The natural order of the categories of each part."""

_KEYS = {part: pa.array(keys, pa.large_string()) for part, keys in _NAMES.items()}

HOUR = 3_600

CODES = {
    "hour": np.tile(np.arange(24, dtype=np.int8), 7),
    "weekday": np.repeat(np.arange(7, dtype=np.int8), 24),
}
"""The code of each hour of a week, by part."""


@dataclass(frozen=True)
class Walls:
    """
    What a wall clock showed, for each row.

    Parameters
    ----------
    hours : ndarray of uint8, shape (rows,)
        Full hours since Monday, 0 to 167.
    missing : ndarray of bool, shape (rows,), or None
        None if every row has a value.
    """

    hours: NDArray[np.uint8]
    missing: NDArray[np.bool_] | None

    def part(self, name: str) -> Array:
        """Hours or weekdays, as a dictionary array."""
        indices: Array = pa.array(CODES[name].take(self.hours, mode="clip"), mask=self.missing)
        return pa.DictionaryArray.from_arrays(indices, _KEYS[name], safe=False)


def walls(array: Array, zone: Zone) -> Walls:
    """
    The wall clock of a zone at the timestamps, dates or times of day of an Arrow array.

    Values that carry no time zone are what the wall clock showed.
    """
    missing = np.asarray(array.is_null()) if array.null_count else None
    if pat.is_date32(array.type):
        return Walls(week_hours(raw(array) * 24, 1), missing)
    if pat.is_date64(array.type):
        return Walls(week_hours(raw(array), 1_000 * HOUR), missing)
    units = per_second(array.type)
    if not pat.is_timestamp(array.type) or array.type.tz is None or zone.name == "UTC":
        return Walls(week_hours(raw(array), units * HOUR), missing)
    return Walls(week_hours(zone.walls(raw(array) // units, 1), HOUR), missing)
