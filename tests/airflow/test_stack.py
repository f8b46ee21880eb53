"""A real Airflow, started, looked at, used, and ended in every way that it can end."""

from __future__ import annotations

import os
import signal
import socket
import stat
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from driftmon.airflow.api import AirflowApi
from driftmon.airflow.errors import ApiError
from driftmon.airflow.processes import end
from driftmon.airflow.settings import USER, StackSettings, password
from driftmon.airflow.stack import Stack, down, status
from driftmon.errors import UsageError
from tests.airflow.conftest import Supervisor, supervise, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAGS = '''
"""DAGs for the tests of the Airflow stack."""

import time
from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable, task

DAYS = CronDataIntervalTimetable("@daily", timezone="UTC")
with DAG("days", schedule=DAYS, start_date=datetime(2013, 5, 1, tzinfo=UTC), end_date=datetime(2013, 5, 2, 12, tzinfo=UTC), catchup=True):
    task(lambda: None, task_id="nothing")()

with DAG("sleeper", schedule=None, start_date=datetime(2000, 1, 1, tzinfo=UTC)):
    task(lambda: time.sleep(600), task_id="sleep")()
'''


@pytest.fixture(scope="module")
def running(home: Path, dags: Path) -> Iterator[Supervisor]:
    """A stack with all components healthy; the last of its tests ends it."""
    (dags / "test_dags.py").write_text(DAGS)
    supervisor = supervise(StackSettings(home=home, dags=dags, port=0))
    wait_until(lambda: "is ready" in supervisor.said or supervisor.process.poll() is not None)
    assert supervisor.process.poll() is None, supervisor.said
    yield supervisor
    supervisor.process.kill()
    supervisor.process.wait()
    end(supervisor.found, grace=0)


@pytest.fixture
def api(running: Supervisor) -> AirflowApi:
    url = status(running.settings).url
    assert url is not None
    return AirflowApi(url, username=USER, password=password(running.settings))


def test_a_started_stack_is_healthy_in_every_component(running: Supervisor) -> None:
    found = status(running.settings)

    assert found.healthy
    assert {component.name for component in found.components} == {"api-server", "scheduler", "dag-processor"}
    assert all(component.log.is_file() for component in found.components)
    assert str(found.url) in str(found)


def test_the_scheduler_runs_the_windows_between_start_and_end_and_no_others(api: AirflowApi) -> None:
    wait_until(lambda: sum(run.finished for run in api.dag_runs("days")) == 2)

    runs = api.dag_runs("days")
    days = [datetime(2013, 5, day, tzinfo=UTC) for day in (1, 2, 3)]
    assert [(run.window_start, run.window_end) for run in runs] == [(days[0], days[1]), (days[1], days[2])]
    assert [(run.state, run.run_type) for run in runs] == [("success", "scheduled")] * 2
    assert api.import_problems() == ()


def test_a_second_stack_in_the_same_home_is_refused(running: Supervisor) -> None:
    with pytest.raises(
        UsageError, match=r"runs here already \(process \d+, http://127.0.0.1:\d+\).*driftmon airflow down"
    ):
        Stack(running.settings, log=print).start()

    assert status(running.settings).healthy


def test_a_port_that_is_taken_is_refused(tmp_path: Path, dags: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} cannot be used"):
            Stack(StackSettings(home=tmp_path / "home", dags=dags, port=port), log=print).start()


def test_the_password_is_for_the_owners_eyes_only(running: Supervisor) -> None:
    secret = password(running.settings)
    logs = b"".join(path.read_bytes() for path in running.settings.logs.glob("*.log"))

    assert stat.S_IMODE(running.settings.password_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(running.settings.home.stat().st_mode) == 0o700
    assert secret.encode() not in logs
    assert secret not in running.said


def test_a_wrong_password_is_an_error_with_its_status(running: Supervisor) -> None:
    stranger = AirflowApi(str(status(running.settings).url), username=USER, password="guess")

    with pytest.raises(ApiError) as caught:
        stranger.dag_ids()

    assert caught.value.status == 401


def test_down_ends_a_stack_from_another_process_with_its_running_tasks(running: Supervisor, api: AirflowApi) -> None:
    api.trigger("sleeper", params={})
    wait_until(lambda: [run.state for run in api.dag_runs("sleeper")] == ["running"])
    said: list[str] = []

    assert down(running.settings, log=said.append)

    assert running.await_end() == 0, running.said
    assert running.found() == ()
    assert status(running.settings).state == "stopped"
    assert not down(running.settings, log=said.append)


def test_a_component_that_dies_ends_the_supervisor_with_an_error_that_names_its_log(supervisor: Supervisor) -> None:
    pid = supervisor.await_component("api-server")
    os.kill(pid, signal.SIGKILL)

    assert supervisor.await_end() != 0
    assert (
        f"Airflow's api-server was ended by SIGKILL; its log is {supervisor.settings.logs / 'api-server.log'}"
        in supervisor.said
    )
    assert supervisor.found() == ()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_supervisor_ends_everything(supervisor: Supervisor, number: signal.Signals) -> None:
    supervisor.await_component("migration")
    supervisor.process.send_signal(number)

    assert supervisor.await_end() == 0, supervisor.said
    assert supervisor.found() == ()
    assert status(supervisor.settings).state == "stopped"


def test_what_a_killed_supervisor_leaves_behind_is_seen_and_ended(supervisor: Supervisor) -> None:
    supervisor.await_component("migration")
    supervisor.process.kill()
    supervisor.process.wait()

    assert supervisor.found() != ()
    assert status(supervisor.settings).state == "orphaned"
    assert down(supervisor.settings, log=print)
    assert supervisor.found() == ()
    assert status(supervisor.settings).state == "stopped"
