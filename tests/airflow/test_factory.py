"""Monitor files as Airflow sees them: one DAG each, with the monitor's windows, and none that can harm another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest

from driftmon.config import load_monitor
from driftmon.core.window import Window
from tests.airflow.projects import BROKEN, DAGS, SHOP, airflow_here, make_project

NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture(scope="module", autouse=True)
def _airflow(tmp_path_factory):
    with airflow_here(tmp_path_factory.mktemp("airflow"), {}):
        yield


@pytest.fixture
def monitors(tmp_path, monkeypatch):
    """A folder with the monitor file `shop.yaml`, where driftmon looks for monitor files. There are no data, and no database."""
    folder = tmp_path / "monitors"
    folder.mkdir()
    (folder / "shop.yaml").write_text(SHOP)
    monkeypatch.setenv("DRIFTMON_MONITORS", str(folder))
    monkeypatch.setenv("DRIFTMON_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    return folder


def read_dags():
    """The DAGs of the DAG folder, as Airflow reads it."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(DAGS)
    assert bag.import_errors == {}
    return bag.dags


def serialised(dag):
    """A DAG as the scheduler gets it."""
    from airflow.serialization.serialized_objects import DagSerialization

    return json.loads(json.dumps(DagSerialization.to_dict(dag)))


def scheduled_intervals(dag, most=1000, after=None):
    """The data intervals that the scheduler runs one after the other."""
    from airflow.serialization.serialized_objects import DagSerialization

    dag, info, intervals = DagSerialization.from_dict(serialised(dag)), after, []
    while len(intervals) < most and (info := dag.next_dagrun_info(last_automated_run_info=info)):
        intervals.append(Window(info.data_interval.start, info.data_interval.end))
    return intervals


def monitor_with(folder, name="shop", **keys):
    """Write a monitor file, and give its DAG."""
    live = {"path": "d/{start:%Y-%m-%d_%H}.parquet", **keys.pop("live", {})}
    content = {"model": "checkout", "reference": {"path": "r.parquet"}, "live": live, **keys}
    (folder / f"{name}.yaml").write_text(json.dumps(content))
    return read_dags()[f"driftmon__{name}"]


# What a DAG is ---------------------------------------------------------------------------------------------------------


def test_each_monitor_file_is_a_dag(monitors):
    (monitors / "other.yml").write_text(SHOP.replace("name: shop", "name: stock"))
    (monitors / "notes.txt").write_text("no monitor")

    assert sorted(read_dags()) == ["driftmon__shop", "driftmon__stock"]


def test_a_dag_says_what_is_checked_and_whose_it_is(monitors):
    dag = read_dags()["driftmon__shop"]

    assert dag.tags == {"driftmon", "checkout"}
    assert dag.owner == "payments"
    assert dag.description == "Orders against January"
    assert "`@daily` in America/New_York" in dag.doc_md
    assert [task.task_id for task in dag.tasks] == ["check", "drifted"]


def test_a_dag_without_words_of_its_own_is_named_after_the_model(monitors):
    dag = monitor_with(monitors)

    assert (dag.description, dag.owner) == ("Drift of checkout", "driftmon")


def test_the_scheduler_begins_and_ends_with_the_live_data(monitors):
    dag = read_dags()["driftmon__shop"]

    assert dag.catchup
    assert dag.start_date == datetime(2024, 3, 8, tzinfo=NEW_YORK)
    assert dag.end_date == datetime(2024, 3, 12, tzinfo=NEW_YORK)


@pytest.mark.parametrize(
    ("schedule", "window", "first"),
    [("@daily", "3d", datetime(2024, 3, 10, tzinfo=NEW_YORK)), ("6h", "24h", datetime(2024, 3, 9, tzinfo=UTC))],
)
def test_runs_of_rolling_windows_begin_when_the_first_whole_window_ends(monitors, schedule, window, first):
    from driftmon.airflow.operators import window_of

    live = {"start": "2024-03-08", "end": "2024-03-14"}
    dag = monitor_with(monitors, schedule=schedule, window=window, timezone="America/New_York", live=live)
    monitor = load_monitor(monitors / "shop.yaml")

    intervals = scheduled_intervals(dag)

    checked = [
        window_of({"data_interval_start": each.start, "data_interval_end": each.end}, monitor) for each in intervals
    ]
    assert intervals[0].start == first
    assert checked == list(monitor.scheduled_windows(datetime(2024, 4, 1, tzinfo=UTC)))
    assert f"the rows of the {window} that end with its data interval" in dag.doc_md


def test_a_run_by_hand_names_a_rolling_window_by_its_last_day(monitors):
    from driftmon.airflow.operators import window_of

    monitor_with(monitors, window="7d")
    monitor = load_monitor(monitors / "shop.yaml")

    window = window_of({"params": {"window": "2024-03-14"}}, monitor)

    assert window == Window(datetime(2024, 3, 8, tzinfo=UTC), datetime(2024, 3, 15, tzinfo=UTC))


