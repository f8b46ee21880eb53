"""
The same columns through other drift monitors, side by side: ``python -m benchmarks.peers``.

Each gets a virtual environment of its own below a temporary folder, since their requirements exclude each other, with what ``pip``
finds for this Python; what cannot be installed is said. Then each looks at the same two tables, in a process of its own: imports and
reading are not counted, for driftmon they are (the last line but one leaves reading out, too). One run, one machine: only the ratios
count.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import venv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Sequence

NUMERIC, CATEGORICAL = 15, 5

PROLOGUE = """
import sys, time, warnings
warnings.filterwarnings("ignore")
import pandas as pd
reference, live = (pd.read_parquet(path) for path in sys.argv[1:3])
"""
EPILOGUE = """
started = time.perf_counter()
work()
print("seconds", time.perf_counter() - started)
"""


@dataclass(frozen=True)
class Peer:
    """
    A drift monitor, and what it takes to compare two tables with it.

    Parameters
    ----------
    name, package, what : str
        As people call it, as ``pip`` does, and what is measured.
    code : str
        Defines ``work``, which looks at the frames ``reference`` and ``live``.
    beside : sequence of str
        What ``pip`` has to be told besides: what it needs and does not ask for.
    """

    name: str
    package: str
    what: str
    code: str
    beside: Sequence[str] = ("pandas<3",)


PEERS = (
    Peer(
        "Evidently",
        "evidently",
        "drift of all columns, KL divergence",
        """
from evidently import Report
from evidently.presets import DataDriftPreset
def work():
    Report([DataDriftPreset(method="kl_div")]).run(live, reference).dict()
""",
    ),
    Peer(
        "NannyML",
        "nannyml",
        "fit and calculate, Jensen-Shannon",
        """
import nannyml
def work():
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(live), continuous_methods=["jensen_shannon"], categorical_methods=["jensen_shannon"], chunk_number=1)
    calculator.fit(reference).calculate(live)
""",
        ("pandas<3", "statsmodels"),
    ),
    Peer(
        "whylogs",
        "whylogs",
        "profile of the live table only",
        """
import whylogs
def work():
    whylogs.log(pandas=live).view().to_pandas()
""",
    ),
    Peer(
        "popmon",
        "popmon",
        "histograms of the live table only",
        """
import popmon
def work():
    live.pm_make_histograms(features=list(live))
""",
    ),
    Peer(
        "TFDV",
        "tensorflow-data-validation",
        "statistics of the live table only",
        """
import tensorflow_data_validation as tfdv
def work():
    tfdv.generate_statistics_from_dataframe(live, n_jobs=1)
""",
        (),
    ),
)

OWN = """
import sys, time
import pyarrow.parquet as pq
from driftmon.core.baseline import Baseline
from driftmon.core.check import Policy, check
from driftmon.sources.base import Selection
from driftmon.sources.files import FilesSource
from driftmon.sources.memory import MemorySource
def whole(make):
    source = make(sys.argv[1])
    learnt = source.learn(Selection())
    baseline = Baseline(learnt, source.count(learnt.columns))
    started = time.perf_counter()
    check(baseline, make(sys.argv[2]).count(learnt.columns), policy=Policy())
    return time.perf_counter() - started
tables = {path: pq.read_table(path) for path in sys.argv[1:3]}
print("seconds", *(min(whole(make) for _ in range(3)) for make in (FilesSource, lambda path: MemorySource(tables[path]))))
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, help="keeps the environments here, for the next time")
    parser.add_argument("--only", default="", help="peers whose name contains this")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tables = [str(_write(Path(folder) / name, asked.rows, seed)) for seed, name in enumerate(("reference", "live"))]
        values = asked.rows * (NUMERIC + CATEGORICAL)
        told = _run([sys.executable, "-c", OWN, *tables], 600)
        from_file, from_memory = (float(seconds) / values * 1e9 for seconds in told.split("seconds")[1].split())
        print(f"{asked.rows:,} rows x {NUMERIC} numeric and {CATEGORICAL} categorical columns")
        print(f"{'':12}{'ns a value':>12}{'times driftmon':>16}  what")
        _print("driftmon", from_file, from_memory, "whole check, from Parquet")
        _print("driftmon", from_memory, from_memory, "whole check, from memory")
        for peer in PEERS:
            if asked.only in peer.name:
                _measure(peer, asked.folder or Path(folder), tables, (values, from_memory))


def _measure(peer: Peer, folder: Path, tables: list[str], scale: tuple[int, float]) -> None:
    values, own = scale
    try:
        python = _installed(peer, folder)
        told = _run([python, "-c", PROLOGUE + peer.code + EPILOGUE, *tables], 1_200)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as exc:
        said = (exc.stderr or b"") if isinstance(exc.stderr, bytes | None) else exc.stderr.encode()
        lines = said.decode(errors="replace").strip().splitlines()
        why = lines[-1][:120] if lines else type(exc).__name__
        print(f"{peer.name:12}{'-':>12}{'-':>16}  not measured: {why}", flush=True)
        return
    _print(peer.name, float(told.rsplit("seconds", 1)[1]) / values * 1e9, own, peer.what)


def _print(name: str, each: float, own: float, what: str) -> None:
    print(f"{name:12}{each:12.1f}{each / own:16.1f}  {what}", flush=True)


def _installed(peer: Peer, folder: Path) -> str:
    """The interpreter of an environment that has the peer."""
    home = folder / peer.package
    python = str(home / "bin" / "python")
    done = home / "installed"
    if not done.exists():
        venv.create(home, with_pip=True, clear=True)
        _run(
            [python, "-m", "pip", "install", "--quiet", "--prefer-binary", peer.package, "pyarrow", *peer.beside],
            1_200,
        )
        done.touch()
    return python


def _run(command: list[str], seconds: int) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds).stdout


def _write(path: Path, rows: int, seed: int) -> Path:
    rng = np.random.default_rng(seed)
    columns: dict[str, pa.Array] = {f"x{n}": pa.array(rng.normal(size=rows)) for n in range(NUMERIC)}
    for number in range(CATEGORICAL):
        names = pa.array([f"category-{n}" for n in range(20 * (number + 1))])
        columns[f"c{number}"] = names.take(pa.array(rng.integers(0, len(names), rows)))
    file = path.with_suffix(".parquet")
    pq.write_table(pa.table(columns), file)
    return file


if __name__ == "__main__":
    main()
