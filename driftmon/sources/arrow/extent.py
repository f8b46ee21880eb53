"""From when to when the rows of a source are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from driftmon.core.window import Window
from driftmon.errors import SourceError
from driftmon.sources.arrow.kinds import Family, column_type, value_type
from driftmon.sources.arrow.text import ValueProblem, read_instants

if TYPE_CHECKING:
    from driftmon.sources.arrow.batches import Array
    from driftmon.sources.arrow.reading import Reader
    from driftmon.sources.arrow.zones import Zone

__all__ = ["extent"]


def extent(reader: Reader, timestamp: str) -> Window | None:
    """
    The shortest window that holds every row with a timestamp; None if there are none.

    Raises
    ------
    SourceError
        If the timestamp column does not hold timestamps.
    """
    instants: list[datetime] = []
    for batch in reader.read([timestamp]):
        if timestamp in batch.columns:
            try:
                instants += _ends(batch.columns[timestamp], reader.zone)
            except ValueProblem as exc:
                raise SourceError(f"timestamp column {timestamp!r}{batch.place}: {exc}") from exc
            except pa.ArrowNotImplementedError:
                kind = column_type(batch.columns[timestamp].type).name
                raise SourceError(
                    f"timestamp column {timestamp!r}{batch.place} is {kind}; expected timestamps, dates or ISO 8601 text"
                ) from None
    return Window(min(instants), max(instants) + timedelta(microseconds=1)) if instants else None


def _ends(array: Array, zone: Zone) -> list[datetime]:
    """The first and the last instant of a column, none if it has none."""
    plain = value_type(array.type)
    array = array if plain == array.type else array.cast(plain)
    if column_type(plain).family is Family.TEXT:
        array = read_instants(array, zone)
    # Microseconds are what `datetime` holds; a zone stays with the values.
    array = array.cast(pa.timestamp("us", getattr(array.type, "tz", None)), safe=False)
    ends = (pc.min(array).as_py(), pc.max(array).as_py())
    return [_aware(moment, zone) for moment in ends if moment is not None]


def _aware(moment: datetime, zone: Zone) -> datetime:
    return (moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone.name))).astimezone(UTC)
