"""
Small pictures as numbers: where lines, marks and bars go. The templates draw them as inline SVG, so that every text is escaped there.

Heights of KL are on a root scale: a shift of two thresholds can be told from one of three, beside a day of twenty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from driftmon.store.timeline import ColumnPoint, WindowPoint

__all__ = ["Bar", "Cell", "Line", "Mark", "Spark", "TimePlot", "bar", "cells", "plot", "spark"]

SPARK_WIDTH, SPARK_HEIGHT = 240, 48
"""Half pixels: whole numbers are short to write, and there are many."""

PLOT_WIDTH, PLOT_HEIGHT = 420, 170
LEFT, RIGHT, TOP, BOTTOM = 86, 8, 10, 20
"""Room around the lines of a plot, for its texts."""

CEILING = 4.0
"""Critical thresholds at the top of a sparkline, unless more than that is usual; what is beyond is drawn there."""

APART = 13
"""Height that a text of an axis needs for itself."""

HEIGHTS = {"critical": 24, "warning": 16, "ok": 6, "info": 6}
"""Of a window's cell; one without a verdict is half as high as the strip."""

STRIP_HEIGHT, CELL = 24, 8


@dataclass(frozen=True)
class Mark:
    """A window that deserves a look: where it is, and what it is (``critical``, ``warning``, ``sustained``, ``none``)."""

    x: int
    y: int
    kind: str


@dataclass(frozen=True)
class Spark:
    """One column's KL over windows: a path, the heights of the newest thresholds and of the usual limit, the marks."""

    path: str
    warning: int
    critical: int
    usual: int | None
    marks: tuple[Mark, ...]
    width: int = SPARK_WIDTH
    height: int = SPARK_HEIGHT


@dataclass(frozen=True)
class Line:
    """A line of a plot: a path, and what it is."""

    path: str
    kind: str


@dataclass(frozen=True)
class Tick:
    """A value on an axis: where, and as people read it."""

    at: int
    text: str


@dataclass(frozen=True)
class TimePlot:
    """One column's KL over windows with all that it is held against."""

    lines: tuple[Line, ...]
    marks: tuple[Mark, ...]
    ticks: tuple[Tick, ...]
    first: str
    last: str
    chosen: int | None
    width: int = PLOT_WIDTH
    height: int = PLOT_HEIGHT
    left: int = LEFT
    right: int = PLOT_WIDTH - RIGHT
    bottom: int = PLOT_HEIGHT - BOTTOM


@dataclass(frozen=True)
class Cell:
    """One window of a strip: its place, its height, its status."""

    x: int
    y: int
    height: int
    point: WindowPoint


@dataclass(frozen=True)
class Bar:
    """Lengths, in hundredths of the room, of a share before and now."""

    reference: float
    live: float


def bar(reference: float, live: float, longest: float) -> Bar:
    """A share before and now beside others, of which the longest fills the room; what is there is seen."""
    return Bar(_length(reference, longest), _length(live, longest))


def _length(share: float, longest: float) -> float:
    if share <= 0 or longest <= 0:
        return 0.0
    return max(round(100 * share / longest, 1), 0.5)


def spark(points: Sequence[ColumnPoint | None]) -> Spark:
    """The sparkline of a column, the newest window at the right; a window without a number leaves a gap."""
    newest = next((point for point in reversed(points) if point is not None), None)
    if newest is None:
        return Spark("", 0, 0, None, ())
    top = max(CEILING * newest.threshold.critical, 1.1 * (newest.usual_limit or 0.0)) or 1.0
    step = (SPARK_WIDTH - 16) / max(len(points) - 1, 1)

    def y(value: float) -> int:
        return round(5 + (SPARK_HEIGHT - 10) * (1 - _root(value, top)))

    places, marks = [], []
    for place, point in enumerate(points):
        x = round(8 + (place * step if len(points) > 1 else SPARK_WIDTH - 16))
        height = None if point is None or point.kl is None else y(point.kl)
        places.append((x, height))
        kind = _kind(point)
        if kind:
            marks.append(Mark(x, SPARK_HEIGHT - 6 if height is None else height, kind))
    usual = None if newest.usual_limit is None else y(newest.usual_limit)
    threshold = newest.threshold
    return Spark(_path(places), y(threshold.warning), y(threshold.critical), usual, tuple(marks))


def _root(value: float, top: float) -> float:
    """A height in [0, 1] for a value; the top is 1, and so is what is beyond."""
    if value <= 0:
        return 0.0
    return 1.0 if value >= top else math.sqrt(value / top)


