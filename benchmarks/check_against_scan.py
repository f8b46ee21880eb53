"""
What a check costs against a bare read of the same columns: ``python -m benchmarks.check_against_scan``.

Writes Parquet files of many shapes, or takes those that it is given, and alternates between scanning their columns with
`pyarrow.dataset` and counting them into learnt layouts. One run, one machine: only the ratios count. Each time is the least of the
rounds, the one that other programs on the machine disturbed least. The ratio of processor times says what that of wall-clock times
comes to where every core is busy.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any, TypeAlias

import pyarrow as pa
import pyarrow.dataset as ds

from benchmarks.shapes import END, SHAPES, START, Shape, write
from benchmarks.timing import least, timed
from driftmon.core.compiled import Path as CountingPath
from driftmon.core.compiled import available, counting_by
from driftmon.core.layout import Kind
from driftmon.core.window import Window
from driftmon.sources.base import Selection
from driftmon.sources.files import FilesSource

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.timing import Seconds

Expression: TypeAlias = Any  # of Arrow, which publishes no types

ZONE = "America/New_York"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.check_against_scan")
    parser.add_argument("paths", nargs="*", help="Parquet files or folders; without any, files are made up")
    parser.add_argument("--rows", type=int, default=500_000, help="rows of most files that are made up")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="shapes whose name contains this")
    asked = parser.parse_args()
    print(
        f"compiled loops: {'yes' if available() else 'no, llvmlite is not installed'}; least of {asked.rounds} rounds"
    )
    print(f"{'':30}{'bare scan':>24}{'count / scan':>16}{'by NumPy / scan':>18}")
    print(f"{'':30}{'ns a value: wall':>18}{'CPU':>6}{'wall':>10}{'CPU':>6}{'wall':>12}{'CPU':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for shape in () if asked.paths else SHAPES:
            if asked.only in shape.name:
                path = Path(folder) / "rows"
                write(path, shape, asked.rows)
                _compare(shape, path, asked.rounds)
                rmtree(path)
        for given in map(Path, asked.paths):
            _compare(Shape(given.name, {}), given, asked.rounds)


def _compare(shape: Shape, path: Path, rounds: int) -> None:
    """Print the line of one shape."""
    timestamp = shape.timestamp
    source = FilesSource(path, timestamp=timestamp, timezone=ZONE)
    window = None if timestamp is None else Window(START, START + (END - START) / 2)
    learnt = source.learn(Selection())
    read = {name.rpartition(".")[0] if of.kind is Kind.DATETIME else name for name, of in learnt.columns.items()}
    rows = 0

    def scan() -> None:
        nonlocal rows
        batches = ds.dataset(path, format="parquet").to_batches(
            columns=sorted(read), filter=_condition(timestamp, window)
        )
        rows = sum(batch.num_rows for batch in batches)

    def count() -> None:
        source.count(learnt.columns, window, segments=shape.segments)

    scans, fast, plain = _alternating(scan, count, rounds)
    values = rows * len(read)
    shown = [f"{scans[0] / values * 1e9:18.1f}{scans[1] / values * 1e9:6.1f}"]
    shown += [f"{wall / scans[0]:{width}.2f}{cpu / scans[1]:6.2f}" for (wall, cpu), width in ((fast, 10), (plain, 12))]
    print(f"{shape.name:30}{''.join(shown)}", flush=True)


def _condition(timestamp: str | None, window: Window | None) -> Expression | None:
    """The window, as the scan is told it."""
    if timestamp is None or window is None:
        return None
    start, end = (pa.scalar(bound, pa.timestamp("us", "UTC")) for bound in (window.start, window.end))
    return (ds.field(timestamp) >= start) & (ds.field(timestamp) < end)


def _alternating(scan: Callable[[], None], count: Callable[[], None], rounds: int) -> Sequence[Seconds]:
    """Wall-clock and processor seconds of scanning, of counting by compiled loops and of counting by NumPy."""
    turns: tuple[tuple[Callable[[], None], CountingPath], ...] = ((scan, "auto"), (count, "compiled"), (count, "numpy"))
    found: list[list[Seconds]] = [[], [], []]
    for number in range(rounds + 1):
        for (work, path), costs in zip(turns, found, strict=True):
            with counting_by(path):
                cost = timed(work)
            if number:  # the first round warms up
                costs.append(cost)
    return [least(costs) for costs in found]


if __name__ == "__main__":
    main()
