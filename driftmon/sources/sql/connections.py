"""Which database a monitor means: a URL, the name of an environment variable, or a connection of Airflow."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from driftmon.errors import SourceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import URL

__all__ = ["Address", "ask_airflow", "resolve"]

EXPECTED = (
    "expected a URL such as postgresql://USER:PASSWORD@HOST:PORT/DATABASE, env:NAME for an environment variable that "
    "holds one, or airflow:CONN_ID for a connection of Airflow"
)

DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mssql": "mssql+pyodbc",
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "redshift": "redshift+psycopg2",
    "google-cloud-platform": "bigquery",
    "gcpbigquery": "bigquery",
    "duckdb": "duckdb",
    "sqlite": "sqlite",
    "snowflake": "snowflake",
    "trino": "trino",
}
"""The dialect and driver of each scheme; of Airflow's connection types, too, which are spelled with dashes in URIs."""

_asked: list[Callable[[str], str]] = []


def ask_airflow(lookup: Callable[[str], str]) -> None:
    """
    Let connections of Airflow be found: called where a task runs, for this package knows nothing of Airflow.

    Parameters
    ----------
    lookup : callable of str to str
        Gives the URI (or the JSON form) of a connection by its id, or raises `driftmon.errors.SourceError`.
    """
    _asked[:] = [lookup]


@dataclass(frozen=True)
class Address:
    """
    A database that can be connected to.

    Parameters
    ----------
    url : URL
        With all secrets; never shown.
    name : str
        As messages call it, without any secret.
    """

    url: URL
    name: str

    def __repr__(self) -> str:
        return f"Address({self.name!r})"


def resolve(connection: str) -> Address:
    """
    The database that a monitor's ``connection`` means.

    Raises
    ------
    UsageError
        If the text is neither a URL nor one of the other forms.
    SourceError
        If the variable is not set, or the connection is not known.
    """
    kind, _, rest = connection.partition(":")
    if kind == "env":
        return _of_variable(rest)
    if kind == "airflow":
        return _of_airflow(rest)
    url = _parsed(connection, "connection")
    return Address(url, _shown(url))


def _of_variable(name: str) -> Address:
    text = os.environ.get(name, "").strip()
    if not text:
        raise SourceError(
            f"connection 'env:{name}': the environment variable {name!r} is not set; set it to the URL of the database"
        )
    return Address(_parsed(text, f"environment variable {name!r}"), f"env:{name}")


def _of_airflow(connection: str) -> Address:
    variable = f"AIRFLOW_CONN_{connection.upper()}"
    if _asked:
        text = _asked[0](connection)
    else:
        text = os.environ.get(variable, "").strip()
        if not text:
            raise SourceError(
                f"connection 'airflow:{connection}' is known in tasks of Airflow only; elsewhere, such as here, set the "
                f"environment variable {variable} to its URI"
            )
    return Address(_from_airflow(text, f"connection 'airflow:{connection}'"), f"airflow:{connection}")


def _from_airflow(text: str, where: str) -> URL:
    """The URL of a connection in either form of Airflow: a URI, or a JSON object."""
    if not text.lstrip().startswith("{"):
        url = _parsed(text, where)
        query = {key: value for key, value in url.query.items() if not key.startswith("__extra")}
        return url.set(query=query)
    try:
        found: Mapping[str, Any] = json.loads(text)
        kind = str(found["conn_type"])
    except (ValueError, KeyError):
        # What is wrong with it is not told: it may be the password.
        raise SourceError(f"{where} is no JSON object with a conn_type; {EXPECTED}") from None
    from sqlalchemy import URL  # noqa: PLC0415 - loads slowly

    port, extra = found.get("port"), found.get("extra") or {}
    options = json.loads(extra) if isinstance(extra, str) else extra
    query = {key: str(value) for key, value in options.items() if isinstance(value, str | int) and key in _OPTIONS}
    if kind in {"sqlite", "duckdb"}:
        # Airflow keeps the path of a file as the host.
        return URL.create(kind, database=found.get("host") or found.get("schema"))
    return URL.create(
        _driver(kind),
        username=found.get("login") or None,
        password=found.get("password") or None,
        host=found.get("host") or None,
        port=int(port) if port else None,
        database=found.get("schema") or None,
        query=query,
    )


_OPTIONS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "options", "application_name", "connect_timeout", "driver")
"""Extras of a connection that are options of the URL as they stand."""


def _parsed(text: str, where: str) -> URL:
    from sqlalchemy import make_url  # noqa: PLC0415 - loads slowly
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415 - as above

    try:
        # A scheme may hold dashes in Airflow, but not in SQLAlchemy.
        url = make_url(re.sub(r"^[a-z-]+(?=:)", lambda scheme: scheme[0].replace("-", "_"), text))
    except (ArgumentError, ValueError):
        # The message of the parser can hold a part of the password, so it is not passed on.
        raise UsageError(f"{where} is not the URL of a database; {EXPECTED}") from None
    return url.set(
        drivername=_driver(url.drivername.replace("_", "-") if "+" not in url.drivername else url.drivername)
    )


def _driver(scheme: str) -> str:
    return DRIVERS.get(scheme, scheme.replace("-", "_") if "+" not in scheme else scheme)


def _shown(url: URL) -> str:
    """A URL without user, password and options: the options can hold secrets, too."""
    from sqlalchemy import URL  # noqa: PLC0415 - loads slowly

    plain = URL.create(url.drivername, host=url.host, port=url.port, database=url.database)
    return plain.render_as_string(hide_password=True)
