"""Monitors as the results database gives them, made by hand; a server on a free port; a client that hides nothing."""

import http.client
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from driftmon.core.verdict import Status, Threshold
from driftmon.core.window import Window
from driftmon.store.records import ColumnSample, MonitorFacts, MonitorSnapshot, SnapshotKey

DAY = Window(datetime(2013, 5, 1, tzinfo=UTC), datetime(2013, 5, 2, tzinfo=UTC))


def _column(name="dep_delay", **changes):
    values = {
        "role": "feature",
        "segment": None,
        "status": Status.OK,
        "kl": 0.0131,
        "lower_bound": 0.0,
        "noise_floor": 0.0079,
        "threshold": Threshold(),
        "missing_ratio": 0.0311,
        "reference_missing_ratio": 0.0245,
        "novel_ratio": 0.0,
        "breached_windows": {"warning": 0, "critical": 0},
    }
    return ColumnSample(column=name, **(values | changes))


def _monitor(name="flights", *columns, **changes):
    values = {
        "facts": MonitorFacts(name, "arrival-delay", "ml-platform", "Daily drift", "@daily", "America/New_York", 104400.0),
        "window": DAY,
        "baseline": "b3f9c2",
        "reference_rows": 80789,
        "live_rows": 964,
        "columns": columns,
        "last_success_at": datetime(2013, 5, 2, 2, 0, 7, 250000, tzinfo=UTC),
        "last_run_successful": True,
        "consecutive_failed_runs": 0,
    }
    return MonitorSnapshot(**(values | changes))


@dataclass
class Shelf:
    """A reader of monitors that were put there by hand; it remembers which ones were read."""

    monitors: dict = field(default_factory=dict)
    broken: dict = field(default_factory=dict)
    read: list = field(default_factory=list)

    def put(self, monitor):
        self.monitors[monitor.facts.name] = monitor
        return self

    def snapshot_keys(self):
        return [SnapshotKey(name, repr(monitor)) for name, monitor in self.monitors.items()]

    def monitor_snapshot(self, name):
        self.read.append(name)
        if name in self.broken:
            raise self.broken[name]
        return self.monitors[name]


@pytest.fixture(scope="session")
def column():
    return _column


@pytest.fixture(scope="session")
def monitor():
    return _monitor


@pytest.fixture
def shelf():
    return Shelf()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def text(self):
        return self.body.decode()


@pytest.fixture(scope="session")
def fetch():
    def fetch(address, path="/metrics", *, method="GET", headers=None, body=None):
        connection = http.client.HTTPConnection(address.host, address.port, timeout=10)
        try:
            connection.request(method, path, headers=headers or {}, body=body)
            response = connection.getresponse()
            return Answer(response.status, dict(response.getheaders()), response.read())
        finally:
            connection.close()

    return fetch


@pytest.fixture(scope="session")
def promtool():
    """The checker of expositions that Prometheus comes with: gives what it says of a text, nothing if all is well."""
    binary = shutil.which("promtool")
    if binary is None:
        pytest.skip("promtool is not installed; it is in the package 'prometheus'")

    def check(text):
        done = subprocess.run([binary, "check", "metrics"], input=text, capture_output=True, check=False, timeout=60)
        return (done.stdout + done.stderr).decode()

    return check