def test_a_serialised_dag_comes_back_as_it_was(monitors):
    from airflow.serialization.serialized_objects import DagSerialization

    dag = read_dags()["driftmon__shop"]

    again = DagSerialization.from_dict(serialised(dag))

    assert again.task_dict["check"].retries == 12
    assert again.task_dict["check"].has_retry_policy
    assert (again.tags, again.end_date, again.max_active_runs) == (set(dag.tags), dag.end_date, dag.max_active_runs)


def test_the_set_of_dags_follows_the_folder(monitors):
    before = set(read_dags())
    (monitors / "new.yaml").write_text(SHOP.replace("name: shop", ""))
    added = set(read_dags())
    (monitors / "shop.yaml").unlink()

    assert added == before | {"driftmon__new"}
    assert set(read_dags()) == {"driftmon__new"}


def test_a_monitor_that_is_renamed_within_its_file_is_another_dag(monitors):
    (monitors / "shop.yaml").write_text(SHOP.replace("name: shop", "name: store"))

    dags = read_dags()

    assert set(dags) == {"driftmon__store"}
    assert dags["driftmon__store"].task_dict["check"].monitor == "store"


def test_tasks_know_the_folder_wherever_they_run(monitors, monkeypatch):
    monkeypatch.chdir(monitors.parent)
    monkeypatch.setenv("DRIFTMON_MONITORS", "monitors")

    assert read_dags()["driftmon__shop"].task_dict["check"].folder == str(monitors)


def test_arguments_for_every_task_are_passed_on(monitors):
    from driftmon.airflow.factory import build_dags

    dags = build_dags(monitors, default_args={"pool": "drift", "retries": 1, "retry_delay": timedelta(seconds=9)})

    task = dags["driftmon__shop"].task_dict["check"]
    assert (task.pool, task.retries, task.retry_delay) == ("drift", 1, timedelta(seconds=9))
    assert task.owner == "payments"


def test_a_task_process_makes_only_the_dag_that_it_needs(monitors, monkeypatch):
    from airflow.sdk.definitions.context import _AIRFLOW_PARSING_CONTEXT_DAG_ID

    (monitors / "other.yaml").write_text(SHOP.replace("name: shop", "name: other"))
    monkeypatch.setenv(_AIRFLOW_PARSING_CONTEXT_DAG_ID, "driftmon__other")

    assert set(read_dags()) == {"driftmon__other"}


# Windows ---------------------------------------------------------------------------------------------------------------

SHORT = ["@hourly", "*/15 * * * *", "15m", "90m", "5h", "6h"]
LONG = ["@daily", "@weekly", "0 6 * * 1-5", "30 2 * * *", "1d", "2d", "1w"]
SPANS = [*((schedule, 3) for schedule in SHORT), *((schedule, 30) for schedule in LONG)]


@pytest.mark.parametrize("start", [datetime(2024, 3, 9), datetime(2024, 11, 2, 12, 34)])
@pytest.mark.parametrize(("schedule", "days"), SPANS)
def test_the_scheduler_runs_the_windows_of_the_monitor(monitors, schedule, days, start):
    live = {"start": start.isoformat(), "end": (start + timedelta(days=days)).isoformat()}
    dag = monitor_with(monitors, schedule=schedule, timezone="America/New_York", live=live)
    windows = load_monitor(monitors / "shop.yaml").scheduled_windows(datetime.now(UTC))

    intervals = scheduled_intervals(dag)

    assert intervals == list(windows)
    assert intervals


def test_days_on_which_clocks_change_are_as_long_as_the_clock_shows(monitors):
    intervals = scheduled_intervals(read_dags()["driftmon__shop"])

    assert [(window.end - window.start) / timedelta(hours=1) for window in intervals] == [24, 24, 23, 24, 24]


@pytest.mark.parametrize(("schedule", "days"), [("15m", 1), ("6h", 3), ("1d", 9), ("1w", 30)])
def test_a_backfill_that_begins_anywhere_keeps_to_the_windows_of_a_duration(monitors, schedule, days):
    from airflow.serialization.serialized_objects import DagSerialization

    dag = DagSerialization.from_dict(serialised(monitor_with(monitors, schedule=schedule)))
    windows = load_monitor(monitors / "shop.yaml").windows
    begin = datetime(2024, 3, 4, 1, 7, tzinfo=UTC)

    infos = dag.iter_dagrun_infos_between(begin, begin + timedelta(days=days))
    intervals = [Window(info.data_interval.start, info.data_interval.end) for info in infos]

    assert intervals == list(islice(windows.starting(begin), len(intervals)))
    assert len(intervals) > 3


