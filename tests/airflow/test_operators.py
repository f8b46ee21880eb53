"""Single runs of checks, by Airflow's own `dag.test()`: which window, what is stored and returned, and what is tried again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from driftmon.core.window import Window
from driftmon.errors import BaselineMissing, DataNotReady, SourceError, SourceUnavailable, StoreUnavailable
from driftmon.results import check_summary
from tests.airflow.projects import BROKEN, FIRST, SHOP, airflow_here, make_project, orders

# Airflow's own libraries, when dag.test() starts its API in this process.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Using `httpx` with `starlette.testclient` is deprecated"),
    # Airflow's own, when it serializes a DAG twice within one run of it.
    pytest.mark.filterwarnings("ignore:Multiple rows returned with uselist=False"),
]

NEW_YORK = ZoneInfo("America/New_York")


def day(number, month=3, year=2024):
    """A day as New York's clocks show it."""
    start = datetime(year, month, number)
    return Window(start.replace(tzinfo=NEW_YORK), (start + timedelta(days=1)).replace(tzinfo=NEW_YORK))


@pytest.fixture(scope="module", autouse=True)
def _airflow(tmp_path_factory):
    with airflow_here(tmp_path_factory.mktemp("airflow"), {}):
        yield


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project with a baseline, where driftmon looks for its things."""
    project = make_project(tmp_path / "project")
    project.build_baseline()
    for name, value in project.environment.items():
        monkeypatch.setenv(name, value)
    return project


@dataclass
class Run:
    """What became of a run: its task's state, tries, return value, and the error of each try that failed."""

    state: str = ""
    tries: int = 0
    returned: object = None
    errors: list[BaseException] = field(default_factory=list)


def run(*, end=None, params=None, before=None, **arguments):
    """
    Run the monitor `shop`: by its data interval, which ends at the given time, or by hand if there is none.

    `before` is called when the DAG is read and before it runs, `arguments` are those of every task.
    """
    from driftmon.airflow.factory import build_dags

    run = Run()
    retried = arguments.pop("on_retry_callback", lambda _context: None)

    def failed(context):
        run.errors.append(context["exception"])

    def tried_again(context):
        failed(context)
        retried(context)

    callbacks = {"on_failure_callback": failed, "on_retry_callback": tried_again}
    dag = build_dags(default_args={**callbacks, **arguments})["driftmon__shop"]
    if before is not None:
        before()
    tasks = dag.test(logical_date=end, run_conf=params).get_task_instances()
    task = next(task for task in tasks if task.task_id == "check")
    run.state, run.tries, run.returned = str(task.state), task.try_number, task.xcom_pull(task_ids="check")
    return run


# Which window ----------------------------------------------------------------------------------------------------------


def test_a_run_checks_its_data_interval_and_returns_a_summary_of_what_it_stored(project):
    done = run(end=day(11).end)

    (result,) = project.stored()
    assert result.window == day(11)
    assert (done.state, done.tries, done.errors) == ("success", 1, [])
    assert done.returned == check_summary(result)
    assert done.returned["drifted"] == ["amount"]


def test_drift_is_a_result_and_not_a_failure(project):
    assert run(end=day(11).end).returned["status"] == "critical"


def test_a_window_without_rows_has_a_summary_in_plain_json(project):
    orders(0).head(0).to_parquet(project.live(FIRST), index=False)

    done = run(end=day(8).end)

    assert done.returned["status"] == "no_data"
    assert done.returned["max_kl"] is None
    assert json.loads(json.dumps(done.returned, allow_nan=False)) == done.returned


@pytest.mark.parametrize(
    ("params", "window"),
    [
        ({"window": "2024-03-10"}, day(10)),
        ({"window": "2024-03-10T23:30"}, day(10)),
        ({"window": "2024-03-11T03:30:00Z"}, day(10)),
        ({"start": "2024-03-10T05:00:00Z", "end": "2024-03-11T04:00:00Z"}, day(10)),
    ],
)
def test_a_run_by_hand_checks_the_window_that_its_parameters_name(project, params, window):
    done = run(params=params)

    assert done.state == "success"
    assert [result.window for result in project.stored()] == [window]


def test_parameters_win_over_the_data_interval(project):
    run(end=day(11).end, params={"window": "2024-03-09"})

    assert [result.window for result in project.stored()] == [day(9)]


