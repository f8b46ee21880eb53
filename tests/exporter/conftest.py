"""Monitors as the results database gives them, made by hand; a server on a free port; a client that hides nothing."""

import http.client
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from driftmon.core.baseline import Baseline, BaselineColumn, Learnt
from driftmon.core.binning import count_numbers
from driftmon.core.check import Policy, check
from driftmon.core.histogram import Profile
from driftmon.core.layout import Kind
from driftmon.core.learning import learn_numbers
from driftmon.core.quality import Quality, QualityCheck
from driftmon.core.verdict import Status, Threshold
from driftmon.core.window import Window
from driftmon.exporter.service import Exporter
from driftmon.store.migrate import upgrade
from driftmon.store.records import ColumnSample, MonitorFacts, MonitorSnapshot, RunRecord, SnapshotKey
from driftmon.store.store import Store

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
        "usual_limit": 0.0274,
        "expected_novel_ratio": 2.5e-05,
        "sustained": False,
        "quality": (
            Quality(QualityCheck.MISSING, None, 0.0245, 0.0311, 0.21, 0.42, problem=False),
            Quality(QualityCheck.OUT_OF_RANGE, None, 2.5e-05, 0.0, 0.9, 0.9, problem=False),
            Quality(QualityCheck.TOP_VALUE, "-5", 0.0613, 0.0591, 0.8, 0.9, problem=False),
        ),
    }
    return ColumnSample(column=name, **(values | changes))


def _monitor(name="flights", *columns, **changes):
    values = {
        "facts": MonitorFacts(
            name, "arrival-delay", "ml-platform", "Daily drift", "@daily", "America/New_York", 104400.0
        ),
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
    closed: bool = False

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

    def strips(self, names=None, *, limit):
        del names, limit
        return {}

    def close(self):
        self.closed = True


REFERENCE = np.random.default_rng(7).normal(size=2000)


class Results:
    """A real results database, filled by real checks of one reference against shifted live rows."""

    def __init__(self, url):
        self.url = url
        upgrade(url)
        self.store = Store.open(url)

    def check(self, monitor="flights", *, day=1, **shifts):
        """Check a day of a monitor whose columns are shifted by so much; None is a column that is gone from live data."""
        columns = {name: BaselineColumn(Kind.NUMERIC, "double", learn_numbers(REFERENCE)) for name in shifts}
        counts = {name: count_numbers(column.layout, REFERENCE) for name, column in columns.items()}
        baseline = Baseline(Learnt(columns), Profile(len(REFERENCE), counts))
        live = {n: count_numbers(columns[n].layout, REFERENCE + by) for n, by in shifts.items() if by is not None}
        gone = {name: "gone from the live data" for name, by in shifts.items() if by is None}
        start = datetime(2013, 5, day, tzinfo=UTC)
        result = check(
            baseline,
            Profile(len(REFERENCE), live, problems=gone),
            policy=Policy(roles={"p_late": "prediction"}),
            monitor=(monitor, "arrival-delay"),
            window=Window(start, start + timedelta(days=1)),
        )
        now = start + timedelta(days=1, hours=2)
        self.store.save_baseline(monitor, baseline, now=now)
        self.store.promote(monitor, baseline.id, now=now)
        self.store.save_check(result, self.facts(monitor), started_at=now, now=now)
        return result

    def fail(self, monitor="flights", *, day=1):
        """Record a run of a day that came to nothing."""
        start = datetime(2013, 5, day, tzinfo=UTC)
        now = start + timedelta(days=1, hours=2)
        self.store.register_monitor(self.facts(monitor), now=now)
        self.store.record_run(RunRecord(monitor, Window(start, start + timedelta(days=1)), now, now, "no such file"))

    @staticmethod
    def facts(monitor):
        return MonitorFacts(monitor, "arrival-delay", "ml-platform", "", "@daily", "UTC", 104400.0)

    def reader(self):
        return Store.open(self.url, read_only=True)


@pytest.fixture(scope="session")
def results_in():
    return Results


@pytest.fixture
def database(tmp_path):
    """The file of an embedded results database."""
    return tmp_path / "driftmon.db"


@pytest.fixture
def results(database):
    results = Results(f"sqlite:///{database}")
    yield results
    results.store.close()


@pytest.fixture(scope="session")
def until():
    """Ask again and again until the answer is true; what it was at the end of patience otherwise."""

    def until(ask, *, seconds=30.0):
        deadline = time.monotonic() + seconds
        while not (answer := ask()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return answer

    return until


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


@pytest.fixture
def exporter(results):
    exporter = Exporter(results.reader, listen="127.0.0.1:0", refresh_seconds=3600)
    exporter._server.start()  # refreshes are this test's to decide
    yield exporter
    exporter.stop()


@pytest.fixture
def scrape(fetch):
    def scrape(exporter):
        """The value of every series, by name and labels."""
        text = fetch(exporter.address).text
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    return scrape
