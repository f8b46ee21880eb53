"""
What reports and the status page cost: ``make bench``.

Writes reports of real checks (every fifth column drifts in the newest windows) and prints seconds and bytes; asks a real server for
the overview of 500 monitors of 200 columns; and reads the last windows of 500 monitors with a year of them from a real database.
"""

from __future__ import annotations

import gzip
import http.client
import tempfile
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import insert

from driftmon.core.baseline import Baseline, BaselineColumn, Learnt
from driftmon.core.binning import count_numbers
from driftmon.core.check import Policy, check
from driftmon.core.histogram import Profile
from driftmon.core.history import History
from driftmon.core.layout import Kind, NumericLayout
from driftmon.core.quality import Quality, QualityCheck
from driftmon.core.verdict import Status, Threshold
from driftmon.core.window import Window
from driftmon.exporter.service import Exporter
from driftmon.findings import Finding
from driftmon.report.pages import render_report
from driftmon.report.views import monitor_view
from driftmon.store.engine import Database
from driftmon.store.migrate import upgrade
from driftmon.store.records import ColumnSample, MonitorFacts, MonitorSnapshot, SnapshotKey
from driftmon.store.schema import baselines, checks, monitors
from driftmon.store.store import Store
from driftmon.store.timeline import WindowPoint

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

DAY = timedelta(days=1)
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
ROWS, HISTORY, WINDOWS = 2_000, 30, 60
FACTS = MonitorFacts("wide", "model", "team", "A wide monitor", "@daily", "UTC", 108_000.0)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        for columns in (200, 500):
            url = f"sqlite:///{folder}/wide-{columns}.db"
            upgrade(url)
            with Store.open(url) as store:
                _fill(store, columns)
                _report(store, columns)
        _overview()
        _strips(f"sqlite:///{folder}/many.db")


def _day(number: int) -> Window:
    """The day so many days ago."""
    return Window(TODAY - (number + 1) * DAY, TODAY - number * DAY)


def _fill(store: Store, columns: int) -> None:
    rng = np.random.default_rng(1)
    names = [f"feature_{number:03}" for number in range(columns)]
    layouts = {
        name: NumericLayout(tuple(np.quantile(rng.normal(size=ROWS), np.linspace(0, 1, 21)).tolist())) for name in names
    }
    learnt = {name: BaselineColumn(Kind.NUMERIC, "double", layout) for name, layout in layouts.items()}

    def profile(moved: Callable[[int], float]) -> Profile:
        counted = {
            name: count_numbers(layouts[name], rng.normal(moved(place), size=ROWS)) for place, name in enumerate(names)
        }
        return Profile(ROWS, counted)

    days = [profile(lambda _: 0.05 * rng.normal()) for _ in range(HISTORY)]
    history: dict[tuple[str, str | None], NDArray[np.int64]] = {
        (name, None): np.array([day.histograms[name].counts for day in days]) for name in names
    }
    windows = tuple(_day(WINDOWS + HISTORY - number) for number in range(HISTORY))
    baseline = Baseline(Learnt(learnt), sum(days[1:], days[0]), None, History(history, windows))
    store.save_baseline("wide", baseline, now=TODAY)
    store.promote("wide", baseline.id, now=TODAY)
    for number in reversed(range(WINDOWS)):
        live = profile(lambda place, late=number < 3: 0.8 if late and place % 5 == 0 else 0.05 * rng.normal())  # type: ignore[misc]
        result = check(baseline, live, policy=Policy(), monitor=("wide", "model"), window=_day(number))
        store.save_check(result, FACTS, started_at=TODAY, now=TODAY)


def _report(store: Store, columns: int) -> None:
    started = time.perf_counter()
    view = monitor_view(store, FACTS, details=True)
    read = time.perf_counter() - started
    page = render_report(view, "benchmark").encode()
    seconds = time.perf_counter() - started
    packed = len(gzip.compress(page, 1))
    print(f"report of {columns} columns x {WINDOWS} windows, {len(view.findings)} findings: {seconds:.2f} s", end="")
    print(f" ({read:.2f} s of it reading), {len(page):,} bytes ({packed:,} packed)")


