"""Which monitors and which windows a command is about, from its arguments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from driftmon.cli.options import find_monitor, instant
from driftmon.core.window import Window
from driftmon.errors import ConfigError, DriftmonError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from driftmon.config import Monitor

__all__ = ["Chosen", "choose", "end_of_live", "newest_with_rows", "one_window", "windows_between"]


@dataclass(frozen=True)
class Chosen:
    """
    The monitors of a command.

    Parameters
    ----------
    monitors : tuple of Monitor
    problems : tuple of (str, DriftmonError)
        What is wrong with others that it was to be about, by name.
    single : bool
        True if one was asked for by its name: then the answer is about one, not a list, and an error is the command's.
    """

    monitors: tuple[Monitor, ...]
    problems: tuple[tuple[str, DriftmonError], ...] = ()
    single: bool = False

    def each(self, windows: Callable[[Monitor], Sequence[Window]]) -> tuple[list[tuple[Monitor, Window]], Chosen]:
        """The windows of each monitor, and those monitors that have some; what is wrong with one does not stop the others."""
        due: list[tuple[Monitor, Window]] = []
        problems = list(self.problems)
        for monitor in self.monitors:
            try:
                due += [(monitor, window) for window in windows(monitor)]
            except DriftmonError as exc:
                if self.single:
                    raise
                problems.append((monitor.name, exc))
        bad = {name for name, _ in problems}
        left = tuple(monitor for monitor in self.monitors if monitor.name not in bad)
        return due, Chosen(left, tuple(problems), self.single)


def choose(folder: Path, names: Sequence[str], *, everything: bool) -> Chosen:
    """
    The monitors of those names, or all of a folder.

    Raises
    ------
    ConfigError
        If the only one that is named is broken, or there is no such folder.
    UsageError
        If there is no monitor of a name.
    """
    from driftmon.config import BrokenMonitor, Monitor, select_monitors  # noqa: PLC0415 - keeps --help light

    if everything and names:
        raise click.UsageError("--all names every monitor; leave out the names")
    if not everything and not names:
        raise click.UsageError("Missing argument 'MONITOR'; name one or more, or give --all.")
    if len(names) == 1:
        return Chosen((find_monitor(folder, names[0]),), single=True)
    found = select_monitors(folder, list(dict.fromkeys(names)))
    if not found:
        raise UsageError(f"{folder}: no monitor files; make one with: driftmon init DATA")
    broken = [monitor for monitor in found if isinstance(monitor, BrokenMonitor)]
    return Chosen(
        tuple(monitor for monitor in found if isinstance(monitor, Monitor)),
        tuple((monitor.name, ConfigError(*monitor.problems)) for monitor in broken),
    )


def newest_with_rows(monitor: Monitor) -> Window | None:
    """The window of the schedule that holds the newest live row; None if that cannot be told."""
    from driftmon.pipeline import live_source  # noqa: PLC0415 - keeps --help light

    try:
        span = live_source(monitor).span()
    except DriftmonError:
        return None  # nobody asked for it: whoever reads the rows will tell
    return None if span is None else monitor.windows.containing(span.end - timedelta(microseconds=1))


def one_window(monitor: Monitor, start: str | None, end: str | None, at: str | None) -> Window:
    """The window that options name, by default the newest complete one."""
    if at is not None:
        if start or end:
            raise click.UsageError("--window names a whole window; leave out --start and --end")
        return monitor.windows.containing(instant(monitor, "--window", at))
    if start and end:
        return Window(instant(monitor, "--start", start), instant(monitor, "--end", end))
    if start or end:
        raise click.UsageError(f"--{'end' if start else 'start'} is missing: a window needs both, or --window TIME")
    return monitor.newest_window(datetime.now(UTC))


def end_of_live(monitor: Monitor) -> datetime:
    """The end of the newest complete window, before ``live.end``; without one, of the newest with rows: others are empty for sure."""
    complete = monitor.newest_window(datetime.now(UTC)).end
    newest = None if monitor.live.end else newest_with_rows(monitor)
    return complete if newest is None else min(complete, newest.end)


def windows_between(monitor: Monitor, start: str | None, end: str | None) -> list[Window]:
    """
    The windows of the schedule that lie between two times, by default all that the live data have.

    Raises
    ------
    UsageError
        If there are none.
    """
    if start is None and monitor.live.start is None:
        raise UsageError(f"--start is missing: from when on? the monitor file of {monitor.name} has no live.start")
    first = instant(monitor, "--start" if start else "live.start", start or monitor.live.start or "")
    last = end_of_live(monitor) if end is None else instant(monitor, "--end", end)
    if end is None and last <= first:
        raise UsageError(
            f"{monitor.name}: no window since {first.isoformat()} is complete and has rows; name others with --start"
        )
    span = Window(first, last)
    windows = list(monitor.windows.between(span.start, span.end))
    if not windows:
        what = f"schedule {monitor.schedule!r}" if monitor.rolling is None else f"{monitor.window}"
        raise UsageError(f"{monitor.name}: no window of {what} lies within {span}; widen it")
    return windows