def test_a_changed_schedule_goes_on_with_its_own_windows(monitors):
    from airflow.timetables.base import DagRunInfo
    from pendulum import instance

    first, last = datetime(2024, 3, 9, tzinfo=NEW_YORK), datetime(2024, 3, 10, tzinfo=NEW_YORK)
    daily = DagRunInfo.interval(start=instance(first), end=instance(last))
    dag = monitor_with(monitors, schedule="6h", live={"start": "2024-03-01"})

    (interval,) = scheduled_intervals(dag, most=1, after=daily)

    assert interval == load_monitor(monitors / "shop.yaml").windows.containing(interval.start)


@pytest.mark.parametrize("schedule", ["@daily", "6h", "5h"])
def test_without_a_start_the_scheduler_begins_with_the_newest_window(monitors, schedule):
    dag = monitor_with(monitors, schedule=schedule, timezone="America/New_York")
    monitor = load_monitor(monitors / "shop.yaml")
    before = monitor.newest_window(datetime.now(UTC))

    (interval,) = scheduled_intervals(dag, most=1)

    # The clock may pass a boundary between the two.
    assert interval in {before, monitor.newest_window(datetime.now(UTC))}
    assert not dag.catchup


def test_live_data_that_have_ended_without_a_start_are_not_run(monitors):
    dag = monitor_with(monitors, live={"end": "2024-03-24"})

    assert scheduled_intervals(dag) == []


def test_runs_that_wait_for_their_rows_do_not_keep_later_ones_from_starting(monitors):
    dag = monitor_with(monitors, schedule="@hourly", data_delay="2d")

    assert dag.max_active_runs >= 48 + 1
    assert dag.task_dict["check"].max_active_tis_per_dag == 2
    assert dag.dagrun_timeout > timedelta(days=2)


def test_without_a_delay_few_runs_are_started_at_once(monitors):
    dag = read_dags()["driftmon__shop"]

    assert dag.max_active_runs == 2


# Broken files ----------------------------------------------------------------------------------------------------------


def test_a_broken_file_is_a_dag_that_says_what_is_wrong_and_the_others_are_as_before(monitors):
    before = serialised(read_dags()["driftmon__shop"])
    (monitors / "torn.yaml").write_text(BROKEN)

    dags = read_dags()

    torn = dags["driftmon__torn"]
    assert torn.tags == {"driftmon", "driftmon-invalid"}
    assert torn.description == f"{monitors}/torn.yaml: reference is missing; it is needed (and 2 more)"
    assert all(word in torn.doc_md for word in ("nam is not a known key", "reference is missing", "live is missing"))
    assert torn.timetable.can_be_scheduled is False
    assert serialised(dags["driftmon__shop"]) == before


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"a: [", b"a: &a [*a]", b"- 1", b"\0", b"{{ jinja }}: {% x %}"])
def test_whatever_is_in_a_file_the_others_are_scheduled(monitors, content):
    (monitors / "torn.yaml").write_bytes(content)

    dags = read_dags()

    assert "driftmon-invalid" in dags["driftmon__torn"].tags
    assert "driftmon-invalid" not in dags["driftmon__shop"].tags


def test_a_broken_file_does_not_take_the_place_of_a_good_one(monitors):
    (monitors / "shop.yml").write_text(BROKEN)
    (monitors / "Shop.yaml").write_text(BROKEN)
    (monitors / "twin.yaml").write_text(SHOP)

    dags = read_dags()

    assert {name: "driftmon-invalid" in dag.tags for name, dag in dags.items()} == {
        "driftmon__shop": False,
        "driftmon__shop--2": True,
        "driftmon__shop--3": True,
        "driftmon__twin": True,
    }
    assert "name 'shop' is taken by" in dags["driftmon__twin"].description


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"schedule": "0 0 30 2 *"}, "CroniterBadDateError"),
        ({"live": {"start": "9999-12-31"}}, "OverflowError"),
        (
            {"schedule": "@monthly", "live": {"start": "2024-03-05", "end": "2024-03-20"}},
            "no window of schedule '@monthly' lies between live.start 2024-03-05 and live.end 2024-03-20; widen them",
        ),
    ],
)
def test_a_monitor_that_no_dag_can_be_made_of_is_broken(monitors, keys, said):
    dag = monitor_with(monitors, "odd", **keys)

    assert "driftmon-invalid" in dag.tags
    assert said in dag.description
    assert "driftmon-invalid" not in read_dags()["driftmon__shop"].tags


def test_a_folder_that_is_missing_is_one_dag_that_says_so(monitors, monkeypatch):
    monkeypatch.setenv("DRIFTMON_MONITORS", str(monitors / "nowhere"))

    dags = read_dags()

    assert {name: dag.tags for name, dag in dags.items()} == {"driftmon__monitors": {"driftmon", "driftmon-invalid"}}
    assert f"{monitors}/nowhere: no such folder of monitor files" in dags["driftmon__monitors"].description


