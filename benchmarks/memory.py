"""
How much memory a check takes at its peak, at 5 and at 50 million rows: ``python -m benchmarks.memory``.

Each check runs in a process of its own, over a Parquet file of 20 columns in row groups of a million rows, which is written before and
removed after. What is told is the highest resident memory of the process, less that of an interpreter that has loaded nothing, and
less that of one that has loaded all it needs and read no row.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.shapes import mixed

STATUS = Path("/proc/self/status")

COLUMNS, GROUP = 20, 1_000_000

REFERENCE, LEARNT = "reference.parquet", 50_000
"""The file that layouts are learnt from, and its rows: learning is measured elsewhere."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory")
    parser.add_argument("rows", type=int, nargs="*", default=[5_000_000, 50_000_000])
    parser.add_argument("--folder", type=Path, help="where the files are written (about 60 bytes a row)")
    parser.add_argument("--peak-of", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.peak_of is not None:
        _tell_peak(asked.peak_of)
        return
    bare, (loaded, _) = _bare_peak(), _peak("loaded")
    print(f"an interpreter {bare:.0f} MiB, with what a check loads {loaded:.0f} MiB")
    print(
        f"{'rows':>12}{'peak MiB':>10}{'over the interpreter':>22}{'over what is loaded':>21}{'seconds':>9}{'ns a value':>12}"
    )
    for rows in asked.rows:
        with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
            path = Path(folder) / "rows.parquet"
            _write(path, rows)
            peak, seconds = _peak(str(path))
        each = seconds / rows / COLUMNS * 1e9
        print(f"{rows:12,}{peak:10.0f}{peak - bare:22.0f}{peak - loaded:21.0f}{seconds:9.1f}{each:12.1f}", flush=True)


def _write(path: Path, rows: int) -> None:
    rng = np.random.default_rng(0)
    groups = [pa.table({name: make(rng, GROUP) for name, make in mixed(COLUMNS).items()}) for _ in range(2)]
    pq.write_table(groups[0].slice(0, LEARNT), path.with_name(REFERENCE))
    with pq.ParquetWriter(path, groups[0].schema) as writer:
        for start in range(0, rows, GROUP):
            writer.write_table(groups[start // GROUP % 2].slice(0, min(GROUP, rows - start)), row_group_size=GROUP)


def _peak(what: str) -> tuple[float, float]:
    """MiB of a new process at its peak, and the seconds that checking took."""
    command = [sys.executable, "-m", "benchmarks.memory", "--peak-of", what]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    peak, seconds = json.loads(told)
    return peak, seconds


def _tell_peak(what: str) -> None:
    """Print the peak of this process, and the seconds of a check, if there is one to do."""
    from driftmon.core.baseline import Baseline  # noqa: PLC0415 - what loading takes is measured
    from driftmon.core.check import Policy, check  # noqa: PLC0415 - as above
    from driftmon.sources.arrow import kernel  # noqa: F401, PLC0415 - as above
    from driftmon.sources.base import Selection  # noqa: PLC0415 - as above
    from driftmon.sources.datafiles import FileRows  # noqa: F401, PLC0415 - as above
    from driftmon.sources.files import FilesSource  # noqa: PLC0415 - as above

    seconds = 0.0
    if what != "loaded":
        reference = FilesSource(Path(what).with_name(REFERENCE))
        learnt = reference.learn(Selection())
        baseline = Baseline(learnt, reference.count(learnt.columns))
        started = time.perf_counter()
        check(baseline, FilesSource(what).count(learnt.columns), policy=Policy())
        seconds = time.perf_counter() - started
    print(json.dumps([_own_peak(), seconds]))


def _own_peak() -> float:
    return _highest(STATUS.read_text(encoding="ascii"))


def _bare_peak() -> float:
    """MiB of an interpreter that does nothing but tell."""
    command = [sys.executable, "-c", f"print(open({str(STATUS)!r}).read())"]
    return _highest(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _highest(status: str) -> float:
    """MiB a process ever had in memory. `getrusage` would tell that of the process that started it, if that was larger."""
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


if __name__ == "__main__":
    main()
