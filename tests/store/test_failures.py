"""What a database that refuses looks like from above: the class says whether to try again, the message what to do."""

from __future__ import annotations

import multiprocessing
import os
import pwd
import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import event, func, select, text

from driftmon.errors import DriftmonError, StoreError, StoreUnavailable, StoreVersionError, UsageError
from driftmon.store import engine
from driftmon.store.engine import Database
from driftmon.store.schema import metadata
from driftmon.store.store import Store
from tests.servers import PASSWORD, free_port
from tests.store.factories import NOW, as_stored, baseline_of, day, facts, result_of, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import PostgreSQL

BASELINE = baseline_of(rows(0))
RESULT = as_stored(BASELINE, result_of(BASELINE, rows(1), day(1)))


def fill(url: str) -> None:
    with Store.open(url) as store:
        store.save_baseline("flights", BASELINE, now=NOW)
        store.promote("flights", BASELINE.id, now=NOW)
        store.save_check(RESULT, facts(), started_at=NOW, now=NOW)


@pytest.fixture
def sqlite_file(upgraded_sqlite: Path, tmp_path: Path) -> Path:
    file = tmp_path / "results.db"
    file.write_bytes(upgraded_sqlite.read_bytes())
    fill(f"sqlite:///{file}")
    return file


@pytest.fixture
def shared_file(upgraded_sqlite: Path) -> Iterator[Path]:
    """A SQLite file where other users get to: pytest's own folders are closed to them."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(shutil.copy(upgraded_sqlite, Path(folder) / "results.db"))


@pytest.fixture
def postgresql(postgresql_server: PostgreSQL, upgraded_postgresql: str):
    """A results database of its own, which a test may spoil."""
    name = postgresql_server.create_database(template=upgraded_postgresql)
    fill(postgresql_server.url(name))
    yield name
    postgresql_server.drop_database(name)


def assert_one_helpful_line(error: DriftmonError, *words: str) -> None:
    message = str(error)
    assert "\n" not in message
    assert message.startswith("results database ")
    assert PASSWORD not in message
    for word in words:
        assert word in message


# URLs


@pytest.mark.parametrize(
    "url",
    [
        "",
        "results.db",
        "mysql://localhost/x",
        "postgresql+psycopg2://localhost/x",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///x.db?mode=ro",
        "postgresql://user:s3cret-word@host:s3cret-word/x",
    ],
)
def test_a_url_that_cannot_be_used_is_an_error_without_its_password(url):
    with pytest.raises(UsageError, match="sqlite:///FILE") as error:
        Store.open(url)

    assert "s3cret" not in str(error.value)


def test_every_spelling_of_a_postgresql_url_means_the_same(postgresql_server: PostgreSQL, postgresql: str):
    url = postgresql_server.url(postgresql)

    for scheme in ("postgres", "postgresql", "postgresql+psycopg"):
        with Store.open(url.replace("postgresql", scheme, 1)) as store:
            assert [key.monitor for key in store.snapshot_keys()] == ["flights"]


def test_options_of_the_url_reach_the_server(postgresql_server: PostgreSQL, postgresql: str):
    url = f"{postgresql_server.url(postgresql)}?application_name=mine&options=-c%20work_mem%3D1234kB"

    with closing(Database(url)) as database, database.reading() as connection:
        assert connection.execute(text("SHOW application_name")).scalar() == "mine"
        assert connection.execute(text("SHOW work_mem")).scalar() == "1234kB"
    assert "application_name" not in database.name


# SQLite


def test_a_file_that_is_no_database_is_told_so(tmp_path: Path):
    file = tmp_path / "results.db"
    file.write_bytes(b"timestamp,dep_delay\n" * 1000)

    with pytest.raises(StoreError, match="is not a SQLite database") as error:
        Store.open(f"sqlite:///{file}")

    assert_one_helpful_line(error.value, str(file), "restore it from a backup")
    assert file.read_bytes() == b"timestamp,dep_delay\n" * 1000


def test_a_damaged_file_is_told_so(sqlite_file: Path):
    content = bytearray(sqlite_file.read_bytes())
    content[8192:] = os.urandom(len(content) - 8192)
    sqlite_file.write_bytes(content)

    with pytest.raises(StoreError, match="is damaged") as error, Store.open(f"sqlite:///{sqlite_file}") as store:
        store.load_checks("flights")

    assert_one_helpful_line(error.value, "restore it from a backup")
    assert not error.value.retryable


def test_a_folder_is_no_database(tmp_path: Path):
    with pytest.raises(StoreError, match="cannot be opened") as error:
        Store.open(f"sqlite:///{tmp_path}")

    assert_one_helpful_line(error.value, str(tmp_path))


def test_a_folder_that_cannot_be_made_is_told_so(tmp_path: Path):
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match="cannot make its folder") as error:
        Store.open(f"sqlite:///{tmp_path}/file/results.db")

    assert_one_helpful_line(error.value, "name another place")


def test_a_locked_file_is_worth_another_try(sqlite_file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine, "PATIENCE", 0.1)
    with (
        closing(sqlite3.connect(sqlite_file, isolation_level=None)) as other,
        Store.open(f"sqlite:///{sqlite_file}") as store,
    ):
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(StoreUnavailable, match="is locked by another process") as error:
            store.register_monitor(facts(), now=NOW)

        assert_one_helpful_line(error.value, "try again")
        assert store.load_checks("flights") == [RESULT], "readers do not wait for writers"
        other.execute("ROLLBACK")
        store.register_monitor(facts(owner="later"), now=NOW)


def test_a_full_disk_is_told_so_and_leaves_the_old_result(sqlite_file: Path):
    wide = baseline_of({f"column {number}": rows(number)["delay"] for number in range(300)})
    with Store.open(f"sqlite:///{sqlite_file}") as store:
        # The database's own way to be full.
        @event.listens_for(store._database._engine, "connect")
        def limit(connection: sqlite3.Connection, _record: object) -> None:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages + 5}")

        with pytest.raises(StoreError, match="is full") as error:
            store.save_baseline("flights", wide, now=NOW)

        assert_one_helpful_line(error.value, "make room")
        assert not error.value.retryable
        assert [record.id for record in store.list_baselines("flights")] == [BASELINE.id]
        assert store.load_checks("flights") == [RESULT]


def test_a_file_that_this_user_cannot_write_is_told_so(shared_file: Path):
    with closing(Database(f"sqlite:///{shared_file}")) as database, database.reading() as connection:
        # SQLite's own files next to the database exist as long as somebody is connected.
        connection.execute(text("SELECT 1 FROM driftmon_runs")).all()
        for file in shared_file.parent.iterdir():
            file.chmod(0o444)

        message = in_a_process_without_rights(write, shared_file)

    assert "is read-only" in message
    assert "allow this user to write" in message


def test_a_file_that_this_user_cannot_read_is_told_so(shared_file: Path):
    shared_file.chmod(0o000)

    message = in_a_process_without_rights(write, shared_file)

    assert "cannot be opened" in message
    assert "allow this user to read and write" in message


def test_a_folder_that_a_reader_cannot_write_is_told_so(shared_file: Path):
    shared_file.chmod(0o444)
    shared_file.parent.chmod(0o555)

    message = in_a_process_without_rights(read, shared_file)
    shared_file.parent.chmod(0o755)

    assert "allow this user to" in message
    assert "SQLite keeps files of its own next to the database" in message


def test_a_deleted_file_is_told_so_and_not_made_anew(sqlite_file: Path):
    with Store.open(f"sqlite:///{sqlite_file}") as store:
        for file in sqlite_file.parent.iterdir():
            file.unlink()

        with pytest.raises(StoreError, match="cannot be opened"):
            store.register_monitor(facts(), now=NOW)

    assert list(sqlite_file.parent.iterdir()) == []


def read(url: str) -> None:
    with Store.open(url, read_only=True) as store:
        store.snapshot_keys()


def write(url: str) -> None:
    with Store.open(url) as store:
        store.register_monitor(facts(), now=NOW)


def in_a_process_without_rights(work, file: Path) -> str:
    """The message of the error that some work on a database ends with, done by nobody in particular."""
    context = multiprocessing.get_context("fork")
    messages = context.Queue()

    def run() -> None:
        if os.geteuid() == 0:
            os.setgid(pwd.getpwnam("nobody").pw_gid)
            os.setuid(pwd.getpwnam("nobody").pw_uid)
        try:
            work(f"sqlite:///{file}")
            messages.put("no error")
        except Exception as error:  # noqa: BLE001 - told to the test, which waits for it
            messages.put(str(error))

    process = context.Process(target=run)
    process.start()
    message: str = messages.get(timeout=60)
    process.join()
    return message


def test_tables_that_somebody_dropped_are_told_so(results_database: str, request: pytest.FixtureRequest):
    name = request.getfixturevalue("postgresql") if "postgresql" in results_database else None
    url = results_database if name is None else request.getfixturevalue("postgresql_server").url(name)
    with Store.open(url) as store:
        with store._database.writing() as connection:
            connection.execute(text("DROP TABLE driftmon_runs"))

        with pytest.raises(StoreVersionError, match="driftmon_runs") as error:
            fill(url)

    assert_one_helpful_line(error.value, "run: driftmon db upgrade")


def test_what_results_refer_to_cannot_be_deleted(results_database: str):
    fill(results_database)
    with Store.open(results_database) as store:
        with pytest.raises(StoreError, match=r"(?i)foreign key"), store._database.writing() as connection:
            connection.execute(text("DELETE FROM driftmon_baselines"))

        assert store.load_checks("flights") == [RESULT]


def test_a_deleted_monitor_takes_everything_with_it(results_database: str):
    fill(results_database)
    with Store.open(results_database) as store:
        with store._database.writing() as connection:
            connection.execute(text("DELETE FROM driftmon_monitors"))

        with store._database.reading() as connection:
            assert [
                connection.execute(select(func.count()).select_from(table)).scalar() for table in metadata.sorted_tables
            ] == [0] * len(metadata.sorted_tables)


# PostgreSQL


def test_a_server_that_is_not_there_is_worth_another_try():
    with pytest.raises(StoreUnavailable, match="cannot be reached") as error:
        Store.open(f"postgresql://driftmon:{PASSWORD}@127.0.0.1:{free_port()}/results")

    assert_one_helpful_line(error.value, "driftmon:***@127.0.0.1", "refused", "try again")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"password": "wrong"}, "refuses the login", id="wrong password"),
        pytest.param({"user": "stranger"}, "refuses the login", id="wrong user"),
        pytest.param({"database": "nowhere"}, "does not exist", id="wrong database"),
    ],
)
def test_a_url_that_the_server_refuses_is_not_tried_again(postgresql_server: PostgreSQL, change, words):
    with pytest.raises(StoreError, match=words) as error:
        Store.open(postgresql_server.url(**change))

    assert_one_helpful_line(error.value, "database URL")
    assert not error.value.retryable


def test_a_lost_connection_is_worth_another_try(postgresql_server: PostgreSQL, postgresql: str):
    with Store.open(postgresql_server.url(postgresql)) as store:
        with pytest.raises(StoreUnavailable) as error, store._database.reading() as connection:  # noqa: PT012 - the block is cut off
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
            postgresql_server.execute(f"SELECT pg_terminate_backend({pid})")
            connection.execute(text("SELECT 1"))

        assert_one_helpful_line(error.value, "try again")
        assert store.load_checks("flights") == [RESULT]


def test_a_restarted_server_is_not_noticed(postgresql_server: PostgreSQL, postgresql: str):
    with Store.open(postgresql_server.url(postgresql)) as store:
        store.snapshot_keys()
        postgresql_server.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{postgresql}'"
        )

        assert store.load_checks("flights") == [RESULT]


def test_a_locked_row_is_worth_another_try(
    postgresql_server: PostgreSQL, postgresql: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(engine, "PATIENCE", 1)
    url = postgresql_server.url(postgresql)
    with psycopg.connect(url) as other, Store.open(url) as store:
        other.execute("SELECT * FROM driftmon_monitors FOR UPDATE")

        with pytest.raises(StoreUnavailable, match="is locked by another process") as error:
            store.register_monitor(facts(), now=NOW)

        assert_one_helpful_line(error.value, "try again")
        assert store.load_checks("flights") == [RESULT], "readers do not wait for writers"


def test_missing_rights_are_told_so(postgresql_server: PostgreSQL, postgresql: str):
    reader = "reader_of_results"
    postgresql_server.execute(f"CREATE ROLE {reader} LOGIN PASSWORD '{PASSWORD}'")
    try:
        postgresql_server.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}", postgresql)
        url = postgresql_server.url(postgresql, user=reader)

        with Store.open(url) as store:
            assert store.load_checks("flights") == [RESULT], "reading needs no other rights"
            with pytest.raises(StoreError, match="refuses access") as error:
                store.register_monitor(facts(), now=NOW)

        assert_one_helpful_line(error.value, "permission denied for table driftmon_monitors", "GRANT")
    finally:
        postgresql_server.execute(f"DROP OWNED BY {reader}", postgresql)
        postgresql_server.execute(f"DROP ROLE {reader}")


def test_a_read_only_server_is_told_so(postgresql_server: PostgreSQL, postgresql: str):
    postgresql_server.execute(f"ALTER DATABASE {postgresql} SET default_transaction_read_only = on")

    with Store.open(postgresql_server.url(postgresql)) as store:
        assert store.load_checks("flights") == [RESULT]
        with pytest.raises(StoreError, match="is read-only") as error:
            store.register_monitor(facts(), now=NOW)

    assert_one_helpful_line(error.value, "primary server")


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("53100", StoreError, "is full"),
        ("53300", StoreUnavailable, "is out of resources"),
        ("40P01", StoreUnavailable, "was in conflict"),
        ("57P03", StoreUnavailable, "was interrupted"),
        ("XX001", StoreError, "is damaged"),
        ("P0001", StoreError, "reports an error"),
    ],
)
def test_what_the_server_reports_is_told_with_a_remedy(
    postgresql_server: PostgreSQL, postgresql: str, code, kind, words
):
    postgresql_server.execute(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'so it is' USING ERRCODE = '{code}'; END $$",
        postgresql,
    )
    postgresql_server.execute(
        "CREATE TRIGGER fail BEFORE INSERT ON driftmon_column_results EXECUTE FUNCTION fail()", postgresql
    )

    with Store.open(postgresql_server.url(postgresql)) as store:
        with pytest.raises(StoreError, match=words) as error:
            store.save_check(result_of(BASELINE, rows(2, shift=1), day(1)), facts(), started_at=NOW, now=NOW)

        assert type(error.value) is kind
        assert_one_helpful_line(error.value, "(so it is CONTEXT")
        assert store.load_checks("flights") == [RESULT], "the old result stands"


def test_a_database_that_holds_only_latin_letters_refuses_others_in_words(postgresql_server: PostgreSQL):
    postgresql_server.execute("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    try:
        from driftmon.store.migrate import upgrade

        upgrade(postgresql_server.url("latin"))
        with Store.open(postgresql_server.url("latin")) as store, pytest.raises(StoreError, match="LATIN1") as error:
            store.register_monitor(facts(owner="😀"), now=NOW)
        assert_one_helpful_line(error.value)
    finally:
        postgresql_server.drop_database("latin")


def test_a_forked_process_uses_connections_of_its_own(results_database: str):
    fill(results_database)
    with Store.open(results_database) as store:
        store.snapshot_keys()
        context = multiprocessing.get_context("fork")
        answers = context.Queue()

        def run() -> None:
            answers.put([result.window for result in store.load_checks("flights")])
            store.close()

        processes = [context.Process(target=run) for _ in range(3)]
        for process in processes:
            process.start()

        assert [answers.get(timeout=60) for _ in processes] == [[day(1)]] * 3
        for process in processes:
            process.join()
        assert store.load_checks("flights") == [RESULT]