def test_running_a_window_again_replaces_its_result(project):
    run(end=day(8).end)
    orders(99, shift=2.0).to_parquet(project.live(FIRST), index=False)
    done = run(params={"window": "2024-03-08"})

    (result,) = project.stored()
    assert str(result.status) == done.returned["status"] == "critical"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        (
            None,
            'this run has no data interval, as runs by hand have none: name the window in its configuration, such as {"window"',
        ),
        (
            {"start": "2024-03-08T05:00:00Z"},
            "parameters start name no window: give window alone, or both start and end",
        ),
        ({"window": "2024-03-08", "end": "2024-03-09T05:00:00Z"}, "give window alone, or both start and end"),
        ({"window": "yesterday"}, "parameter window: 'yesterday' is not a date such as"),
        (
            {"start": "2024-03-09T05:00:00Z", "end": "2024-03-08T05:00:00Z"},
            "is reversed: its end must be after its start",
        ),
        ({"start": "2024-03-09T05:00:00Z", "end": "2024-03-09T05:00:00Z"}, "is empty: its end must be after its start"),
    ],
)
def test_a_run_by_hand_that_names_no_window_fails_at_once_and_says_so(project, params, said):
    done = run(params=params)

    assert_failed_at_once(done, said)
    assert project.stored() == []


# What is tried again ---------------------------------------------------------------------------------------------------


def assert_failed_at_once(run, said):
    """One try, although there were more to come; the error is Airflow's own that forbids them, and one line of ours."""
    from airflow.sdk.exceptions import AirflowFailException

    assert (run.state, run.tries) == ("failed", 1)
    (error,) = run.errors
    assert isinstance(error, AirflowFailException)
    assert said in str(error)
    assert "\n" not in str(error)


def test_a_file_that_is_not_there_yet_is_looked_for_again(project):
    late = project.live(FIRST).rename(project.folder / "late.parquet")

    done = run(
        end=day(8).end,
        retry_delay=timedelta(seconds=0),
        on_retry_callback=lambda _context: late.rename(project.live(FIRST)),
    )

    assert (done.state, done.tries) == ("success", 2)
    assert [type(error) for error in done.errors] == [DataNotReady]
    assert [result.window for result in project.stored()] == [day(8)]


def test_a_window_that_is_not_complete_is_tried_again_when_it_is(project):
    run(end=day(8).end)  # the first run of a process takes seconds before its task begins
    complete = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=6)
    start = complete.astimezone(NEW_YORK) - timedelta(hours=1)
    orders(0).to_parquet(project.live(start.date()), index=False)
    tried = []

    # The task's own delay of five minutes would be noticed.
    done = run(
        params={"start": start.isoformat(), "end": complete.isoformat()},
        on_success_callback=lambda _context: tried.append(datetime.now(UTC)),
    )

    assert (done.state, done.tries) == ("success", 2)
    assert [type(error) for error in done.errors] == [DataNotReady]
    assert complete <= tried[0] < complete + timedelta(minutes=2)


def test_a_window_that_no_run_could_wait_for_fails_at_once(project):
    done = run(params={"window": "2124-03-08"})

    assert (done.state, done.tries) == ("failed", 1)
    assert "is complete at 2124-03-09T05:00:00" in str(done.errors[0])


def test_a_damaged_file_fails_at_once_and_the_failure_is_recorded(project):
    project.live(FIRST).write_bytes(b"PAR1 no more")

    done = run(end=day(8).end)

    assert_failed_at_once(done, "2024-03-08.parquet")
    assert project.stored() == []


def test_a_missing_baseline_fails_at_once_and_says_how_to_get_one(project):
    (project.folder / "results.db").unlink()

    assert_failed_at_once(run(end=day(8).end), "driftmon baseline build shop")


def test_a_monitor_that_is_gone_since_the_dag_was_read_fails_at_once(project):
    done = run(end=day(8).end, before=project.file("shop").unlink)

    assert_failed_at_once(done, "no monitor named 'shop'; it has []")


def test_a_monitor_that_is_renamed_since_the_dag_was_read_fails_at_once(project):
    text = SHOP.replace("name: shop", "name: store")
    done = run(end=day(8).end, before=lambda: project.file("shop").write_text(text))

    assert_failed_at_once(done, "no monitor named 'shop'; it has ['store']")


def test_a_monitor_that_is_broken_since_the_dag_was_read_fails_at_once_with_what_is_wrong(project):
    def tear():
        project.file("shop").write_text(SHOP + "min_rows: many")

    assert_failed_at_once(run(end=day(8).end, before=tear), "min_rows is 'many'")


def test_a_run_that_was_under_way_when_its_file_broke_fails_with_what_is_wrong(project):
    project.file("shop").write_text(BROKEN)

    done = run(params={"window": "2024-03-08"})

    assert (done.state, done.tries) == ("failed", 1)
    assert "nam is not a known key" in str(done.errors[0])


