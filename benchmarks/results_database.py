"""
A results database of any size: the rows of a few real checks of one monitor, copied by the database itself to the others.

Windows are written in the order in which they would come: one day of all monitors after the other.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Table, and_, insert, literal, select, text
from sqlalchemy.orm import aliased

from driftmon.core.baseline import Baseline, BaselineColumn, Learnt
from driftmon.core.binning import count_numbers
from driftmon.core.check import Policy, check
from driftmon.core.histogram import Profile
from driftmon.core.history import History
from driftmon.core.layout import Kind, NumericLayout
from driftmon.core.window import Window
from driftmon.store.engine import Database
from driftmon.store.records import MonitorFacts
from driftmon.store.schema import (
    baseline_columns,
    baseline_histograms,
    baseline_profiles,
    baselines,
    checks,
    column_results,
    monitors,
    promotions,
    runs,
)
from driftmon.store.store import Store

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import Connection, Select

    from driftmon.core.check import CheckResult

__all__ = ["Made", "day", "facts", "fill"]

DAY = timedelta(days=1)
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
BINS, ROWS, HISTORY = 16, 2_000, 30
VARIANTS = 5
"""Real windows that are copied; in the newest of them, every twentieth column drifts."""


def day(number: int) -> Window:
    """The day so many days ago; 0 is yesterday."""
    return Window(TODAY - (number + 1) * DAY, TODAY - number * DAY)


def facts(name: str) -> MonitorFacts:
    """What the file of a monitor says."""
    return MonitorFacts(name, "model", "team", "A monitor", "@daily", "UTC", 108_000.0)


class Made:
    """
    A baseline of so many columns of 16 bins, with a history of 30 days, and windows that are checked against it.

    Parameters
    ----------
    columns : int
    """

    def __init__(self, columns: int) -> None:
        self._rng = np.random.default_rng(1)
        self.names = [f"feature_{number:03}" for number in range(columns)]
        edges = np.linspace(0, 1, BINS)  # 15 bins of numbers, and the missing
        self._layouts = {
            name: NumericLayout(tuple(np.quantile(self._rng.normal(size=ROWS), edges[1:-1]).tolist()))
            for name in self.names
        }
        days = [self._profile(lambda: 0.05 * self._rng.normal()) for _ in range(HISTORY)]
        counted: dict[tuple[str, str | None], NDArray[np.int64]] = {
            (name, None): np.array([each.histograms[name].counts for each in days]) for name in self.names
        }
        windows = tuple(day(1_000 + HISTORY - number) for number in range(HISTORY))
        learnt = Learnt({name: BaselineColumn(Kind.NUMERIC, "double", self._layouts[name]) for name in self.names})
        self.baseline = Baseline(learnt, sum(days[1:], days[0]), None, History(counted, windows))

    def _profile(self, moved: object) -> Profile:
        shift = moved if callable(moved) else (lambda: 0.0)
        histograms = {
            name: count_numbers(layout, self._rng.normal(shift(), size=ROWS)) for name, layout in self._layouts.items()
        }
        return Profile(ROWS, histograms)

    def live(self, *, drift: bool = False) -> Profile:
        """What was counted in one window; with drift, every twentieth column has moved."""
        place = iter(range(len(self.names)))
        return self._profile(lambda: 0.8 if drift and next(place) % 20 == 0 else 0.05 * self._rng.normal())

    def result(self, monitor: str, window: Window, *, drift: bool = False) -> CheckResult:
        """The result of one window; drift as of `live`."""
        live = self.live(drift=drift)
        return check(self.baseline, live, policy=Policy(), monitor=(monitor, "model"), window=window)


def fill(url: str, count: int, columns: int, windows: int) -> None:
    """
    Fill an upgraded database.

    Parameters
    ----------
    url : str
    count : int
        Monitors, ``monitor-000`` and on.
    columns, windows : int
        Of each.
    """
    made, first = Made(columns), "monitor-000"
    with Store.open(url) as store:
        store.save_baseline(first, made.baseline, now=TODAY)
        store.promote(first, made.baseline.id, now=TODAY)
        for number in range(VARIANTS):
            result = made.result(first, day(windows + number), drift=number == 0)
            store.save_check(result, facts(first), started_at=TODAY, now=TODAY)
    database = Database(url)
    try:
        with database.writing() as connection:
            _copy_monitors(connection, first, count)
            connection.execute(text("ANALYZE"))  # or the database thinks that there is one monitor, and loops
        for number in reversed(range(windows)):
            with database.writing() as connection:
                _copy_day(connection, first, number)
        with database.writing() as connection:
            connection.execute(text("ANALYZE"))  # or SQLite goes by the sizes that it saw above, and scans
    finally:
        database.close()


def _copied(connection: Connection, table: Table, source: Select[Any]) -> None:
    connection.execute(insert(table).from_select([column.name for column in source.selected_columns], source))


def _others(table: Table, *without: str) -> list[Any]:
    return [column for column in table.columns if column.name not in without]


def _copy_monitors(connection: Connection, first: str, count: int) -> None:
    """Give every monitor what the first one has, but for its windows."""
    known = connection.execute(select(monitors).where(monitors.c.name == first)).one()._asdict()
    new = [known | {"name": f"monitor-{number:03}"} for number in range(1, count)]
    connection.execute(insert(monitors), [{key: value for key, value in row.items() if key != "id"} for row in new])
    ids = select(monitors.c.id.label("monitor_id")).where(monitors.c.name != first).subquery()
    own = aliased(baselines)
    _copied(
        connection,
        baselines,
        select(ids.c.monitor_id, *_others(baselines, "id", "monitor_id")).join(ids, literal(1) == 1),
    )
    fresh = (
        select(baselines.c.id.label("baseline_id"), baselines.c.monitor_id)
        .where(baselines.c.monitor_id.in_(select(ids.c.monitor_id)))
        .subquery()
    )
    del own
    for table in (baseline_columns, baseline_profiles):
        template = select(*_others(table, "id", "baseline_id")).where(table.c.baseline_id == 1).subquery()
        source = select(fresh.c.baseline_id, *template.c).join(template, literal(1) == 1)
        _copied(connection, table, source.order_by(fresh.c.baseline_id, template.c.position))
    _copied(
        connection,
        promotions,
        select(
            fresh.c.monitor_id, fresh.c.baseline_id, literal(TODAY, promotions.c.promoted_at.type).label("promoted_at")
        ),
    )
    _copy_histograms(connection)


def _copy_histograms(connection: Connection) -> None:
    known, theirs = aliased(baseline_columns), aliased(baseline_columns)
    template = (
        select(known.c.position, *_others(baseline_histograms, "id", "profile_id", "column_id"))
        .join(known, known.c.id == baseline_histograms.c.column_id)
        .where(known.c.baseline_id == 1)
        .subquery()
    )
    source = (
        select(
            baseline_profiles.c.id.label("profile_id"),
            theirs.c.id.label("column_id"),
            *(column for column in template.c if column.name != "position"),
        )
        .join(theirs, theirs.c.baseline_id == baseline_profiles.c.baseline_id)
        .join(template, template.c.position == theirs.c.position)
        .where(baseline_profiles.c.baseline_id != 1)
        .order_by(theirs.c.id)
    )
    _copied(connection, baseline_histograms, source)


def _copy_day(connection: Connection, first: str, number: int) -> None:
    """Give every monitor a window, a run and the results of one of the real windows."""
    window = day(number)
    monitor = select(monitors.c.id).where(monitors.c.name == first).scalar_subquery()
    real = connection.execute(
        select(checks.c.id, checks.c.status).where(checks.c.monitor_id == monitor).order_by(checks.c.id).limit(VARIANTS)
    ).all()
    variant, status = real[0 if number % 7 == 0 else 1 + number % (VARIANTS - 1)]
    values = {"model": "model", "window_start": window.start, "window_end": window.end, "status": status}
    values |= {"live_rows": ROWS, "checked_at": window.end, "scheduled": True}
    given = [literal(value, checks.c[name].type).label(name) for name, value in values.items()]
    _copied(
        connection,
        checks,
        select(baselines.c.monitor_id, baselines.c.id.label("baseline_id"), *given).order_by(baselines.c.id),
    )
    bounds = [
        ("window_start", window.start),
        ("window_end", window.end),
        ("started_at", window.end),
        ("finished_at", window.end),
    ]
    given = [literal(value, runs.c[name].type).label(name) for name, value in bounds]
    _copied(connection, runs, select(monitors.c.id.label("monitor_id"), *given))
    _copy_results(connection, variant, window)


def _copy_results(connection: Connection, variant: int, window: Window) -> None:
    """Give every check of a window the results of a real one, each column those of the same place."""
    where = aliased(baseline_columns)
    template = (
        select(where.c.position, *_others(column_results, "check_id", "reference_id"))
        .join(baseline_histograms, baseline_histograms.c.id == column_results.c.reference_id)
        .join(where, where.c.id == baseline_histograms.c.column_id)
        .where(column_results.c.check_id == variant)
        .subquery()
    )
    source = (
        select(
            checks.c.id.label("check_id"),
            baseline_histograms.c.id.label("reference_id"),
            *(column for column in template.c if column.name != "position"),
        )
        .join(baseline_columns, baseline_columns.c.baseline_id == checks.c.baseline_id)
        .join(baseline_histograms, baseline_histograms.c.column_id == baseline_columns.c.id)
        .join(template, template.c.position == baseline_columns.c.position)
        .where(and_(checks.c.window_end == window.end, checks.c.window_start == window.start))
        .order_by(checks.c.id, baseline_histograms.c.id)
    )
    _copied(connection, column_results, source)
