"""
What of a monitor is old enough to go: all that no number, verdict or alert of now or later stands on.

Only looks; `driftmon.store.pruning` lets it go.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select

from driftmon.store.breaches import breached_since
from driftmon.store.history import newest_first
from driftmon.store.lookback import Stored, needed_by_the_next
from driftmon.store.references import reference_ids
from driftmon.store.schema import baselines, checks, notifications, promotions, runs, step_counts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

__all__ = ["Old", "Retention", "find_old", "steps_of"]


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
class Old:
    """What may go of a monitor: row ids, the oldest first; steps by their ends, receivers by name."""

    windows: Sequence[int] = ()
    bins: Sequence[int] = ()
    steps: Sequence[datetime] = ()
    runs: Sequence[int] = ()
    baselines: Sequence[int] = ()
    receivers: Sequence[str] = ()


def find_old(connection: Connection, monitor_id: int, retention: Retention) -> Old:
    """
    What may go of a monitor.

    Parameters
    ----------
    connection : Connection
        Holding the lock of the monitor, if what is found is to go.
    monitor_id : int
    retention : Retention
    """
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
    old = Old(
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


def steps_of(monitor_id: int) -> ColumnElement[bool]:
    """The condition that counts of steps are those of a monitor."""
    return step_counts.c.baseline_id.in_(select(baselines.c.id).where(baselines.c.monitor_id == monitor_id))


def _old_steps(
    connection: Connection, monitor_id: int, rows: Sequence[Row[Any]], retention: Retention
) -> list[datetime]:
    """The ends of steps that no window from the newest on is a sum of."""
    ends = [until for until in (retention.windows, retention.bins) if until is not None]
    if not ends:
        return []
    until = min([max(ends), *(row.window_start for row in rows[:1])])
    query = select(step_counts.c.window_end).where(steps_of(monitor_id), step_counts.c.window_end <= until)
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
