"""
What the results database costs at size: ``python -m benchmarks.store --monitors 500 --columns 200 --windows 30``.

Fills an empty database (``--database URL``, a SQLite file by default) and prints what a check, a page and the exporter take on it, and
with ``--prune`` what `driftmon prune` takes. ``--filled`` measures again what an earlier run filled.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from benchmarks.results_database import TODAY, Made, day, facts, fill
from benchmarks.timing import timed
from driftmon.exporter.service import Exporter
from driftmon.report.views import column_view, monitor_view
from driftmon.store.migrate import upgrade
from driftmon.store.pruning import Pruned
from driftmon.store.retention import Retention
from driftmon.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.timing import Seconds

WIDE, PAST = 500, 60
"""The check that is saved: its columns, and the windows that its sustained drift looks back on."""


def main() -> None:
    """Measure and print."""
    given = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        url = given.database or f"sqlite:///{folder}/results.db"
        upgrade(url)
        if not given.filled:
            seconds = _seconds(lambda: fill(url, given.monitors, given.columns, given.windows))
            print(f"filled in {seconds:.0f} s")
        with Store.open(url) as store:
            names, room = store.monitors(), store.room()
            rows = given.monitors * given.columns * given.windows
            print(f"{len(names)} monitors, {rows:,} column results in {room.used / 1e9:.2f} GB")
            _save(store)
            _read(store, names[len(names) // 2], given.windows)
        _refresh(url)
        if given.prune:
            _prune(url, given.windows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database")
    parser.add_argument("--monitors", type=int, default=50)
    parser.add_argument("--columns", type=int, default=200)
    parser.add_argument("--windows", type=int, default=30)
    parser.add_argument("--filled", action="store_true")
    parser.add_argument("--prune", action="store_true")
    return parser.parse_args()


def _save(store: Store) -> None:
    """A check of 500 columns of 16 bins, with all that it looks back on."""
    made, known = Made(WIDE), facts("wide")
    if store.save_baseline("wide", made.baseline, now=TODAY):
        store.promote("wide", made.baseline.id, now=TODAY)
        past = made.result("wide", day(PAST))
        for number in range(PAST, 0, -1):
            store.save_check(replace(past, window=day(number)), known, started_at=TODAY, now=TODAY)
    results = [made.result("wide", day(0), drift=place % 2 == 0) for place in range(5)]
    measured = [timed(lambda one=one: store.save_check(one, known, started_at=TODAY, now=TODAY)) for one in results]  # type: ignore[misc]
    _say(f"save a check of {WIDE} columns x 16 bins", measured)


def _read(store: Store, name: str, windows: int) -> None:
    known = facts(name)
    middle = Made(1).names[0]
    asked: dict[str, Callable[[], object]] = {
        "newest result of a monitor": lambda: store.load_checks(name, limit=1),
        "what the exporter shows of a monitor": lambda: store.monitor_snapshot(name),
        f"one column over {windows} windows, whole": lambda: store.load_checks(name, limit=365, column=middle),
        f"one column over {windows} windows, drawn": lambda: store.timeline(name, limit=365, column=middle),
        "all columns over 60 windows, drawn": lambda: store.timeline(name, limit=60),
        "page of a monitor": lambda: monitor_view(store, known, details=False),
        "page of a column": lambda: column_view(store, known, (middle, None)),
        "windows that have a result": lambda: store.checked_windows(name, day(365).start, TODAY),
        "last 30 windows of all monitors": lambda: store.strips(limit=30),
    }
    for what, ask in asked.items():
        _say(what, [timed(ask) for _ in range(5)])


def _refresh(url: str) -> None:
    exporter = Exporter(lambda: Store.open(url, read_only=True), listen="127.0.0.1:0", max_series=10**7)
    try:
        first = timed(exporter.refresh)
        series = exporter.state.series
        _say(f"first refresh of the exporter, {series:,} series", [first])
        _say("refresh without news", [timed(exporter.refresh) for _ in range(5)])
        with Store.open(url) as store:
            measured = []
            for number in range(3):
                store.register_monitor(facts(f"monitor-{number:03}"), now=TODAY)
                measured.append(timed(exporter.refresh))
        _say("refresh after one check", measured)
        _say("status page", [timed(exporter._pages.overview) for _ in range(5)])  # noqa: SLF001 - without its socket
    finally:
        exporter.stop()


def _prune(url: str, windows: int) -> None:
    """Bins of the older half of the windows, then a tenth of the windows."""
    now = datetime.now(UTC)
    for what, retention in (
        ("bins of the older half", Retention(None, now - timedelta(days=windows // 2))),
        ("a tenth of the windows", Retention(now - timedelta(days=windows - windows // 10), None)),
    ):
        with Store.open(url) as store:
            longest, total, started, last = 0.0, Pruned(), time.perf_counter(), time.perf_counter()
            for name in store.monitors():
                for done in store.prune(name, retention):
                    total += done
                    longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
                last = time.perf_counter()
            seconds = time.perf_counter() - started
            given = _seconds(store.give_back)
            print(
                f"prune {what}: {total.bins + total.windows:,} windows, {total.results:,} results, {total.size / 1e6:,.0f} MB in "
                f"{seconds:.1f} s, {longest:.2f} s the longest transaction; vacuum {given:.1f} s, {store.room().used / 1e9:.2f} GB then"
            )


def _seconds(work: Callable[[], object]) -> float:
    return timed(work)[0]


def _say(what: str, measured: list[Seconds]) -> None:
    seconds, computed = (statistics.median(each) * 1e3 for each in zip(*measured, strict=True))
    print(f"  {what:<55} {seconds:9.1f} ms, {computed:9.1f} ms computing", flush=True)


if __name__ == "__main__":
    main()
