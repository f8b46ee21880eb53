"""DuckDB hands over Arrow batches itself: nothing of a row becomes a Python object."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from driftmon.sources.arrow.batches import BATCH_ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Select

    from driftmon.sources.arrow.batches import ArrowType, RecordBatch

__all__ = ["arrow_batches", "arrow_schema"]


def arrow_schema(connection: Connection, statement: Select[Any]) -> ArrowType:
    """The Arrow schema of what a statement selects."""
    with closing(_reader(connection, statement)) as reader:
        return reader.schema


def arrow_batches(connection: Connection, statement: Select[Any]) -> Iterator[RecordBatch]:
    """What a statement selects, as it is computed."""
    # DuckDB wants a result to be read or closed before the next one.
    with closing(_reader(connection, statement)) as reader:
        yield from reader


def _reader(connection: Connection, statement: Select[Any]) -> Any:  # noqa: ANN401 - Arrow publishes no types
    compiled: Any = statement.compile(dialect=connection.dialect)
    values = [compiled.params[name] for name in compiled.positiontup or ()]
    driver: Any = connection.connection.dbapi_connection
    relation = driver.sql(compiled.string, params=values) if values else driver.sql(compiled.string)
    # The method has another name since DuckDB 1.5.
    read = getattr(relation, "to_arrow_reader", None) or relation.fetch_arrow_reader
    return read(BATCH_ROWS)
