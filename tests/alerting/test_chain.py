"""
The whole chain, by the real programs: files with a planted drift, check, database, exporter, Prometheus, Alertmanager, receivers.

Time runs faster than the shipped files say (`programs.FASTER`); nothing else of them is changed.
"""

import os
import sys
import time
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

import numpy as np
import pandas as pd
import pytest
import yaml

from driftmon.config import load_monitor
from driftmon.core.window import Window
from driftmon.pipeline import build_baseline, run_check
from driftmon.store.migrate import upgrade
from driftmon.store.store import Store
from tests.alerting.programs import (
    ALERTMANAGER,
    FASTER,
    Door,
    alertmanager,
    fast_routes,
    prometheus,
    receivers,
    running,
    until,
)
from tests.servers import free_port

COLUMNS = 200
WINDOW = timedelta(minutes=10)
HOSTILE = '<!channel> & "x" {{ .y }}\\'
GRAFANA = "https://grafana.example"
OUTAGE = 600 / FASTER
"""Seconds that ten minutes last here."""

MONITOR = """
name: orders
model: basket
owner: ml-platform
schedule: 10m
reference: {path: data/reference.parquet, timestamp: at}
live: {path: "data/live-{start:%H%M}.parquet", timestamp: at}
columns: {predictions: [score]}
"""


def names():
    return [HOSTILE, "score", *(f"c{number:03}" for number in range(COLUMNS - 2))]


class Project:
    """A monitor of 200 columns, its files, and its results. Its windows are those of the last hour, so that it is never stale."""

    def __init__(self, folder):
        self.folder = folder
        self.database = folder / "results.db"
        (folder / "monitors").mkdir()
        (folder / "data").mkdir()
        (folder / "monitors" / "orders.yaml").write_text(MONITOR)
        self.rng = np.random.default_rng(11)
        now = datetime.now(UTC).timestamp() // WINDOW.total_seconds() * WINDOW.total_seconds()
        self.first = datetime.fromtimestamp(now, UTC) - 5 * WINDOW
        self._write("reference", self.first - 15 * WINDOW, windows=15, rows=200)
        upgrade(self.url)
        self.monitor = load_monitor(folder / "monitors" / "orders.yaml")
        with Store.open(self.url) as store:
            build_baseline(self.monitor, store)

    @property
    def url(self):
        return f"sqlite:///{self.database}"

    def _write(self, name, start, *, windows, rows, shifts=None):
        count = windows * rows
        values = {column: self.rng.normal(size=count) + (shifts or {}).get(column, 0.0) for column in names()}
        at = pd.date_range(start, periods=count, freq=WINDOW / rows)
        pd.DataFrame({"at": at, **values}).to_parquet(self.folder / "data" / f"{name}.parquet")

    def check(self, number, shifts=None):
        """Write the rows of a window, some columns shifted by so many standard deviations, and check it."""
        window = self.window(number)
        self._write(f"live-{window.start:%H%M}", window.start, windows=1, rows=500, shifts=shifts)
        with Store.open(self.url) as store:
            return run_check(self.monitor, store, window)

    def window(self, number):
        """The window of that number, from 1."""
        start = self.first + (number - 1) * WINDOW
        return Window(start, start + WINDOW)

    @contextmanager
    def without_database(self):
        """The results database is away within the block."""
        away = self.database.with_suffix(".away")
        self.database.rename(away)
        try:
            yield
        finally:
            away.rename(self.database)

    @contextmanager
    def exporter(self, door):
        """``driftmon serve``, within the block; gives its port. Its pages are reached by the door."""
        port = free_port()
        env = os.environ | {"DRIFTMON_GRAFANA_URL": GRAFANA, "DRIFTMON_URL": f"http://127.0.0.1:{door}"}
        command = [sys.executable, "-m", "driftmon", "serve", "--listen", f"127.0.0.1:{port}", "--refresh", "0.2"]
        command += ["--monitors", self.folder / "monitors", "--database", self.url]
        with running(command, self.folder / "exporter.log", ready=f"http://127.0.0.1:{port}/healthz", env=env):
            yield port


