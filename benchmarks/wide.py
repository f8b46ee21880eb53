"""
What a process costs to start, and what columns cost: ``python -m benchmarks.wide``.

Runs the command ``driftmon`` as a person does, each time in a process of its own, against an interpreter that does nothing; then
compares files of 10,000 rows and ever more columns, start-up included; then judges 500 columns whose counts are there.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.results_database import Made
from benchmarks.timing import least, timed
from driftmon.core.check import Policy, check

ROWS, JUDGED, ROUNDS = 10_000, 500, 5


def main() -> None:
    """Measure and print."""
    print(f"least of {ROUNDS} rounds, by the clock")
    bare = _run("-c", "pass")
    _say("an interpreter", bare, bare)
    _say("import driftmon", _run("-c", "import driftmon"), bare)
    _say("driftmon --help", _run("-m", "driftmon", "--help"), bare)
    with tempfile.TemporaryDirectory() as folder:
        for columns in (1, 250, 500, 1_000):
            paths = [str(_written(Path(folder), name, columns)) for name in ("reference", "live")]
            seconds = _run("-m", "driftmon", "compare", *paths)
            _say(f"driftmon compare of {columns:,} columns x {ROWS:,} rows", seconds, bare)
    made = Made(JUDGED)
    live = made.live()
    judged = least([timed(partial(check, made.baseline, live, policy=Policy())) for _ in range(ROUNDS)])[0]
    _say(f"all statistics of {JUDGED} columns, 30 days of history", judged, bare)


def _run(*arguments: str) -> float:
    """Seconds of a Python process."""
    command = [sys.executable, *arguments]
    run = partial(subprocess.run, command, check=True, stdout=subprocess.DEVNULL)
    return least([timed(run) for _ in range(ROUNDS)])[0]


def _written(folder: Path, name: str, columns: int) -> Path:
    rng, path = np.random.default_rng(len(name)), folder / f"{name}.parquet"
    pq.write_table(pa.table({f"x{number}": rng.normal(size=ROWS) for number in range(columns)}), path)
    return path


def _say(what: str, seconds: float, bare: float) -> None:
    print(f"{what:55}{seconds:8.3f} s{seconds / bare:8.1f} x an interpreter", flush=True)


if __name__ == "__main__":
    main()
