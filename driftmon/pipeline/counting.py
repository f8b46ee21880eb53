"""
The counts of windows: read from the source, or put together from what was read before.

A rolling window is the sum of its steps. The newest is read, the others are taken from the results database, and read where they
are not there; what several monitors want of the same rows is read once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from driftmon.core.rolling import rolled
from driftmon.errors import DriftmonError
from driftmon.pipeline.values import live_place, live_source
from driftmon.sources.shared import Wanted, count_together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftmon.config import Monitor
    from driftmon.core.baseline import Baseline
    from driftmon.core.histogram import Profile
    from driftmon.core.window import Window
    from driftmon.sources.base import Progress, Source
    from driftmon.store.store import Store

__all__ = ["Counting", "count_all", "live_rows"]


@dataclass
class Counting:
    """
    The counts of one window of one monitor, while they are brought together.

    Parameters
    ----------
    monitor : Monitor
    baseline : Baseline
    window : Window
    place : str
        Where the rows are; see `live_place`.
    parts : list of Window
        What is counted apart, oldest first; the window itself, unless it is rolling.
    kept : bool
        True if the counts of parts are kept, and those kept are used.
    """

    monitor: Monitor
    baseline: Baseline
    window: Window
    place: str
    parts: list[Window]
    kept: bool
    found: dict[Window, Profile] = field(default_factory=dict)
    error: DriftmonError | None = None

    @classmethod
    def of(cls, monitor: Monitor, baseline: Baseline, window: Window, store: Store) -> Counting:
        """What there is to count, and what was counted before."""
        parts, kept = _parts(monitor, window)
        counting = cls(monitor, baseline, window, live_place(monitor), parts, kept)
        if kept:
            # The newest step is what the check is about: its rows may have come late, and are always read.
            counting.found = store.load_steps(monitor.name, baseline, parts[:-1], place=counting.place)
        return counting

    @property
    def missing(self) -> list[Window]:
        """The parts that have to be read."""
        return [part for part in self.parts if part not in self.found]

    def profile(self) -> Profile:
        """
        The counts of the whole window.

        Raises
        ------
        DriftmonError
            If a part could not be read.
        """
        if self.error is not None:
            raise self.error
        if self.parts == [self.window]:
            return self.found[self.window]
        return rolled({part: self.found[part] for part in self.parts})


def _parts(monitor: Monitor, window: Window) -> tuple[list[Window], bool]:
    rolling = monitor.rolling
    if rolling is not None and rolling.has(window):
        return rolling.parts(window), True
    if rolling is not None and monitor.live.windowed:
        # A window by hand, whose rows are in the files of its steps.
        steps = list(monitor.steps.between(window.start, window.end))
        if steps and (steps[0].start, steps[-1].end) == (window.start, window.end):
            return steps, False
    return [window], False


def count_all(countings: Sequence[Counting], store: Store, progress: Progress, *, now: datetime | None = None) -> None:
    """
    Read what is missing, the same rows once, and keep the counts of steps.

    What cannot be read is the error of those that want it, and no others.
    """
    jobs = sorted(_jobs(countings).items(), key=lambda job: (job[0][1].end, job[0][1].start))
    meter = _Meter(progress) if len(jobs) > 1 else None
    sources = _Sources(meter or progress)
    for (_, part), wanting in jobs:
        takers = [each for each in wanting if each.error is None]
        if meter is not None:
            meter.begin()
        for each, counted in zip(takers, sources.count(takers, part), strict=True):
            if isinstance(counted, DriftmonError):
                each.error = counted
                continue
            each.found[part] = counted
            if each.kept:
                moment = now or datetime.now(UTC)
                store.save_step(each.monitor.name, each.baseline, part, counted, place=each.place, now=moment)


def _jobs(countings: Sequence[Counting]) -> dict[tuple[str, Window], list[Counting]]:
    """Places and windows that are to be read, each with those who want it."""
    jobs: dict[tuple[str, Window], list[Counting]] = {}
    for each in countings:
        for part in each.missing:
            jobs.setdefault((each.place, part), []).append(each)
    return jobs


class _Sources:
    """The sources of places, each opened once."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._open: dict[str, Source] = {}

    def count(self, takers: Sequence[Counting], window: Window) -> Sequence[Profile | DriftmonError]:
        """The counts that some want of a window of one place, or what keeps each from having them."""
        if not takers:
            return []
        first = takers[0]
        try:
            if first.place not in self._open:
                self._open[first.place] = live_source(first.monitor, self._progress)
            wanted = [Wanted(each.baseline.columns, each.baseline.segments) for each in takers]
            return count_together(self._open[first.place], wanted, window)
        except DriftmonError as exc:  # the place cannot be opened
            return [exc] * len(takers)


class _Meter:
    """The rows of several readings, one after the other, as one number."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._before = self._last = 0

    def begin(self) -> None:
        """Another reading begins."""
        self._before, self._last = self._before + self._last, 0

    def __call__(self, rows: int, total: int | None) -> None:  # noqa: ARG002 - how many rows there are in all is not known
        if rows < self._last:
            self.begin()
        self._last = rows
        self._progress(self._before + rows, None)


def live_rows(monitor: Monitor, window: Window, progress: Progress) -> int:
    """
    How many rows a window has; nothing of them is counted.

    Raises
    ------
    SourceError
        If they cannot be read.
    """
    source = live_source(monitor, progress)
    parts = _parts(monitor, window)[0] if monitor.live.windowed else [window]
    return sum(source.count({}, part).rows for part in parts)
