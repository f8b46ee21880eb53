"""Whatever holds a table in memory, as an Arrow table."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pyarrow as pa

from driftmon.errors import SourceError
from driftmon.sources.arrow.batches import BATCH_ROWS, Field, no_rows, record_batch
from driftmon.sources.arrow.selection import check_distinct
from driftmon.sources.faults import one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from driftmon.sources.arrow.batches import Array, Batch
    from driftmon.sources.arrow.timefilter import TimeFilter

__all__ = ["TableRows", "as_table"]

Table: TypeAlias = Any
Data: TypeAlias = Any
Column: TypeAlias = Any
"""Whatever holds a table, and a column of it: an array, a list, a series."""

_REFUSED = (pa.ArrowException, TypeError, ValueError, OverflowError)
"""What Arrow raises for values that are not of one type; `UnicodeEncodeError` is a `ValueError`."""


class TableRows:
    """
    The rows of an Arrow table.

    Parameters
    ----------
    table : Arrow table
    batch_rows : int
    """

    place = "the data"

    def __init__(self, table: Table, batch_rows: int = BATCH_ROWS) -> None:
        self._table = table
        self._batch_rows = batch_rows

    def fields(self) -> Sequence[Field]:
        """Every column."""
        return [Field(field.name, field.type) for field in self._table.schema]

    def total(self, filter_: TimeFilter | None) -> int | None:
        """All rows: a table knows nothing of time."""
        del filter_
        rows: int = self._table.num_rows
        return rows

    def batches(self, names: Collection[str], filter_: TimeFilter | None) -> Iterator[Batch]:
        """Slices of the table, nothing copied."""
        del filter_
        all_names = self._table.column_names
        # One column at least: Arrow tells the rows of a table from its columns.
        chosen = [name for name in all_names if name in names] or all_names[:1]
        table = self._table.select(chosen)
        if table.num_rows == 0:
            yield no_rows(self.fields(), all_names)
        for batch in table.to_batches(max_chunksize=self._batch_rows):
            yield record_batch(batch, all_names)


def as_table(data: Data) -> Table:
    """
    The one table that all rows in memory become.

    Nothing is copied where the other side already holds its columns the way Arrow does.

    Raises
    ------
    SourceError
        If the data are no table, two columns share a name, or columns differ in length.
    """
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(data, pandas.DataFrame):
        return _from_columns(list(map(str, data.columns)), [data.iloc[:, place] for place in range(data.shape[1])])
    if isinstance(data, Mapping):
        return _from_columns(list(map(str, data)), list(data.values()))
    if not hasattr(data, "__arrow_c_stream__") and not hasattr(data, "__arrow_c_array__"):
        lazy = "; call .collect() first" if hasattr(data, "collect") else ""
        raise SourceError(
            f"cannot read rows from {type(data).__name__!r}; expected a pandas or Polars data frame, an Arrow table, "
            f"a DuckDB relation or a dict of arrays{lazy}"
        )
    try:
        table = pa.table(data)
    except _REFUSED as exc:
        raise SourceError(f"cannot read {type(data).__name__!r} as a table: {one_line(exc)}") from exc
    check_distinct(table.column_names)
    return table


def _from_columns(names: list[str], columns: Sequence[Column]) -> Table:
    check_distinct(names)
    arrays = [_as_array(name, column) for name, column in zip(names, columns, strict=True)]
    lengths = {len(array): name for name, array in zip(names, arrays, strict=True)}
    if len(lengths) > 1:
        told = ", ".join(f"{name!r} has {rows}" for rows, name in lengths.items())
        raise SourceError(f"columns must have the same number of rows: {told}")
    return pa.Table.from_arrays(arrays, names=names)


def _as_array(name: str, column: Column) -> Array:
    if isinstance(column, str | bytes) or not hasattr(column, "__len__"):
        raise SourceError(f"column {name!r} is {column!r}; expected an array or a list")
    if getattr(column, "ndim", 1) != 1:
        raise SourceError(f"column {name!r} has {column.ndim} dimensions; expected one")
    try:
        return _typed(column)
    except _REFUSED:
        pass
    try:
        return _mixed(column)
    except _REFUSED as exc:
        raise SourceError(f"column {name!r} cannot be read: {one_line(exc)}") from exc


def _typed(column: Column) -> Array:
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return column
    pandas = type(column).__module__.startswith("pandas")
    if hasattr(column, "__arrow_c_stream__") and not pandas:
        return pa.chunked_array(column)
    dtype = getattr(column, "dtype", None)
    if type(dtype).__name__ == "SparseDtype":
        column = np.asarray(column)
        dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind == "f":
        # As it is: turning NaN into null would read every value once more.
        return pa.array(np.asarray(column), from_pandas=False)
    return pa.array(column, from_pandas=True)


def _mixed(column: Column) -> Array:
    """Values of several types become categories of their `str`."""
    strings = [None if _is_missing(value) else str(value) for value in column]
    try:
        return pa.array(strings, pa.large_string())
    except UnicodeEncodeError:
        # Lone surrogates: Arrow keeps any bytes, it only refuses to make them from such a string.
        encoded = [None if string is None else string.encode("utf-8", "surrogatepass") for string in strings]
        return pa.array(encoded, pa.large_binary()).cast(pa.large_string(), safe=False)


def _is_missing(value: object) -> bool:
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))
