"""
One DAG for each monitor file.

Read by Airflow's dag-processor every few seconds and by every task process: so nothing here opens a database, reads data or
imports pandas or pyarrow. A broken monitor file becomes a DAG of its own that says what is wrong; the others never notice.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, CronDataIntervalTimetable, DeltaDataIntervalTimetable, Param, get_parsing_context

from driftmon.airflow.operators import BrokenMonitorOperator, CheckOperator
from driftmon.config import BrokenMonitor, Monitor, load_folder, parse_instant
from driftmon.errors import ConfigError
from driftmon.schedule import PRESETS
from driftmon.settings import monitors_folder

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["INVALID_TAG", "build_dags", "dag_id"]

TAG, INVALID_TAG = "driftmon", "driftmon-invalid"

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Start date of a DAG without one: a run for a time before the start date would succeed without running anything."""

RUNS_AT_ONCE = 2
LONGEST_RUN = timedelta(hours=6)


def build_dags(folder: Path | None = None) -> dict[str, DAG]:
    """
    The DAGs of a folder of monitor files (by default the one of `driftmon.settings`), by id.

    A task process needs one of them and gets only that one.
    """
    folder = folder or monitors_folder()
    try:
        monitors = load_folder(folder)
    except ConfigError as exc:
        monitors = [BrokenMonitor("monitors", folder, exc.problems)]
    wanted = get_parsing_context().dag_id
    return {dag_id(each.name): _dag(each, folder) for each in monitors if wanted in {None, dag_id(each.name)}}


def dag_id(monitor: str) -> str:
    """The id of a monitor's DAG."""
    return f"driftmon__{monitor}"


def _dag(monitor: Monitor | BrokenMonitor, folder: Path) -> DAG:
    return _broken(monitor) if isinstance(monitor, BrokenMonitor) else _checks(monitor, folder)


def _checks(monitor: Monitor, folder: Path) -> DAG:
    with DAG(
        dag_id(monitor.name),
        description=monitor.description or f"Drift of {monitor.model}",
        schedule=_timetable(monitor),
        **_span(monitor),
        max_active_runs=RUNS_AT_ONCE,
        dagrun_timeout=LONGEST_RUN,
        tags={TAG, monitor.model[:100]},
        doc_md=_documentation(monitor),
        params={"start": _time("Start of the window"), "end": _time("End of the window")},
        default_args={"owner": monitor.owner or "driftmon"},
    ) as dag:
        CheckOperator(task_id="check", monitor=monitor.name, folder=str(folder))
    return dag


def _timetable(monitor: Monitor) -> Any:  # noqa: ANN401 - Airflow's classes share no public base
    # Built by hand: a bare cron string gives empty data intervals on Airflow 3, a bare timedelta ones that drift.
    duration = monitor.windows.duration
    if duration is not None:
        return DeltaDataIntervalTimetable(duration)
    return CronDataIntervalTimetable(PRESETS.get(monitor.schedule, monitor.schedule), timezone=monitor.timezone)


def _span(monitor: Monitor) -> dict[str, Any]:
    """Which windows the scheduler runs by itself: from the start of the live data to its end, or from now on."""
    live, zone = monitor.live, monitor.zone
    if live.start is None:
        return {"start_date": EARLIEST, "catchup": False}
    first = next(monitor.windows.starting(parse_instant(live.start, zone)))
    span: dict[str, Any] = {"start_date": first.start, "catchup": True}
    if live.end is not None:
        # Airflow's end date is the *start* of the last window that may run.
        windows = list(monitor.windows.between(first.start, parse_instant(live.end, zone)))
        span["end_date"] = windows[-1].start if windows else first.start
    return span


def _time(title: str) -> Param:
    return Param(
        None,
        type=["null", "string"],
        format="date-time",
        title=title,
        description="Only for runs by hand: scheduled runs check the window of their data interval. Give both.",
    )


def _documentation(monitor: Monitor) -> str:
    columns = monitor.columns.included
    return "\n".join(
        [
            monitor.description,
            "",
            f"- model: `{monitor.model}`",
            f"- schedule: `{monitor.schedule}` in {monitor.timezone}, data delay {monitor.data_delay}",
            f"- columns: {'all' if columns is None else ', '.join(f'`{name}`' for name in columns)}",
            f"- thresholds: warning {monitor.thresholds.warning:g}, critical {monitor.thresholds.critical:g} nats",
            "",
            "Each run checks the rows of its data interval against the baseline in force and stores the result; running it again",
            f"replaces it. Past windows: `driftmon backfill {monitor.name} --start … --end …`, or a backfill of this DAG.",
        ]
    )


def _broken(monitor: BrokenMonitor) -> DAG:
    problems = "\n".join(f"- {problem}" for problem in monitor.problems)
    with DAG(
        dag_id(monitor.name),
        description=monitor.problems[0],
        schedule=None,
        start_date=EARLIEST,
        catchup=False,
        tags={TAG, INVALID_TAG},
        doc_md=f"This monitor file cannot be used, and nothing is checked until it is corrected:\n\n{problems}\n",
    ) as dag:
        BrokenMonitorOperator(task_id="invalid", problems=list(monitor.problems))
    return dag
