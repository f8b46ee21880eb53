"""A Spark cluster that tests start for themselves: one master and two workers, on the loopback interface."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree, which
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 180
"""Seconds that a program of Spark may take to start: on a busy machine Java takes long."""

JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto"
"""Programs that live for a minute are not worth compiling well."""

DEFAULTS = """
spark.driver.extraJavaOptions {java}
spark.executor.extraJavaOptions {java}
spark.ui.enabled false
spark.driver.host 127.0.0.1
spark.driver.bindAddress 127.0.0.1
spark.driver.memory 512m
spark.executor.memory 512m
spark.executor.cores 1
spark.sql.shuffle.partitions 2
spark.local.dir {folder}/local
spark.sql.warehouse.dir {folder}/warehouse
"""


@dataclass
class Cluster:
    """Running programs of Spark, their settings and their logs."""

    folder: Path
    environment: dict[str, str]
    url: str = ""
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    programs: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str, says: str) -> subprocess.Popen[bytes]:
        """Start a program of Spark, and wait until its log says something."""
        log = self.folder / f"{len(self.programs)}.log"
        with log.open("wb") as stream:
            program = subprocess.Popen(
                [str(spark_home() / "bin" / "spark-class"), *command],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=self.environment,
                cwd=self.folder,
                # Its children with it: a machine that dies takes all its programs along.
                start_new_session=True,
            )
        self.programs.append(program)
        deadline = time.monotonic() + PATIENCE
        while says not in log.read_text(errors="replace"):
            if program.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"Spark does not start: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        return program

    def add_worker(self) -> subprocess.Popen[bytes]:
        """One more machine, with one core."""
        where = self.folder / f"worker{len(self.programs)}"
        options = [
            "--host",
            "127.0.0.1",
            "--cores",
            "1",
            "--memory",
            "600m",
            "--webui-port",
            "0",
            "--work-dir",
            str(where),
        ]
        worker = self.start(
            "org.apache.spark.deploy.worker.Worker", *options, self.url, says="Successfully registered with master"
        )
        self.workers.append(worker)
        return worker

    def start_connect(self) -> str:
        """A server of Spark Connect that works by itself, with two cores; gives its address."""
        port = free_port()
        self.environment["SPARK_DAEMON_MEMORY"] = "768m"
        server = "org.apache.spark.sql.connect.service.SparkConnectServer"
        options = ["--master", "local[2]", "--conf", f"spark.connect.grpc.binding.port={port}"]
        self.start(
            *(
                "org.apache.spark.deploy.SparkSubmit",
                *options,
                "--conf",
                "spark.connect.grpc.binding.address=127.0.0.1",
            ),
            *("--class", server, "spark-internal"),
            says="Spark Connect server started",
        )
        return f"sc://127.0.0.1:{port}"

    def kill(self, program: subprocess.Popen[bytes]) -> None:
        """Pull its plug."""
        os.killpg(program.pid, signal.SIGKILL)
        program.wait()
        if program in self.workers:
            self.workers.remove(program)

    def stop(self) -> None:
        """End all programs."""
        for program in self.programs:
            if program.poll() is None:
                self.kill(program)


def spark_home() -> Path:
    """The folder of the pyspark wheel, which holds a whole Spark."""
    found = find_spec("pyspark")
    assert found is not None
    return Path(str(found.origin)).parent


@contextmanager
def programs() -> Iterator[Cluster]:
    """A place to start programs of Spark in, all gone at the end; skips where Java is missing."""
    if which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Java is not installed: apt-get install openjdk-17-jre-headless")
    folder = Path(tempfile.mkdtemp(prefix="driftmon-spark-"))
    (folder / "conf").mkdir()
    (folder / "conf" / "spark-defaults.conf").write_text(DEFAULTS.format(folder=folder, java=JAVA))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        "SPARK_HOME": str(spark_home()),
        "SPARK_CONF_DIR": str(folder / "conf"),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_DAEMON_MEMORY": "128m",
        "SPARK_DAEMON_JAVA_OPTS": JAVA,
        "PYSPARK_PYTHON": sys.executable,
    }
    cluster = Cluster(folder, environment)
    try:
        yield cluster
    finally:
        cluster.stop()
        rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def spark_cluster() -> Iterator[Cluster]:
    """One master and two workers."""
    with programs() as cluster:
        port = free_port()
        cluster.url = f"spark://127.0.0.1:{port}"
        options = ["--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"]
        cluster.start("org.apache.spark.deploy.master.Master", *options, says="I have been elected leader")
        cluster.add_worker()
        cluster.add_worker()
        yield cluster


@pytest.fixture(scope="session")
def spark_session(spark_cluster: Cluster) -> Iterator[Any]:
    """The session of this process on the cluster: Spark allows one."""
    from driftmon.sources.spark.session import lease

    with pytest.MonkeyPatch.context() as patch:
        for name in ("SPARK_CONF_DIR", "SPARK_LOCAL_IP", "PYSPARK_PYTHON"):
            patch.setenv(name, spark_cluster.environment[name])
        held = lease(None, master=spark_cluster.url, remote=None)
        try:
            yield held.session
        finally:
            held.release()


@pytest.fixture(scope="session")
def spark_connect() -> Iterator[str]:
    """The address of a server of Spark Connect."""
    with programs() as server:
        yield server.start_connect()


@pytest.fixture(scope="session")
def spark_connect_session(spark_connect: str) -> Iterator[Any]:
    """One session of Spark Connect: each has Python programs of its own, which take a second to start."""
    from driftmon.sources.spark.session import lease

    held = lease(None, master=None, remote=spark_connect)
    try:
        yield held.session
    finally:
        held.release()
