"""Rows in Delta Lake and Iceberg tables, read in this process through their own libraries."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, TypeAlias

from driftmon.errors import SourceError
from driftmon.sources.base import no_progress
from driftmon.sources.readable import ReadableSource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from driftmon.core.window import Window
    from driftmon.sources.arrow.batches import Batch, Field, Rows
    from driftmon.sources.arrow.reading import Reader
    from driftmon.sources.arrow.timefilter import TimeFilter
    from driftmon.sources.base import Progress

__all__ = ["DeltaSource", "IcebergSource"]

Table: TypeAlias = Any
Schema: TypeAlias = Any
Condition: TypeAlias = Any
"""Of the two libraries and of Arrow, which publish no types of these."""

_MISSING = "{place}: {what} tables need a library; run: pip install 'driftmon-pipeline[{extra}]'"

_LOST = "the table lists this file, but it is gone; restore it, or repair the table"


class DeltaSource(ReadableSource):
    """
    Rows of a Delta Lake table.

    Parameters
    ----------
    path : str or path
        Folder of the table, or its URL (``s3://``, ``gs://``, ``abfs://``); credentials come from the environment.
    version : int, optional
        Of the table; default: the newest, looked up once for each reading.
    timestamp, timezone, progress
        As of `driftmon.sources.files.FilesSource`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        version: int | None = None,
        timestamp: str | None = None,
        timezone: str = "UTC",
        progress: Progress = no_progress,
    ) -> None:
        self._path = os.fspath(path)
        self._version = version
        self._reading = (timestamp, timezone)
        self._progress = progress

    def _reader(self, window: Window | None) -> Reader:
        from driftmon.sources.arrow.reading import Reader  # noqa: PLC0415 - Arrow loads slowly; constructors must not

        return Reader(_DeltaRows(self._path, self._version), *self._reading, window, self._progress)


class IcebergSource(ReadableSource):
    """
    Rows of an Iceberg table.

    Parameters
    ----------
    catalog : str
        Its name in pyiceberg's own configuration: ``.pyiceberg.yaml`` or ``PYICEBERG_CATALOG__NAME__URI`` and the like.
    table : str
        ``namespace.table``.
    snapshot : int, optional
        Of the table; default: the newest, looked up once for each reading.
    timestamp, timezone, progress
        As of `driftmon.sources.files.FilesSource`.
    """

    def __init__(
        self,
        catalog: str,
        table: str,
        *,
        snapshot: int | None = None,
        timestamp: str | None = None,
        timezone: str = "UTC",
        progress: Progress = no_progress,
    ) -> None:
        self._catalog = catalog
        self._table = table
        self._snapshot = snapshot
        self._reading = (timestamp, timezone)
        self._progress = progress

    def _reader(self, window: Window | None) -> Reader:
        from driftmon.sources.arrow.reading import Reader  # noqa: PLC0415 - as above

        rows = _IcebergRows(self._catalog, self._table, self._snapshot)
        return Reader(rows, *self._reading, window, self._progress)


