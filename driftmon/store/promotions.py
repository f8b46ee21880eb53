"""Which baseline checks use: the promoted one. Promotions are history; the newest is in force."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from driftmon.core.window import Window
from driftmon.errors import BaselineMissing, UsageError
from driftmon.store.records import BaselineRecord
from driftmon.store.schema import baseline_columns, baselines, monitors, promotions

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row, Select

__all__ = ["active", "find", "promote", "records"]

SHORT = 12
"""Digits of a baseline's id that people are shown, and that a command can be given."""


def active(connection: Connection, monitor: str) -> Row[Any]:
    """
    The row of the baseline in force.

    Raises
    ------
    BaselineMissing
        If there is none, with the command that makes one.
    """
    promoted = _of_monitor(monitor).join(promotions, promotions.c.baseline_id == baselines.c.id)
    row = connection.execute(promoted.order_by(promotions.c.id.desc()).limit(1)).first()
    if row is not None:
        return row
    newest = connection.execute(_of_monitor(monitor).order_by(baselines.c.id.desc()).limit(1)).first()
    if newest is None:
        raise BaselineMissing(f"monitor {monitor!r} has no baseline; run: driftmon baseline build {monitor}")
    raise BaselineMissing(
        f"monitor {monitor!r} has baselines, but none is promoted; run: "
        f"driftmon baseline promote {monitor} {newest.hash[:SHORT]}"
    )


def find(connection: Connection, monitor: str, id_prefix: str) -> Row[Any]:
    """
    The row of the one baseline whose id begins so.

    Raises
    ------
    UsageError
        If no baseline of the monitor does, or several do; with the ids to choose from.
    """
    rows = connection.execute(_of_monitor(monitor).order_by(baselines.c.id.desc())).all()
    found = [row for row in rows if row.hash.startswith(id_prefix.lower())]
    if len(found) == 1:
        return found[0]
    what = "more than one baseline" if found else "no baseline"
    ids = [row.hash if found else row.hash[:SHORT] for row in found or rows]
    raise UsageError(f"monitor {monitor!r} has {what} whose id begins with {id_prefix!r}; it has {ids}")


def promote(connection: Connection, monitor_id: int, baseline: Row[Any], *, now: datetime) -> None:
    """Put a baseline in force, unless it is already."""
    newest = (
        select(promotions.c.baseline_id)
        .where(promotions.c.monitor_id == monitor_id)
        .order_by(promotions.c.id.desc())
        .limit(1)
    )
    if connection.execute(newest).scalar() != baseline.id:
        row = {"monitor_id": monitor_id, "baseline_id": baseline.id, "promoted_at": now}
        connection.execute(insert(promotions).values(row))


def records(connection: Connection, monitor: str) -> list[BaselineRecord]:
    """What there is to choose from, the newest first."""
    rows = connection.execute(_of_monitor(monitor).order_by(baselines.c.id.desc())).all()
    history = connection.execute(
        select(promotions.c.baseline_id, promotions.c.promoted_at)
        .where(promotions.c.baseline_id.in_([row.id for row in rows]))
        .order_by(promotions.c.id)
    ).all()
    promoted_at = {row.baseline_id: row.promoted_at for row in history}  # the last of each stays
    in_force = history[-1].baseline_id if history else None
    counted = (
        select(baseline_columns.c.baseline_id, func.count().label("number"))
        .where(baseline_columns.c.baseline_id.in_([row.id for row in rows]))
        .group_by(baseline_columns.c.baseline_id)
    )
    columns: dict[int, int] = {row.baseline_id: row.number for row in connection.execute(counted)}
    return [
        BaselineRecord(
            id=row.hash,
            created_at=row.created_at,
            rows=row.reference_rows,
            columns=columns.get(row.id, 0),
            span=None if row.span_start is None else Window(row.span_start, row.span_end),
            promoted_at=promoted_at.get(row.id),
            active=row.id == in_force,
        )
        for row in rows
    ]


def _of_monitor(name: str) -> Select[Any]:
    return select(baselines).join(monitors, monitors.c.id == baselines.c.monitor_id).where(monitors.c.name == name)
