"""The span of live rows that one check looks at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

from driftmon.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Window", "in_order", "isoformat"]


@dataclass(frozen=True, order=True)
class Window:
    """
    A half-open span of time, so that consecutive windows neither share a row nor lose one.

    Parameters
    ----------
    start, end : datetime
        With a time zone; kept in UTC. Rows with ``start <= time < end`` belong to the window.

    Raises
    ------
    UsageError
        If a bound has no time zone, or the end is not after the start.

    Examples
    --------
    >>> str(Window(datetime(2013, 5, 1, tzinfo=UTC), datetime(2013, 5, 2, tzinfo=UTC)))
    '2013-05-01T00:00:00Z/2013-05-02T00:00:00Z'
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            bound: datetime = getattr(self, name)
            if bound.tzinfo is None:
                raise UsageError(
                    f"window {name} {bound.isoformat()!r} has no time zone; add one, such as {bound.isoformat()}Z"
                )
            utc = bound.astimezone(UTC)
            # A plain datetime, whatever class was given: subclasses bring arithmetic of their own.
            object.__setattr__(self, name, datetime.combine(utc.date(), utc.time(), UTC))
        if self.end == self.start:
            raise UsageError(f"window {self} is empty: its end must be after its start")
        if self.end < self.start:
            raise UsageError(f"window {self} is reversed: its end must be after its start")

    def __str__(self) -> str:
        return f"{isoformat(self.start)}/{isoformat(self.end)}"


def in_order(windows: Sequence[Window]) -> tuple[Window, ...]:
    """
    The same windows.

    Raises
    ------
    ValueError
        If one begins before the end of the one before it.
    """
    for one, two in pairwise(windows):
        if two.start < one.end:
            raise ValueError(
                f"window {two} comes after {one}; expected windows in the order of time that do not overlap"
            )
    return tuple(windows)


def isoformat(instant: datetime) -> str:
    """
    An instant in the form used everywhere that leaves the program: UTC, with a ``Z``.

    Examples
    --------
    >>> isoformat(datetime(2013, 5, 1, tzinfo=UTC))
    '2013-05-01T00:00:00Z'
    """
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