def _kind(point: ColumnPoint | None) -> str:
    """What a mark says of a window; nothing for one that is as it should be."""
    if point is None:
        return ""
    if point.status.breach:
        return str(point.status)
    if not point.status.evaluated:
        return "none"
    return "sustained" if point.sustained else ""


def _path(places: Iterable[tuple[int, int | None]]) -> str:
    """
    A line through places, broken where there is none, in few letters; a place alone is a dot, which round ends of the line show.

    Examples
    --------
    >>> _path([(0, 5), (2, 5), (4, 5), (6, 3), (8, None), (10, 4)])
    'M0 5h4l2-2M10 4h0'
    """
    parts: list[str] = []
    before: tuple[int, int] | None = None
    level = 0  # the length of the level piece that is not written yet
    for x, y in [*places, (0, None)]:
        if before is not None and y == before[1]:
            level += x - before[0]
        else:
            if level:
                parts.append(f"h{level}")
                level = 0
            if y is not None and before is not None:
                parts.append(f"l{x - before[0]}{y - before[1]:+d}".replace("+", " "))
            elif y is not None:
                parts.append(f"M{x} {y}")
            elif parts and parts[-1].startswith("M"):
                parts.append("h0")
        before = None if y is None else (x, y)
    return "".join(parts)


def cells(points: Sequence[WindowPoint], room: int = 0) -> tuple[Cell, ...]:
    """A strip of windows, the newest at the right, of a room of so many if that is more; higher is worse."""
    first = max(room - len(points), 0)
    made = []
    for place, point in enumerate(points):
        height = HEIGHTS.get(str(point.status), STRIP_HEIGHT // 2)
        made.append(Cell(CELL * (first + place), STRIP_HEIGHT - height, height, point))
    return tuple(made)


def plot(
    points: Sequence[ColumnPoint | None],
    ticks: Sequence[tuple[float, str]],
    *,
    first: str,
    last: str,
    chosen: int | None,
) -> TimePlot:
    """
    KL over windows beside noise floor, usual limit and the thresholds in force.

    Parameters
    ----------
    points : sequence of ColumnPoint or None
        The oldest first.
    ticks : sequence of (float, str)
        Values of the axis with their texts, the most wanted first: one too near to those before is left out.
    first, last : str
        The first and the last window as people read them.
    chosen : int, optional
        Place of the window that the page is about.
    """
    numbers = [number for point in points if point is not None for number in _numbers(point)]
    top = 1.08 * max(numbers, default=1.0) or 1.0
    step = (PLOT_WIDTH - LEFT - RIGHT) / max(len(points) - 1, 1)

    def x(place: int) -> int:
        return round(LEFT + (place * step if len(points) > 1 else (PLOT_WIDTH - LEFT - RIGHT) / 2))

    def y(value: float) -> int:
        return round(TOP + (PLOT_HEIGHT - TOP - BOTTOM) * (1 - _root(value, top)))

    def line(kind: str, values: Sequence[float | None]) -> Line:
        return Line(_path((x(place), None if value is None else y(value)) for place, value in enumerate(values)), kind)

    lines = [
        line("critical", [None if point is None else point.threshold.critical for point in points]),
        line("warning", [None if point is None else point.threshold.warning for point in points]),
        line("usual", [None if point is None else point.usual_limit for point in points]),
        line("noise", [None if point is None else point.noise_floor for point in points]),
        line("kl", [None if point is None else point.kl for point in points]),
    ]
    marks = [
        Mark(x(place), PLOT_HEIGHT - BOTTOM - 3 if point is None or point.kl is None else y(point.kl), kind)
        for place, point in enumerate(points)
        if (kind := _kind(point))
    ]
    return TimePlot(
        lines=tuple(each for each in lines if each.path),
        marks=tuple(marks),
        ticks=_apart([Tick(y(value), text) for value, text in ticks if value <= top]),
        first=first,
        last=last,
        chosen=None if chosen is None else x(chosen),
    )


def _numbers(point: ColumnPoint) -> list[float]:
    threshold = point.threshold
    known = (point.kl, point.noise_floor, point.usual_limit, threshold.warning, threshold.critical)
    return [number for number in known if number is not None]


def _apart(ticks: Iterable[Tick]) -> tuple[Tick, ...]:
    kept: list[Tick] = []
    for tick in ticks:
        if all(abs(tick.at - other.at) >= APART for other in kept):
            kept.append(tick)
    return tuple(kept)
