"""Monitors in a real Airflow: its DAG bag, one run by `dag.test()`, and a scheduler that catches up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from driftmon.airflow.settings import StackSettings
from driftmon.airflow.stack import Stack
from driftmon.config import load_monitor
from driftmon.core.window import Window
from driftmon.pipeline import build_baseline, run_check
from driftmon.results import check_json
from driftmon.store.store import Store
from tests.airflow.conftest import wait_until

DAGS = Path(__file__).parents[2] / "dags"
FIRST, DAYS = date(2024, 3, 9), 4  # New York's clocks change on the second day
MONITOR = """
name: shop
model: checkout
owner: payments
timezone: America/New_York
reference: {path: data/reference.parquet}
live: {path: "data/{start:%Y-%m-%d}.parquet", start: 2024-03-09, end: 2024-03-13}
"""


def rows(seed, shift=0.0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({"amount": rng.normal(shift, 1, 500), "country": rng.choice(["DE", "FR"], 500)})


class Project:
    """A folder with monitors, data and a results database, and the environment that points there."""

    def __init__(self, folder):
        self.folder, self.url = folder, f"sqlite:///{folder}/results.db"
        self.environment = {
            "DRIFTMON_MONITORS": f"{folder}/monitors",
            "DRIFTMON_DATABASE_URL": self.url,
            "DRIFTMON_HOME": f"{folder}/home",
        }
        (folder / "monitors").mkdir()
        (folder / "data").mkdir()
        (folder / "monitors" / "shop.yaml").write_text(MONITOR)
        (folder / "monitors" / "torn.yaml").write_text("nam: torn")
        pd.concat([rows(seed) for seed in range(5)]).to_parquet(folder / "data" / "reference.parquet")
        for day in range(DAYS):
            path = folder / "data" / f"{FIRST + timedelta(days=day)}.parquet"
            rows(10 + day, shift=2.0 if day == 2 else 0.0).to_parquet(path)
        with Store.open(self.url) as store:
            build_baseline(self.monitor, store)

    @property
    def monitor(self):
        return load_monitor(self.folder / "monitors" / "shop.yaml")

    def airflow(self, home, *arguments):
        """Run Airflow's own command line in this project."""
        environment = {
            **os.environ,
            **self.environment,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        }
        command = [sys.executable, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)

    def stored(self):
        with Store.open(self.url, read_only=True) as store:
            return store.load_checks("shop")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("project"))


READ = """
import json, sys
from airflow.sdk import DAG
before = set(sys.modules)
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
loaded = sorted({name.partition(".")[0] for name in set(sys.modules) - before} & {"pandas", "pyarrow", "driftmon"})
from airflow.serialization.serialized_objects import DagSerialization
def facts(dag):
    DagSerialization.from_dict(DagSerialization.to_dict(dag))
    return {"tags": sorted(dag.tags), "doc": dag.doc_md, "owner": dag.owner, "start": dag.start_date.isoformat(),
            "end": dag.end_date and dag.end_date.isoformat(), "catchup": dag.catchup, "tasks": dag.task_ids}
json.dump({"errors": bag.import_errors, "dags": {name: facts(dag) for name, dag in bag.dags.items()}, "loaded": loaded,
           "stores": [name for name in sys.modules if name.startswith(("driftmon.store", "driftmon.sources"))]}, sys.stdout)
"""


@pytest.fixture(scope="module")
def bag(project, tmp_path_factory):
    """What Airflow's DAG bag makes of the folder, with a database and data that cannot be reached."""
    unreachable = Project.__new__(Project)
    unreachable.folder, unreachable.environment = (
        project.folder,
        project.environment | {"DRIFTMON_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"},
    )
    done = unreachable.airflow(tmp_path_factory.mktemp("bag"), "-c", READ, str(DAGS))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout[done.stdout.index('{"errors"') :])


def test_each_monitor_file_is_a_dag(bag):
    assert bag["errors"] == {}
    assert sorted(bag["dags"]) == ["driftmon__shop", "driftmon__torn"]


