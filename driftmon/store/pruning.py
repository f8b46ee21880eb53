"""
What is old enough to go, and letting it go, a little at a time.

Every part is found anew under the lock of its monitor, so that whatever was stored meanwhile counts, and an interrupted run leaves
nothing half done: the next one goes on where it ended.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import Text, and_, case, delete, func, literal, or_, select, update

from driftmon.store.breaches import breached_since
from driftmon.store.history import newest_first
from driftmon.store.lookback import Stored, needed_by_the_next
from driftmon.store.references import reference_ids
from driftmon.store.schema import (
    baseline_histograms,
    baseline_profiles,
    baselines,
    checks,
    column_results,
    monitors,
    notifications,
    promotions,
    runs,
    step_counts,
)
from driftmon.store.types import Verbatim

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

__all__ = ["Pruned", "Retention", "has_old", "outlook", "prune_some"]

ROWS_AT_ONCE = 4_000
"""Rows of one transaction: a fraction of a second, for which a check of the same monitor has to wait."""

NAMED_AT_ONCE = 500
"""Row ids of one statement: databases limit its values."""

FOUND_SOMETHING = '%"problem":true%'
"""In the text of quality checks of which one found something; others say that all was well."""


@dataclass(frozen=True)
class Retention:
    """
    Until when things are old.

    Parameters
    ----------
    windows : datetime or None
        Windows that end by then go, with runs, baselines and notifications of the time; None: they stay.
    bins : datetime or None
        Bins of windows that end by then go, and counts of the steps of rolling windows; the numbers and verdicts of their
        columns stay. None: they go with their window.
    """

    windows: datetime | None
    bins: datetime | None


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


@dataclass(frozen=True)
class _Old:
    """What may go of a monitor: row ids, the oldest first; steps by their ends, receivers by name."""

    windows: Sequence[int] = ()
    bins: Sequence[int] = ()
    steps: Sequence[datetime] = ()
    runs: Sequence[int] = ()
    baselines: Sequence[int] = ()
    receivers: Sequence[str] = ()


def has_old(connection: Connection, monitor_id: int, retention: Retention) -> bool:
    """True if something would go of a monitor."""
    return any(vars(_find(connection, monitor_id, retention)).values())


def outlook(connection: Connection, monitor_id: int, retention: Retention) -> Pruned:
    """What would go of a monitor; reads as much as pruning would."""
    return _measured(connection, _find(connection, monitor_id, retention))


def prune_some(connection: Connection, monitor_id: int, retention: Retention) -> Pruned:
    """
    Let some of what is old go; gives an empty `Pruned` once there is nothing left.

    Readers are told by a new revision only if a window went: what they show of the newest window never changes.
    """
    connection.execute(select(monitors.c.id).where(monitors.c.id == monitor_id).with_for_update())
    old = _some(connection, _find(connection, monitor_id, retention))
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
        connection.execute(delete(step_counts).where(_of_monitor(monitor_id), counted))
    if old.receivers:
        told = notifications.c.receiver.in_(old.receivers)
        connection.execute(delete(notifications).where(notifications.c.monitor_id == monitor_id, told))
    if old.windows:
        connection.execute(update(monitors).where(monitors.c.id == monitor_id).values(revision=uuid4().hex))
    return done


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[first : first + NAMED_AT_ONCE] for first in range(0, len(ids), NAMED_AT_ONCE))


def _some(connection: Connection, old: _Old) -> _Old:
    """As much as goes in one transaction, of one kind."""
    if old.windows:
        return _Old(windows=_windows_at_once(connection, old.windows))
    if old.bins:
        return _Old(bins=_windows_at_once(connection, old.bins))
    if old.steps:
        return _Old(steps=old.steps)
    if old.runs:
        return _Old(runs=old.runs[:ROWS_AT_ONCE])
    if old.baselines:
        return _Old(baselines=old.baselines[:1])
    return _Old(receivers=old.receivers)


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


def _find(connection: Connection, monitor_id: int, retention: Retention) -> _Old:
    query = select(
        *(checks.c.id, checks.c.baseline_id, checks.c.window_start, checks.c.window_end, checks.c.scheduled),
        checks.c.bins_pruned,
    ).where(checks.c.monitor_id == monitor_id)
    rows = connection.execute(newest_first(query)).all()
    active = _active(connection, monitor_id)
    needed = _looked_back_on(rows, active)
    gone = [row for row in rows if _is_old(row, retention.windows) and row.id not in needed]
    if gone:
        since = _needed_since(connection, monitor_id, rows)
        gone = [row for row in gone if _place(row) < since]
    without = {row.id for row in gone} | needed
    bins = [row for row in rows if _is_old(row, retention.bins) and not row.bins_pruned and row.id not in without]
    old = _Old(
        windows=[row.id for row in reversed(gone)],
        bins=[row.id for row in reversed(bins)],
        steps=_old_steps(connection, monitor_id, rows, retention),
    )
    if retention.windows is None:
        return old
    going = {row.id for row in gone}
    used = {active, *(row.baseline_id for row in rows if row.id not in going)}
    return replace(
        old,
        runs=_old_runs(connection, monitor_id, retention.windows),
        baselines=_old_baselines(connection, monitor_id, used, retention.windows),
        receivers=_old_receivers(connection, monitor_id, rows, retention.windows),
    )


def _is_old(row: Row[Any], until: datetime | None) -> bool:
    return until is not None and row.window_end <= until


def _place(row: Row[Any]) -> tuple[datetime, datetime]:
    return (row.window_end, row.window_start)


def _active(connection: Connection, monitor_id: int) -> int | None:
    promoted = select(promotions.c.baseline_id).where(promotions.c.monitor_id == monitor_id)
    row_id: int | None = connection.execute(promoted.order_by(promotions.c.id.desc()).limit(1)).scalar()
    return row_id


def _looked_back_on(rows: Sequence[Row[Any]], active: int | None) -> set[int]:
    """The newest window, and those on which the state of sustained drift of the next one will stand."""
    if not rows:
        return set()
    baseline = rows[0].baseline_id if active is None else active
    own = [row for row in reversed(rows) if row.scheduled and row.baseline_id == baseline]
    return {rows[0].id, *needed_by_the_next([Stored(row.id, row.window_start, row.window_end) for row in own])}


def _needed_since(connection: Connection, monitor_id: int, rows: Sequence[Row[Any]]) -> tuple[datetime, datetime]:
    """
    The first window that says since when a column drifts now: the one before the first breach in a row.

    A newest window without verdicts ends no row, so that all columns are asked about, whatever it says of them.
    """
    keys = reference_ids(connection, rows[0].baseline_id)
    streaks = breached_since(connection, monitor_id, keys)
    firsts = [streak.first for by_severity in streaks.values() for streak in by_severity.values()]
    if not firsts:
        return _place(rows[0])
    first = min((window.end, window.start) for window in firsts)
    return max((_place(row) for row in rows if _place(row) < first), default=first)


def _of_monitor(monitor_id: int) -> ColumnElement[bool]:
    return step_counts.c.baseline_id.in_(select(baselines.c.id).where(baselines.c.monitor_id == monitor_id))


def _old_steps(
    connection: Connection, monitor_id: int, rows: Sequence[Row[Any]], retention: Retention
) -> list[datetime]:
    """The ends of steps that no window from the newest on is a sum of."""
    ends = [until for until in (retention.windows, retention.bins) if until is not None]
    if not ends:
        return []
    until = min([max(ends), *(row.window_start for row in rows[:1])])
    query = select(step_counts.c.window_end).where(_of_monitor(monitor_id), step_counts.c.window_end <= until)
    return list(connection.execute(query).scalars())


def _old_runs(connection: Connection, monitor_id: int, until: datetime) -> list[int]:
    """Runs before the newest success: those after it are counted as failures in a row."""
    own = select(runs.c.id, runs.c.finished_at).where(runs.c.monitor_id == monitor_id)
    newest = own.where(runs.c.error.is_(None)).order_by(runs.c.finished_at.desc(), runs.c.id.desc()).limit(1)
    success = connection.execute(newest).first()
    if success is None:
        return []
    earlier = or_(
        runs.c.finished_at < success.finished_at,
        and_(runs.c.finished_at == success.finished_at, runs.c.id < success.id),
    )
    query = own.where(runs.c.finished_at <= until, earlier).order_by(runs.c.finished_at, runs.c.id)
    return list(connection.execute(query).scalars())


def _old_baselines(connection: Connection, monitor_id: int, used: set[int | None], until: datetime) -> list[int]:
    """Baselines that are neither in force nor those of a window that stays; None among these says that none is in force."""
    own = select(baselines.c.id, baselines.c.created_at).where(baselines.c.monitor_id == monitor_id)
    rows = connection.execute(own.order_by(baselines.c.id)).all()
    others = rows[:-1] if None in used else rows  # the newest is then likely to come into force
    return [row.id for row in others if row.created_at <= until and row.id not in used]


def _old_receivers(connection: Connection, monitor_id: int, rows: Sequence[Row[Any]], until: datetime) -> list[str]:
    """Receivers that were told nothing since then: those who believe that all is well, and all of a monitor that ended."""
    ended = not rows or rows[0].window_end <= until
    query = select(notifications.c.receiver).where(
        notifications.c.monitor_id == monitor_id, notifications.c.told_at <= until, notifications.c.claim.is_(None)
    )
    return list(connection.execute(query if ended else query.where(notifications.c.told == "[]")).scalars())


def _measured(connection: Connection, old: _Old) -> Pruned:
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
