"""The rows of a database as Arrow batches, for what only whole rows can tell: layouts, blocks of rows, odd types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
from sqlalchemy import literal_column

from driftmon.sources.arrow.batches import BATCH_ROWS, Batch, Field, no_rows, record_batch
from driftmon.sources.sql.columns import described
from driftmon.sources.sql.duck import arrow_batches
from driftmon.sources.sql.engine import connected
from driftmon.sources.sql.values import as_read, converted
from driftmon.sources.sql.windows import time_condition

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy import Connection, Select

    from driftmon.sources.arrow.timefilter import TimeFilter
    from driftmon.sources.sql.columns import SqlColumn
    from driftmon.sources.sql.connections import Address
    from driftmon.sources.sql.relations import Relation

__all__ = ["SqlRows"]


class SqlRows:
    """
    The rows of a table or query, in the order that the database gives them.

    Parameters
    ----------
    address : Address
    relation : Relation
    place : str
        Both in words.
    """

    def __init__(self, address: Address, relation: Relation, place: str) -> None:
        self.place = place
        self._address = address
        self._relation = relation
        self._columns: list[SqlColumn] | None = None

    def fields(self) -> Sequence[Field]:
        """Every column."""
        if self._columns is None:
            with connected(self._address, self.place) as connection:
                self._columns = described(connection, self._relation)
        return as_fields(self._columns)

    def total(self, filter_: TimeFilter | None) -> int | None:
        """Nobody can tell without reading."""
        del filter_
        return None

    def batches(self, names: Collection[str], filter_: TimeFilter | None) -> Iterator[Batch]:
        """The rows of the filter's window, through one cursor, of which the server keeps what was not fetched yet."""
        with connected(self._address, self.place) as connection:
            columns = described(connection, self._relation)
            chosen = [column for column in columns if column.name in names]
            every = [column.name for column in columns]
            yield no_rows(as_fields(chosen), every, self._relation.name)
            read = [column for column in chosen if column.readable]
            statement = self._relation.select(*(as_read(connection.dialect.name, column) for column in read))
            if not read:
                statement = self._relation.select(literal_column("1"))  # rows that are only to be counted
            if filter_ is not None and filter_.column in every:
                found = columns[every.index(filter_.column)]
                statement = statement.where(*time_condition(connection.dialect.name, found, filter_))
            for arrays, rows in _fetched(connection, statement, read):
                yield self._batch(arrays, rows, chosen, every)

    def _batch(self, arrays: dict[str, Any], rows: int, chosen: Sequence[SqlColumn], every: Sequence[str]) -> Batch:
        absent = {column.name: pa.nulls(rows, column.type) for column in chosen if not column.readable}
        untyped = [column.name for column in chosen if column.type is None]
        columns = {column.name: arrays.get(column.name, absent.get(column.name)) for column in chosen}
        return Batch(rows, columns, every, self._relation.name, untyped)


def as_fields(columns: Sequence[SqlColumn]) -> list[Field]:
    """The columns as the kernel knows them."""
    return [Field(column.name, column.type) for column in columns]


def _fetched(
    connection: Connection, statement: Select[Any], columns: Sequence[SqlColumn]
) -> Iterator[tuple[dict[str, Any], int]]:
    """Arrays of some rows by column, and how many rows they are."""
    names = [column.name for column in columns]
    if connection.dialect.name == "duckdb":
        for batch in arrow_batches(connection, statement):
            yield dict(zip(names, record_batch(batch).columns.values(), strict=False)), batch.num_rows
        return
    streaming = connection.execution_options(stream_results=True, max_row_buffer=BATCH_ROWS)
    result = streaming.execute(statement)
    for rows in result.partitions(BATCH_ROWS):
        values = zip(*rows, strict=True)
        yield (
            {column.name: converted(list(each), column) for column, each in zip(columns, values, strict=False)},
            len(rows),
        )
