"""Rolling windows: at each step of a schedule, the last so many of its windows as one."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, pairwise
from typing import TYPE_CHECKING

from driftmon.core.window import Window
from driftmon.schedule import Schedule, parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["MOST_STEPS", "Rolling", "rolling"]

MOST_STEPS = 400
"""Steps of a window at most: a year of days."""

LOOKED_AT = 370
"""Steps of a schedule that are compared: a year of days, so that months that it leaves out show."""

INSTANT = timedelta(microseconds=1)

CLOCK_CHANGE = timedelta(hours=3)
"""By which a number of windows can be longer than usual: clocks change by no more."""


@dataclass(frozen=True)
class Rolling:
    """
    Windows of several steps of a schedule, one ending with each step, as a `Schedule` gives windows of one step.

    Parameters
    ----------
    schedule : Schedule
        Of steps of equal length, but for changes of the clock.
    steps : int
        Of each window, at least 2.

    Examples
    --------
    >>> week = Rolling(Schedule("@daily"), 7)
    >>> str(week.containing(datetime(2013, 5, 7, 12, tzinfo=UTC)))
    '2013-05-01T00:00:00Z/2013-05-08T00:00:00Z'
    """

    schedule: Schedule
    steps: int

    def starting(self, instant: datetime) -> Iterator[Window]:
        """All windows from the first one that starts at or after an instant on, in order and without end."""
        recent: deque[Window] = deque(maxlen=self.steps)
        for step in self.schedule.starting(instant):
            recent.append(step)
            if len(recent) == self.steps:
                yield Window(recent[0].start, step.end)

    def between(self, start: datetime, end: datetime) -> Iterator[Window]:
        """The windows that lie within a span of time, in order."""
        for window in self.starting(start):
            if window.end > end:
                return
            yield window

    def containing(self, instant: datetime) -> Window:
        """The window that ends with the step that an instant falls in."""
        return self.ending(self.schedule.containing(instant))

    def has(self, window: Window) -> bool:
        """True if a window is one of these."""
        return self.containing(window.end - INSTANT) == window

    def newest_complete(self, instant: datetime) -> Window:
        """The newest window that ends at or before an instant."""
        return self.ending(self.schedule.newest_complete(instant))

    def longest(self, instant: datetime) -> timedelta:
        """How long it can be until the next window ends: as long as a step."""
        return self.schedule.longest(instant)

    def ending(self, step: Window) -> Window:
        """The window that ends with a step of the schedule."""
        before = self._up_to(step)
        return Window(before[0].start, step.end)

    def last_step(self, window: Window) -> Window:
        """The step that a window ends with."""
        return self.schedule.containing(window.end - INSTANT)

    def parts(self, window: Window) -> list[Window]:
        """
        The steps of one of these windows, oldest first: each row of the window is in exactly one.

        Where clocks change, a schedule can leave out some hours between two steps; they are parts of the earlier one here.
        """
        steps = self._up_to(self.last_step(window))
        cuts = [*(step.start for step in steps), window.end]
        return [Window(start, end) for start, end in pairwise(cuts)]

    def _up_to(self, step: Window) -> list[Window]:
        """So many steps as make a window, up to this one."""
        length = self.steps * (step.end - step.start) + CLOCK_CHANGE
        while True:
            recent: deque[Window] = deque(maxlen=self.steps)
            for each in self.schedule.starting(step.end - length):
                recent.append(each)
                if each.end >= step.end:
                    break
            if len(recent) == self.steps:
                return list(recent)
            length *= 2  # the last step is one of the short ones


def rolling(window: str, schedule: Schedule) -> Rolling | None:
    """
    The windows of so long a duration, at each step of a schedule; None if that is its own step.

    Raises
    ------
    ValueError
        If the schedule's steps differ in length, or the duration is no whole number of them, or of too many.
    """
    length = parse_duration(window)
    shortest, longest = _steps(schedule.expression)
    if shortest != longest:
        raise ValueError(
            f"{window!r} cannot be cut in steps of schedule {schedule.expression!r}, which are of {_said(shortest)} to "
            f"{_said(longest)}; choose a schedule of equal steps, such as @daily, or leave window out"
        )
    steps, rest = divmod(length, shortest)
    if rest or not steps:
        raise ValueError(
            f"{window!r} is not a whole multiple of the step of schedule {schedule.expression!r}, {_said(shortest)}; "
            f"expected for example {_said(max(steps, 1) * shortest)}"
        )
    if steps > MOST_STEPS:
        raise ValueError(
            f"{window!r} is {steps:,} steps of schedule {schedule.expression!r}; at most {MOST_STEPS} are summed: choose a "
            "shorter window, or a schedule of longer steps"
        )
    return Rolling(schedule, steps) if steps > 1 else None


@lru_cache
def _steps(expression: str) -> tuple[timedelta, timedelta]:
    """The shortest and the longest step of a schedule, on a clock that never changes."""
    windows = islice(Schedule(expression).starting(datetime(2001, 1, 1, tzinfo=UTC)), LOOKED_AT)
    lengths = [window.end - window.start for window in windows]
    return min(lengths), max(lengths)


def _said(length: timedelta) -> str:
    """A duration as monitor files say it."""
    for unit, size in (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1))):
        if length % size == timedelta(0):
            return f"{length // size}{unit}"
    return str(length)