class _DeltaRows:
    """One version of a Delta table, through Arrow's reader of its files; through Delta's own where files alone do not say which rows are left."""

    def __init__(self, path: str, version: int | None) -> None:
        from driftmon.sources.faults import reading  # noqa: PLC0415 - as above

        self.place = re.sub(r"//[^/@]*@", "//", path).partition("?")[0]
        self._remote = "://" in path
        try:
            import deltalake  # noqa: PLC0415 - an extra
            from deltalake import exceptions  # noqa: PLC0415
        except ImportError as exc:
            raise SourceError(_MISSING.format(place=self.place, what="Delta", extra="delta")) from exc
        with reading(self.place, remote=self._remote):
            try:
                self._table: Table = deltalake.DeltaTable(path, version=version)
            except exceptions.TableNotFoundError as exc:
                which = "" if version is None else f" of version {version}"
                raise SourceError(f"{self.place}: no Delta table{which} is here; check the path") from exc
            except exceptions.DeltaError as exc:
                if version is None or not str(exc).endswith(f"version {version}"):
                    raise
                newest = deltalake.DeltaTable(path).version()
                raise SourceError(
                    f"{self.place}: no Delta table of version {version} is here; the newest is {newest}"
                ) from exc
            try:
                self._dataset: Table | None = self._table.to_pyarrow_dataset()
                self.schema: Schema = self._dataset.schema
            except exceptions.DeltaProtocolError:  # deletion vectors, mapped columns
                self._dataset = None
                self.schema = self._scan().schema

    def fields(self) -> Sequence[Field]:
        """Every column."""
        return _fields(self.schema)

    def total(self, filter_: TimeFilter | None) -> int | None:
        """All rows, from what files say of themselves; unknown of a part of them."""
        from driftmon.sources.faults import reading  # noqa: PLC0415 - as above

        if filter_ is not None or self._dataset is None:
            return None
        with reading(self.place, remote=self._remote):
            rows: int = self._dataset.count_rows()
            return rows

    def batches(self, names: Collection[str], filter_: TimeFilter | None) -> Iterator[Batch]:
        """The rows, those of files and row groups outside of the filter left out."""
        from driftmon.sources.arrow.batches import BATCH_ROWS  # noqa: PLC0415 - as above

        chosen = _chosen(self.schema, names)
        if self._dataset is None:
            yield from _batches(self, self._remote, self._scan(chosen))
            return
        condition = None if filter_ is None else _arrow_condition(self.schema, filter_)
        found = self._dataset.scanner(columns=chosen, filter=condition, batch_size=BATCH_ROWS).to_batches()
        try:
            yield from _batches(self, self._remote, found)
        except SourceError as exc:
            if not exc.retryable:
                self._try_files(chosen, condition)
            raise

    def _try_files(self, columns: Sequence[str], condition: Condition | None) -> None:
        """Read files one by one, for the error to name the one that cannot be read: readers of many at once do not tell."""
        from driftmon.sources.faults import reading  # noqa: PLC0415 - as above

        if self._dataset is None:
            return
        for file in self._dataset.get_fragments(condition):
            name = f"{self.place}/{file.path}"
            with reading(name, remote=self._remote):
                try:
                    for _ in file.to_batches(schema=self.schema, columns=columns, filter=condition):
                        pass
                except FileNotFoundError as exc:
                    raise SourceError(f"{name}: {_LOST}") from exc

    def _scan(self, names: Sequence[str] | None = None) -> Table:
        """By Delta's own reader, which promises no order of rows."""
        import pyarrow as pa  # noqa: PLC0415 - as above

        return pa.RecordBatchReader.from_stream(self._table.scan(columns=names))