def test_texts_and_numbers_that_a_database_refuses_do_not_keep_the_other_dags_out_of_it(
    monitors, postgresql_url, tmp_path
):
    monitor_with(monitors, "texts", description="a\0b", model="c\0d" * 50, owner="\0" + "o" * 5000)
    monitor_with(monitors, "long", schedule="1m", data_delay="999999w")
    monitor_with(monitors, "early", timezone="America/New_York", live={"start": "0001-01-02"})
    (monitors / "torn.yaml").write_text(r'name: "\0"')
    url = postgresql_url.replace("postgresql://", "postgresql+psycopg://")
    database = dict.fromkeys(("SQL_ALCHEMY_CONN", "SQL_ALCHEMY_CONN_ASYNC"), url)
    environment = {f"AIRFLOW__DATABASE__{name}": value for name, value in database.items()}

    with airflow_here(tmp_path / "airflow", environment):
        from airflow.dag_processing.dagbag import DagBag, sync_bag_to_db
        from airflow.models.dag import DagModel
        from airflow.models.dagbundle import DagBundleModel
        from airflow.utils.session import create_session

        with create_session() as session:
            session.merge(DagBundleModel(name="dags"))
        sync_bag_to_db(DagBag(DAGS), "dags", None)
        with create_session() as session:
            known = {dag.dag_id for dag in session.query(DagModel)}

    assert known == {f"driftmon__{name}" for name in ("shop", "texts", "long", "early", "torn")}


# What reading costs ----------------------------------------------------------------------------------------------------

READ = """
import hashlib, json, sys
from pathlib import Path
import airflow.sdk
before = set(sys.modules)
opened = []
sys.addaudithook(lambda event, arguments: opened.append(str(arguments[0])) if event in {"open", "sqlite3.connect"} else None)
names = {}
exec(Path(sys.argv[1], "driftmon_checks.py").read_text(), names)
loaded = sorted(set(sys.modules) - before)
touched = [path for path in opened if path.endswith((".parquet", ".db"))]
from airflow.serialization.serialized_objects import DagSerialization
dags = {name: dag for name, dag in names.items() if name.startswith("driftmon__")}
text = json.dumps([DagSerialization.to_dict(dag) for dag in dags.values()], sort_keys=True)
json.dump({"loaded": loaded, "touched": touched, "dags": list(dags), "digest": hashlib.sha256(text.encode()).hexdigest()}, sys.stdout)
"""


@pytest.fixture(scope="module")
def readings(tmp_path_factory):
    """What two processes make of the DAG file, whose sets and dicts of text are in another order each."""
    project = make_project(tmp_path_factory.mktemp("project") / "project")
    project.file("torn").write_text(BROKEN)
    environment = {
        **os.environ,
        **project.environment,
        "DRIFTMON_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "AIRFLOW_HOME": str(project.folder / "airflow"),
    }
    read = []
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", READ, str(DAGS)],
            env={**environment, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        read.append(json.loads(done.stdout[done.stdout.index('{"loaded"') :]))
    return read


def test_reading_the_dag_file_loads_no_library_of_data_and_nothing_that_opens_databases(readings):
    loaded = readings[0]["loaded"]
    tops = {name.partition(".")[0] for name in loaded}

    # Airflow itself brings SQLAlchemy; then it is not among these.
    assert (
        tops & {"pandas", "pyarrow", "sqlalchemy", "scipy", "prometheus_client", "duckdb", "polars", "apprise"} == set()
    )
    assert [
        name for name in loaded if name.startswith(("driftmon.store", "driftmon.sources", "driftmon.pipeline"))
    ] == []
    assert readings[0]["dags"] == ["driftmon__shop", "driftmon__torn"]


def test_reading_the_dag_file_touches_neither_rows_nor_results(readings):
    assert readings[0]["touched"] == []


def test_every_reading_gives_the_same_dags(readings):
    assert readings[0]["digest"] == readings[1]["digest"]


def test_a_folder_of_many_monitors_is_read_in_little_time(monitors):
    from airflow.dag_processing.dagbag import DagBag

    for number in range(40):
        (monitors / f"m{number}.yaml").write_text(SHOP.replace("name: shop", ""))
    # Years of windows of five minutes must not be gone through one by one.
    text = SHOP.replace("name: shop", "schedule: '*/5 * * * *'").replace("start: 2024-03-08", "start: 2000-01-01")
    (monitors / "minutes.yaml").write_text(text)

    (stats,) = DagBag(DAGS).dagbag_stats

    assert stats.dag_num == 42
    assert stats.duration < timedelta(seconds=5)
