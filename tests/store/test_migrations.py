from __future__ import annotations

import re
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, column, insert, inspect, select, text
from sqlalchemy import table as lightweight_table

from driftmon.errors import StoreError, StoreVersionError
from driftmon.store import migrate, schema
from driftmon.store.engine import Database
from driftmon.store.store import Store
from tests.store.factories import NOW, baseline_of, day, facts, result_of, rows
from tests.store.views import VIEWS, drop_schema

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection


@pytest.fixture
def upgraded(empty_database: str) -> Iterator[Database]:
    migrate.upgrade(empty_database)
    with closing(Database(empty_database)) as database:
        yield database


def pretend_version(url: str, version: str) -> None:
    """Let another driftmon have been here."""
    with closing(Database(url)) as database, database.writing() as connection:
        connection.execute(text(f"UPDATE {schema.VERSION_TABLE} SET version_num = '{version}'"))


def test_the_migrations_end_in_the_schema(upgraded: Database):
    with upgraded.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
        )
        missing = produce_migrations(context, schema.metadata).upgrade_ops

    assert missing.is_empty(), f"a migration should do this:\n{render_python_code(missing)}"


def test_the_migrations_end_in_the_check_constraints_of_the_schema(upgraded: Database):
    def constraints(connection: Connection) -> dict[tuple[str, str], str]:
        found = inspect(connection)
        return {
            (table, check["name"]): check["sqltext"]
            for table in schema.metadata.tables
            for check in found.get_check_constraints(table)
        }

    with upgraded.writing() as connection:
        migrated = constraints(connection)
        drop_schema(connection)
        schema.metadata.create_all(connection)
        assert constraints(connection) == migrated

    assert len(migrated) == 4


def test_tables_that_were_made_anew_still_number_no_row_twice(tmp_path: Path):
    def numbered(connection: Connection) -> set[str]:
        query = text("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'")
        return set(connection.execute(query).scalars())

    migrate.upgrade(f"sqlite:///{tmp_path}/results.db")
    with closing(Database(f"sqlite:///{tmp_path}/results.db")) as database, database.migrating() as connection:
        migrated = numbered(connection)
        drop_schema(connection)
        schema.metadata.create_all(connection)
        assert numbered(connection) == migrated

    assert len(migrated) == 8


def test_the_newest_migration_is_the_version_of_the_schema(upgraded: Database):
    with upgraded.reading() as connection:
        script = ScriptDirectory.from_config(migrate.migrations(connection))

    assert script.get_heads() == [schema.SCHEMA_VERSION]
    assert all(re.fullmatch(r"\d{4}", revision.revision) for revision in script.walk_revisions())


def test_upgrading_twice_changes_nothing(empty_database: str):
    first = migrate.upgrade(empty_database)
    with Store.open(empty_database) as store:
        store.save_baseline("flights", baseline_of(rows(0)), now=NOW)
        before = store.list_baselines("flights")

    assert migrate.upgrade(empty_database) == first == migrate.current(empty_database)
    with Store.open(empty_database) as store:
        assert store.list_baselines("flights") == before


BASELINE = baseline_of(rows(0, 2_000), segments={"carrier=UA": rows(9, 400)})
RESULTS = [result_of(BASELINE, rows(number, shift=number / 4), day(number)) for number in (1, 2, 3)]


@pytest.fixture
def results_of_0001(empty_database: str, tmp_path: Path) -> str:
    """A database that the first driftmon made and filled: the rows of ours, without the columns that it did not know."""
    ours = f"sqlite:///{tmp_path}/ours.db"
    with Store.open(ours) as store:
        store.save_baseline("flights", BASELINE, now=NOW)
        store.promote("flights", BASELINE.id, now=NOW)
        for result in RESULTS:
            store.save_check(result, facts(), started_at=NOW, now=NOW)
    with closing(Database(ours)) as source, closing(Database(empty_database)) as target:
        with target.migrating() as connection:
            command.upgrade(migrate.migrations(connection), "0001")
        with source.reading() as reader, target.writing() as writer:
            known_tables = inspect(writer).get_table_names()
            for table in (table for table in schema.metadata.sorted_tables if table.name in known_tables):
                known = {column["name"] for column in inspect(writer).get_columns(table.name)} - {"id"}
                columns = [item for item in table.columns if item.name in known]
                found = reader.execute(select(*columns).order_by(*table.primary_key.columns)).mappings()
                old = lightweight_table(table.name, *(column(item.name, item.type) for item in columns))
                writer.execute(insert(old), [dict(row) for row in found])
    return empty_database


def test_what_is_in_a_database_of_version_0001_is_kept(results_of_0001: str):
    assert migrate.current(results_of_0001).found == "0001"

    assert migrate.upgrade(results_of_0001).up_to_date

    with Store.open(results_of_0001) as store:
        assert store.load_baseline("flights").learnt == BASELINE.learnt
        assert store.load_baseline("flights").id == BASELINE.id
        for loaded, result in zip(store.load_checks("flights"), reversed(RESULTS), strict=True):
            assert (loaded.window, loaded.status, loaded.live_rows) == (result.window, result.status, result.live_rows)
            for mine, theirs in zip(loaded.columns, result.columns, strict=True):
                assert (mine.column, mine.status, mine.live) == (theirs.column, theirs.status, theirs.live)
                assert mine.scores.kl == theirs.scores.kl
                assert (mine.calibration, mine.quality, mine.new, mine.sustained) == ("", (), (), None)