class Chain:
    """All programs, running."""

    def __init__(self, project, stack):
        self.project = project
        self._door = stack.enter_context(Door())
        self.port = self._door.port
        self._stack = stack
        self._exporter = stack.enter_context(ExitStack())
        self._door.behind = self._exporter.enter_context(project.exporter(self.port))
        self.told = stack.enter_context(receivers())
        folder, manager = project.folder, f"127.0.0.1:{free_port()}"
        self.prometheus = stack.enter_context(
            prometheus(folder, exporter=f"127.0.0.1:{self.port}", alertmanager=manager)
        )
        # Prometheus takes five seconds to begin; nobody is told that no exporter is scraped yet.
        assert until(lambda: self.value("driftmon_exporter_last_refresh_successful") == 1)
        assert until(lambda: not self.firing())
        stack.enter_context(alertmanager(folder, manager, everywhere(self.told, folder)))

    def restart_exporter(self):
        """Another exporter in place of this one, which is gone for a minute. A program takes as long to start on any clock, so it starts before."""
        started = self._stack.enter_context(ExitStack())
        behind = started.enter_context(self.project.exporter(self.port))
        self._door.behind = None
        self._exporter.close()
        assert until(lambda: not self.prometheus.query("driftmon_build_info"))
        self._door.behind = behind
        self._exporter = started
        assert until(lambda: self.prometheus.query("driftmon_build_info"))

    def value(self, expression):
        """The value of an expression that gives one series; None while it gives none."""
        found = self.prometheus.query(expression)
        return found[0][1] if len(found) == 1 else None

    def firing(self):
        """The names of the alerts that fire, with how many of each."""
        return {labels["alertname"]: count for labels, count in self.prometheus.query(FIRING)}

    def message(self, number):
        """What receivers of each kind got as the message of that number, once they have: web hook, Slack, mail, PagerDuty."""
        kinds = [
            self.told.hooks,
            self.told.slack,
            lambda: self.told.mails,
            lambda: self.told.got.get("/v2/enqueue", []),
        ]
        assert until(lambda: all(len(kind()) >= number for kind in kinds)), (number, [len(kind()) for kind in kinds])
        assert [len(kind()) for kind in kinds] == [number] * 4
        return [kind()[number - 1] for kind in kinds]


FIRING = 'count by (alertname) (ALERTS{alertstate="firing"})'


def everywhere(told, folder):
    """The shipped configuration, its receivers all of the examples at once, told to our own servers."""
    config = yaml.safe_load((ALERTMANAGER / "alertmanager.yml").read_text())
    examples = yaml.safe_load((ALERTMANAGER / "receivers.example.yml").read_text())["receivers"]
    slack, mail, pagerduty = ({key: value for key, value in one.items() if key != "name"} for one in examples)
    for name, secret in {"slack-url": told.url("slack"), "password": "s3cret-word", "key": "0123456789abcdef"}.items():
        (folder / name).write_text(secret)
    slack["slack_configs"][0] |= {"api_url_file": str(folder / "slack-url")}
    pagerduty["pagerduty_configs"][0] |= {"routing_key_file": str(folder / "key"), "url": told.url("v2/enqueue")}
    mail["email_configs"][0] |= {"smarthost": f"127.0.0.1:{told.mail_port}", "require_tls": False}
    mail["email_configs"][0] |= {"auth_password_file": str(folder / "password")}
    hook = {"webhook_configs": [{"url": told.url("hook"), "send_resolved": True}]}
    config["receivers"] = [{"name": one["name"], **hook, **slack, **mail, **pagerduty} for one in config["receivers"]]
    config["route"] = fast_routes(config["route"])
    return config


@pytest.fixture
def chain(tmp_path):
    with ExitStack() as stack:
        project = Project(tmp_path)
        project.check(1)
        yield Chain(project, stack)


