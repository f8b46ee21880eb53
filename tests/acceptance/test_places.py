"""The same rows in every place that a monitor file can name: the same baseline, the same counts, the same verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa

from driftmon.config import load_monitor
from driftmon.core.window import Window
from driftmon.pipeline import build_baseline, run_check
from driftmon.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from driftmon.core.result import CheckResult

START = pd.Timestamp("2026-03-01")
MONITOR = """
timezone: America/New_York
schedule: "@daily"
reference: {{{place}, timestamp: at, end: 2026-04-01}}
live: {{{place}, timestamp: at}}
columns: {{predictions: [score]}}
segments: [shop]
"""


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Forty days, over the hour that New York skips; prices rise on the last ones, and a shop opens."""
    rng = np.random.default_rng(7)
    count = 40 * 240
    at = START + pd.to_timedelta(np.arange(count) * 6, "min")
    late = at >= START + pd.Timedelta(days=36)
    shops = np.where(late & (rng.random(count) < 0.2), "new shop", rng.choice(["O'Hare", "Ünter", "c"], count))
    return pd.DataFrame(
        {
            "at": at,
            "price": np.where(late, 1.5, 1.0) * np.round(rng.lognormal(3, 1, count), 2),
            "score": np.where(rng.random(count) < 0.03, np.nan, rng.random(count)),
            "items": rng.integers(0, 9, count),
            "paid": rng.random(count) < 0.7,
            "shop": shops,
        }
    )


def parquet(rows: pd.DataFrame, folder: Path, request: pytest.FixtureRequest) -> str:
    rows.to_parquet(folder / "rows.parquet", row_group_size=1_000)
    return f"path: {folder}/rows.parquet"


def database(url: str, rows: pd.DataFrame) -> str:
    engine = sa.create_engine(url)
    # Half of the columns' databases have no NaN: a value that is missing is NULL in all of them.
    rows.to_sql("rows", engine, index=False, chunksize=500)
    engine.dispose()
    return f"sql: {{connection: '{url}', table: rows}}"


def sqlite(rows: pd.DataFrame, folder: Path, request: pytest.FixtureRequest) -> str:
    return database(f"sqlite:///{folder}/rows.db", rows)


def postgresql(rows: pd.DataFrame, folder: Path, request: pytest.FixtureRequest) -> str:
    return database(request.getfixturevalue("postgresql_url"), rows)


def duckdb(rows: pd.DataFrame, folder: Path, request: pytest.FixtureRequest) -> str:
    import duckdb as library

    with library.connect(folder / "rows.duckdb") as connection:
        connection.register("given", rows)
        connection.execute("create table rows as select * from given")
    return f"sql: {{connection: 'duckdb:///{folder}/rows.duckdb', table: rows}}"


def spark(rows: pd.DataFrame, folder: Path, request: pytest.FixtureRequest) -> str:
    for number, start in enumerate(range(0, len(rows), 4_000)):
        pq.write_table(pa.Table.from_pandas(rows[start : start + 4_000]), folder / f"{number}.parquet")
    return f"spark: {{path: '{folder}', remote: '{request.getfixturevalue('spark_connect')}'}}"


def delta(rows: pd.DataFrame, folder: Path, request: pytest.FixtureRequest) -> str:
    from deltalake import write_deltalake

    write_deltalake(str(folder), pa.Table.from_pandas(rows))
    return f"delta: {{path: '{folder}'}}"


PLACES: dict[str, Callable[..., str]] = {
    "sqlite": sqlite,
    "postgresql": postgresql,
    "duckdb": duckdb,
    "spark": spark,
    "delta": delta,
}


def checked(place: str, folder: Path) -> tuple[str, CheckResult]:
    """The name of the baseline, which is a hash of its content, and the check of a day on which prices had risen."""
    (folder / "monitors").mkdir()
    (folder / "monitors" / "shops.yaml").write_text(MONITOR.format(place=place))
    monitor = load_monitor(folder / "monitors" / "shops.yaml")
    day = pd.Timestamp("2026-04-08", tz=monitor.timezone).tz_convert("UTC")
    with Store.open(f"sqlite:///{folder}/driftmon.db") as store:
        baseline, _ = build_baseline(monitor, store)
        return baseline.id, run_check(
            monitor, store, Window(day.to_pydatetime(), (day + pd.Timedelta(days=1)).to_pydatetime())
        )


def said(result: CheckResult) -> list[dict[str, Any]]:
    """All that counts say; hints and most frequent values stand on samples in the order of rows, which not every place has."""
    return [
        {
            "column": (column.column, column.segment),
            "status": str(column.status),
            "counts": (column.reference, column.live),
            "scores": column.scores,
        }
        for column in result.columns
    ]


@pytest.mark.parametrize("place", PLACES)
def test_the_same_rows_are_the_same_check_wherever_they_are(rows, place, tmp_path, request):
    folders = [tmp_path / name for name in ("files", "elsewhere", "files-project", "elsewhere-project")]
    for folder in folders:
        folder.mkdir()

    expected_baseline, expected = checked(parquet(rows, folders[0], request), folders[2])
    baseline, found = checked(PLACES[place](rows, folders[1], request), folders[3])

    assert said(found) == said(expected)
    assert baseline == expected_baseline
    drifted = {(column.column, column.segment) for column in found.columns if column.status.breach}
    assert {("price", None), ("shop", None)} <= drifted
    assert found["shop"].live.novel > 0
