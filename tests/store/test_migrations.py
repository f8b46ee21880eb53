from __future__ import annotations

import re
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, inspect, text

from driftmon.errors import StoreError, StoreVersionError
from driftmon.store import migrate, schema
from driftmon.store.engine import Database
from driftmon.store.store import Store
from tests.store.factories import NOW, baseline_of, facts, rows

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
        schema.metadata.drop_all(connection)
        schema.metadata.create_all(connection)
        assert constraints(connection) == migrated

    assert len(migrated) == 3


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


def test_the_version_is_told_in_words(empty_database: str):
    assert migrate.upgrade(empty_database).up_to_date

    told = str(migrate.current(empty_database))

    assert "has schema version 0001, up to date" in told
    assert "s3cret-word" not in told


def test_an_upgrade_says_nothing_by_itself(empty_database: str, capfd: pytest.CaptureFixture[str]):
    migrate.upgrade(empty_database)

    assert capfd.readouterr() == ("", "")


def test_a_newer_database_is_left_alone(upgraded: Database, empty_database: str):
    pretend_version(empty_database, "0007")

    for use in (Store.open, migrate.upgrade):
        with pytest.raises(
            StoreVersionError, match="has schema version 0007, this driftmon needs 0001; upgrade driftmon"
        ):
            use(empty_database)
    assert migrate.current(empty_database).newer


def test_an_older_database_names_the_command_that_upgrades_it(upgraded: Database, empty_database: str):
    pretend_version(empty_database, "0000")

    for read_only in (False, True):
        with pytest.raises(StoreVersionError, match=r"has schema version 0000.*needs 0001; run: driftmon db upgrade"):
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
