"""A supervisor in a process of its own, as `driftmon airflow up` is, and the means to watch what it starts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from driftmon.airflow.processes import find_marked
from driftmon.airflow.record import read_record
from driftmon.airflow.settings import MARK, StackSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 150
"""Seconds that Airflow may take for one step on a busy machine."""

SUPERVISOR = """
import sys
from pathlib import Path
from driftmon.airflow.stack import StackSettings, up
home, dags, port = sys.argv[1:]
up(StackSettings(home=Path(home), dags=Path(dags), port=int(port), parallelism=2, grace_seconds=5.0), log=print)
"""


def wait_until(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Look again and again until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


@dataclass(frozen=True)
class Supervisor:
    """A running `up`, and where its words go."""

    settings: StackSettings
    process: subprocess.Popen[bytes]
    output: Path

    @property
    def said(self) -> str:
        return self.output.read_text()

    def found(self) -> tuple[int, ...]:
        """The processes of its stack."""
        return find_marked(MARK, str(self.settings.home))

    def pid_of(self, name: str) -> int | None:
        """A component's process id, once it is started."""
        record = read_record(self.settings.home)
        return record.components[name].pid if record and name in record.components else None

    def await_component(self, name: str) -> int:
        wait_until(lambda: self.pid_of(name) or self.process.poll() is not None)
        pid = self.pid_of(name)
        assert pid is not None, self.said
        return pid

    def await_end(self) -> int:
        return self.process.wait(PATIENCE)


def supervise(settings: StackSettings) -> Supervisor:
    """Start `up` in a process of its own."""
    settings = replace(settings, grace_seconds=5.0)
    output = settings.home.with_suffix(".out")
    command = [sys.executable, "-c", SUPERVISOR, str(settings.home), str(settings.dags), str(settings.port)]
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=file, stdin=subprocess.DEVNULL, env={**os.environ, "PYTHONUNBUFFERED": "1"}
        )
    return Supervisor(settings, process, output)


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for all: only its first start has a database to make."""
    return tmp_path_factory.mktemp("airflow") / "home"


@pytest.fixture(scope="package")
def dags(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dags")


@pytest.fixture
def supervisor(home: Path, dags: Path) -> Iterator[Supervisor]:
    """A supervisor that has just begun to start its stack."""
    supervisor = supervise(StackSettings(home=home, dags=dags, port=0))
    yield supervisor
    supervisor.process.kill()
    supervisor.process.wait()
