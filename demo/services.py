"""The programs beside Airflow that the demo starts and stops: ``driftmon serve``; Prometheus and Alertmanager where installed."""

from __future__ import annotations

import json
import math
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, build_opener

from driftmon.errors import DriftmonError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Prometheus", "alerting", "free_port", "serving", "watched_by_prometheus"]

PROJECT = Path(__file__).resolve().parent.parent
USUAL_METRICS_PORT, USUAL_PROMETHEUS_PORT, USUAL_ALERTMANAGER_PORT = 9877, 9090, 9093
START_SECONDS = 30.0
STOP_SECONDS = 10.0
opener = build_opener(ProxyHandler({}))  # never through a proxy: all of this is on this machine


@contextmanager
def serving(database_url: str, monitors: Path, log: Path) -> Iterator[str]:
    """Run ``driftmon serve``; gives the address of its metrics."""
    address = f"127.0.0.1:{free_port(USUAL_METRICS_PORT)}"
    command = [sys.executable, "-m", "driftmon", "serve", "--listen", address, "--refresh", "2"]
    command += ["--monitors", str(monitors), "--database", database_url]
    with _running(command, log):
        _await(f"http://{address}/readyz", "driftmon serve", log)
        yield f"http://{address}/metrics"


@dataclass(frozen=True)
class Prometheus:
    """A running Prometheus."""

    url: str
    log: Path

    def await_gauge(self, column: str, expected: float) -> str:
        """Wait until the divergence of a column has been scraped with the value that is in the database, and say it."""
        query = urlencode({"query": f'driftmon_column_kl_divergence_nats{{column="{column}"}}'})
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            with opener.open(f"{self.url}/api/v1/query?{query}", timeout=5) as answer:
                found = json.load(answer)["data"]["result"]
            if found and math.isclose(float(found[0]["value"][1]), expected, rel_tol=1e-9):
                return f"prometheus has scraped it: KL of {column} in the newest window is {expected:.3f} nats"
            time.sleep(0.5)
        raise DriftmonError(
            f"prometheus has not scraped the KL {expected} of {column} in {START_SECONDS:.0f} s; see {self.log}"
        )


@contextmanager
def alerting(folder: Path, *, log: Callable[[str], None]) -> Iterator[str | None]:
    """Run Alertmanager with the project's configuration; None, said in one line, where it is not installed."""
    program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
    if program is None:
        log("alertmanager is not installed, so alerts reach nobody (sudo apt-get install prometheus-alertmanager)")
        yield None
        return
    folder.mkdir(parents=True)
    address = f"127.0.0.1:{free_port(USUAL_ALERTMANAGER_PORT)}"
    config = PROJECT / "dashboards" / "alertmanager" / "alertmanager.yml"
    # No peers: a cluster of one needs no second port.
    command = [program, f"--config.file={config}", f"--storage.path={folder / 'data'}", "--cluster.listen-address="]
    with _running([*command, f"--web.listen-address={address}"], folder / "alertmanager.log"):
        _await(f"http://{address}/-/ready", "alertmanager", folder / "alertmanager.log")
        log(f"alertmanager: http://{address}")
        yield f"http://{address}"


@contextmanager
def watched_by_prometheus(
    metrics: str, alertmanager: str | None, folder: Path, *, log: Callable[[str], None]
) -> Iterator[Prometheus | None]:
    """Run Prometheus with the project's configuration; None, said in one line, where it is not installed."""
    program = shutil.which("prometheus")
    if program is None:
        log("prometheus is not installed, so nothing scrapes the metrics (sudo apt-get install prometheus)")
        yield None
        return
    folder.mkdir(parents=True)
    target = metrics.removeprefix("http://").removesuffix("/metrics")
    shipped = (PROJECT / "dashboards" / "prometheus" / "prometheus.yml").read_text(encoding="utf-8")
    # The demo lasts minutes: scrape each second instead of each quarter minute.
    config = shipped.replace(f"127.0.0.1:{USUAL_METRICS_PORT}", target).replace("15s", "1s").replace("10s", "1s")
    if alertmanager is not None:
        config = config.replace(f"127.0.0.1:{USUAL_ALERTMANAGER_PORT}", alertmanager.removeprefix("http://"))
    (folder / "prometheus.yml").write_text(config, encoding="utf-8")
    # The configuration names its rules relative to itself.
    shutil.copy(PROJECT / "dashboards" / "prometheus" / "driftmon.rules.yml", folder)
    address = f"127.0.0.1:{free_port(USUAL_PROMETHEUS_PORT)}"
    command = [program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    with _running([*command, f"--web.listen-address={address}"], folder / "prometheus.log"):
        _await(f"http://{address}/-/ready", "prometheus", folder / "prometheus.log")
        log(f"prometheus: http://{address}")
        yield Prometheus(f"http://{address}", folder / "prometheus.log")


def free_port(usual: int) -> int:
    """The usual port if nobody listens there, else any free one."""
    for port in (usual, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DriftmonError("no port is free on 127.0.0.1")


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[None]:
    # A session of its own: Ctrl-C reaches the demo alone, which then stops its children in order.
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(url: str, name: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with opener.open(url, timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.1)
    raise DriftmonError(f"{name} did not answer at {url} in {START_SECONDS:.0f} s; see {log}")
