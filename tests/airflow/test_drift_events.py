"""What others hear of checks by a real scheduler: DAGs that run on drift and people are told once for each change, and of no rerun."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from driftmon.airflow.settings import StackSettings
from driftmon.airflow.stack import Stack
from tests.airflow.conftest import wait_until
from tests.airflow.projects import DAGS, DAYS, FIRST, make_project, orders
from tests.airflow.test_scheduled_checks import ask, dags_of
from tests.notifications.servers import hook

if TYPE_CHECKING:
    from datetime import date

    from driftmon.airflow.api import AirflowApi, DagRun
    from tests.airflow.projects import Project
    from tests.notifications.servers import Hook

CHECKS, RETRAIN = "driftmon__shop", "retrain"

CONSUMER = '''
"""An Airflow DAG that trains a model again when a monitor says that its data have drifted."""

from datetime import datetime

from airflow.sdk import DAG, task

from driftmon.airflow import drifted

with DAG("retrain", schedule=[drifted("shop")], start_date=datetime(2024, 1, 1)):

    @task
    def train(triggering_asset_events=None):
        """Give back what the events say."""
        return [event.extra for events in triggering_asset_events.values() for event in events]

    train()
'''


@dataclass(frozen=True)
class Outcome:
    """What Airflow had to tell when everything was done."""

    assets: list[dict[str, Any]]
    runs: tuple[DagRun, ...]
    said: list[dict[str, Any]]
    states: dict[str, list[str]]
    events: int
    messages: list[str]
    logs: str


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """
    The last of five days drifts, and so did the fourth, which Airflow catches up on.

    Then the last is run again twice by hand, recovers, is run again, drifts once more, and is run again.
    """
    project = make_project(tmp_path_factory.mktemp("project") / "project")
    project.build_baseline()
    last = FIRST + timedelta(days=DAYS - 1)
    orders(50, shift=2.0).to_parquet(project.live(last), index=False)
    dags = tmp_path_factory.mktemp("dags")
    (dags / "checks.py").write_text((DAGS / "driftmon_checks.py").read_text())
    (dags / "retrain.py").write_text(CONSUMER)
    home = tmp_path_factory.mktemp("airflow") / "home"
    with hook() as chat:
        told = {"DRIFTMON_NOTIFY": chat.url(), "AIRFLOW__LOGGING__LOGGING_LEVEL": "DEBUG"}
        settings = StackSettings(home=home, dags=dags, port=0, environment={**project.environment, **told})
        return run_all(settings, project, last, chat)


def run_all(settings: StackSettings, project: Project, last: date, chat: Hook) -> Outcome:
    with Stack(settings, log=print) as stack:
        api = stack.api
        # Windows are checked once the other DAG is known, so that no event passes it by.
        wait_until(lambda: {CHECKS, RETRAIN} <= dags_of(api).keys())
        wait_until(lambda: finished(api, CHECKS) >= DAYS)
        again(api, last, 2)
        wait_until(lambda: finished(api, RETRAIN) >= 1)
        orders(51).to_parquet(project.live(last), index=False)
        again(api, last, 2)
        orders(52, shift=3.0).to_parquet(project.live(last), index=False)
        again(api, last, 2)
        wait_until(lambda: finished(api, RETRAIN) >= 2)
        runs = ask(lambda: api.dag_runs(RETRAIN))
        checks = ask(lambda: api.dag_runs(CHECKS))
        return Outcome(
            assets=ask(lambda: api._rows("/api/v2/assets", "assets")),
            runs=runs,
            said=[event for run in runs for event in returned(api, run)],
            states={task: [state_of(api, run, task) for run in checks] for task in ("check", "drifted")},
            events=ask(lambda: api._send("GET", "/api/v2/assets/events"))["total_entries"],
            messages=chat.titles,
            logs="".join(file.read_text() for file in sorted(settings.logs.rglob("*.log"))),
        )


def finished(api: AirflowApi, dag: str) -> int:
    return sum(run.finished for run in ask(lambda: api.dag_runs(dag)))


def again(api: AirflowApi, day: object, times: int) -> None:
    """Run a window by hand, one run after the other."""
    for _ in range(times):
        before = finished(api, CHECKS)
        ask(lambda: api.trigger(CHECKS, params={"window": str(day)}))
        wait_until(lambda before=before: finished(api, CHECKS) > before)


def path_of(run: DagRun, task: str) -> str:
    return f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id.replace('+', '%2B')}/taskInstances/{task}"


def returned(api: AirflowApi, run: DagRun) -> list[dict[str, Any]]:
    return ask(lambda: api._send("GET", f"{path_of(run, 'train')}/xcomEntries/return_value?deserialize=true"))["value"]


def state_of(api: AirflowApi, run: DagRun, task: str) -> str:
    return ask(lambda: api._send("GET", path_of(run, task)))["state"]


def test_the_asset_is_in_the_list_with_the_task_that_sends_it(outcome):
    (asset,) = outcome.assets

    assert asset["uri"] == "driftmon://shop/drifted"
    assert asset["group"] == "driftmon"
    assert [task["dag_id"] for task in asset["producing_tasks"]] == [CHECKS]
    assert [dag["dag_id"] for dag in asset["scheduled_dags"]] == [RETRAIN]


def test_a_dag_that_is_scheduled_on_drift_runs_once_for_each_change(outcome):
    assert [run.state for run in outcome.runs] == ["success", "success"]
    assert outcome.events == len(outcome.said) == 2


def test_an_event_says_what_drifted_in_which_window(outcome):
    first, second = outcome.said

    assert first["monitor"] == second["monitor"] == "shop"
    assert first["window"] == {"start": "2024-03-12T04:00:00Z", "end": "2024-03-13T04:00:00Z"}
    assert first["status"] == "critical"
    assert first["drifted"] == ["amount"]
    assert {"column": "amount", "segment": None, "alert": "DriftmonColumnDrift", "severity": "critical"} in first[
        "columns"
    ]


def test_checks_succeed_whether_or_not_something_drifted_and_the_other_task_is_skipped(outcome):
    assert set(outcome.states["check"]) == {"success"}
    assert sorted(outcome.states["drifted"]) == ["skipped"] * (DAYS + 4) + ["success"] * 2


def test_people_are_told_of_each_change_once(outcome):
    assert [title.partition(" (")[0] for title in outcome.messages] == [
        "[critical] shop: 1 of 2 columns drifted: amount",
        "[over] shop: no drift in 2 columns",
        "[critical] shop: 1 of 2 columns drifted: amount",
    ]


def test_the_most_talkative_logs_say_who_was_told_and_not_where(outcome):
    assert "monitor=shop: told DRIFTMON_NOTIFY 1 (JSON 127.0.0.1)" in outcome.logs
    assert "s3cret-word" not in outcome.logs


def test_naming_the_asset_needs_airflow_and_naming_the_package_does_not():
    code = "import sys, driftmon.airflow; print('airflow' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ)
    )

    assert done.stdout.strip() == "False"