class _IcebergRows:
    """One snapshot of an Iceberg table."""

    def __init__(self, catalog: str, table: str, snapshot: int | None) -> None:
        from driftmon.sources.faults import one_line, reading  # noqa: PLC0415 - as above

        self.place = f"table {catalog}.{table}"
        try:
            from pyiceberg import exceptions  # noqa: PLC0415 - an extra
            from pyiceberg.catalog import load_catalog  # noqa: PLC0415
            from pyiceberg.io.pyarrow import schema_to_pyarrow  # noqa: PLC0415
        except ImportError as exc:
            raise SourceError(_MISSING.format(place=self.place, what="Iceberg", extra="iceberg")) from exc
        with reading(self.place, remote=True):
            try:
                self._table: Table = load_catalog(catalog).load_table(table)
            except (exceptions.NoSuchTableError, exceptions.NoSuchNamespaceError) as exc:
                raise SourceError(f"{self.place}: the catalogue has no such table; check its name") from exc
            except ValueError as exc:
                raise SourceError(
                    f"{self.place}: catalogue {catalog!r} cannot be used: {one_line(exc)}; describe it in .pyiceberg.yaml"
                ) from exc
            current = self._table.current_snapshot()
            self._snapshot = snapshot if snapshot is not None else current and current.snapshot_id
            if snapshot is not None and self._table.snapshot_by_id(snapshot) is None:
                known = [each.snapshot_id for each in self._table.snapshots()][-5:]
                raise SourceError(f"{self.place}: has no snapshot {snapshot}; the newest are {known}")
            self.schema: Schema = schema_to_pyarrow(self._scan().projection(), include_field_ids=False)

    def fields(self) -> Sequence[Field]:
        """Every column of the snapshot."""
        return _fields(self.schema)

    def total(self, filter_: TimeFilter | None) -> int | None:
        """All rows, from the table's own books; unknown of a part of them."""
        from driftmon.sources.faults import reading  # noqa: PLC0415 - as above

        if filter_ is not None:
            return None
        with reading(self.place, remote=True):
            rows: int = self._scan().count()
            return rows

    def batches(self, names: Collection[str], filter_: TimeFilter | None) -> Iterator[Batch]:
        """The rows, those outside of the filter left out where the table's books tell them."""
        from driftmon.sources.faults import reading  # noqa: PLC0415 - as above

        options: dict[str, Any] = {"selected_fields": tuple(_chosen(self.schema, names))}
        condition = None if filter_ is None else _iceberg_condition(self.schema, filter_)
        if condition is not None:
            options["row_filter"] = condition
        try:
            with reading(self.place, remote=True):
                found = self._scan(**options).to_arrow_batch_reader()
            yield from _batches(self, True, found)
        except SourceError as exc:
            if not exc.retryable:
                self._try_files(options)
            raise

    def _try_files(self, options: dict[str, Any]) -> None:
        """As of a Delta table: an error that names the file."""
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415 - as above

        from driftmon.sources.faults import reading  # noqa: PLC0415

        for task in self._scan(**options).plan_files():
            name = f"{self.place}: {task.file.file_path}"
            if task.file.file_format == "PARQUET":
                with reading(name, remote=True):
                    try:
                        with self._table.io.new_input(task.file.file_path).open() as stream:
                            for _ in ParquetFile(stream).iter_batches():
                                pass
                    except FileNotFoundError as exc:
                        raise SourceError(f"{name}: {_LOST}") from exc

    def _scan(self, **options: Any) -> Table:  # noqa: ANN401 - pyiceberg's own
        return self._table.scan(snapshot_id=self._snapshot, **options)


def _fields(schema: Schema) -> list[Field]:
    from driftmon.sources.arrow.batches import Field  # noqa: PLC0415 - as above

    return [Field(field.name, field.type) for field in schema]


def _chosen(schema: Schema, names: Collection[str]) -> list[str]:
    """The named columns that are there; one at least, for which rows are counted."""
    return [name for name in schema.names if name in names] or schema.names[:1]


def _batches(rows: Rows, remote: bool, found: Iterator[Any]) -> Iterator[Batch]:
    from driftmon.sources.arrow.batches import BATCH_ROWS, no_rows, record_batch  # noqa: PLC0415 - as above
    from driftmon.sources.faults import reading  # noqa: PLC0415

    fields = rows.fields()
    names = [field.name for field in fields]
    yield no_rows(fields, names)
    found = iter(found)
    while True:
        with reading(rows.place, remote=remote):
            batch = next(found, None)
        if batch is None:
            return
        for start in range(0, batch.num_rows, BATCH_ROWS):
            yield record_batch(batch.slice(start, BATCH_ROWS), names)


def _arrow_condition(schema: Schema, filter_: TimeFilter) -> Condition | None:
    there = filter_.column in schema.names
    return filter_.expression(schema.field(filter_.column).type) if there else None


def _iceberg_condition(schema: Schema, filter_: TimeFilter) -> Condition | None:
    """The window in the units of the column, in which Iceberg takes plain numbers for timestamps and dates."""
    import pyarrow.types as pat  # noqa: PLC0415 - as above
    from pyiceberg.expressions import And, GreaterThanOrEqual, LessThanOrEqual  # noqa: PLC0415

    from driftmon.sources.arrow.times import cut  # noqa: PLC0415

    if filter_.column not in schema.names:
        return None
    arrow = schema.field(filter_.column).type
    if not (pat.is_timestamp(arrow) or pat.is_date(arrow)):
        return None
    lower, upper = (cut(end, arrow, filter_.zone) for end in (filter_.window.start, filter_.window.end))
    least: Condition = GreaterThanOrEqual
    most: Condition = LessThanOrEqual
    return And(least(filter_.column, lower), most(filter_.column, upper))
