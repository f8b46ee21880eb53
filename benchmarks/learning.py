"""
What learning layouts costs against a bare read of the same columns, in time and memory: ``python -m benchmarks.learning 50``.

Writes a Parquet file of so many million synthetic rows (5 if none are given; 50 take 7 GB for as long as it runs), scans it and
learns from it in processes of their own, and holds the layouts against those of all values in memory. One run, one machine: only
the ratios count.
"""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from benchmarks.timing import timed
from driftmon.core.learning import learn_numbers
from driftmon.sources.base import Selection
from driftmon.sources.files import FilesSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from benchmarks.timing import Seconds
    from driftmon.core.baseline import Learnt

Result = TypeVar("Result")

NUMERIC, CATEGORICAL, GROUP, ROUNDS = 15, 5, 250_000, 3

SHAPES: tuple[Callable[[np.random.Generator, int], NDArray[np.float64]], ...] = (
    lambda rng, rows: rng.normal(size=rows),
    lambda rng, rows: rng.normal(1_000, 10, size=rows),
    lambda rng, rows: rng.lognormal(0, 2, size=rows),
    lambda rng, rows: np.where(rng.random(rows) < 0.7, 0, rng.exponential(size=rows)),
    lambda rng, rows: np.round(rng.gamma(2, 20, size=rows), 2),
    lambda rng, rows: rng.integers(0, 1_000, rows).astype(np.float64),
    lambda rng, rows: rng.standard_t(2, size=rows),
    lambda rng, rows: np.where(rng.random(rows) < 0.1, np.nan, rng.random(rows)),
)
"""What numeric columns are like, in turn; the first file has normal ones only."""


def main() -> None:
    """Measure and print."""
    rows = int(float(sys.argv[1] if len(sys.argv) > 1 else 5) * 1e6)
    print(f"{rows:,} rows x {NUMERIC} numeric and {CATEGORICAL} categorical columns, medians of {ROUNDS}")
    print(f"{'':24}{'wall':>7}{'CPU':>7}{'scan':>12}{'learning':>12}{'peak MiB over the interpreter':>32}")
    with tempfile.TemporaryDirectory() as folder:
        for name, shapes in (("normal columns", SHAPES[:1]), ("columns of many shapes", SHAPES)):
            path = Path(folder) / "rows.parquet"
            _write(path, rows, shapes)
            pairs = _apart(_rounds, path)
            wall, cpu = (statistics.median(learn[k] / scan[k] for scan, learn in pairs) for k in (0, 1))
            scan, learn = (statistics.median(pair[k][0] for pair in pairs) for k in (0, 1))
            print(
                f"{name:24}{wall:6.2f}x{cpu:6.2f}x{scan:10.2f} s{learn:10.2f} s{_apart(_peak, path):32.0f}", flush=True
            )
            print(f"{'':24}{_apart(_compare, path)} of {NUMERIC} layouts are those of all values in memory", flush=True)


def _write(
    path: Path, rows: int, shapes: tuple[Callable[[np.random.Generator, int], NDArray[np.float64]], ...]
) -> None:
    rng = np.random.default_rng(0)
    writer = None
    for start in range(0, rows, GROUP):
        some = min(GROUP, rows - start)
        columns = {f"x{i}": pa.array(shapes[i % len(shapes)](rng, some)) for i in range(NUMERIC)}
        for i in range(CATEGORICAL):
            names = pa.array([f"category-{j}" for j in range(20 * (i + 1))])
            codes = pa.array(rng.integers(0, len(names), some).astype(np.int32))
            columns[f"c{i}"] = pa.DictionaryArray.from_arrays(codes, names)
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _apart(work: Callable[[Path], Result], path: Path) -> Result:
    """What work returns in a new process, so that its peak memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, (path,))


def _rounds(path: Path) -> list[tuple[Seconds, Seconds]]:
    """How long a scan and a learning take, in turn, once each has been done."""
    _scan(path)
    _learnt(path)
    return [(timed(lambda: _scan(path)), timed(lambda: _learnt(path))) for _ in range(ROUNDS)]


def _peak(path: Path) -> float:
    """MiB of a learning beyond what the process had before."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _learnt(path)
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def _scan(path: Path) -> None:
    for _ in ds.dataset(path).to_batches():
        pass


def _learnt(path: Path) -> Learnt:
    return FilesSource(path).learn(Selection())


def _compare(path: Path) -> int:
    """How many numeric columns have the layout of all their values, one column in memory at a time."""
    learnt = _learnt(path)
    names = [f"x{i}" for i in range(NUMERIC)]
    return sum(
        learn_numbers(pq.read_table(path, columns=[name]).column(0).to_numpy()) == learnt.columns[name].layout
        for name in names
    )


if __name__ == "__main__":
    main()
