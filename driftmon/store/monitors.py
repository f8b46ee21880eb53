"""Monitors and their runs in the database. Whoever writes about a monitor holds its row's lock, so there is one writer a monitor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite

from driftmon.errors import UsageError
from driftmon.store.records import MonitorFacts, RunRecord, SnapshotKey
from driftmon.store.schema import monitors, runs
from driftmon.store.types import clip, finite

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

__all__ = ["add_run", "facts_from", "find", "keys", "lock", "names", "record_run", "register"]


def register(connection: Connection, facts: MonitorFacts, *, now: datetime) -> int:
    """Write down what the monitor's file says, and hold the monitor's lock until the end of the transaction; gives its row id."""
    values = {
        "model": facts.model,
        "owner": facts.owner,
        "description": facts.description,
        "schedule": facts.schedule,
        "timezone": facts.timezone,
        "max_window_age": finite(facts.max_window_age, f"{facts.name}: max_window_age"),
        "last_end": facts.last_end,
        "updated_at": now,
    }
    return _upsert(connection, facts.name, values)


def lock(connection: Connection, name: str) -> int:
    """As `register`, for a monitor whose file is not at hand; what is known of it stays."""
    return _upsert(connection, name, {})


def _upsert(connection: Connection, name: str, values: dict[str, Any]) -> int:
    values = {"revision": uuid4().hex, **values}
    # The same method under the same name, but not the same class.
    make: Any = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(
        make(monitors).values(name=name, **values).on_conflict_do_update(index_elements=["name"], set_=values)
    )
    row_id: int = connection.execute(select(monitors.c.id).where(monitors.c.name == name)).scalar_one()
    return row_id


def add_run(connection: Connection, monitor: int, run: RunRecord) -> None:
    """Add one attempt to the history of a monitor."""
    connection.execute(
        insert(runs).values(
            monitor_id=monitor,
            window_start=run.window.start,
            window_end=run.window.end,
            started_at=run.started_at,
            finished_at=run.finished_at,
            error=None if run.error is None else clip(run.error),
        )
    )


def record_run(connection: Connection, run: RunRecord) -> None:
    """
    Add one attempt of a known monitor, and let readers see that something changed.

    Raises
    ------
    UsageError
        If the monitor was never registered: readers could not show the run.
    """
    monitor = lock(connection, run.monitor)
    if connection.execute(select(monitors.c.model).where(monitors.c.id == monitor)).scalar() is None:
        raise UsageError(f"monitor {run.monitor!r} is not in the results database: register it before its runs")
    add_run(connection, monitor, run)


def keys(connection: Connection) -> list[SnapshotKey]:
    """One key for every monitor whose file is known, by name."""
    query = select(monitors.c.name, monitors.c.revision).where(monitors.c.model.is_not(None))
    return [SnapshotKey(row.name, row.revision) for row in sorted(connection.execute(query))]


def names(connection: Connection) -> list[str]:
    """Those of all monitors that anything is stored of, sorted."""
    return sorted(connection.execute(select(monitors.c.name)).scalars())


def find(connection: Connection, name: str) -> int | None:
    """The row id of a monitor; None if it is not there."""
    row_id: int | None = connection.execute(select(monitors.c.id).where(monitors.c.name == name)).scalar()
    return row_id


def facts_from(row: Row[Any]) -> MonitorFacts:
    """The facts in a row of the monitors' table."""
    return MonitorFacts(
        name=row.name,
        model=row.model,
        owner=row.owner,
        description=row.description,
        schedule=row.schedule,
        timezone=row.timezone,
        max_window_age=row.max_window_age,
        last_end=row.last_end,
    )
