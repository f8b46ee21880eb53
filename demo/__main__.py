"""
``make demo``: the whole pipeline on real flights, from rows on disk to a gauge in Prometheus, on a schedule.

Every part is the real one: Airflow's scheduler starts the checks, each in a process of its own; the results are in a database;
``driftmon serve`` exports them, and Prometheus, where it is installed, scrapes them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from demo.flights import prepare
from demo.services import alerting, free_port, serving, watched_by_prometheus
from demo.story import tell, worst
from driftmon.airflow.settings import USER, StackSettings
from driftmon.airflow.stack import Stack
from driftmon.config import Monitor, load_monitor
from driftmon.errors import DriftmonError
from driftmon.pipeline import build_baseline
from driftmon.store.store import Store

if TYPE_CHECKING:
    from demo.services import Prometheus
    from driftmon.core.check import CheckResult
    from driftmon.core.window import Window

PROJECT = Path(__file__).resolve().parent.parent
HOME = PROJECT / ".demo"
MONITOR = PROJECT / "monitors" / "flights.yaml"
DAG = "driftmon__flights"
PATIENCE = 60.0
"""Seconds without a new result after which something must be broken."""

started = time.monotonic()


def say(line: str) -> None:
    """Print a line with the seconds since the start, at once."""
    print(f"[{time.monotonic() - started:5.0f} s] {line}", flush=True)


def main() -> int:
    """Run the demo; the exit status is 0 only if every check ran."""
    parser = argparse.ArgumentParser(prog="make demo", description="The whole pipeline on real flights.")
    parser.add_argument("--keep", action="store_true", help="keep everything running until Ctrl-C")
    keep = parser.parse_args().keep
    interrupted = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _interrupt(interrupted))
    try:
        _run(keep=keep)
    except KeyboardInterrupt:
        say("interrupted; everything is stopped")
        return 130
    except DriftmonError as exc:
        say(f"failed: {exc}")
        return exc.exit_code
    return 0


def _interrupt(interrupted: threading.Event) -> None:
    if not interrupted.is_set():  # a second Ctrl-C must not cut short the stopping
        interrupted.set()
        raise KeyboardInterrupt


def _run(*, keep: bool) -> None:
    prepare(HOME / "flights", log=say)
    _clear()
    os.environ |= {"DRIFTMON_HOME": str(HOME), "DRIFTMON_MONITORS": str(MONITOR.parent)}
    monitor = load_monitor(MONITOR)
    url = f"sqlite:///{HOME / 'driftmon.db'}"
    with ExitStack() as stack:
        store = stack.enter_context(Store.open(url))
        baseline, _ = build_baseline(monitor, store)
        rows, columns = baseline.reference.rows, len(baseline.columns)
        say(f"baseline {baseline.id[:12]}: {rows:,} flights of January to March, {columns} columns")

        say("airflow: starting the database, api-server, scheduler and dag-processor (20 to 40 s)")
        settings = StackSettings(
            home=HOME / "airflow", dags=PROJECT / "dags", port=free_port(8080), environment=_environment(url)
        )
        airflow = stack.enter_context(Stack(settings, log=lambda line: say(f"airflow: {line}")))
        metrics = stack.enter_context(serving(url, MONITOR.parent, HOME / "serve.log"))
        say(f"driftmon serve: {metrics}")
        alertmanager = stack.enter_context(alerting(HOME / "alertmanager", log=say))
        prometheus = stack.enter_context(watched_by_prometheus(metrics, alertmanager, HOME / "prometheus", log=say))

        windows = _windows(monitor)
        _await_checks(airflow, store, monitor, windows)
        results = store.load_checks(monitor.name, limit=len(windows))
        tell(results, monitor, HOME / "flights" / "live", print)
        if prometheus is not None:
            say(prometheus.await_gauge("dep_delay", results[0]["dep_delay"].kl or 0.0))  # the newest comes first
        report = _report(url, worst(results))
        _addresses(airflow, metrics, prometheus, alertmanager, report, keep=keep)
        if keep:
            _wait_for_interrupt(airflow)
        else:
            say("stopping everything")
    say("done: everything is stopped")


def _clear() -> None:
    """A fresh database and a fresh Airflow each time; the prepared flights stay."""
    for name in ("airflow", "alertmanager", "prometheus"):
        shutil.rmtree(HOME / name, ignore_errors=True)
    for path in HOME.glob("driftmon.db*"):
        path.unlink()


def _environment(url: str) -> dict[str, str]:
    return {
        "DRIFTMON_HOME": str(HOME),
        "DRIFTMON_MONITORS": str(MONITOR.parent),
        "DRIFTMON_DATABASE_URL": url,
    }


def _windows(monitor: Monitor) -> list[Window]:
    return list(monitor.scheduled_windows(datetime.now(UTC)))


def _await_checks(airflow: Stack, store: Store, monitor: Monitor, windows: list[Window]) -> None:
    """Wait until the scheduler has run the check of every window, and say how far it is."""
    say(f"airflow: its scheduler now checks {len(windows)} days, each in a run of {DAG}")
    seen, progress = 0, time.monotonic()
    while True:
        airflow.require_healthy()
        runs = airflow.api.dag_runs(DAG)
        done = store.checked_windows(monitor.name, windows[0].start, windows[-1].end)
        if len(done) > seen:
            seen, progress = len(done), time.monotonic()
            newest = max(done).start.astimezone(monitor.zone)
            say(f"airflow: {seen} of {len(windows)} days are checked, up to {newest:%-d %B}")
        if seen == len(windows) and all(run.finished for run in runs):
            break
        failed = [run.run_id for run in runs if run.state == "failed"]
        if failed or time.monotonic() - progress > PATIENCE:
            what = f"run {failed[0]} of {DAG} failed" if failed else f"no day was checked in {PATIENCE:.0f} s"
            raise DriftmonError(f"{what}; the logs are in {airflow.settings.logs}")
        time.sleep(1.0)
    say(f"airflow: {len(runs)} runs of {DAG} succeeded")


def _report(url: str, result: CheckResult) -> Path:
    """Write the report of a check, by the command that people use."""
    path = HOME / "report.html"
    at = result.window.start.isoformat() if result.window else ""
    command = [sys.executable, "-m", "driftmon", "report", MONITOR.stem, "--window", at, "-o", str(path)]
    done = subprocess.run(
        [*command, "--database", url, "--monitors", str(MONITOR.parent)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DriftmonError(f"no report was written: {done.stderr.strip()}")
    return path


def _addresses(
    airflow: Stack, metrics: str, prometheus: Prometheus | None, alertmanager: str | None, report: Path, *, keep: bool
) -> None:
    shown = Path(os.path.relpath(airflow.settings.password_file))
    print()
    print("where to look" + ("" if keep else " (the servers stop now; `make up` keeps them running)"))
    print(f"  report        {os.path.relpath(report)}   the worst day, one file; open it in a browser")
    print(f"  status page   {metrics.removesuffix('metrics')}")
    print(f"  Airflow       {airflow.url}   user {USER}, password in {shown}")
    print(f"  metrics       {metrics}")
    if prometheus is not None:
        print(f"  Prometheus    {prometheus.url}/graph?g0.expr=driftmon_column_kl_divergence_nats&g0.tab=1")
        print(f"  alert rules   {prometheus.url}/alerts")
    if alertmanager is not None:
        print(f"  Alertmanager  {alertmanager}")
    print("  results       DRIFTMON_HOME=.demo .venv/bin/driftmon history flights")
    print("                DRIFTMON_HOME=.demo .venv/bin/driftmon check flights --window 2013-05-23")
    print(flush=True)


def _wait_for_interrupt(airflow: Stack) -> None:
    say("running until Ctrl-C")
    while True:
        airflow.require_healthy()
        time.sleep(2.0)


if __name__ == "__main__":
    sys.exit(main())