class Generated:
    """500 monitors of 200 columns, a tenth of which have drifted, as the results database would give them."""

    def __init__(self, count: int, columns: int) -> None:
        self.columns = columns
        self.revisions = {f"monitor-{number:03}": 0 for number in range(count)}

    def snapshot_keys(self) -> list[SnapshotKey]:
        """One key a monitor."""
        return [SnapshotKey(name, str(revision)) for name, revision in self.revisions.items()]

    def monitor_snapshot(self, name: str) -> MonitorSnapshot:
        """The newest window of a monitor."""
        facts = MonitorFacts(name, "model", "team", "", "@daily", "UTC", 108_000.0)
        bad = name.endswith("0")
        samples = tuple(
            _sample(number, Status.CRITICAL if bad and number < 5 else Status.OK) for number in range(self.columns)
        )
        text = "KL 0.431 nats, at least 4.0 × the critical threshold 0.1; since 2026-05-20 (3 days); (-5, -2] 8 % → 2 %"
        findings = [
            Finding(each.column, each.role, None, each.status, (), text) for each in samples if each.status.breach
        ]
        return MonitorSnapshot(
            facts, _day(0), "b3f9", 80_789, 964, samples, TODAY, True, 0, "no drift in 200 columns", tuple(findings)
        )

    def strips(self, names: Collection[str] | None = None, *, limit: int) -> dict[str, tuple[WindowPoint, ...]]:
        """Its last windows."""
        points = tuple(WindowPoint(_day(limit - number), Status.OK, 964) for number in range(limit))
        return dict.fromkeys(names or (), points)

    def close(self) -> None:
        """Nothing to let go of."""


def _sample(number: int, status: Status) -> ColumnSample:
    quality = tuple(Quality(each, None, 0.01, 0.01, 0.5, 0.5, problem=False) for each in list(QualityCheck)[:3])
    return ColumnSample(
        f"column_{number}", "feature", None, status, 0.0131, 0.0, 0.0079, Threshold(), 0.0311, 0.0245, 0.0,
        {"warning": 0, "critical": 0}, 0.0274, 2.5e-05, sustained=False, quality=quality,
    )  # fmt: skip


def _overview() -> None:
    reader = Generated(500, 200)
    exporter = Exporter(lambda: reader, listen="127.0.0.1:0", refresh_seconds=3600)
    exporter.refresh()
    exporter.start()
    try:
        for accepted in ("identity", "gzip"):
            seconds, size = min(_fetch(exporter, accepted) for _ in range(7))
            print(f"overview of 500 monitors x 200 columns, {accepted}: {seconds:.3f} s, {size:,} bytes")
    finally:
        exporter.stop()


def _fetch(exporter: Exporter, accepted: str) -> tuple[float, int]:
    started = time.perf_counter()
    connection = http.client.HTTPConnection(exporter.address.host, exporter.address.port, timeout=60)
    connection.request("GET", "/", headers={"Accept-Encoding": accepted})
    answer = connection.getresponse()
    size = len(answer.read())
    connection.close()
    return time.perf_counter() - started, size


def _strips(url: str) -> None:
    upgrade(url)
    database = Database(url)
    with database.writing() as connection:
        names = [f"monitor-{number:03}" for number in range(500)]
        connection.execute(insert(monitors), [{"name": name, "revision": "0", "model": "m"} for name in names])
        common = {"reference_rows": 1, "excluded": "[]", "created_at": TODAY}
        connection.execute(insert(baselines), [{"monitor_id": i + 1, "hash": "b", **common} for i in range(500)])
        for number in range(365):
            window = {"window_start": _day(number).start, "window_end": _day(number).end, "checked_at": TODAY}
            same = {"model": "m", "status": "ok", "live_rows": 964, "scheduled": True, **window}
            connection.execute(
                insert(checks), [{"monitor_id": i + 1, "baseline_id": i + 1, **same} for i in range(500)]
            )
    database.close()
    with Store.open(url, read_only=True) as store:
        for told, wanted in (("all", None), ("1", {"monitor-250"})):
            started = time.perf_counter()
            found = store.strips(wanted, limit=30)
            seconds = time.perf_counter() - started
            print(
                f"last 30 of 365 windows of {told} of 500 monitors: {seconds:.3f} s, {sum(map(len, found.values())):,} windows"
            )


if __name__ == "__main__":
    main()
