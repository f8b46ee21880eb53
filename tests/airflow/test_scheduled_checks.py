"""Checks by a real scheduler: it catches up, windows are run again by hand, and what is broken is seen beside what works."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from driftmon.airflow.errors import ApiError
from driftmon.airflow.settings import StackSettings
from driftmon.airflow.stack import Stack
from driftmon.core.window import Window
from driftmon.pipeline import run_check
from driftmon.results import check_json, check_summary
from driftmon.store.store import Store
from tests.airflow.conftest import wait_until
from tests.airflow.projects import BROKEN, DAGS, DAYS, FIRST, make_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from driftmon.airflow.api import AirflowApi, Dag, DagRun, ImportProblem
    from tests.airflow.projects import Project

SHOP_DAG, AGAIN = "driftmon__shop", 5
"""The window of the last day is run so often by hand."""


@dataclass(frozen=True)
class Outcome:
    """What Airflow had to tell when everything was done."""

    dags: dict[str, Dag]
    runs: tuple[DagRun, ...]
    failed: dict[str, DagRun]
    returned: list[object]
    problems: tuple[ImportProblem, ...]
    logs: Path

    def task_log(self, run: DagRun) -> list[dict[str, object]]:
        """The lines of the task's log, all attempts."""
        files = sorted(self.logs.glob(f"dag_id={run.dag_id}/run_id={run.run_id}/task_id=check/attempt=*.log"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The monitor `shop` with its baseline, and a broken monitor beside it."""
    project = make_project(tmp_path_factory.mktemp("project") / "project")
    project.build_baseline()
    project.file("torn").write_text(BROKEN)
    return project


@pytest.fixture(scope="module")
def outcome(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Airflow from its first start: it catches up; by hand one window is run five times, no window once, and the broken DAG once."""
    home = tmp_path_factory.mktemp("airflow") / "home"
    settings = StackSettings(home=home, dags=DAGS, port=0, environment=project.environment)
    with Stack(settings, log=print) as stack:
        wait_until(lambda: SHOP_DAG in dags_of(stack.api))
        last = f"{FIRST + timedelta(days=DAYS - 1)}"
        for _ in range(AGAIN):
            ask(lambda: stack.api.trigger(SHOP_DAG, params={"window": last}))
        by_hand = {
            "without a window": ask(lambda: stack.api.trigger(SHOP_DAG, params={})),
            "broken": ask(lambda: stack.api.trigger("driftmon__torn", params={})),
        }
        wait_until(lambda: all_done(stack.api, {SHOP_DAG: DAYS + AGAIN + 1, "driftmon__torn": 1}))
        runs = ask(lambda: stack.api.dag_runs(SHOP_DAG))
        everywhere = {run.run_id: run for run in (*runs, *ask(lambda: stack.api.dag_runs("driftmon__torn")))}
        return Outcome(
            dags=dags_of(stack.api),
            runs=runs,
            failed={name: everywhere[run.run_id] for name, run in by_hand.items()},
            returned=[returned_by(stack.api, run) for run in runs if run.run_type == "scheduled"],
            problems=ask(stack.api.import_problems),
            logs=settings.logs,
        )


def ask(question: Callable[[], object]):
    """Ask Airflow, again if it is too busy: with SQLite it answers some requests with an error while it starts many runs."""
    answers: list[object] = []

    def answered() -> bool:
        try:
            answers.append(question())
        except ApiError:
            return False
        return True

    wait_until(answered)
    return answers[0]


def dags_of(api: AirflowApi) -> dict[str, Dag]:
    return {dag.dag_id: dag for dag in ask(api.dags)}


def all_done(api: AirflowApi, counts: dict[str, int]) -> bool:
    runs = {dag: ask(lambda dag=dag: api.dag_runs(dag)) for dag in counts}
    return all(len(runs[dag]) >= count and all(run.finished for run in runs[dag]) for dag, count in counts.items())


def returned_by(api: AirflowApi, run: DagRun) -> object:
    """What the task of a run returned, as Airflow shows it."""
    path = (
        f"/api/v2/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/check/xcomEntries/return_value?deserialize=true"
    )
    return ask(lambda: api._send("GET", path.replace("+", "%2B")))["value"]


def test_the_scheduler_checks_every_window_of_the_live_data(project, outcome):
    windows = [Window(run.window_start, run.window_end) for run in outcome.runs if run.run_type == "scheduled"]
    lengths = [(window.end - window.start) / timedelta(hours=1) for window in windows]

    live = project.monitor().live
    assert sorted(windows) == list(project.monitor().scheduled_windows(max(windows).end))
    assert (live.start, live.end) == ("2024-03-08", "2024-03-13")
    assert lengths == [24, 24, 23, 24, 24]
    assert {run.state for run in outcome.runs if run.run_type == "scheduled"} == {"success"}


def test_a_window_that_is_run_again_and_again_has_one_result(project, outcome):
    by_hand = [run.state for run in outcome.runs if run.run_type == "manual"]

    assert sorted(by_hand) == ["failed", *["success"] * AGAIN]
    assert len(project.stored()) == DAYS
    assert len({result.window for result in project.stored()}) == DAYS


def test_results_are_those_of_a_check_in_this_process(project, outcome):
    stored = {result.window: check_json(result) for result in project.stored()}

    with Store.open(project.url) as store:
        here = {window: check_json(run_check(project.monitor(), store, window)) for window in stored}

    assert stored == here


def test_a_run_returns_the_summary_of_its_result(project, outcome):
    summaries = [check_summary(result) for result in sorted(project.stored(), key=lambda result: result.window)]

    assert sorted(outcome.returned, key=lambda value: value["window"]["start"]) == summaries
    assert [summary["status"] for summary in summaries].count("critical") == 1


def test_a_broken_monitor_is_seen_beside_the_others_with_what_is_wrong(project, outcome):
    assert outcome.problems == ()
    assert {name: dag.tags for name, dag in outcome.dags.items()} == {
        "driftmon__shop": {"driftmon", "checkout"},
        "driftmon__torn": {"driftmon", "driftmon-invalid"},
    }
    assert outcome.dags["driftmon__torn"].description.startswith(f"{project.file('torn')}: reference is missing")


@pytest.mark.parametrize(
    ("name", "said"),
    [("without a window", "this run has no data interval"), ("broken", "reference is missing; it is needed")],
)
def test_the_log_of_a_failed_task_begins_with_one_line_that_says_why_and_there_is_one_try(outcome, name, said):
    run = outcome.failed[name]
    errors = [line for line in outcome.task_log(run) if line["level"] == "error"]

    assert run.state == "failed"
    assert said in errors[0]["event"]
    assert [line["event"] for line in errors].count("Task failed with exception") == 1


def test_the_log_of_a_check_says_what_drifted(outcome):
    fourth = sorted((run.window_start, run) for run in outcome.runs if run.run_type == "scheduled")[3][1]

    said = [line["event"] for line in outcome.task_log(fourth)]

    assert any("1 of 2 columns drifted: amount (critical)" in line for line in said)
