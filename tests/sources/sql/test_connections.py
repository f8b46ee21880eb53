"""Which database a connection means."""

from __future__ import annotations

import json

import pytest

from driftmon.errors import DriftmonError, SourceError
from driftmon.sources.sql import connections
from driftmon.sources.sql.connections import ask_airflow, resolve


@pytest.fixture(autouse=True)
def outside_of_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_asked", [])


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("postgresql://u:p@h:5432/d", "postgresql+psycopg://u:p@h:5432/d"),
        ("postgres://u:p@h/d?sslmode=require", "postgresql+psycopg://u:p@h/d?sslmode=require"),
        ("postgresql+psycopg2://u:p@h/d", "postgresql+psycopg2://u:p@h/d"),
        ("sqlite:////data/x.db", "sqlite:////data/x.db"),
        ("snowflake://u:p@account/db", "snowflake://u:p@account/db"),
    ],
)
def test_urls_mean_what_they_say_with_the_drivers_of_this_project(given: str, meant: str) -> None:
    assert resolve(given).url.render_as_string(hide_password=False) == meant


def test_names_of_databases_have_no_secrets() -> None:
    address = resolve("postgresql://user:s3cret@host/data?options=-ctoken%3Ds3cret")

    assert address.name == "postgresql+psycopg://host/data"
    assert "s3cret" not in repr(address)


def test_an_environment_variable_holds_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE", "postgres://u:p@h/d\n")

    address = resolve("env:WAREHOUSE")

    assert (address.name, address.url.drivername) == ("env:WAREHOUSE", "postgresql+psycopg")
    with pytest.raises(SourceError, match="the environment variable 'NOWHERE' is not set; set it to the URL"):
        resolve("env:NOWHERE")


@pytest.mark.parametrize(
    "form",
    [
        "postgres://me:p%40ss@host:5433/data?sslmode=require&__extra__=x",
        json.dumps(
            {
                "conn_type": "postgres",
                "login": "me",
                "password": "p@ss",
                "host": "host",
                "port": 5433,
                "schema": "data",
                "extra": {"sslmode": "require", "hook_option": [1]},
            }
        ),
    ],
)
def test_a_connection_of_airflow_is_found_in_its_variable_in_either_form(
    monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MY_DB", form)

    address = resolve("airflow:my_db")

    assert address.name == "airflow:my_db"
    expected = "postgresql+psycopg://me:p%40ss@host:5433/data?sslmode=require"
    assert address.url.render_as_string(hide_password=False) == expected


def test_in_a_task_airflow_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MY_DB", "sqlite:///other.db")
    ask_airflow(lambda name: f"google-cloud-platform://{name}/data")

    assert resolve("airflow:my_db").url.drivername == "bigquery"


def test_outside_of_airflow_an_unknown_connection_says_which_variable_to_set() -> None:
    with pytest.raises(
        SourceError, match=r"known in tasks of Airflow only; .* set the environment variable AIRFLOW_CONN_MY_DB"
    ):
        resolve("airflow:my_db")


@pytest.mark.parametrize(
    "text", ["s3cret", "{s3cret", '{"password": "s3cret"}', "://s3cret", "postgresql://u:s3cret@h:x/d"]
)
def test_what_cannot_be_read_is_not_repeated(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MY_DB", text)

    with pytest.raises(DriftmonError) as caught:
        resolve("airflow:my_db")

    assert "s3cret" not in str(caught.value)
