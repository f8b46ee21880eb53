"""
The statements for databases that no test can start, as text: they compile, and change only when somebody means it.

``DRIFTMON_REWRITE_GOLDEN=1 pytest tests/sources/sql/test_golden.py`` writes them anew.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from sqlalchemy.dialects import registry

from driftmon.core.baseline import BaselineColumn
from driftmon.core.layout import CategoricalLayout, Kind, NumericLayout
from driftmon.core.window import Window
from driftmon.sources.arrow.timefilter import TimeFilter
from driftmon.sources.arrow.zones import Zone
from driftmon.sources.sql.columns import SqlColumn
from driftmon.sources.sql.counting import Counting
from driftmon.sources.sql.dialects import dialect_of
from driftmon.sources.sql.plan import plan_of
from driftmon.sources.sql.relations import relation
from driftmon.sources.sql.terms import CategoryTerm
from driftmon.sources.sql.ways import of_windows
from driftmon.sources.sql.windows import time_condition

if TYPE_CHECKING:
    from sqlalchemy import Select

GOLDEN = Path(__file__).parent / "golden"
DIALECTS = ["bigquery", "duckdb", "mssql", "mysql", "postgresql", "redshift", "snowflake", "sqlite", "trino"]
DRIVERS = {"postgresql": "postgresql.psycopg", "redshift": "redshift.psycopg2"}

LIVE = [
    SqlColumn("delay", pa.float64(), "double"),
    SqlColumn("seats", pa.int32(), "integer"),
    SqlColumn("fare", pa.float64(), "numeric", 2, 10, exact=True),
    SqlColumn("late", pa.bool_(), "boolean"),
    SqlColumn('carrier "code"', pa.string(), "text"),
    SqlColumn("tail", pa.string(), "text"),
    SqlColumn("booked", pa.timestamp("us"), "timestamp"),
    SqlColumn("sent", pa.timestamp("us", "UTC"), "timestamptz"),
]
COLUMNS = {
    "delay": BaselineColumn(Kind.NUMERIC, "float64", NumericLayout((-0.5, 0.1, 2.0))),
    "seats": BaselineColumn(Kind.NUMERIC, "int32", NumericLayout((7.0, 99.5))),
    "fare": BaselineColumn(Kind.NUMERIC, "float64", NumericLayout((0.1, 19.99))),
    "late": BaselineColumn(Kind.BOOLEAN, "bool", CategoricalLayout(("false", "true")), 0),
    'carrier "code"': BaselineColumn(Kind.CATEGORICAL, "string", CategoricalLayout(("AA", "it's %s :x")), 0),
    "tail": BaselineColumn(Kind.CATEGORICAL, "string", CategoricalLayout(("N1",), b"12345678"), 3),
    "booked.hour": BaselineColumn(Kind.DATETIME, "timestamp", CategoricalLayout(("05", "06")), 0),
    "booked.weekday": BaselineColumn(Kind.DATETIME, "timestamp", CategoricalLayout(("Monday",)), 0),
    "sent.hour": BaselineColumn(Kind.DATETIME, "timestamp", CategoricalLayout(("05",)), 0),
}
START = datetime(2013, 5, 1, 4, tzinfo=UTC)
DAYS = [Window(START + timedelta(days=n), START + timedelta(days=n + 1)) for n in range(3)]


@pytest.mark.parametrize("name", DIALECTS)
def test_statements_are_the_ones_that_were_looked_at(name: str) -> None:
    text = "\n".join(f"{line.rstrip()}" for line in written(name).splitlines()) + "\n"

    file = GOLDEN / f"{name}.sql"
    if os.environ.get("DRIFTMON_REWRITE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text()


@pytest.mark.parametrize("name", DIALECTS)
def test_values_are_bound_and_never_part_of_a_statement(name: str) -> None:
    text = written(name)

    assert "it's" not in text
    assert "2013" not in text
    assert "19.99" not in text


def written(name: str) -> str:
    """All statements of a count and of a history."""
    dialect: Any = registry.load(DRIVERS.get(name, name))()
    traits, zone = dialect_of(dialect.name), Zone("America/New_York")
    source = relation('sales."Daily.Flights"', None)
    parts = []
    for word, windows, segments in (("count", None, {}), ("history", DAYS, {'carrier "code"': ["AA", "it's %s :x"]})):
        plan = plan_of(LIVE, COLUMNS, segments, traits, zone, "table")
        around = TimeFilter("booked", Window(DAYS[0].start, DAYS[-1].end), zone)
        conditions = time_condition(name, LIVE[6], around)
        way = None if windows is None else of_windows(LIVE[6], windows, zone)
        counting = Counting(source, conditions, plan, COLUMNS, segments, way, traits, zone)
        for ways in counting.statements():
            parts += [(f"{word}: aggregates", counting.aggregates(ways, terms)[0]) for terms in counting.chunks()]
            parts += [(f"{word}: groups", counting.groups(ways, raws)[0]) for raws in counting.sets()]
        terms = [term for term in plan.terms if isinstance(term, CategoryTerm)]
        parts += [(f"{word}: new categories", counting.new_categories(term)[0]) for term in terms]
    return "\n\n".join(f"-- {title}\n{compiled(statement, dialect)}" for title, statement in parts)


def compiled(statement: Select[Any], dialect: Any) -> str:
    return str(statement.compile(dialect=dialect))
