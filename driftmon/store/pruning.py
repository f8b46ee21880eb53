"""
Letting go of what is old, a little at a time.

Every part is found anew under the lock of its monitor, so that whatever was stored meanwhile counts, and an interrupted run leaves
nothing half done: the next one goes on where it ended.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import Text, case, delete, func, literal, select, update

from driftmon.store.retention import Old, find_old, steps_of
from driftmon.store.schema import (
    baseline_histograms,
    baseline_profiles,
    baselines,
    checks,
    column_results,
    monitors,
    notifications,
    runs,
    step_counts,
)
from driftmon.store.types import Verbatim

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection

    from driftmon.store.retention import Retention

__all__ = ["Pruned", "has_old", "outlook", "prune_some"]

ROWS_AT_ONCE = 4_000
"""Rows of one transaction: a fraction of a second, for which a check of the same monitor has to wait."""

NAMED_AT_ONCE = 500
"""Row ids of one statement: databases limit its values."""

FOUND_SOMETHING = '%"problem":true%'
"""In the text of quality checks of which one found something; others say that all was well."""


@dataclass(frozen=True)
class Pruned:
    """
    What went, or would go.

    Parameters
    ----------
    bins, windows : int
        Windows whose bins went, and windows that went whole.
    results : int
        Rows of results that those windows had, of either kind.
    steps : int
        Steps of rolling windows whose counts went.
    runs, baselines, receivers : int
        Rows that went.
    size : int
        Bytes, about: what the texts had, and eight for each number.
    """

    bins: int = 0
    windows: int = 0
    results: int = 0
    steps: int = 0
    runs: int = 0
    baselines: int = 0
    receivers: int = 0
    size: int = 0

    def __add__(self, other: Pruned) -> Pruned:
        """Both together."""
        return Pruned(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))


def has_old(connection: Connection, monitor_id: int, retention: Retention) -> bool:
    """True if something would go of a monitor."""
    return any(vars(find_old(connection, monitor_id, retention)).values())


def outlook(connection: Connection, monitor_id: int, retention: Retention) -> Pruned:
    """What would go of a monitor; reads as much as pruning would."""
    return _measured(connection, find_old(connection, monitor_id, retention))


def prune_some(connection: Connection, monitor_id: int, retention: Retention) -> Pruned:
    """
    Let some of what is old go; gives an empty `Pruned` once there is nothing left.

    Readers are told by a new revision only if a window went: what they show of the newest window never changes.
    """
    connection.execute(select(monitors.c.id).where(monitors.c.id == monitor_id).with_for_update())
    old = _some(connection, find_old(connection, monitor_id, retention))
    done = _measured(connection, old)
    for ids in _parts(old.bins):
        kept = case((column_results.c.quality.like(FOUND_SOMETHING), column_results.c.quality))
        rolled = update(column_results).where(column_results.c.check_id.in_(ids))
        connection.execute(rolled.values(counts=None, quality=kept))
        connection.execute(update(checks).where(checks.c.id.in_(ids)).values(bins_pruned=True))
    for ids in _parts(old.windows):
        connection.execute(delete(column_results).where(column_results.c.check_id.in_(ids)))
        connection.execute(delete(checks).where(checks.c.id.in_(ids)))
    for table, gone in ((runs, old.runs), (baselines, old.baselines)):
        for ids in _parts(gone):
            connection.execute(delete(table).where(table.c.id.in_(ids)))
    if old.steps:
        counted = step_counts.c.window_end <= max(old.steps)
        connection.execute(delete(step_counts).where(steps_of(monitor_id), counted))
    if old.receivers:
        told = notifications.c.receiver.in_(old.receivers)
        connection.execute(delete(notifications).where(notifications.c.monitor_id == monitor_id, told))
    if old.windows:
        connection.execute(update(monitors).where(monitors.c.id == monitor_id).values(revision=uuid4().hex))
    return done


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[first : first + NAMED_AT_ONCE] for first in range(0, len(ids), NAMED_AT_ONCE))


def _some(connection: Connection, old: Old) -> Old:
    """As much as goes in one transaction, of one kind."""
    if old.windows:
        return Old(windows=_windows_at_once(connection, old.windows))
    if old.bins:
        return Old(bins=_windows_at_once(connection, old.bins))
    if old.steps:
        return Old(steps=old.steps)
    if old.runs:
        return Old(runs=old.runs[:ROWS_AT_ONCE])
    if old.baselines:
        return Old(baselines=old.baselines[:1])
    return Old(receivers=old.receivers)


def _windows_at_once(connection: Connection, ids: Sequence[int]) -> Sequence[int]:
    some, rows = ids[:NAMED_AT_ONCE], 0
    results = column_results.c
    query = select(results.check_id, func.count()).where(results.check_id.in_(some)).group_by(results.check_id)
    of_window = {row[0]: row[1] for row in connection.execute(query)}
    for place, window in enumerate(some):
        rows += of_window.get(window, 0)
        if rows > ROWS_AT_ONCE:
            return some[: max(place, 1)]
    return some


def _measured(connection: Connection, old: Old) -> Pruned:
    texts = [column for column in column_results.columns if isinstance(column.type, Text | Verbatim)]
    rolled = [
        column_results.c.counts,
        case((~column_results.c.quality.like(FOUND_SOMETHING), column_results.c.quality)),
    ]
    numbers = 8 * (len(column_results.columns) - len(texts))
    whole, lighter = _results(connection, old.windows, texts), _results(connection, old.bins, rolled)
    size = whole.size + numbers * whole.results + lighter.size + _size_of_baselines(connection, old.baselines)
    return Pruned(
        bins=len(old.bins),
        windows=len(old.windows),
        results=whole.results + lighter.results,
        steps=len(old.steps),
        runs=len(old.runs),
        baselines=len(old.baselines),
        receivers=len(old.receivers),
        size=size,
    )


def _results(connection: Connection, windows: Sequence[int], texts: Sequence[ColumnElement[Any]]) -> Pruned:
    """The rows of windows, and the bytes of some texts in them."""
    size = func.sum(_length(*texts))
    found = Pruned()
    for ids in _parts(windows):
        query = select(func.count(), size).where(column_results.c.check_id.in_(ids))
        rows, length = connection.execute(query).one()
        found += Pruned(results=rows, size=int(length or 0))
    return found


def _length(*texts: ColumnElement[Any]) -> ColumnElement[int]:
    total: ColumnElement[int] = literal(0)
    for text in texts:
        total += func.coalesce(func.length(text), 0)
    return total


def _size_of_baselines(connection: Connection, ids: Sequence[int]) -> int:
    if not ids:
        return 0
    query = (
        select(func.sum(_length(baseline_histograms.c.counts, baseline_histograms.c.history)))
        .join(baseline_profiles, baseline_profiles.c.id == baseline_histograms.c.profile_id)
        .where(baseline_profiles.c.baseline_id.in_(ids))
    )
    return int(connection.execute(query).scalar() or 0)
