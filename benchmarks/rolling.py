"""
What rolling windows cost, and how often they are wrong: ``python -m benchmarks.rolling``, with ``--full`` for more repetitions.

Cost: a week of days in a folder of Parquet files, each with the same columns; the rows that a check reads and the time it takes, the
first time and a day later, beside the check of one day. False alarms: simulated, seeded; see `benchmarks.study.weeks`.
"""

from __future__ import annotations

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.study.days import DayProcess
from benchmarks.study.tables import percent, print_table
from benchmarks.study.weeks import HISTORIES, WEEK, Weeks, judged
from benchmarks.timing import timed
from driftmon.config import load_monitor
from driftmon.pipeline import build_baseline, run_check
from driftmon.store.store import Store

if TYPE_CHECKING:
    from driftmon.config import Monitor
    from driftmon.core.window import Window
    from driftmon.sources.base import Progress

SEED = 20260124
LEVELS = (0.05, 0.01, 0.001)
FIRST = datetime(2024, 1, 1, tzinfo=UTC)
REFERENCE_DAYS, LIVE_DAYS = 14, 10

GAUSS = DayProcess("gauss", 0.05)

CASES = (
    Weeks(DayProcess(), 90),
    Weeks(GAUSS, 90),
    Weeks(GAUSS, 180),
    Weeks(GAUSS, 49),
    Weeks(GAUSS, 30),
    Weeks(DayProcess("t4", 0.1), 90),
    Weeks(DayProcess("AR(.7)", 0.1), 90),
    Weeks(DayProcess("weekly", 0.1), 90),
    Weeks(DayProcess("sundays", 0.05), 90),
)

SHIFTED = (Weeks(GAUSS, 90, shift=0.1), Weeks(GAUSS, 30, shift=0.1), Weeks(DayProcess("sundays", 0.05), 90, shift=0.1))


def main(*, full: bool) -> None:
    """Measure, simulate and print."""
    cost(rows=400_000 if full else 100_000)
    false_alarms(columns=200 if full else 40)


def cost(rows: int, columns: int = 20) -> None:
    """Target 10: after the first, a check reads one new day."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "monitors").mkdir()
        _write(place, rows, columns)
        table = []
        for name, keys in (("one day", ""), (f"{WEEK} days", f"window: {WEEK}d\n")):
            monitor = _monitor(place, keys)
            with Store.open(f"sqlite:///{place}/{len(keys)}.db") as store:
                build_baseline(monitor, store)
                for when, day in (("the first", LIVE_DAYS - 2), ("a day later", LIVE_DAYS - 1)):
                    read, seconds, busy = _timed(monitor, store, _window(monitor, day))
                    taken = (f"{1e3 * seconds:.0f} ms", f"{1e3 * busy:.0f} ms")
                    table.append((name, when, f"{read:,}", f"{read / rows:.1f}", *taken))
    header = ("window", "check", "rows read", "days read", "time", "of processors")
    print_table(f"Cost of a check: {columns} columns, {rows:,} rows a day", header, table)


def _write(place: Path, rows: int, columns: int) -> None:
    (place / "days").mkdir()
    rng = np.random.default_rng(SEED)
    for day in range(REFERENCE_DAYS + LIVE_DAYS):
        start = np.datetime64((FIRST + timedelta(days=day)).replace(tzinfo=None), "us")
        drawn = {f"x{n}": rng.normal(size=rows) for n in range(columns)}
        times = pa.array(start + np.sort(rng.integers(0, 86_400_000_000, rows)).astype("timedelta64[us]"))
        folder = "reference" if day < REFERENCE_DAYS else "days"
        (place / folder).mkdir(exist_ok=True)
        name = f"{(FIRST + timedelta(days=day)).date()}.parquet"
        pq.write_table(pa.table({"time": times, **drawn}), place / folder / name)


def _monitor(place: Path, keys: str) -> Monitor:
    path = place / "monitors" / "shop.yaml"
    path.write_text(
        "reference: {path: reference, timestamp: time}\n"
        f"live: {{path: 'days/{{start:%Y-%m-%d}}.parquet', timestamp: time}}\n{keys}"
    )
    return load_monitor(path)


def _window(monitor: Monitor, day: int) -> Window:
    return monitor.windows.containing(FIRST + timedelta(days=REFERENCE_DAYS + day, hours=12))


def _timed(monitor: Monitor, store: Store, window: Window) -> tuple[int, float, float]:
    """Rows read, seconds on the clock, seconds of processors."""
    read = 0

    def watch(rows: int, _total: int | None) -> None:
        nonlocal read
        read = rows

    progress: Progress = watch
    seconds, busy = timed(lambda: run_check(monitor, store, window, progress=progress))
    return read, seconds, busy


def false_alarms(columns: int) -> None:
    """The table of decision 24."""
    rows, shifted = [], []
    for number, case in enumerate(CASES):
        found = judged(case, columns, np.random.default_rng([SEED, number]))
        for name in HISTORIES:
            verdicts = found[name]
            rates = " / ".join(percent(float((verdicts.p <= level).mean()), 2) for level in LEVELS)
            in_a_row = verdicts.drift[1:] & verdicts.drift[:-1]
            said = (f"{1e3 * part.mean():.1f}" for part in (verdicts.drift, in_a_row, verdicts.alert))
            rows.append((case.process, f"{case.reference} days", name, rates, *said))
    header = (
        "days",
        "reference",
        "history",
        "false at 5 / 1 / 0.1 %",
        "false drift, of 1,000",
        "two in a row",
        "warning or worse",
    )
    print_table(f"Quiet weeks, {columns} columns x {Weeks(GAUSS, 1).live - WEEK + 1} weeks a day apart", header, rows)
    for number, case in enumerate(SHIFTED):
        found = judged(case, columns, np.random.default_rng([SEED, 100 + number]))
        power = [percent(float((found[name].p <= 0.01).mean())) for name in HISTORIES]
        shifted.append((case.process, f"{case.reference} days", *power))
    print_table("A shift of 0.1 sd, found at 1 %", ("days", "reference", *HISTORIES), shifted)


if __name__ == "__main__":
    main(full="--full" in sys.argv)
