"""Wall clocks of a time zone, for whole arrays of instants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from driftmon.core.binning import places
from driftmon.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Zone"]

DAY = 86_400
MICROSECONDS = 1_000_000
FIRST, LAST = -62_135_596_800 + DAY, 253_402_300_799 - DAY
"""Seconds of the years 1 to 9999, all that `datetime` can tell; the offset at either end holds beyond."""

FEW_YEARS = 8
"""A span up to so long is looked up year by year; in a longer one only the years that occur are."""

LEAST, MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


@dataclass(frozen=True)
class _Offsets:
    """Offset `offsets[k]` holds for instants from `starts[k]` and for wall clocks from `walls[k]`, in units of the caller."""

    starts: NDArray[np.int64]
    walls: NDArray[np.int64]
    offsets: NDArray[np.int64]


class Zone:
    """
    A time zone that turns whole arrays of instants into wall-clock readings, and back.

    A wall clock that shows a time twice (the end of daylight saving) means the first; one that skips a time means the instant of
    the skip. Both rules together make the way back monotone: later readings are never earlier instants, so that every reading
    falls in exactly one of consecutive windows.

    Works from `zoneinfo` alone, so that no second copy of the time-zone rules can disagree with the one that schedules checks.

    Parameters
    ----------
    name : str
        As the IANA database spells it, such as ``America/New_York``.

    Raises
    ------
    SourceError
        If there is no such zone.
    """

    def __init__(self, name: str) -> None:
        try:
            self._zone = ZoneInfo(name)
        except (KeyError, ValueError, OSError) as exc:
            raise SourceError(
                f"time zone {name!r} is unknown; expected a name such as 'Europe/Berlin' or 'UTC'"
            ) from exc
        self.name = name
        self._years: dict[int, tuple[tuple[int, int], ...]] = {}

    def walls(self, instants: NDArray[np.int64], per_second: int) -> NDArray[np.int64]:
        """
        What the wall clock shows at instants.

        Parameters
        ----------
        instants : ndarray of int, shape (rows,)
            Since 1970 UTC, in units of which `per_second` make a second.
        per_second : int

        Returns
        -------
        ndarray of int, shape (rows,)
            Since 1970 on the wall clock, in the same units.
        """
        known = self._offsets(instants, per_second)
        offsets = known.offsets
        if len(offsets) > 1:
            offsets = offsets[places(instants, known.starts[1:])]  # the first start is before all instants
        walls: NDArray[np.int64] = instants + offsets
        return walls

    def instants(self, walls: NDArray[np.int64], per_second: int) -> NDArray[np.int64]:
        """The instants that wall-clock readings mean: the way back from `walls`, same parameters, same units."""
        known = self._offsets(walls, per_second)
        position = np.searchsorted(known.walls, walls, side="right") - 1
        instants: NDArray[np.int64] = np.maximum(walls - known.offsets[position], known.starts[position])
        return instants

    def first_wall(self, instant: datetime) -> int:
        """
        The earliest wall-clock reading that does not mean an instant before `instant`.

        Readings from this one on are the rows of a window that starts at `instant`: comparing wall clocks with it is what
        converting every row would give.

        Returns
        -------
        int
            Microseconds since 1970 on the wall clock.
        """
        since = instant - datetime(1970, 1, 1, tzinfo=UTC)
        microseconds = (since.days * DAY + since.seconds) * MICROSECONDS + since.microseconds
        known = self._offsets(np.array([microseconds]), MICROSECONDS)
        position = int(np.searchsorted(known.starts, microseconds, side="right")) - 1
        change = int(known.walls[position])
        if microseconds == known.starts[position]:
            return change
        return max(microseconds + int(known.offsets[position]), change)

    def _offsets(self, values: NDArray[np.int64], per_second: int) -> _Offsets:
        if self.name == "UTC" or len(values) == 0:
            return _Offsets(np.array([LEAST]), np.array([LEAST]), np.array([0]))
        starts: list[int] = []
        offsets: list[int] = []
        for year in self._years_of(values, per_second):
            for start, offset in self._changes(year):
                if not offsets or offset != offsets[-1]:
                    starts.append(start)
                    offsets.append(offset)
        walls = [LEAST, *(start + before for start, before in zip(starts[1:], offsets, strict=False))]
        starts[0] = LEAST
        return _Offsets(_scaled(starts, per_second), _scaled(walls, per_second), _scaled(offsets, per_second))

    @staticmethod
    def _years_of(values: NDArray[np.int64], per_second: int) -> Iterable[int]:
        # A day on either side, since a wall clock and its instant may lie in different years.
        low = _year(int(values.min()) // per_second - DAY)
        high = _year(int(values.max()) // per_second + DAY)
        if high - low <= FEW_YEARS:
            return range(low, high + 1)
        seconds = np.clip(values // per_second, FIRST, LAST)
        around = np.concatenate([np.clip(seconds + shift, FIRST, LAST) for shift in (-DAY, DAY)])
        years: list[int] = np.unique(around.astype("datetime64[s]").astype("datetime64[Y]").astype(np.int64)).tolist()
        return [year + 1970 for year in years]

    def _changes(self, year: int) -> tuple[tuple[int, int], ...]:
        """The offset at the start of a year, then each other one with the second from which it holds."""
        if year not in self._years:
            start = _second(year)
            end = min(_second(year + 1), LAST) if year < 9999 else LAST
            changes = [(start, self._offset(start))]
            # Daily steps find every change: no zone has ever changed twice within four days.
            for day in range(start, end, DAY):
                after = min(day + DAY, end)
                if self._offset(after) != changes[-1][1]:
                    changes.append(self._change(day, after))
            self._years[year] = tuple(changes)
        return self._years[year]

    def _change(self, before: int, after: int) -> tuple[int, int]:
        old, new = self._offset(before), self._offset(after)
        while after - before > 1:
            middle = (before + after) // 2
            if self._offset(middle) == old:
                before = middle
            else:
                after = middle
        return after, new

    def _offset(self, second: int) -> int:
        moment = datetime.fromtimestamp(second, self._zone)
        offset = moment.utcoffset()
        return 0 if offset is None else offset.days * DAY + offset.seconds


def _year(second: int) -> int:
    return datetime.fromtimestamp(min(max(second, FIRST), LAST), UTC).year


def _second(year: int) -> int:
    return max(int(datetime(year, 1, 1, tzinfo=UTC).timestamp()), FIRST)


def _scaled(seconds: list[int], per_second: int) -> NDArray[np.int64]:
    return np.array([min(max(second * per_second, LEAST), MOST) for second in seconds], dtype=np.int64)
