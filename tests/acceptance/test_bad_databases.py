"""A results database that is down, read-only, full or of a newer schema: a clear line, nothing stored, readers told the truth."""

import sqlite3
import threading
from contextlib import closing, contextmanager

import pandas as pd
import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.acceptance.observed import stored
from tests.acceptance.serving import serving
from tests.servers import PASSWORD, free_port

WRITERS = {
    "check": ["check", "shop", "--window", "2024-02-01"],
    "backfill": ["backfill", "shop", "--start", "2024-02-01", "--end", "2024-02-03"],
    "build": ["baseline", "build", "shop"],
}
READERS = {
    "history": ["history", "shop"],
    "list": ["baseline", "list", "shop"],
    "show": ["baseline", "show", "shop"],
}


def commands(*groups):
    every = {name: command for group in groups for name, command in group.items()}
    return pytest.mark.parametrize("command", every.values(), ids=every.keys())


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, shop):
    """The URL of a results database with the baseline of the shop in force, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return shop.url
    url = request.getfixturevalue("postgresql_url")
    for command in (["db", "upgrade"], ["baseline", "build", "shop"]):
        assert shop.run(*command, "--database", url).status == 0
    return url


def is_postgresql(url):
    return url.startswith("postgresql")


# --- down --------------------------------------------------------------------------------------------------------------------


@commands(WRITERS, READERS, {"upgrade": ["db", "upgrade"], "current": ["db", "current"]})
def test_a_database_that_is_down(refuse, command):
    port = free_port()

    line = refuse(
        *command, "--database", f"postgresql://driftmon:{PASSWORD}@127.0.0.1:{port}/results", retryable=True,
        says=(f"results database postgresql+psycopg://driftmon:***@127.0.0.1:{port}/results cannot be reached", "try again"),
    )  # fmt: skip

    assert PASSWORD not in line


def test_a_database_that_is_down_while_metrics_are_served(shop):
    with serving("--database", f"postgresql://driftmon:{PASSWORD}@127.0.0.1:{free_port()}/results") as served:
        served.until("driftmon_exporter_refreshes_total", lambda values: values and values[0] >= 1, outcome="failure")

        assert served.get("/healthz") == (200, "ok\n")
        assert served.get("/readyz")[0] == 503
        assert served.values("driftmon_exporter_last_refresh_successful") == [0]

    assert "cannot be reached" in served.log
    assert PASSWORD not in served.log
    assert "Traceback" not in served.log


# --- read-only ---------------------------------------------------------------------------------------------------------------


@commands(WRITERS)
def test_a_read_only_postgresql(postgresql_server, postgresql_url, shop, refuse, command):
    for command_ in (["db", "upgrade"], ["baseline", "build", "shop"]):
        assert shop.run(*command_, "--database", postgresql_url).status == 0
    name = postgresql_url.rpartition("/")[2]
    postgresql_server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")

    line = refuse(*command, "--database", postgresql_url, database=postgresql_url, says="is read-only")

    assert line.endswith("; point the database URL at the primary server, or allow this user to write")


@pytest.mark.parametrize("command", WRITERS.values(), ids=WRITERS.keys())
def test_a_sqlite_file_that_this_user_may_not_write(shop, as_somebody_else, command):
    before = stored(shop.url)

    run = as_somebody_else(*command)

    assert run.status == 3
    [line] = run.err.splitlines()
    assert line.startswith(f"driftmon: results database {shop.url} ")
    assert "allow this user to" in line
    assert stored(shop.url) == before


def test_past_results_can_be_read_by_those_who_may_not_write(shop, as_somebody_else):
    assert shop.run(*WRITERS["check"]).status == 0

    run = as_somebody_else("history", "shop")

    assert run.status == 0, run.err
    assert "2024-02-01" in run.out


# --- full --------------------------------------------------------------------------------------------------------------------


@contextmanager
def no_page_to_spare():
    """No SQLite database grows: its own way to be full."""

    def limit(connection, _record):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(Engine, "connect", limit)
    try:
        yield
    finally:
        event.remove(Engine, "connect", limit)


def test_a_full_sqlite_file(shop):
    starts = iter(pd.date_range("2024-02-01", periods=500, freq="1min").strftime("%Y-%m-%dT%H:%M"))
    with no_page_to_spare():
        for start in starts:  # until a result no longer fits in what is left of the last page
            before = stored(shop.url)
            run = shop.run("check", "shop", "--start", start, "--end", "2024-02-02")
            if run.status:
                break

    assert run.status == 3
    assert (
        run.err == f"driftmon: results database {shop.url} is full (database or disk is full); make room on its disk\n"
    )
    assert stored(shop.url) == before
    assert shop.run(*WRITERS["check"]).status == 0, "once there is room, it goes on"


DISK_FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = 'disk_full'; END $$
"""


