"""Monitors whose rows are in a database that Airflow knows: the connection is asked for when a task runs, and only then."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from driftmon.airflow.connections import use_connections_of_airflow
from driftmon.errors import SourceError
from driftmon.sources.sql import connections
from driftmon.sources.sql.source import SqlSource
from tests.airflow.projects import airflow_here
from tests.sources.sql.tables import into_sqlite

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module", autouse=True)
def _airflow(tmp_path_factory):
    with airflow_here(tmp_path_factory.mktemp("airflow"), {}):
        yield


@pytest.fixture(autouse=True)
def _in_a_task(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_asked", [])
    use_connections_of_airflow()


def test_a_connection_of_airflow_leads_to_its_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    into_sqlite(pa.table({"x": [1.0, 2.0]}), tmp_path / "rows.db")
    known = {"conn_type": "sqlite", "host": str(tmp_path / "rows.db")}
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps(known))

    inspection = SqlSource("airflow:warehouse", table="rows").inspect()

    assert [column.name for column in inspection.columns] == ["x"]


def test_a_connection_that_airflow_does_not_know_is_told_in_one_line() -> None:
    with pytest.raises(SourceError, match="Airflow has no connection 'nowhere'; add it under Admin, Connections"):
        SqlSource("airflow:nowhere", table="rows").inspect()
