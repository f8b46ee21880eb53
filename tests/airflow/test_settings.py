"""What the stack's processes get to see, and what its home refuses."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from driftmon.airflow.control import down, status
from driftmon.airflow.processes import Identity
from driftmon.airflow.record import Record, hold_lock, read_record, write_record
from driftmon.airflow.settings import StackSettings, password, prepare_home, stack_environment
from driftmon.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> StackSettings:
    (tmp_path / "dags").mkdir()
    settings = StackSettings(home=tmp_path / "home", dags=tmp_path / "dags")
    prepare_home(settings)
    return settings


def test_the_password_is_random_and_stays(settings: StackSettings, tmp_path: Path) -> None:
    other = StackSettings(home=tmp_path, dags=tmp_path)

    assert password(settings) == password(settings)
    assert len(password(settings)) >= 20
    assert password(settings) != password(other)


def test_a_password_of_ones_own_is_kept_and_hidden_from_others(settings: StackSettings) -> None:
    settings.password_file.write_text(json.dumps({"admin": "my own"}))
    settings.password_file.chmod(0o644)

    assert password(settings) == "my own"
    assert stat.S_IMODE(settings.password_file.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "[]", "{}", '"admin"', "null"])
def test_a_password_file_without_a_password_is_an_error_that_names_it(settings: StackSettings, content: str) -> None:
    settings.password_file.write_text(content)

    with pytest.raises(UsageError, match=r"simple_auth_manager_passwords\.json"):
        password(settings)


def test_a_folder_of_dag_files_that_is_missing_is_an_error_that_names_it(settings: StackSettings) -> None:
    with pytest.raises(UsageError, match="nowhere: not a folder"):
        prepare_home(replace(settings, dags=settings.home / "nowhere"))


def test_a_home_that_cannot_be_made_is_an_error_that_names_it(settings: StackSettings) -> None:
    (settings.home / "file").touch()

    with pytest.raises(UsageError, match="file: cannot be Airflow's home"):
        prepare_home(replace(settings, home=settings.home / "file"))


def test_every_component_reports_to_the_chosen_port(settings: StackSettings) -> None:
    environment = stack_environment(settings, 1234)

    assert environment["AIRFLOW__API__PORT"] == "1234"
    assert environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:1234/execution/"
    assert environment["AIRFLOW__API__BASE_URL"] == "http://127.0.0.1:1234"


def test_another_airflow_in_the_shells_environment_does_not_lead_the_stack_astray(
    settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_HOME", "/elsewhere")
    monkeypatch.setenv("AIRFLOW_CONFIG", "/elsewhere/airflow.cfg")
    monkeypatch.setenv("AIRFLOW__CORE__EXECUTOR", "CeleryExecutor")
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", "postgresql://db")
    monkeypatch.setenv("no_proxy", "intranet")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    environment = stack_environment(settings, 1234)

    assert environment["AIRFLOW_HOME"] == str(settings.home)
    assert environment["AIRFLOW_CONFIG"] == str(settings.home / "airflow.cfg")
    assert environment["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert environment["AIRFLOW_CONN_WAREHOUSE"] == "postgresql://db"
    assert environment["no_proxy"] == "intranet,127.0.0.1,localhost"
    assert "PYTHONDONTWRITEBYTECODE" not in environment


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_names_the_driver_that_is_installed(settings: StackSettings, scheme: str) -> None:
    environment = stack_environment(replace(settings, database_url=f"{scheme}://u:p%40@db/meta?sslmode=require"), 1)

    assert {value for name, value in environment.items() if name.startswith("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN")} == {
        "postgresql+psycopg://u:p%40@db/meta?sslmode=require"
    }
    assert "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC" in environment


def test_without_a_database_of_its_own_airflow_uses_a_file_in_its_home(settings: StackSettings) -> None:
    assert (
        stack_environment(settings, 1)["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] == f"sqlite:///{settings.home}/airflow.db"
    )


def test_an_environment_of_ones_own_has_the_last_word(settings: StackSettings) -> None:
    own = replace(settings, environment={"AIRFLOW__CORE__PARALLELISM": "9", "DRIFTMON_MONITORS": "m"})

    assert stack_environment(own, 1)["AIRFLOW__CORE__PARALLELISM"] == "9"
    assert stack_environment(own, 1)["DRIFTMON_MONITORS"] == "m"


def test_a_record_comes_back_as_it_was_written(settings: StackSettings) -> None:
    record = Record(Identity(1, "2"), "http://x", datetime(2026, 1, 2, tzinfo=UTC), {"scheduler": Identity(3, "4")})
    write_record(settings.home, record)

    assert read_record(settings.home) == record


def test_the_record_of_processes_that_are_gone_is_a_stopped_stack(settings: StackSettings) -> None:
    gone = Identity(2**22 + 1, "1")
    write_record(settings.home, Record(gone, "http://127.0.0.1:9", datetime.now(UTC), {"scheduler": gone}))

    assert status(settings).state == "stopped"
    assert not down(settings, log=print)
    assert read_record(settings.home) is None


def test_a_home_that_never_was_is_a_stopped_stack(tmp_path: Path) -> None:
    nowhere = StackSettings(home=tmp_path / "nowhere", dags=tmp_path)

    assert status(nowhere).state == "stopped"
    assert not status(nowhere).healthy
    assert str(status(nowhere)) == f"no Airflow runs in {tmp_path / 'nowhere'}"


def test_a_record_that_is_none_is_an_error_that_names_it(settings: StackSettings) -> None:
    (settings.home / "stack.json").write_text("{}")

    with pytest.raises(UsageError, match=r"stack\.json: not the record of a stack"):
        status(settings)


def test_a_home_has_one_supervisor_at_a_time(settings: StackSettings) -> None:
    with hold_lock(settings.home), pytest.raises(UsageError, match="runs here already"), hold_lock(settings.home):
        pass
    with hold_lock(settings.home):
        pass
