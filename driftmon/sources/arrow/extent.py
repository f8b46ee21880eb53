"""From when to when the rows of a source are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.types as pat

from driftmon.core.window import Window
from driftmon.sources.arrow.times import DAY, instant_of, per_second, read_times

if TYPE_CHECKING:
    from driftmon.sources.arrow.reading import Reader
    from driftmon.sources.arrow.times import Times
    from driftmon.sources.arrow.zones import Zone

__all__ = ["extent"]


def extent(reader: Reader) -> Window | None:
    """
    The shortest window that holds every row with a timestamp; None if there are none, or no timestamp column.

    Raises
    ------
    SourceError
        If the timestamp column is not there, or does not hold timestamps.
    """
    if reader.timestamp is None:
        return None
    ends: list[int] = []
    for batch in reader.read([reader.timestamp]):
        ends += _ends(read_times(batch, reader.timestamp, reader.zone), reader.zone)
    if not ends:
        return None
    return Window(instant_of(min(ends)), instant_of(max(ends) + 1))


def _ends(times: Times, zone: Zone) -> list[int]:
    """The first and the last instant of some rows in microseconds since 1970 UTC, none if they have none."""
    values = times.values if times.present is None else times.values[times.present]
    if len(values) == 0:
        return []
    microseconds = [_microseconds(int(end), times) for end in (values.min(), values.max())]
    if pat.is_timestamp(times.type) and times.type.tz is not None:
        return microseconds
    instants: list[int] = zone.instants(np.array(microseconds), 1_000_000).tolist()
    return instants


def _microseconds(value: int, times: Times) -> int:
    if pat.is_date32(times.type):
        return value * DAY * 1_000_000
    return value * 1_000_000 // (1_000 if pat.is_date64(times.type) else per_second(times.type))
