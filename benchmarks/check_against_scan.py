"""
What a check costs against a bare read of the same columns: ``make bench``.

Writes a Parquet file of synthetic rows, then alternates between scanning its columns and counting them into learnt layouts, and
prints the ratio of the medians. One run, one machine: only the ratios count.
"""

from __future__ import annotations

import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from driftmon.core.baseline import Baseline
from driftmon.core.check import Policy, check
from driftmon.sources.base import Selection
from driftmon.sources.files import FilesSource

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS, NUMERIC, CATEGORICAL, ROUNDS = 2_000_000, 15, 5, 5


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.parquet"
        _write(path)
        source = FilesSource(path)
        learnt = source.learn(Selection())
        scan = _median(lambda: _scan(path))
        count = _median(lambda: source.count(learnt.columns))
        learn = _median(lambda: source.learn(Selection()), rounds=1)
        baseline = Baseline(learnt, source.count(learnt.columns))
        maths = _median(lambda: check(baseline, baseline.reference, policy=Policy()))
    values = ROWS * (NUMERIC + CATEGORICAL)
    print(f"{ROWS:,} rows x {NUMERIC} numeric and {CATEGORICAL} categorical columns, medians of {ROUNDS}")
    print(f"  counting / bare scan   {count / scan:5.2f}   ({count / values * 1e9:.1f} ns a value)")
    print(f"  learning / bare scan   {learn / scan:5.2f}")
    print(f"  maths of all columns   {maths * 1e3:5.1f} ms")
    print(
        f"  peak memory            {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:5.0f} MiB, interpreter and libraries included"
    )


def _write(path: Path) -> None:
    rng = np.random.default_rng(0)
    columns: dict[str, pa.Array] = {f"x{i}": pa.array(rng.normal(size=ROWS)) for i in range(NUMERIC)}
    for i in range(CATEGORICAL):
        names = pa.array([f"category-{j}" for j in range(20 * (i + 1))])
        codes = pa.array(rng.integers(0, len(names), ROWS).astype(np.int32))
        columns[f"c{i}"] = pa.DictionaryArray.from_arrays(codes, names)
    pq.write_table(pa.table(columns), path, row_group_size=250_000)


def _scan(path: Path) -> None:
    for _ in ds.dataset(path).to_batches():
        pass


def _median(work: Callable[[], object], *, rounds: int = ROUNDS) -> float:
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