def hold(chain, seconds, what):
    """Ask for so many seconds whether something stays true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert what(), chain.firing()
        time.sleep(0.2)


def alerts_of(hook, status):
    return [alert for alert in hook["alerts"] if alert["status"] == status]


def plain(mail):
    return mail.get_body(("plain",)).get_content()


def test_drift_is_told_once_and_so_is_its_end_and_nothing_in_between(chain):  # noqa: PLR0915 - one story, told in order
    # Four of two hundred columns drift.
    chain.project.check(2, {"score": -2.0, "c004": 2.0, HOSTILE: 1.0, "c003": 0.9})
    hook, slack, mail, page = chain.message(1)

    assert (hook["status"], hook["receiver"]) == ("firing", "ml-platform")
    assert hook["groupLabels"] == {"model": "basket", "monitor": "orders"}
    answer = mail["Subject"]
    assert answer.startswith("[critical] orders: 4 of 200 columns drifted: score (critical), c004 (critical)")
    lines = plain(mail).splitlines()
    assert lines[0] == answer.removeprefix("[critical] ")
    assert [line.split(":")[0] for line in lines if line.startswith("- ")] == [
        "- score, prediction (critical)",
        "- c004 (critical)",
        f"- {HOSTILE} (critical)",
        "- c003 (critical)",
    ]
    assert "× the critical threshold 0.1" in lines[2]
    assert "→" in lines[2]
    end = int((chain.project.first + 2 * WINDOW).timestamp() * 1000)
    assert (
        f"Dashboard: {GRAFANA}/d/driftmon-monitor?var-monitor=orders&from={end - 30 * 4_200_000}&to={end - 1}" in lines
    )
    seconds = end // 1000
    assert f"Status page: http://127.0.0.1:{chain.port}/monitors/orders?ending={seconds}" in lines
    for alert in alerts_of(hook, "firing"):
        with urlopen(alert["annotations"]["status_url"], timeout=30) as opened:
            assert f"window {chain.project.window(2)} UTC" in opened.read().decode()
    assert f"What to do: http://127.0.0.1:{chain.port}/runbooks/DriftmonColumnDrift?monitor=orders" in lines
    assert "<!channel>" not in slack["title"] + slack["text"] + slack["fallback"]
    assert "&lt;!channel&gt; &amp;" in slack["text"]
    assert "<!channel>" not in mail.get_body(("html",)).get_content()
    assert page["payload"]["summary"] == answer
    assert page["payload"]["severity"] == "critical"
    assert set(chain.told.passwords) == {"s3cret-word"}
    assert chain.prometheus.problems() == []

    # The exporter is started again, and the database is away for ten minutes; in their middle the exporter is started once more.
    chain.restart_exporter()
    assert until(lambda: chain.value('count(driftmon_column_finding_rank{column="c003"})') == 1)
    with chain.project.without_database():
        hold(chain, OUTAGE / 2, lambda: chain.firing()["DriftmonColumnDrift"] == 4)
        chain.restart_exporter()
        blind = time.monotonic()
        assert until(lambda: chain.value("driftmon_exporter_last_refresh_successful") == 0)
        assert chain.prometheus.query("driftmon_column_finding_rank") == []
        hold(chain, blind + OUTAGE / 2 - 2 - time.monotonic(), lambda: chain.firing()["DriftmonColumnDrift"] == 4)
    assert until(lambda: chain.value('count(driftmon_column_finding_rank{column="c003"})') == 1)
    assert chain.firing().keys() == {"DriftmonColumnDrift", "DriftmonQualityProblem"}

    # What drifted is as usual, and another column drifts: one message says both, and none follows. That it is the second says that nothing
    # was told of all that.
    chain.project.check(3, {"c010": 0.9})
    hook, slack, mail, page = chain.message(2)

    assert mail["Subject"].startswith("[critical] orders: 1 of 200 columns drifted: c010 (critical)")
    ended = f"over, last in the window that ended {chain.project.window(2).end:%Y-%m-%d %H:%M} UTC"
    assert plain(mail).splitlines()[2].startswith("- c010 (critical): KL ")
    assert {line for line in plain(mail).splitlines() if ": over" in line} == {
        f"- {name}: {ended}" for name in ("score, prediction", "c004", HOSTILE, "c003")
    }
    hold(chain, 1.2 * OUTAGE, lambda: len(chain.told.hooks()) == 2)

    # Drift ends.
    chain.project.check(4)
    hook, slack, mail, page = chain.message(3)

    assert hook["status"] == "resolved"
    assert mail["Subject"] == "[over] orders: nothing alerts any more"
    assert "- c010: over, last in the window that ended" in plain(mail)
    assert "The last that did: 1 of 200 columns drifted: c010 (critical)" in plain(mail)
    assert slack["color"] == "good"
    assert page["event_action"] == "resolve"

    # All two hundred columns drift, some more than others.
    chain.project.check(5, {name: 1.0 + place / 50 for place, name in enumerate(names())})
    hook, slack, mail, page = chain.message(4)

    [alert] = alerts_of(hook, "firing")
    assert alert["labels"]["alertname"] == "DriftmonWidespreadDrift"
    assert mail["Subject"].startswith("[critical] orders: 200 of 200 columns drifted: c197 (critical), ")
    lines = plain(mail).splitlines()
    assert len([line for line in lines if "critical threshold" in line]) == 10
    assert lines[2].startswith("- c19")
    assert "- and 190 more" in lines
    assert chain.firing()["DriftmonColumnDrift"] == 200

    # The database stays away: that is told, and not that drift is over, though the exporter is started again and forgets it.
    with chain.project.without_database():
        chain.restart_exporter()
        hook, slack, mail, page = chain.message(5)
        assert [alert["labels"]["alertname"] for alert in hook["alerts"]] == ["DriftmonExporterRefreshFailing"]
        assert mail["Subject"] == "[critical] driftmon cannot read its results database"
        assert until(lambda: "DriftmonColumnDrift" not in chain.firing())
    hook, slack, mail, page = chain.message(6)
    assert mail["Subject"] == "[over] driftmon cannot read its results database"
    assert until(lambda: chain.firing().get("DriftmonColumnDrift") == 200)
    hold(chain, OUTAGE + 2, lambda: len(chain.told.hooks()) == 6)
