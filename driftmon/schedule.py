"""
Which windows a schedule has: the same, to the second, as the data intervals that Airflow gives a monitor's DAG.

Cron expressions and presets cut time at their instants in the monitor's time zone, so that a New York day has 23 or 25 hours
twice a year; durations such as ``6h`` cut it at whole multiples since `GRID_ORIGIN`. `tests/test_schedule.py` holds both against
Airflow's own timetables.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import islice
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from croniter import croniter

from driftmon.core.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["GRID_ORIGIN", "Schedule", "instant_in", "parse_duration", "parse_instant"]

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


FEW, BACK = 16, 5
"""Readings of a clock that are stepped over, rather than to begin anew behind them; and how far before one is begun."""


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


def parse_instant(text: str, zone: ZoneInfo) -> datetime:
    """
    A date or date-time of ISO 8601; without an offset it is in the given time zone.

    Raises
    ------
    ValueError
        If it is neither.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a date such as 2013-05-01 or a time such as 2013-05-01T06:00:00Z") from None
    return instant_in(zone, instant) if instant.tzinfo is None else instant


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
        if self.duration is None and not croniter.is_valid(self.cron):
            raise ValueError(
                f"{self.expression!r} is neither a cron expression of five fields, nor one of {', '.join(PRESETS)}, nor a duration such as 6h"
            )

        if self.duration is None and self.hourly and _changes_by_part_of_an_hour(self.zone):
            raise ValueError(
                f"{self.expression!r} has no regular hours in {self.timezone}, whose clocks change by part of an hour; use timezone UTC"
            )

    @cached_property
    def hourly(self) -> bool:
        """True if the expression comes due in every hour."""
        return bool(croniter(self.cron).expanded[1] == ["*"])

    @cached_property
    def duration(self) -> timedelta | None:
        """The length of every window if the schedule is a duration, else None."""
        try:
            return parse_duration(self.expression)
        except ValueError:
            return None

    @property
    def cron(self) -> str:
        """The cron expression, also of a preset."""
        return PRESETS.get(self.expression, self.expression)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone in which the expression is read."""
        return ZoneInfo(self.timezone)

    def starting(self, instant: datetime) -> Iterator[Window]:
        """All windows from the first one that starts at or after an instant on, in order and without end."""
        return self._starting(instant, _Steps(self))

    def _starting(self, instant: datetime, steps: _Steps) -> Iterator[Window]:
        if self.duration is not None:
            left = GRID_ORIGIN - (GRID_ORIGIN - instant) // self.duration * self.duration
            while True:
                yield Window(left, left + self.duration)
                left += self.duration
        left = steps.align_forward(instant.astimezone(UTC))
        while True:
            right = steps.after(left)
            yield Window(left, right)
            left = steps.following_start(left, right)

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
        steps = _Steps(self)
        return self._starting(steps.back(instant), steps)


class _Steps:
    """The instants at which a cron schedule comes due, around wherever they are asked for."""

    def __init__(self, schedule: Schedule) -> None:
        self._zone = schedule.zone
        self._hourly = schedule.duration is None and schedule.hourly
        self._readings = _Readings(schedule.cron)

    def after(self, instant: datetime) -> datetime:
        """The first one later than an instant."""
        return self._stepped(instant, self._readings.after)

    def before(self, instant: datetime) -> datetime:
        """The last one earlier than an instant."""
        return self._stepped(instant, self._readings.before)

    def back(self, instant: datetime) -> datetime:
        """A few steps earlier, on the clock: a step back from a reading that daylight saving skips would stand still."""
        naive, steps = instant.astimezone(self._zone).replace(tzinfo=None), 0
        back = instant
        while steps < BACK - 2:
            naive = self._readings.before(naive)
            earlier = instant_in(self._zone, naive)
            if earlier < back:
                back, steps = earlier, steps + 1
        return back

    def _stepped(self, instant: datetime, step: Callable[[datetime], datetime]) -> datetime:
        naive = instant.astimezone(self._zone).replace(tzinfo=None, fold=0)
        scheduled = step(naive)
        if self._hourly:
            # "Every hour" moves by elapsed time, so that the repeated hour of autumn has windows of its own.
            return instant + (scheduled - naive)
        return instant_in(self._zone, scheduled)

    def align_forward(self, instant: datetime) -> datetime:
        """An instant itself if the schedule comes due then, else the next one at which it does."""
        after = self.after(instant)
        return instant if self.before(after) == instant else after

    def following_start(self, left: datetime, right: datetime) -> datetime:
        """Where the window after ``[left, right)`` begins."""
        before = self.before(right)
        start = right if self.after(before) == right else before
        return self.after(start) if start <= left else start


class _Readings:
    """
    The readings of a wall clock at which a cron expression comes due.

    Those next to each other are asked for again and again, and finding one takes long: so all since the first are kept, without
    gaps between them.
    """

    def __init__(self, cron: str) -> None:
        self._cron = cron
        self._iterator: croniter | None = None
        self._known: list[datetime] = []

    def after(self, naive: datetime) -> datetime:
        """The first reading later than one."""
        self._reach(naive)
        return self._known[bisect_right(self._known, naive)]

    def before(self, naive: datetime) -> datetime:
        """The last reading earlier than one."""
        self._reach(naive)
        return self._known[bisect_left(self._known, naive) - 1]

    def _reach(self, naive: datetime) -> None:
        """Know a reading earlier than this one, and one later."""
        iterator = self._iterator
        if iterator is not None and self._known[0] < naive:
            for _ in range(FEW):
                if self._known[-1] > naive:
                    return
                self._known.append(iterator.get_next(datetime))
        # Nothing is known around it: begin anew there.
        self._iterator = iterator = croniter(self._cron, start_time=naive)
        for _ in range(BACK):  # whoever asks for one often asks for those before it next
            iterator.get_prev(datetime)
        self._known = [iterator.get_current(datetime)]
        while self._known[-1] <= naive:
            self._known.append(iterator.get_next(datetime))


@lru_cache
def _longest(schedule: Schedule, day: date) -> timedelta:
    # Kept: asked for with every check, it would take ten times as long as all the rest of one.
    windows = schedule.starting(datetime.combine(day, time(), UTC))
    return max(window.end - window.start for window in islice(windows, WINDOWS_LOOKED_AT))


def _changes_by_part_of_an_hour(zone: ZoneInfo) -> bool:
    """True for zones such as Lord Howe, where Airflow's timetables stand still or overlap on the days of change."""
    offsets = {datetime(2026, month, 15, tzinfo=zone).utcoffset() or timedelta(0) for month in range(1, 13)}
    return any((offset - min(offsets)) % timedelta(hours=1) for offset in offsets)
