"""Fixtures for every test: servers, and results databases on them, started once and only if a test asks for them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.servers import postgresql
from tests.sources.spark.cluster import (  # noqa: F401 - fixtures: a process has one session of Spark, whoever asks for it
    spark_cluster,
    spark_connect,
    spark_connect_session,
    spark_session,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import PostgreSQL

# A law holds or not, however busy the machine is.
settings.register_profile("driftmon", deadline=None, max_examples=60)
settings.load_profile("driftmon")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    """A PostgreSQL server of our own; skips where its binaries are missing."""
    with postgresql() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: PostgreSQL) -> Iterator[str]:
    """An empty PostgreSQL database."""
    name = postgresql_server.create_database()
    yield postgresql_server.url(name)
    postgresql_server.drop_database(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that nobody has used yet; every test that takes it runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/results.db"
    return request.getfixturevalue("postgresql_url")


@pytest.fixture(scope="session")
def upgraded_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file to copy: making the tables takes ten times as long."""
    from driftmon.store.migrate import upgrade

    file = tmp_path_factory.mktemp("upgraded") / "results.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def upgraded_postgresql(postgresql_server: PostgreSQL) -> str:
    """The name of a PostgreSQL database to use and to empty: making one takes a quarter of a second."""
    from driftmon.store.migrate import upgrade

    name = postgresql_server.create_database()
    upgrade(postgresql_server.url(name))
    return name


@pytest.fixture(params=["sqlite", "postgresql"])
def results_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """
    The URL of a results database without results, on SQLite and on PostgreSQL.

    For tests that use its tables; those that change them take `empty_database` and upgrade it.
    """
    if request.param == "sqlite":
        copy = shutil.copy(request.getfixturevalue("upgraded_sqlite"), tmp_path / "results.db")
        yield f"sqlite:///{copy}"
        return
    server = request.getfixturevalue("postgresql_server")
    name = request.getfixturevalue("upgraded_postgresql")
    yield server.url(name)
    server.execute("TRUNCATE driftmon_monitors CASCADE", name)
