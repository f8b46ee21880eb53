"""Since when: windows in a row in which a column did the same, from the newest back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftmon.core.verdict import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from driftmon.core.result import CheckResult, ColumnResult
    from driftmon.core.window import Window

__all__ = ["Streak", "breached_since", "sustained_since"]


@dataclass(frozen=True)
class Streak:
    """
    Windows in a row, up to this one.

    Parameters
    ----------
    first : Window
        The oldest of them.
    windows : int
        How many; windows without a verdict are not counted, and do not end the row.
    after_other : bool
        True if an earlier window is known that does not belong to the row: what began is known to have begun there.
    """

    first: Window
    windows: int
    after_other: bool


def breached_since(check: CheckResult, column: ColumnResult, past: Iterable[CheckResult]) -> dict[Status, Streak]:
    """
    For each severity that a column reaches in a window, the windows in a row with that severity or worse.

    Parameters
    ----------
    check : CheckResult
    column : ColumnResult
        One of its columns.
    past : iterable of CheckResult
        Results of the same monitor, in any order; this one and later windows are passed over.
    """
    reached = [severity for severity in (Status.CRITICAL, Status.WARNING) if _at_least(severity)(column)]
    if check.window is None or not column.status.breach:
        return {}
    judged = [(window, other) for window, other in _earlier(check, column, past) if other.status.evaluated]
    return {severity: _streak(check.window, judged, _at_least(severity)) for severity in reached}


def sustained_since(check: CheckResult, column: ColumnResult, past: Iterable[CheckResult]) -> Streak | None:
    """The windows in a row in which the drift of a column was sustained; None if it is not."""
    if check.window is None or not column.lasting:
        return None
    told = [(window, other) for window, other in _earlier(check, column, past) if other.sustained is not None]
    return _streak(check.window, told, lambda other: other.lasting)


def _at_least(severity: Status) -> Callable[[ColumnResult], bool]:
    return lambda column: column.status.urgency >= severity.urgency


def _earlier(
    check: CheckResult, column: ColumnResult, past: Iterable[CheckResult]
) -> list[tuple[Window, ColumnResult]]:
    """The column in the windows before that of the check, the newest first."""
    if check.window is None:
        return []
    now = (check.window.end, check.window.start)
    found = [
        (result.window, other)
        for result in past
        if result.window is not None and (result.window.end, result.window.start) < now
        for other in result.columns
        if (other.column, other.segment) == (column.column, column.segment)
    ]
    return sorted(found, key=lambda item: (item[0].end, item[0].start), reverse=True)


def _streak(
    window: Window, earlier: Iterable[tuple[Window, ColumnResult]], belongs: Callable[[ColumnResult], bool]
) -> Streak:
    first, windows = window, 1
    for other, column in earlier:
        if not belongs(column):
            return Streak(first, windows, after_other=True)
        first, windows = other, windows + 1
    return Streak(first, windows, after_other=False)
