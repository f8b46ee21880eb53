"""
One DAG for each monitor file.

Read by Airflow's dag-processor every few seconds and by every task process: so nothing here opens a database, reads data or
imports pandas or pyarrow. A broken monitor file becomes a DAG of its own that says what is wrong; the others never notice.
"""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, CronDataIntervalTimetable, DeltaDataIntervalTimetable, Param, get_parsing_context

from driftmon.airflow.events import DriftedOperator
from driftmon.airflow.operators import BrokenMonitorOperator, CheckOperator, attempts_for
from driftmon.config import BrokenMonitor, Monitor, load_folder, parse_instant
from driftmon.errors import ConfigError
from driftmon.schedule import PRESETS
from driftmon.settings import monitors_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["INVALID_TAG", "TAG", "build_dags", "dag_id"]

logger = logging.getLogger(__name__)

TAG, INVALID_TAG = "driftmon", "driftmon-invalid"

CHECK = "check"
"""The id of the first task, also where the file is broken: runs that were under way then fail with what is wrong with it."""

DRIFTED = "drifted"
"""The id of the task that sends the event of `driftmon.airflow.drifted`."""

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Start date of a DAG without one: a run for a time before the start date would succeed without running anything."""

CHECKS_AT_ONCE = 2
"""Checks of one monitor at a time. One reads its rows while the other is started; more would only push aside other monitors."""

LONGEST_RUN = timedelta(hours=6)
"""How long a run may take once its rows are due: twelve looks for a late file, and a check of many rows."""

LONGEST_WAIT = timedelta(days=366)
"""The scheduler subtracts timeouts from the present; one of ten thousand years would stop it."""

DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
WINDOWS_LOOKED_AT = 8
"""Enough for the shortest of a schedule's windows to be among them."""

MOST_WAITING = 1000
"""Runs that may wait for their rows; Airflow's database takes no number of any size."""

NAMED = 20
"""Columns that a DAG's documentation names."""

UNWRITABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
"""What Airflow's database may refuse, and with it every DAG of the file."""


def build_dags(folder: Path | None = None, *, default_args: Mapping[str, Any] | None = None) -> dict[str, DAG]:
    """
    The DAGs of a folder of monitor files, by id.

    A task process needs one of them and gets only that one.

    Parameters
    ----------
    folder : Path, optional
        By default the one of `driftmon.settings`.
    default_args : mapping, optional
        Arguments of every task, as in Airflow's own: ``pool``, ``queue``, ``on_failure_callback``, ``retries``.
    """
    folder = (folder or monitors_folder()).absolute()
    monitors: Iterable[Monitor | BrokenMonitor]
    try:
        monitors = load_folder(folder)
    except ConfigError as exc:
        monitors = [BrokenMonitor("monitors", folder, exc.problems)]
    wanted = get_parsing_context().dag_id
    return {
        name: _dag(name, monitor, folder, dict(default_args or {}))
        for name, monitor in _named(monitors).items()
        if wanted in {None, name}
    }


def dag_id(monitor: str) -> str:
    """The id of a monitor's DAG."""
    return f"driftmon__{monitor}"


def _named(monitors: Iterable[Monitor | BrokenMonitor]) -> dict[str, Monitor | BrokenMonitor]:
    """Monitors by the ids of their DAGs: a broken file never takes the id of a good one, nor that of another broken one."""
    monitors = tuple(monitors)
    named: dict[str, Monitor | BrokenMonitor] = {
        dag_id(monitor.name): monitor for monitor in monitors if isinstance(monitor, Monitor)
    }
    for broken in (monitor for monitor in monitors if isinstance(monitor, BrokenMonitor)):
        name, number = dag_id(broken.name), 1
        while name in named:
            number += 1
            name = f"{dag_id(broken.name)}--{number}"
        named[name] = broken
    return dict(sorted(named.items()))


def _dag(name: str, monitor: Monitor | BrokenMonitor, folder: Path, default_args: dict[str, Any]) -> DAG:
    if isinstance(monitor, BrokenMonitor):
        return _broken(name, monitor, default_args)
    problems: tuple[str, ...]
    try:
        return _checks(name, monitor, folder, default_args)
    except ConfigError as exc:
        problems = tuple(exc.problems)
    except Exception as exc:
        logger.warning("no DAG can be made of monitor %s", monitor.name, exc_info=True)
        problems = (f"{monitor.name}: no DAG can be made of it: {type(exc).__name__}: {exc}",)
    return _broken(name, BrokenMonitor(monitor.name, folder, problems), default_args)


def _checks(name: str, monitor: Monitor, folder: Path, default_args: dict[str, Any]) -> DAG:
    with DAG(
        name,
        description=_plain(monitor.description or f"Drift of {monitor.model}"),
        schedule=_timetable(monitor),
        **_span(monitor),
        max_active_runs=CHECKS_AT_ONCE + _windows_waiting(monitor),
        dagrun_timeout=min(LONGEST_RUN + monitor.delay, LONGEST_WAIT),
        tags={TAG, _plain(monitor.model)[:100]},
        doc_md=_documentation(monitor),
        params=_parameters(monitor),
        default_args={
            "owner": _plain(monitor.owner)[:200] or "driftmon",
            "retries": attempts_for(monitor.delay),
            **default_args,
        },
    ) as dag:
        # Waiting for rows is not checking: runs that wait hold no place among the checks.
        check = CheckOperator(
            task_id=CHECK, monitor=monitor.name, folder=str(folder), max_active_tis_per_dag=CHECKS_AT_ONCE
        )
        check >> DriftedOperator(task_id=DRIFTED, monitor=monitor.name)
    return dag


