"""What a statement gives back, column by column: numbers, and the values that rows were grouped by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from driftmon.sources.arrow.batches import BATCH_ROWS
from driftmon.sources.sql.duck import arrow_batches
from driftmon.sources.sql.packing import Packed
from driftmon.sources.sql.values import converted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Select

    from driftmon.sources.sql.columns import SqlColumn

__all__ = ["answers"]


def answers(
    connection: Connection, statement: Select[Any], columns: Sequence[SqlColumn | Packed | None], *, many: bool = False
) -> Iterator[list[Any]]:
    """
    The rows of an answer, some at a time.

    Parameters
    ----------
    connection : Connection
    statement : Select
    columns : sequence of (SqlColumn, Packed or None)
        Whose values each column of the answer holds, or how counts are packed in it; None for whole numbers.
    many : bool
        True if the rows may be too many to hold.

    Yields
    ------
    list of (ndarray of int64, or Arrow array)
        For each column; numbers where there are none are 0.
    """
    if connection.dialect.name == "duckdb":
        for batch in arrow_batches(connection, statement):
            yield [
                array if column is not None else _integers(array)
                for array, column in zip(batch.columns, columns, strict=True)
            ]
        return
    if many:
        # The server keeps what was not fetched yet; and computes it on one processor, so not for few rows.
        connection = connection.execution_options(stream_results=True, max_row_buffer=BATCH_ROWS)
    result = connection.execute(statement)
    for rows in result.partitions(BATCH_ROWS):
        values = list(zip(*rows, strict=True))
        yield [_made(value, column) for value, column in zip(values, columns, strict=True)]


def _made(values: Sequence[Any], column: SqlColumn | Packed | None) -> Any:  # noqa: ANN401 - as above
    if column is None:
        return np.array([0 if each is None else int(each) for each in values], np.int64)
    return column.unpacked(values) if isinstance(column, Packed) else converted(list(values), column)


def _integers(array: Any) -> np.ndarray[Any, np.dtype[np.int64]]:  # noqa: ANN401 - Arrow's
    return np.asarray(array.cast(pa.int64()).fill_null(0), dtype=np.int64)
