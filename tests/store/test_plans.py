"""No question reads all results: what is looked up has an index, whatever the size of a table."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from driftmon.core.verdict import Status
from driftmon.report.views import column_view, monitor_view
from driftmon.store import schema
from driftmon.store.engine import Database
from driftmon.store.retention import Retention
from driftmon.store.store import Store
from tests.store.factories import NOW, baseline_of, day, facts, result_of, rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection, Table

BASELINE = baseline_of(rows(0, 600), days=10)
LARGE = ("driftmon_column_results", "driftmon_baseline_histograms", "driftmon_checks", "driftmon_runs")

QUESTIONS: dict[str, Callable[[Store], Any]] = {
    "newest check": lambda store: store.load_checks("flights", limit=1),
    "one window": lambda store: store.load_checks("flights", window=day(2)),
    "history of a column": lambda store: store.load_checks("flights", column="delay"),
    "timeline": lambda store: store.timeline("flights", limit=60),
    "timeline of a column": lambda store: store.timeline("flights", limit=60, column="delay"),
    "strip of a monitor": lambda store: store.strips(["flights"], limit=30),
    "since when": lambda store: store.breached_since("flights", [("delay", None)]),
    "snapshot": lambda store: store.monitor_snapshot("flights"),
    "alerts": lambda store: store.alerted("flights", day(1).start, day(9).end),
    "windows": lambda store: store.checked_windows("flights", day(1).start, day(9).end),
    "last failure": lambda store: store.last_failure("flights"),
    "page of a monitor": lambda store: monitor_view(store, facts(), details=True),
    "page of a column": lambda store: column_view(store, facts(), ("delay", None)),
    "saving": lambda store: store.save_check(
        result_of(BASELINE, rows(9, shift=1.0), day(3)), facts(), started_at=NOW, now=NOW
    ),
    "what can be pruned": lambda store: store.outlook("flights", Retention(NOW, NOW - timedelta(days=1))),
}


@pytest.fixture
def store(results_database: str):
    with Store.open(results_database) as opened:
        opened.save_baseline("flights", BASELINE, now=NOW)
        opened.promote("flights", BASELINE.id, now=NOW)
        for number in range(1, 6):
            result = result_of(BASELINE, rows(number, shift=float(number > 3)), day(number))
            opened.save_check(result, facts(), started_at=NOW, now=NOW)
        yield opened


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_question_finds_its_rows_by_an_index(store: Store, question: str):
    asked: list[tuple[str, Any]] = []

    @event.listens_for(store._database._engine, "before_cursor_execute")
    def listen(_connection, _cursor, statement, parameters, _context, many) -> None:
        if not many and statement.lstrip().startswith(("SELECT", "DELETE", "UPDATE")):
            asked.append((statement, parameters))

    QUESTIONS[question](store)
    event.remove(store._database._engine, "before_cursor_execute", listen)
    with store._database.reading() as connection:
        plans = [_plan(connection, *each) for each in asked]

    assert plans
    scanned = [line for plan in plans for line in plan if _is_scan(line)]
    assert not scanned, f"{question} reads a whole table: {scanned}"


def _plan(connection: Connection, statement: str, parameters: Any) -> list[str]:
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [row[3] for row in found]
    # These tables are small, so that reading them whole is what PostgreSQL would choose; asked not to, it does where it must.
    connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    return list(connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars())


def _is_scan(line: str) -> bool:
    return any(
        f"Seq Scan on {table} " in line or line.split(" USING ", maxsplit=1)[0] == f"SCAN {table}" for table in LARGE
    )


def test_every_foreign_key_begins_an_index():
    def indexes(table: Table) -> list[list[str]]:
        unique = [
            item
            for item in table.constraints
            if hasattr(item, "columns") and type(item).__name__ != "ForeignKeyConstraint"
        ]
        return [[column.name for column in each.columns] for each in (*table.indexes, *unique)]

    for table in schema.metadata.tables.values():
        for key in table.foreign_key_constraints:
            names = [column.name for column in key.columns]
            assert any(found[: len(names)] == names for found in indexes(table)), f"{table.name}: {names}"


def test_the_index_of_breaches_is_of_all_of_them(upgraded_sqlite):
    with (
        closing(Database(f"sqlite:///{upgraded_sqlite}", read_only=True)) as database,
        database.reading() as connection,
    ):
        statement = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE name = 'ix_driftmon_column_results_breaches'"
        ).scalar_one()

    assert {status for status in Status if f"'{status}'" in statement} == {status for status in Status if status.breach}
