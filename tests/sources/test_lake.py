"""What only Delta and Iceberg tables have: versions, snapshots, files that need not be opened; the rest is in the contract."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from pyiceberg.catalog import Catalog, load_catalog
from pyiceberg.utils.config import Config

from driftmon.core.window import Window
from driftmon.errors import SourceError
from driftmon.sources.base import Selection
from driftmon.sources.lake import DeltaSource, IcebergSource

if TYPE_CHECKING:
    from pathlib import Path

FIRST = Window(datetime(2024, 2, 1, tzinfo=UTC), datetime(2024, 2, 2, tzinfo=UTC))
SECOND = Window(FIRST.end, FIRST.end + timedelta(days=1))


def day(window: Window, *, rows: int = 50) -> pa.Table:
    times = [window.start + timedelta(minutes=1 + n) for n in range(rows)]
    prices = pa.array([n % 7 / 2 for n in range(rows)], pa.float64())
    return pa.table({"price": prices, "shop": ["north", "south"] * (rows // 2), "time": times})


@pytest.fixture
def delta(tmp_path: Path) -> Path:
    """A table of two days, a file each."""
    for window in (FIRST, SECOND):
        write_deltalake(str(tmp_path / "table"), day(window), mode="append")
    return tmp_path / "table"


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """A catalogue named lake, in a SQLite file, with a table of two days, a file each."""
    for key, value in {
        "TYPE": "sql",
        "URI": f"sqlite:///{tmp_path}/lake.db",
        "WAREHOUSE": f"file://{tmp_path}/lake",
    }.items():
        monkeypatch.setenv(f"PYICEBERG_CATALOG__LAKE__{key}", value)
    monkeypatch.setattr("pyiceberg.catalog._ENV_CONFIG", Config())  # it is read when the library is loaded
    made = load_catalog("lake")
    made.create_namespace("shop")
    table = made.create_table("shop.sales", day(FIRST).schema)
    for window in (FIRST, SECOND):
        table.append(day(window))
    return made


def rows(source: DeltaSource | IcebergSource, window: Window | None = None) -> int:
    return source.count(source.learn(Selection(), FIRST).columns, window).rows


def damage(folder: Path, window: Window) -> None:
    """Overwrite the newest or the oldest data file of a table."""
    files = sorted(folder.rglob("*.parquet"), key=lambda file: file.stat().st_mtime_ns)
    files[0 if window is FIRST else -1].write_bytes(b"no Parquet")


def test_a_delta_table_is_read_as_of_now_or_as_of_a_version(delta: Path):
    assert rows(DeltaSource(delta, timestamp="time")) == 100
    assert rows(DeltaSource(delta, version=0, timestamp="time")) == 50
    assert DeltaSource(delta).inspect().rows == 100


def test_rows_that_a_delta_table_deleted_do_not_count(delta: Path):
    DeltaTable(delta).delete("shop = 'north'")

    assert rows(DeltaSource(delta, timestamp="time")) == 50


def test_files_of_a_delta_table_outside_of_the_window_are_not_opened(delta: Path):
    damage(delta, SECOND)
    source = DeltaSource(delta, timestamp="time")

    assert rows(source, FIRST) == 50
    with pytest.raises(SourceError, match=r"table/part-[^:]*\.parquet: cannot be read") as caught:
        rows(source, SECOND)
    assert "\x1b" not in str(caught.value)


def test_a_file_that_a_delta_table_has_lost_is_named(delta: Path):
    lost = min(delta.glob("*.parquet"), key=lambda file: file.stat().st_mtime_ns)
    lost.unlink()

    with pytest.raises(SourceError) as caught:
        rows(DeltaSource(delta, timestamp="time"))

    assert str(caught.value) == f"{lost}: the table lists this file, but it is gone; restore it, or repair the table"


def test_a_delta_table_with_deletion_vectors_is_read_by_its_own_library(delta: Path):
    log = delta / "_delta_log" / f"{0:020}.json"
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    features = {"readerFeatures": ["deletionVectors"], "writerFeatures": ["deletionVectors"]}
    for action in actions:
        if "protocol" in action:
            action["protocol"] = {"minReaderVersion": 3, "minWriterVersion": 7} | features
    log.write_text("\n".join(map(json.dumps, actions)) + "\n")
    source = DeltaSource(delta, timestamp="time")

    assert rows(source) == 100
    assert rows(source, SECOND) == 50
    assert [column.name for column in source.inspect().columns] == ["price", "shop", "time"]


@pytest.mark.parametrize(
    ("version", "message"),
    [(None, "no Delta table is here; check the path"), (7, "no Delta table of version 7 is here; the newest is 1")],
)
def test_a_delta_table_that_is_not_there_is_named(tmp_path: Path, delta: Path, version: int | None, message: str):
    path = delta if version else tmp_path / "nowhere"

    with pytest.raises(SourceError, match=message) as error:
        DeltaSource(path, version=version).inspect()

    assert str(path) in str(error.value)
    assert not error.value.retryable


@pytest.mark.usefixtures("catalogue")
def test_an_iceberg_table_is_read_as_of_now_or_as_of_a_snapshot(catalogue: Catalog):
    first, _ = catalogue.load_table("shop.sales").snapshots()

    assert rows(IcebergSource("lake", "shop.sales", timestamp="time")) == 100
    assert rows(IcebergSource("lake", "shop.sales", snapshot=first.snapshot_id, timestamp="time")) == 50
    assert IcebergSource("lake", "shop.sales").inspect().rows == 100


def test_files_of_an_iceberg_table_outside_of_the_window_are_not_opened(catalogue: Catalog, tmp_path: Path):
    del catalogue
    damage(tmp_path / "lake", SECOND)
    source = IcebergSource("lake", "shop.sales", timestamp="time")

    assert rows(source, FIRST) == 50
    with pytest.raises(SourceError, match=r"table lake\.shop\.sales: file:.*\.parquet: cannot be read"):
        rows(source, SECOND)


def test_a_file_that_an_iceberg_table_has_lost_is_named(catalogue: Catalog, tmp_path: Path):
    del catalogue
    source = IcebergSource("lake", "shop.sales", timestamp="time")
    columns = source.learn(Selection(), FIRST).columns
    lost = min((tmp_path / "lake").rglob("*.parquet"), key=lambda file: file.stat().st_mtime_ns)
    lost.unlink()

    with pytest.raises(SourceError, match=rf"shop\.sales: file://{lost}: the table lists this file, but it is gone"):
        source.count(columns)


def test_an_iceberg_table_without_rows_yet_is_empty(catalogue: Catalog):
    catalogue.create_table("shop.none", day(FIRST).schema)

    found = IcebergSource("lake", "shop.none", timestamp="time").inspect()

    assert found.rows == 0
    with pytest.raises(SourceError, match="no rows"):
        IcebergSource("lake", "shop.none").learn(Selection())


@pytest.mark.usefixtures("catalogue")
@pytest.mark.parametrize(
    ("source", "message"),
    [
        (IcebergSource("lake", "shop.gone"), "table lake.shop.gone: the catalogue has no such table; check its name"),
        (IcebergSource("lake", "nobody.sales"), "the catalogue has no such table"),
        (IcebergSource("sea", "shop.sales"), "catalogue 'sea' cannot be used: URI missing"),
        (IcebergSource("lake", "shop.sales", snapshot=5), "has no snapshot 5; the newest are"),
    ],
)
def test_an_iceberg_table_that_is_not_there_is_named(source: IcebergSource, message: str):
    with pytest.raises(SourceError, match=message) as error:
        source.inspect()

    assert "\n" not in str(error.value)
    assert not error.value.retryable


@pytest.mark.parametrize(
    ("source", "library", "extra"),
    [
        (DeltaSource("s3://key:secret@lake/sales?token=x"), "deltalake", "delta"),
        (IcebergSource("lake", "shop.sales"), "pyiceberg", "iceberg"),
    ],
)
def test_a_library_that_is_not_installed_is_named_with_what_installs_it(
    source: DeltaSource | IcebergSource, library: str, extra: str, monkeypatch: pytest.MonkeyPatch
):
    for name in [library, *(name for name in sys.modules if name.startswith(f"{library}."))]:
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(SourceError, match=rf"pip install 'driftmon-pipeline\[{extra}\]'") as error:
        source.inspect()

    assert "secret" not in str(error.value)
    assert "token" not in str(error.value)