def test_a_database_that_cannot_be_reached_is_tried_again(project, monkeypatch):
    monkeypatch.setenv("DRIFTMON_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")

    def repair(context):
        monkeypatch.setenv("DRIFTMON_DATABASE_URL", project.url)

    done = run(end=day(8).end, retry_delay=timedelta(seconds=0), on_retry_callback=repair)

    assert (done.state, done.tries) == ("success", 2)
    assert [type(error) for error in done.errors] == [StoreUnavailable]


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (DataNotReady("no file yet"), "default"),
        (SourceUnavailable("bucket"), "default"),
        (StoreUnavailable("down"), "default"),
        (SourceError("damaged"), "fail"),
        (BaselineMissing("none"), "fail"),
        (OSError("no space left on device"), "default"),
        (ZeroDivisionError(), "fail"),
        (MemoryError(), "fail"),
    ],
)
def test_only_what_can_get_better_by_itself_is_tried_again(error, action):
    from driftmon.airflow.retries import WhenItHelps

    assert WhenItHelps().evaluate(error, try_number=1, max_tries=12).action.value == action


def test_a_check_that_took_too_long_is_not_tried_again():
    from airflow.sdk.exceptions import AirflowTaskTimeout

    from driftmon.airflow.retries import WhenItHelps

    assert WhenItHelps().evaluate(AirflowTaskTimeout(), try_number=1, max_tries=12).action.value == "fail"


def test_the_wait_lasts_until_the_rows_are_there_and_no_longer():
    from driftmon.airflow.retries import WhenItHelps

    ready = datetime.now(UTC) + timedelta(hours=2)
    early, late = (
        WhenItHelps().evaluate(DataNotReady("", ready_at=instant), try_number=1, max_tries=12)
        for instant in (ready, ready - timedelta(hours=3))
    )

    assert timedelta(hours=1, minutes=59) < early.retry_delay <= timedelta(hours=2)
    assert late.retry_delay == timedelta(seconds=1)


# What other DAGs hear of ----------------------------------------------------------------------------------------------


def events_of(window, **arguments):
    """The states of both tasks of a run by hand, and what the check passed on to the second."""
    from driftmon.airflow.factory import build_dags

    dag = build_dags(default_args={"retry_delay": timedelta(0), **arguments})["driftmon__shop"]
    tasks = {
        task.task_id: task for task in dag.test(logical_date=None, run_conf={"window": window}).get_task_instances()
    }
    passed_on = tasks["drifted"].xcom_pull(task_ids="check", key="drifting")
    return {name: str(task.state) for name, task in tasks.items()}, passed_on


def test_the_task_that_sends_events_runs_only_where_drift_is_news(project):
    orders(50, shift=2.0).to_parquet(project.live(FIRST + timedelta(days=4)), index=False)

    quiet, first, again = (events_of(window)[0] for window in ("2024-03-10", "2024-03-12", "2024-03-12"))

    assert (quiet["drifted"], first["drifted"], again["drifted"]) == ("skipped", "success", "skipped")
    assert quiet["check"] == first["check"] == again["check"] == "success"


def test_a_check_that_dies_after_it_found_something_new_passes_it_on_at_its_next_try(project):
    orders(50, shift=2.0).to_parquet(project.live(FIRST + timedelta(days=4)), index=False)
    died = []

    def die_once(context, result=None):
        if context["ti"].task_id == "check" and not died:
            died.append(result)
            raise OSError("the worker was killed")

    states, passed_on = events_of("2024-03-12", post_execute=die_once)

    assert len(died) == 1
    assert states == {"check": "success", "drifted": "success"}
    assert {"column": "amount", "segment": None, "alert": "DriftmonColumnDrift", "severity": "critical"} in passed_on[
        "columns"
    ]


# In a DAG of one's own -------------------------------------------------------------------------------------------------


OWN = """
from datetime import UTC, datetime
from airflow.sdk import DAG, CronDataIntervalTimetable
from driftmon.airflow.operators import CheckOperator

timetable = CronDataIntervalTimetable("@daily", timezone="America/New_York")
with DAG("own", schedule=timetable, start_date=datetime(2024, 3, 1, tzinfo=UTC)) as dag:
    CheckOperator(task_id="drift", monitor="shop")
"""


def test_a_check_is_a_task_in_a_dag_of_ones_own(project, tmp_path):
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "own.py").write_text(OWN)

    with airflow_here(tmp_path / "airflow", {"AIRFLOW__CORE__DAGS_FOLDER": str(dags)}):
        from airflow.dag_processing.dagbag import DagBag

        (task,) = DagBag(dags).dags["own"].test(logical_date=day(8).end).get_task_instances()

    assert str(task.state) == "success"
    assert [result.window for result in project.stored()] == [day(8)]


def test_a_check_that_passes_nothing_on_leaves_the_news_to_one_that_does(project, tmp_path):
    orders(50, shift=2.0).to_parquet(project.live(FIRST + timedelta(days=4)), index=False)
    dags = tmp_path / "dags"
    dags.mkdir()
    (dags / "own.py").write_text(OWN)
    with airflow_here(tmp_path / "airflow", {"AIRFLOW__CORE__DAGS_FOLDER": str(dags)}):
        from airflow.dag_processing.dagbag import DagBag

        DagBag(dags).dags["own"].test(logical_date=day(12).end)

    assert events_of("2024-03-12")[0]["drifted"] == "success"