def test_a_database_of_version_0001_can_be_written_to_after_the_upgrade(results_of_0001: str):
    migrate.upgrade(results_of_0001)
    again = baseline_of(rows(0, 2_000), days=10)

    with Store.open(results_of_0001) as store:
        store.save_baseline("flights", again, now=NOW)
        saved = [
            store.save_check(result_of(BASELINE, rows(2), day(2)), facts(), started_at=NOW, now=NOW),
            store.save_check(result_of(again, rows(4), day(4)), facts(), started_at=NOW, now=NOW),
        ]

        assert store.load_baseline("flights", again.id) == again
        assert [store.load_checks("flights", window=result.window) for result in saved] == [[saved[0]], [saved[1]]]
        assert len(store.load_checks("flights")) == 4


def test_the_views_can_be_taken_back_and_made_again(results_of_0001: str):
    migrate.upgrade(results_of_0001)

    with closing(Database(results_of_0001)) as database:
        with database.migrating() as connection:
            command.downgrade(migrate.migrations(connection), "0002")
        with database.reading() as connection:
            assert inspect(connection).get_view_names() == []
        assert migrate.current(results_of_0001).found == "0002"
        assert migrate.upgrade(results_of_0001).up_to_date
        with database.reading() as connection:
            assert set(VIEWS) <= set(inspect(connection).get_view_names())
    with Store.open(results_of_0001) as store:
        assert len(store.load_checks("flights")) == len(RESULTS)


def test_windows_checked_before_0002_count_as_scheduled(results_of_0001: str):
    migrate.upgrade(results_of_0001)

    with closing(Database(results_of_0001)) as database, database.reading() as connection:
        assert set(connection.execute(select(schema.checks.c.scheduled)).scalars()) == {True}


def test_the_version_is_told_in_words(empty_database: str):
    assert migrate.upgrade(empty_database).up_to_date

    told = str(migrate.current(empty_database))

    assert f"has schema version {schema.SCHEMA_VERSION}, up to date" in told
    assert "s3cret-word" not in told


def test_an_upgrade_says_nothing_by_itself(empty_database: str, capfd: pytest.CaptureFixture[str]):
    migrate.upgrade(empty_database)

    assert capfd.readouterr() == ("", "")


def test_a_newer_database_is_left_alone(upgraded: Database, empty_database: str):
    pretend_version(empty_database, "0999")

    for use in (Store.open, migrate.upgrade):
        with pytest.raises(
            StoreVersionError,
            match=f"has schema version 0999, this driftmon needs {schema.SCHEMA_VERSION}; upgrade driftmon",
        ):
            use(empty_database)
    assert migrate.current(empty_database).newer


def test_an_older_database_names_the_command_that_upgrades_it(upgraded: Database, empty_database: str):
    pretend_version(empty_database, "0000")

    for read_only in (False, True):
        needed = f"has schema version 0000.*needs {schema.SCHEMA_VERSION}; run: driftmon db upgrade"
        with pytest.raises(StoreVersionError, match=needed):
            Store.open(empty_database, read_only=read_only)


def test_an_empty_postgresql_database_is_not_upgraded_by_chance(postgresql_url: str):
    with pytest.raises(StoreVersionError, match=r"no driftmon tables yet.*run: driftmon db upgrade") as error:
        Store.open(postgresql_url)

    assert "s3cret-word" not in str(error.value)
    assert migrate.current(postgresql_url).found is None


def test_an_absent_sqlite_file_is_made_with_its_folder(tmp_path: Path):
    with Store.open(f"sqlite:///{tmp_path}/a/b/results.db") as store:
        store.register_monitor(facts(), now=NOW)

    assert (tmp_path / "a/b/results.db").exists()


def test_an_empty_sqlite_file_is_filled(tmp_path: Path):
    (tmp_path / "results.db").touch()

    with Store.open(f"sqlite:///{tmp_path}/results.db") as store:
        assert store.snapshot_keys() == []


def test_a_sqlite_file_that_somebody_writes_is_waited_for(tmp_path: Path):
    file = tmp_path / "results.db"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(0.3, other.execute, ["ROLLBACK"])
        release.start()

        assert migrate.upgrade(f"sqlite:///{file}").up_to_date
        release.join()


def test_reading_makes_no_sqlite_file(tmp_path: Path):
    url = f"sqlite:///{tmp_path}/a/results.db"

    with pytest.raises(StoreVersionError, match="does not exist yet"):
        Store.open(url, read_only=True)
    assert migrate.current(url).found is None
    assert list(tmp_path.iterdir()) == []


def test_somebody_elses_database_is_not_used_by_chance(empty_database: str):
    with closing(Database(empty_database)) as database, database.migrating() as connection:
        connection.execute(text("CREATE TABLE theirs (x INTEGER)"))

    with pytest.raises(StoreVersionError, match="no driftmon tables yet"):
        Store.open(empty_database)


def test_an_upgrade_that_fails_leaves_nothing_behind(empty_database: str):
    with closing(Database(empty_database)) as database:
        with database.migrating() as connection:
            # The last table that the migration makes is there already.
            connection.execute(text("CREATE TABLE driftmon_runs (x INTEGER)"))

        with pytest.raises(StoreError, match="already exists"):
            migrate.upgrade(empty_database)

        with database.reading() as connection:
            assert inspect(connection).get_table_names() == ["driftmon_runs"]


def test_a_folder_may_have_any_name(tmp_path: Path):
    folder = tmp_path / "50% of a?b #c 'd' %41"

    with Store.open(URL.create("sqlite", database=f"{folder}/results.db")) as store:
        store.register_monitor(facts(), now=NOW)

    assert (folder / "results.db").exists()