def _timetable(monitor: Monitor) -> Any:  # noqa: ANN401 - Airflow's classes share no public base
    # Built by hand: a bare cron string gives empty data intervals on Airflow 3, a bare timedelta ones that drift.
    duration = monitor.steps.duration
    if duration is None:
        return CronDataIntervalTimetable(PRESETS.get(monitor.schedule, monitor.schedule), timezone=monitor.timezone)
    # Airflow counts a duration from wherever a backfill, or the schedule before this one, happens to stand; a cron expression
    # keeps to the schedule's windows. Not every duration has one.
    cron = _cron_of(duration)
    return CronDataIntervalTimetable(cron, timezone="UTC") if cron else DeltaDataIntervalTimetable(duration)


def _cron_of(duration: timedelta) -> str | None:
    """The cron expression with the same windows in UTC, which are counted from 1970-01-01, a Thursday; None if there is none."""
    minutes = duration // timedelta(minutes=1)
    if minutes < 60 and 60 % minutes == 0:
        return f"*/{minutes} * * * *"
    if minutes % 60 == 0 and duration < DAY and DAY % duration == timedelta(0):
        return f"0 */{minutes // 60} * * *"
    return {DAY: "0 0 * * *", WEEK: "0 0 * * 4"}.get(duration)


def _span(monitor: Monitor) -> dict[str, Any]:
    """Which windows the scheduler runs by itself: from the start of the live data to its end, or from now on."""
    live, zone = monitor.live, monitor.zone
    start = EARLIEST if live.start is None else parse_instant(live.start, zone)
    first = next(monitor.windows.starting(start))
    if monitor.rolling is not None:
        start = monitor.last_step(first).start  # the first interval that a whole window ends with
    elif monitor.steps.duration is not None:
        start = first.start  # a cron expression finds its first window by itself, a duration begins where it is told
    span: dict[str, Any] = {"start_date": start, "catchup": live.start is not None}
    if live.end is not None:
        # Airflow's end date is the *start* of the last window that may run.
        last = monitor.windows.newest_complete(parse_instant(live.end, zone))
        span["end_date"] = monitor.last_step(last).start
        if last < first:
            raise ConfigError(
                f"{monitor.name}: no window of schedule {monitor.schedule!r} lies between live.start {live.start} and "
                f"live.end {live.end}; widen them"
            )
    return span


def _windows_waiting(monitor: Monitor) -> int:
    """How many windows can have ended while their rows are still arriving."""
    if not monitor.delay:
        return 0
    steps = islice(monitor.steps.starting(EARLIEST), WINDOWS_LOOKED_AT)
    shortest = min(step.end - step.start for step in steps)
    return min(-(-monitor.delay // shortest), MOST_WAITING)


def _parameters(monitor: Monitor) -> dict[str, Param]:
    its = "of" if monitor.rolling is None else "that ends with"
    only_by_hand = f"Scheduled runs need none: they check the window {its} their data interval."
    instant: dict[str, Any] = {"type": ["null", "string"], "format": "date-time"}
    return {
        "window": Param(
            None,
            type=["null", "string"],
            title="Window",
            description=f"A date or time in {monitor.timezone}, such as 2013-05-07: the {_window_said(monitor)} it falls in. "
            f"{only_by_hand}",
        ),
        "start": Param(None, **instant, title="or: start", description="Of a window of any length. Give both."),
        "end": Param(None, **instant, title="and end", description="Not in the window."),
    }


def _window_said(monitor: Monitor) -> str:
    """Which window an instant stands for."""
    if monitor.rolling is None:
        return f"window of schedule {monitor.schedule} that"
    return f"window of {monitor.window} that ends with the step of schedule {monitor.schedule} that"


def _documentation(monitor: Monitor) -> str:
    columns = monitor.columns.included
    named = "all" if columns is None else ", ".join(f"`{name}`" for name in columns[:NAMED])
    more = f" and {len(columns) - NAMED} more" if columns and len(columns) > NAMED else ""
    checked = "the rows of its data interval"
    if monitor.rolling is not None:
        checked = f"the rows of the {monitor.window} that end with its data interval, of which it reads the newest,"
    lines = [
        monitor.description,
        "",
        f"- model: `{monitor.model}`",
        f"- schedule: `{monitor.schedule}` in {monitor.timezone}, data delay {monitor.data_delay}",
        f"- columns: {named}{more}",
        f"- thresholds: warning {monitor.thresholds.warning:g}, critical {monitor.thresholds.critical:g} nats",
        "",
        f"Each run checks {checked} against the baseline in force and stores the result; running it again replaces it. A run by hand needs a window in its configuration, and no logical date.",
        "",
        f"Past windows: `driftmon backfill {monitor.name} --start … --end …`, or a backfill of this DAG.",
    ]
    return _plain("\n".join(lines))


def _broken(name: str, monitor: BrokenMonitor, default_args: dict[str, Any]) -> DAG:
    problems = [_plain(problem) for problem in monitor.problems]
    listed = "\n".join(problems)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    with DAG(
        name,
        description=problems[0] + more,
        schedule=None,
        start_date=EARLIEST,
        catchup=False,
        tags={TAG, INVALID_TAG},
        doc_md=f"This monitor file cannot be used. Nothing is checked until it is corrected:\n\n```text\n{listed}\n```\n",
        default_args={"owner": "driftmon", **default_args},
    ) as dag:
        BrokenMonitorOperator(task_id=CHECK, problems=problems)
    return dag


def _plain(text: str) -> str:
    return UNWRITABLE.sub("\ufffd", text)
