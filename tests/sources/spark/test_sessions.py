"""Sessions: one that was made here ends with those who use it, and Java with it; one of others goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from datetime import time as time_of_day
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from driftmon.errors import SourceError
from driftmon.sources.spark.source import SparkSource
from tests.sources.spark.cluster import programs

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 240


@pytest.fixture(scope="module")
def settings() -> Iterator[dict[str, str]]:
    """The environment of programs that start a Spark of their own."""
    with programs() as place:
        yield place.environment


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    pq.write_table(pa.table({"x": [float(n % 7) for n in range(100)]}), tmp_path / "rows.parquet")
    return tmp_path / "rows.parquet"


def run(script: str, *arguments: object, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A program of its own: a process has one session of Spark."""
    command = [sys.executable, "-W", "error", "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False, env=environment)


def wait_for_end(pid: int) -> None:
    """Wait until there is no such program any more."""
    deadline = time.monotonic() + PATIENCE
    while running(pid):
        assert time.monotonic() < deadline, f"program {pid} is still running"
        time.sleep(0.05)


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


ENDS = """
import gc, sys
from driftmon.errors import SourceError
from driftmon.sources.base import Selection
from driftmon.sources.spark.source import SparkSource

def refused(**options):
    try:
        SparkSource(**options).inspect()
    except SourceError as exc:
        print(exc.retryable, exc)

refused(table="x", master="spark://127.0.0.1:1")
refused(table="x", remote="sc://127.0.0.1:1")
refused(table="x", remote="127.0.0.1:1")
from pyspark import SparkContext
refused(table="nowhere", master="local[1]")
gc.collect()
assert SparkContext._active_spark_context is None and SparkContext._gateway is None

one, two = (SparkSource(path=sys.argv[1], master="local[1]") for _ in range(2))
learnt = one.learn(Selection())
assert learnt.columns.keys() == {"x", "clock.hour"}
java = SparkContext._gateway.proc
assert two.count(learnt.columns).rows == 100
refused(path=sys.argv[1], master="local[2]")
one.close()
assert java.poll() is None
del two
gc.collect()
assert java.poll() is not None
assert SparkContext._active_spark_context is None and SparkContext._gateway is None
"""


def test_a_session_made_here_ends_with_its_last_source_and_java_with_it(settings: dict[str, str], rows: Path) -> None:
    clock = pa.array(
        [time_of_day(n % 24) for n in range(100)], pa.time64("us")
    )  # which Spark reads only if it is told to
    pq.write_table(pq.read_table(rows).append_column("clock", clock), rows)

    done = run(ENDS, rows, environment=settings)

    assert (done.returncode, done.stderr) == (0, "")
    master, remote, address, table, second = done.stdout.splitlines()
    assert master == "True spark://127.0.0.1:1: cannot be reached: connection refused; is the cluster running?"
    assert remote == "True sc://127.0.0.1:1: cannot be reached: connection refused; is the cluster running?"
    assert address == "False remote '127.0.0.1:1' is no address of Spark Connect; expected sc://HOST:PORT"
    assert table == "False table nowhere: no such table or view; check its name, catalogue and schema"
    assert second.startswith(
        "False a Spark session is running on local[1], and a process has one at a time; local[2] has to"
    )


GOES_ON = """
import os, sys, warnings
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
from pyspark.sql import SparkSession
from driftmon.sources.base import Selection
from driftmon.sources.spark.source import SparkSource

session = SparkSession.builder.master("local[1]").getOrCreate()
source = SparkSource(path=sys.argv[1], master="spark://127.0.0.1:1")
learnt = source.learn(Selection())
assert source.count(learnt.columns).rows == 100
source.close()
assert session.range(3).count() == 3
print(session.sparkContext._gateway.proc.pid, flush=True)
os._exit(0)
"""


def test_a_session_of_others_is_used_and_goes_on(settings: dict[str, str], rows: Path) -> None:
    done = run(GOES_ON, rows, environment=settings)

    assert done.returncode == 0, done.stderr
    # Java ends with the process, however that ends.
    wait_for_end(int(done.stdout))


NO_JAVA = """
from driftmon.errors import SourceError
from driftmon.sources.spark.source import SparkSource
try:
    SparkSource(table="x", master="local[1]").inspect()
except SourceError as exc:
    print(exc)
"""


def test_a_missing_java_is_said_in_one_line(settings: dict[str, str]) -> None:
    done = run(NO_JAVA, environment={**settings, "JAVA_HOME": "/nowhere"})

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "no Java at '/nowhere/bin/java'; Spark needs Java 17 or newer: install it, or set JAVA_HOME to its folder\n"
    )


def test_a_missing_pyspark_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)

    with pytest.raises(SourceError, match=r"^pyspark is not installed; pip install 'driftmon-pipeline\[spark\]'$"):
        SparkSource(table="x").inspect()


ALONE = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in {"scipy", "pandas", "sqlalchemy", "pydantic", "llvmlite"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
import driftmon.sources.spark.gathering
import driftmon.sources.spark.partitions
"""


def test_executors_need_numpy_and_pyarrow_and_nothing_else() -> None:
    done = run(ALONE, environment=dict(os.environ))

    assert (done.returncode, done.stderr) == (0, "")
