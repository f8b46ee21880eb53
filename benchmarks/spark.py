"""
What counting on Spark costs, by rows and by workers: ``python -m benchmarks.spark``.

Starts a cluster of executors of one core each on this machine, for each number of workers one, and reads the same Parquet files in
three ways: Spark alone (its `noop` sink decodes the columns and throws them away), Spark with all rows handed to Python as Arrow and
thrown away there, and the count of a check. The difference of the first two is the price of Python on Spark, that of the last two
the price of counting. One run, one machine: only the ratios count; those of processor time, of all programs of the cluster together,
where the machine has other work.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from driftmon.sources.base import Selection
from driftmon.sources.files import FilesSource
from driftmon.sources.spark.session import lease, quiet
from driftmon.sources.spark.source import SparkSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.timing import Seconds
    from driftmon.core.baseline import Learnt
    from driftmon.sources.arrow.batches import RecordBatch
    from driftmon.sources.spark.session import Session

FILE_ROWS = 1_000_000
NUMBERS, CATEGORIES = 8, 2
SETTINGS = """
spark.driver.host 127.0.0.1
spark.driver.bindAddress 127.0.0.1
spark.driver.memory 1g
spark.executor.memory 1g
spark.sql.shuffle.partitions 8
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spark")
    parser.add_argument("--millions", type=int, nargs="+", default=[2, 8], help="rows, in millions")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    columns = NUMBERS + CATEGORIES
    print(f"{columns} columns, {CATEGORIES} of them categories; medians of {asked.rounds} rounds; ns a value")
    print(
        f"{'workers':>8}{'rows':>8}{'Spark scan':>18}{'to Python':>18}{'count':>18}{'count / scan':>16}{'/ to Python':>16}\n"
        f"{'':16}{3 * '      wall     CPU'}{2 * '     wall    CPU'}"
    )
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "conf"
        settings.mkdir()
        (settings / "spark-defaults.conf").write_text(f"{SETTINGS}spark.local.dir {folder}/local\n")
        os.environ |= {"SPARK_CONF_DIR": str(settings), "SPARK_LOCAL_IP": "127.0.0.1"}
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        paths = {millions: _written(Path(folder) / f"rows{millions}", millions) for millions in asked.millions}
        learnt = FilesSource(next(iter(paths[min(paths)].iterdir()))).learn(Selection())
        for workers in asked.workers:
            held = lease(None, master=f"local-cluster[{workers},1,1024]", remote=None)
            try:
                for millions, path in paths.items():
                    _compare(held.session, path, workers, millions, (learnt, asked.rounds))
            finally:
                held.release()


def _written(folder: Path, millions: int) -> Path:
    """So many files of a million rows, which are one file under many names."""
    folder.mkdir()
    random = np.random.default_rng(0)
    names = np.array([f"category {n}" for n in range(200)])
    table = pa.table(
        {f"x{n}": random.normal(size=FILE_ROWS) for n in range(NUMBERS)}
        | {f"c{n}": pa.array(names[random.integers(0, 200, FILE_ROWS)]) for n in range(CATEGORIES)}
    )
    pq.write_table(table, folder / "0.parquet", row_group_size=250_000)
    for number in range(1, millions):
        os.link(folder / "0.parquet", folder / f"{number}.parquet")
    return folder


def _compare(session: Session, path: Path, workers: int, millions: int, given: tuple[Learnt, int]) -> None:
    """Print one line."""
    learnt, rounds = given
    source = SparkSource(path=str(path), session=session)
    frame = session.read.parquet(str(path))

    def scan() -> None:
        frame.write.format("noop").mode("overwrite").save()

    def hand_over() -> None:
        with quiet():
            frame.mapInArrow(_thrown_away, "rows long").toArrow()

    def count() -> None:
        assert source.count(learnt.columns).rows == millions * FILE_ROWS  # noqa: S101 - a wrong count has no speed

    values = millions * FILE_ROWS * (NUMBERS + CATEGORIES)
    times = [_median(work, rounds) for work in (scan, hand_over, count)]
    shown = "".join(f"{wall / values * 1e9:10.1f}{cpu / values * 1e9:8.1f}" for wall, cpu in times)
    *others, (wall, cpu) = times
    ratios = "".join(f"{wall / other_wall:9.2f}{cpu / other_cpu:7.2f}" for other_wall, other_cpu in others)
    print(f"{workers:8}{millions:7}M{shown}{ratios}", flush=True)


def _thrown_away(batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
    import pyarrow as pa  # noqa: PLC0415 - travels to the executors by itself

    rows = sum(batch.num_rows for batch in batches)
    yield pa.RecordBatch.from_pydict({"rows": [rows]})


def _median(work: Callable[[], None], rounds: int) -> Seconds:
    """
    Wall-clock and processor seconds of the middle round; the first, in which Java compiles what it runs, does not count.

    Not the least: a worker of Python whose parent ends before it takes what it computed with it, and makes a round cheap.
    """
    work()
    walls, computed = [], []
    for _ in range(rounds):
        start, before = time.perf_counter(), _processor()
        work()
        walls.append(time.perf_counter() - start)
        computed.append(_processor() - before)
    return statistics.median(walls), statistics.median(computed)


def _processor() -> float:
    """Processor seconds of this program and all below it, ended ones included."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # ended in the meantime: its parent has its time
        pid = int(stat.parent.name)
        parents[pid], ticks[pid] = int(fields[1]), sum(map(int, fields[11:15]))
    below = {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in below} - below
        if not more:
            return sum(ticks[pid] for pid in below) / os.sysconf("SC_CLK_TCK")
        below |= more


if __name__ == "__main__":
    main()
