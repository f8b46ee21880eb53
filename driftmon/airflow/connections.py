"""Connections of Airflow, for monitors whose rows are in a database: ``connection: airflow:CONN_ID``."""

from __future__ import annotations

import json

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from driftmon.errors import SourceError
from driftmon.sources.sql.connections import ask_airflow

__all__ = ["use_connections_of_airflow"]


def use_connections_of_airflow() -> None:
    """Have monitors find connections by their ids: in a running task, from its secrets backends and its metadata database."""
    ask_airflow(_found)


def _found(name: str) -> str:
    """A connection as the JSON object that Airflow also takes from environment variables."""
    try:
        found = Connection.get(name)
    except AirflowNotFoundException as exc:
        raise SourceError(
            f"connection 'airflow:{name}': Airflow has no connection {name!r}; add it under Admin, Connections, or correct its id"
        ) from exc
    parts = ("conn_type", "login", "password", "host", "port", "schema", "extra")
    return json.dumps({part: getattr(found, part) for part in parts})
