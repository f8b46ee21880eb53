"""What only SQLite has: statements of few parameters, values of any type in any column, time as text."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from driftmon.core.baseline import BaselineColumn
from driftmon.core.layout import Kind, NumericLayout
from driftmon.core.window import Window
from driftmon.errors import SourceError
from driftmon.sources.base import Selection
from driftmon.sources.memory import MemorySource
from driftmon.sources.sql.source import SqlSource
from tests.sources.sql.tables import into_sqlite

if TYPE_CHECKING:
    from pathlib import Path

START = datetime(2013, 5, 1, tzinfo=UTC)
DAY = Window(START, START + timedelta(days=1))


def test_more_columns_than_one_statement_holds_are_counted_by_several(tmp_path: Path) -> None:
    url = into_sqlite(pa.table({f"x{n}": [n] for n in range(100)}), tmp_path / "wide.db")
    edges = NumericLayout(tuple(float(n) for n in range(0, 100, 4)))
    columns = {f"x{n}": BaselineColumn(Kind.NUMERIC, "int64", edges) for n in range(100)}

    profile = SqlSource(url, table="rows").count(columns)

    assert [profile.histograms[f"x{n}"].counts.index(1) for n in range(100)] == [-(-n // 4) for n in range(100)]


@pytest.mark.parametrize(
    "text", ["2013-05-01 09:30:00", "2013-05-01T09:30:00.5", "2013-05-01T11:30+02:00", "2013-05-01"]
)
def test_time_in_any_form_of_iso_is_in_its_window(tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str) -> None:
    rows = {"at": ["2013-04-30 23:59:59.999999", text, "2013-05-02", None], "x": [1.0, 2.0, 3.0, 4.0]}
    url = into_sqlite(pa.table(rows), tmp_path / "rows.db")
    source = SqlSource(url, table="rows", timestamp="at")
    learnt = source.learn(Selection())

    with caplog.at_level(logging.INFO):
        profile = source.count(learnt.columns, DAY)

    assert profile.rows == 1
    assert profile == MemorySource(rows, timestamp="at").count(learnt.columns, DAY)
    assert "rows are read instead of counted in the database" in caplog.text


@pytest.mark.parametrize("part", ["booked.hour", "clock.hour", "sent.hour"])
def test_hours_of_text_are_those_of_the_same_times_in_memory(tmp_path: Path, part: str) -> None:
    # New York skipped the hour from two to three.
    booked = [datetime(2013, 3, 10, 1, 30) + timedelta(minutes=20 * n) for n in range(8)] * 20
    table = pa.table(
        {
            "booked": pa.array([*booked, None], pa.timestamp("us")),
            "clock": pa.array([*(each.time() for each in booked), time(23, 59, 59, 999_999)], pa.time64("us")),
            "sent": pa.array([*(each.replace(tzinfo=UTC) for each in booked), None], pa.timestamp("us", "UTC")),
        }
    )
    memory = MemorySource(table, timezone="America/New_York")
    source = SqlSource(into_sqlite(table, tmp_path / "rows.db"), table="rows", timezone="America/New_York")
    expected = memory.learn(Selection())

    assert source.learn(Selection()).layouts == expected.layouts
    assert source.count(expected.columns).histograms[part] == memory.count(expected.columns).histograms[part]


def test_time_that_is_no_time_is_an_error_and_not_a_row_less(tmp_path: Path) -> None:
    url = into_sqlite(pa.table({"at": ["2013-05-01", "soon"], "x": [1.0, 2.0]}), tmp_path / "rows.db")

    with pytest.raises(SourceError, match="value 'soon' is not an ISO date"):
        SqlSource(url, table="rows", timestamp="at").count({}, DAY)