def test_a_dag_has_the_monitors_windows_owner_and_model(bag):
    dag = bag["dags"]["driftmon__shop"]

    assert (dag["owner"], dag["catchup"], dag["tasks"]) == ("payments", True, ["check"])
    assert (dag["start"], dag["end"]) == ("2024-03-09T05:00:00+00:00", "2024-03-12T04:00:00+00:00")
    assert {"driftmon", "checkout"} <= set(dag["tags"])


def test_a_broken_file_is_a_dag_that_says_what_is_wrong(bag):
    dag = bag["dags"]["driftmon__torn"]

    assert "driftmon-invalid" in dag["tags"]
    assert "nam is not a known key; did you mean 'name'?" in dag["doc"]


def test_reading_the_folder_opens_no_database_and_reads_no_data(bag):
    assert bag["loaded"] == ["driftmon"]
    assert bag["stores"] == []


def test_one_run_stores_the_window_of_its_data_interval_and_half_a_window_fails_at_once(project, tmp_path):
    assert project.airflow(tmp_path, "-m", "airflow", "db", "migrate").returncode == 0

    # `airflow dags test` is dag.test(); a run by hand with a logical date has the interval that ends there.
    test = ("-m", "airflow", "dags", "test", "driftmon__shop", "2024-03-12T04:00:00+00:00")
    done = project.airflow(tmp_path, *test)
    half = project.airflow(tmp_path, *test, "-c", '{"start": "2024-03-11"}')

    assert done.returncode == 0, done.stdout + done.stderr
    (result,) = project.stored()
    assert result.window == Window(datetime(2024, 3, 11, 4, tzinfo=UTC), datetime(2024, 3, 12, 4, tzinfo=UTC))
    assert str(result.status) == "critical"
    assert half.returncode != 0
    assert "give window alone, or both start and end" in half.stdout + half.stderr


@pytest.fixture(scope="module")
def caught_up(project, tmp_path_factory):
    """Airflow after its scheduler has caught up, and after one window was run five more times by hand."""
    settings = StackSettings(
        home=tmp_path_factory.mktemp("airflow") / "home", dags=DAGS, port=0, environment=project.environment
    )
    with Stack(settings, log=print) as stack:
        dag = "driftmon__shop"
        wait_until(lambda: [run.state for run in stack.api.dag_runs(dag)].count("success") >= DAYS)
        for _ in range(5):
            stack.api.trigger(dag, params={"start": "2024-03-10", "end": "2024-03-11"})
        wait_until(lambda: [run.state for run in stack.api.dag_runs(dag)].count("success") >= DAYS + 5)
        yield {"runs": stack.api.dag_runs(dag), "dags": stack.api.dag_ids(), "problems": stack.api.import_problems()}


def test_the_scheduler_checks_every_window_of_the_days_as_the_clock_shows(project, caught_up):
    starts = [datetime(2024, 3, day, hour, tzinfo=UTC) for day, hour in ((9, 5), (10, 5), (11, 4), (12, 4), (13, 4))]
    expected = {Window(start, end) for start, end in pairwise(starts)}
    scheduled = [run for run in caught_up["runs"] if run.run_type == "scheduled"]

    assert {result.window for result in project.stored()} == expected
    assert {Window(run.window_start, run.window_end) for run in scheduled} == expected


def test_running_a_window_again_leaves_one_result(project, caught_up):
    assert len(caught_up["runs"]) == DAYS + 5
    assert len(project.stored()) == DAYS


def test_results_are_those_of_the_command_line(project, caught_up, tmp_path):
    with closing(Store.open(f"sqlite:///{tmp_path}/again.db")) as store:
        build_baseline(project.monitor, store)
        again = [check_json(run_check(project.monitor, store, result.window)) for result in project.stored()]

    assert [check_json(result) for result in project.stored()] == again


def test_a_broken_monitor_is_seen_beside_the_others(caught_up):
    assert caught_up["problems"] == ()
    assert set(caught_up["dags"]) == {"driftmon__shop", "driftmon__torn"}
