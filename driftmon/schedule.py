"""
Which windows a schedule has: the same, to the second, as the data intervals that Airflow gives a monitor's DAG.

Cron expressions and presets cut time at their instants in the monitor's time zone, so that a New York day has 23 or 25 hours
twice a year; durations such as ``6h`` cut it at whole multiples since `GRID_ORIGIN`. `tests/test_schedule.py` holds both against
Airflow's own timetables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from croniter import croniter

from driftmon.core.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["GRID_ORIGIN", "Schedule", "instant_in", "parse_duration"]

GRID_ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)
"""Where schedules that are durations begin to count, as Airflow's do: a window of ``1w`` begins on a Thursday."""

PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}

WINDOWS_LOOKED_AT = 100
"""Enough for every gap of the schedules people write (a month of days, a day of quarter hours) to have shown itself."""


def parse_duration(text: str) -> timedelta:
    """
    A duration such as ``90m``, ``6h``, ``1d`` or ``2w``.

    Raises
    ------
    ValueError
        If the text is not a positive whole number and one of those units.

    Examples
    --------
    >>> parse_duration("6h")
    datetime.timedelta(seconds=21600)
    """
    match = re.fullmatch(r"([1-9]\d{0,5})([mhdw])", text)
    if match is None:
        raise ValueError(f"{text!r} is not a duration such as 30m, 6h, 1d or 2w")
    return int(match[1]) * UNITS[match[2]]


def instant_in(zone: ZoneInfo, naive: datetime) -> datetime:
    """
    The UTC instant of a wall-clock reading, by the rule that Airflow's timetables use.

    Of a repeated reading the second one; a skipped one is moved on by the gap (02:30 becomes 03:30).
    """
    offsets = [naive.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta(0) for fold in (0, 1)]
    return (naive - min(offsets)).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Schedule:
    """
    A cron expression, a preset such as ``@daily``, or a duration such as ``6h``, in a time zone.

    Parameters
    ----------
    expression : str
    timezone : str
        An IANA name; durations do not depend on it.

    Raises
    ------
    ValueError
        If the expression is none of the three, or never comes due.

    Examples
    --------
    >>> str(Schedule("@daily", "America/New_York").containing(datetime(2013, 11, 3, 12, tzinfo=UTC)))
    '2013-11-03T04:00:00Z/2013-11-04T05:00:00Z'
    """

    expression: str
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        if self.duration is None and not croniter.is_valid(self._cron):
            raise ValueError(
                f"{self.expression!r} is neither a cron expression of five fields, nor one of {', '.join(PRESETS)}, nor a duration such as 6h"
            )

        if self.duration is None and self._hourly and _changes_by_part_of_an_hour(self.zone):
            raise ValueError(
                f"{self.expression!r} has no regular hours in {self.timezone}, whose clocks change by part of an hour; use timezone UTC"
            )

    @cached_property
    def _hourly(self) -> bool:
        """True if the expression comes due in every hour."""
        return bool(croniter(self._cron).expanded[1] == ["*"])

    @cached_property
    def duration(self) -> timedelta | None:
        """The length of every window if the schedule is a duration, else None."""
        try:
            return parse_duration(self.expression)
        except ValueError:
            return None

    @property
    def _cron(self) -> str:
        return PRESETS.get(self.expression, self.expression)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone in which the expression is read."""
        return ZoneInfo(self.timezone)

    def starting(self, instant: datetime) -> Iterator[Window]:
        """All windows from the first one that starts at or after an instant on, in order and without end."""
        if self.duration is not None:
            steps = -((GRID_ORIGIN - instant) // self.duration)
            left = GRID_ORIGIN + steps * self.duration
            while True:
                yield Window(left, left + self.duration)
                left += self.duration
        left = self._align_forward(instant.astimezone(UTC))
        while True:
            right = self._next(left)
            yield Window(left, right)
            left = self._following_start(left, right)

    def between(self, start: datetime, end: datetime) -> Iterator[Window]:
        """The windows that lie within a span of time, in order."""
        for window in self.starting(start):
            if window.end > end:
                return
            yield window

    def containing(self, instant: datetime) -> Window:
        """
        The window that an instant falls in.

        Where clocks change, cron schedules can leave out some hours between two windows, as Airflow's do: the window after them
        then.
        """
        for window in self._around(instant):
            if instant < window.end:
                return window
        raise ValueError(f"{self.expression!r} has no window around {instant.isoformat()}")  # pragma: no cover

    def has(self, window: Window) -> bool:
        """True if a window is one of this schedule."""
        return self.containing(window.start) == window

    def newest_complete(self, instant: datetime) -> Window:
        """The newest window that ends at or before an instant."""
        newest = None
        for window in self._around(instant):
            if window.end > instant:
                break
            newest = window
        if newest is None:  # pragma: no cover
            raise ValueError(f"{self.expression!r} has no window before {instant.isoformat()}")
        return newest

    def longest(self, instant: datetime) -> timedelta:
        """The longest of the windows that follow the day of an instant: how long it can be until the next one ends."""
        return _longest(self, instant.astimezone(UTC).date())

    def _around(self, instant: datetime) -> Iterator[Window]:
        """Windows from a few before an instant on."""
        if self.duration is not None:
            return self.starting(instant - 3 * self.duration)
        before = instant.astimezone(UTC)
        for _ in range(3):
            # A step back from a reading that daylight saving skips stands still: move on by hand.
            before = min(self._previous(before), before - timedelta(minutes=1))
        return self.starting(before)

    def _step(self, instant: datetime, *, forward: bool) -> datetime:
        naive = instant.astimezone(self.zone).replace(tzinfo=None, fold=0)
        cron = croniter(self._cron, start_time=naive)
        scheduled: datetime = cron.get_next(datetime) if forward else cron.get_prev(datetime)
        if self._hourly:
            # "Every hour" moves by elapsed time, so that the repeated hour of autumn has windows of its own.
            return instant + (scheduled - naive)
        return instant_in(self.zone, scheduled)

    def _next(self, instant: datetime) -> datetime:
        return self._step(instant, forward=True)

    def _previous(self, instant: datetime) -> datetime:
        return self._step(instant, forward=False)

    def _align_forward(self, instant: datetime) -> datetime:
        after = self._next(instant)
        return instant if self._previous(after) == instant else after

    def _following_start(self, left: datetime, right: datetime) -> datetime:
        before = self._previous(right)
        start = right if self._next(before) == right else before
        return self._next(start) if start <= left else start


@lru_cache
def _longest(schedule: Schedule, day: date) -> timedelta:
    # Kept: asked for with every check, it would take ten times as long as all the rest of one.
    windows = schedule.starting(datetime.combine(day, time(), UTC))
    return max(window.end - window.start for window in islice(windows, WINDOWS_LOOKED_AT))


def _changes_by_part_of_an_hour(zone: ZoneInfo) -> bool:
    """True for zones such as Lord Howe, where Airflow's timetables stand still or overlap on the days of change."""
    offsets = {datetime(2026, month, 15, tzinfo=zone).utcoffset() or timedelta(0) for month in range(1, 13)}
    return any((offset - min(offsets)) % timedelta(hours=1) for offset in offsets)