@pytest.mark.parametrize("table", ["driftmon_checks", "driftmon_column_results", "driftmon_runs"])
def test_a_full_postgresql(postgresql_server, postgresql_url, shop, refuse, table):
    for command in (["db", "upgrade"], ["baseline", "build", "shop"]):
        assert shop.run(*command, "--database", postgresql_url).status == 0
    name = postgresql_url.rpartition("/")[2]
    postgresql_server.execute(DISK_FULL, name)
    postgresql_server.execute(f"CREATE TRIGGER full_disk BEFORE INSERT ON {table} EXECUTE FUNCTION no_room()", name)

    line = refuse(
        *WRITERS["check"], "--database", postgresql_url, database=postgresql_url, says=" is full (could not extend"
    )

    assert line.endswith("; make room on the server's disk")


# --- of a newer schema -------------------------------------------------------------------------------------------------------


@commands(WRITERS, READERS, {"upgrade": ["db", "upgrade"]})
def test_a_database_of_a_newer_schema(database, refuse, command):
    engine = sa.create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE driftmon_schema SET version_num = '9999'"))
    engine.dispose()

    refuse(
        *command, "--database", database, database=database,
        says=("results database ", "has schema version 9999, this driftmon needs ", "; upgrade driftmon itself"),
    )  # fmt: skip


def test_the_version_of_a_newer_database_can_be_asked_for(database, shop):
    current = shop.run("db", "current", "--database", database)

    assert current.status == 0
    assert "up to date" in current.out


def test_an_older_database_is_never_read_as_if_it_were_new(database, refuse):
    engine = sa.create_engine(database.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE driftmon_schema SET version_num = '0000'"))
    engine.dispose()

    refuse(*WRITERS["check"], "--database", database, database=database, says="; run: driftmon db upgrade")


# --- something else altogether -----------------------------------------------------------------------------------------------


def test_a_file_that_is_no_database(shop, refuse):
    (shop.folder / "notes.db").write_bytes(b"dear diary\n" * 1_000)

    refuse(
        *WRITERS["check"], "--database", "sqlite:///notes.db",
        says=("notes.db is not a SQLite database", "; name another file, or restore it from a backup"),
    )  # fmt: skip


@pytest.mark.parametrize(
    "url", ["results.db", "mysql://u:s3cret-word@h/d", "sqlite://", "postgresql://u:s3cret-word@h:p/d"]
)
def test_a_url_that_cannot_be_used(refuse, url):
    line = refuse(*WRITERS["check"], "--database", url, status=2, says="sqlite:///FILE")

    assert "s3cret" not in line


def test_a_sqlite_file_that_somebody_else_is_writing_is_waited_for(shop):
    with closing(
        sqlite3.connect(shop.folder / ".driftmon" / "driftmon.db", isolation_level=None, check_same_thread=False)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        threading.Timer(0.5, other.execute, ["ROLLBACK"]).start()

        run = shop.run(*WRITERS["check"])

    assert run.status == 0, run.err
