"""Since when: the windows in a row, from the newest back, in which columns breached a threshold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import select

from driftmon.core.verdict import Status
from driftmon.core.window import Window
from driftmon.store.history import between, newest_first
from driftmon.store.references import reference_ids
from driftmon.store.schema import EVALUATED, checks, column_results
from driftmon.streaks import Streak

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from driftmon.store.references import ColumnKey

__all__ = ["SEVERITIES", "breached_since"]

SEVERITIES = (Status.WARNING, Status.CRITICAL)

FIRST_PAGE, LARGEST_PAGE = 8, 256
"""Windows looked back at, at once: few at first, since most breaches are young."""

MOST_WANTED = 500
"""Columns asked for by name; for more, all are read, since databases limit the values of a statement."""


@dataclass
class _LookBack:
    """The rows of windows that breached, by severity, as far as they are known; `going` has those that have not ended yet."""

    first: dict[Status, Window] = field(default_factory=dict)
    windows: dict[Status, int] = field(default_factory=dict)
    going: set[Status] = field(default_factory=lambda: set(SEVERITIES))

    def take_in(self, window: Window, status: Status) -> None:
        """Take in the window before those seen so far."""
        self.going = {severity for severity in self.going if status.urgency >= severity.urgency}
        for severity in self.going:
            self.first[severity] = window
            self.windows[severity] = self.windows.get(severity, 0) + 1

    def streaks(self) -> dict[Status, Streak]:
        """Of each severity that the newest window reached."""
        return {
            severity: Streak(self.first[severity], windows, after_other=severity not in self.going)
            for severity, windows in self.windows.items()
        }


def breached_since(
    connection: Connection, monitor_id: int, keys: Iterable[ColumnKey], *, end: datetime | None = None
) -> dict[ColumnKey, dict[Status, Streak]]:
    """
    For columns that breach now, or in the newest window that ends by `end`, for each severity that they reach, the windows in a row that have done so.

    Windows without a verdict on the column neither count nor end a row, but one whose baseline did not have the column does:
    what came before it is not known to be the same column. Looks back no further than the longest row.
    """
    found = {key: _LookBack() for key in keys}
    going = set(found)
    ids: dict[int, dict[ColumnKey, int]] = {}
    seen, page = 0, FIRST_PAGE
    while going:
        query = select(checks.c.id, checks.c.baseline_id, checks.c.window_start, checks.c.window_end).where(
            checks.c.monitor_id == monitor_id
        )
        windows = connection.execute(newest_first(between(query, None, end)).offset(seen).limit(page)).all()
        for baseline_id in {row.baseline_id for row in windows} - set(ids):
            ids[baseline_id] = reference_ids(connection, baseline_id)
        wanted = {ids[row.baseline_id][key]: key for row in windows for key in going & ids[row.baseline_id].keys()}
        verdicts = _verdicts(connection, [row.id for row in windows], wanted)
        for row in windows:
            going &= ids[row.baseline_id].keys()
            for key in going:
                if (row.id, key) in verdicts:
                    found[key].take_in(Window(row.window_start, row.window_end), verdicts[row.id, key])
            going = {key for key in going if found[key].going}
        if len(windows) < page:
            break
        seen, page = seen + page, min(4 * page, LARGEST_PAGE)
    return {key: look_back.streaks() for key, look_back in found.items()}


def _verdicts(
    connection: Connection, windows: Sequence[int], wanted: Mapping[int, ColumnKey]
) -> dict[tuple[int, ColumnKey], Status]:
    """The verdicts on some columns, named by the row ids of their references, in some windows."""
    results = column_results.c
    query = select(results.check_id, results.reference_id, results.status).where(
        results.check_id.in_(windows), results.status.in_(EVALUATED)
    )
    if len(wanted) <= MOST_WANTED:
        query = query.where(results.reference_id.in_(wanted))
    rows = connection.execute(query)
    return {(row.check_id, wanted[row.reference_id]): Status(row.status) for row in rows if row.reference_id in wanted}
