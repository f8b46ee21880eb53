"""Each role of the stack's PostgreSQL may do what its service needs, and nothing more."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from driftmon.store.migrate import upgrade
from driftmon.store.store import Store
from tests.compose.stack import psql, roles_on

PASSWORDS = {
    "airflow": "AIRFLOW_DB_PASSWORD",
    "driftmon": "DRIFTMON_DB_PASSWORD",
    "exporter": "EXPORTER_DB_PASSWORD",
    "grafana_reader": "GRAFANA_DB_PASSWORD",
}
VIEWS = ["grafana_column_bins", "grafana_column_results", "grafana_windows"]


@pytest.fixture(scope="module")
def url(stack, stack_server):
    """The address of a database for a role, with the password that the secrets have for it."""

    def url(role, database="driftmon"):
        return stack_server.url(database, user=role, password=stack.secrets[PASSWORDS[role]])

    return url


@pytest.fixture(scope="module")
def migrated(stack, stack_server, url):
    """The order of the stack: roles, migrations, grants."""
    upgrade(url("driftmon"))
    psql(stack, "grants", stack_server)
    return url


@pytest.fixture
def run(migrated):
    def run(role, statement, database="driftmon", *, before=()):
        with psycopg.connect(migrated(role, database), autocommit=True) as connection:
            for first in before:
                connection.execute(first)
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else None

    return run


def names(rows):
    return sorted(name for (name,) in rows)


READABLE = """
SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = 'public' AND relkind IN ('r', 'v', 'm', 'p') AND has_table_privilege(pg_class.oid, 'SELECT')
"""
WRITABLE = READABLE.replace("'SELECT'", "'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER'")


def test_grafana_reads_its_views_and_not_one_table(run):
    assert names(run("grafana_reader", READABLE)) == VIEWS

    with pytest.raises(errors.InsufficientPrivilege):
        run("grafana_reader", "SELECT * FROM driftmon_column_results")


@pytest.mark.parametrize("view", VIEWS)
def test_grafana_can_run_a_query_on_each_view(run, view):
    assert run("grafana_reader", f"SELECT * FROM {view}") == []


def test_the_exporter_reads_every_table_those_made_after_its_role_included(run):
    everything = names(run("driftmon", READABLE))

    assert names(run("exporter", READABLE)) == everything
    assert "driftmon_checks" in everything


def test_the_exporter_of_driftmon_can_read_what_it_needs_with_its_role(migrated):
    with Store.open(migrated("exporter"), read_only=True) as store:
        assert list(store.snapshot_keys()) == []


@pytest.mark.parametrize("role", ["exporter", "grafana_reader"])
def test_readers_may_write_nowhere(run, role):
    assert run(role, WRITABLE) == []


@pytest.mark.parametrize("role", ["exporter", "grafana_reader"])
@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM driftmon_monitors",
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "DROP VIEW grafana_windows",
        "ALTER ROLE driftmon PASSWORD 'x'",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_readers_are_refused_even_when_they_leave_their_read_only_mode(run, role, statement):
    with pytest.raises(errors.InsufficientPrivilege):
        run(role, statement, before=["SET default_transaction_read_only = off"])


@pytest.mark.parametrize("role", ["exporter", "grafana_reader"])
def test_readers_start_in_read_only_transactions_with_a_time_limit(run, role):
    assert run(role, "SHOW transaction_read_only") == [("on",)]
    assert run(role, "SHOW statement_timeout") != [("0",)]


@pytest.mark.parametrize("role", ["exporter", "grafana_reader", "driftmon"])
@pytest.mark.parametrize("database", ["airflow", "postgres"])
def test_nobody_gets_into_the_databases_of_others(run, role, database):
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        run(role, "SELECT 1", database)


def test_airflow_does_not_get_into_the_results(run):
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        run("airflow", "SELECT 1")


@pytest.mark.parametrize("role", PASSWORDS)
def test_no_role_is_more_than_it_has_to_be(run, role):
    rights = "rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls"

    found = run("driftmon", f"SELECT {rights} FROM pg_roles WHERE rolname = '{role}'")

    assert found == [(False,) * 5]


def test_airflow_owns_its_database_and_can_make_tables_there(run):
    run("airflow", "CREATE TABLE probe (id int); DROP TABLE probe", "airflow")


def test_a_second_run_changes_nothing_and_fails_at_nothing(stack, stack_server, run):
    before = {role: names(run(role, READABLE)) for role in ("exporter", "grafana_reader")}

    roles_on(stack, stack_server)
    psql(stack, "grants", stack_server)

    assert {role: names(run(role, READABLE)) for role in before} == before


def test_a_view_of_a_later_migration_is_readable_after_the_next_up(stack, stack_server, run):
    run("driftmon", "CREATE VIEW grafana_later AS SELECT 1 AS one; CREATE TABLE later (id int)")
    try:
        psql(stack, "grants", stack_server)

        assert run("grafana_reader", "SELECT one FROM grafana_later") == [(1,)]
        assert run("exporter", "SELECT * FROM later") == []
    finally:
        run("driftmon", "DROP VIEW grafana_later; DROP TABLE later")


def test_a_changed_password_holds_after_the_next_up(stack, stack_server, migrated):
    changed = stack.secrets | {"GRAFANA_DB_PASSWORD": "another"}
    services = stack.config["services"]
    roles = services["roles"] | {"environment": services["roles"]["environment"] | changed}
    try:
        roles_on(type(stack)(stack.config | {"services": services | {"roles": roles}}, changed), stack_server)

        psycopg.connect(stack_server.url("driftmon", user="grafana_reader", password="another")).close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(migrated("grafana_reader"))
    finally:
        roles_on(stack, stack_server)
