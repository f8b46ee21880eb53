"""Values as the driver gives them, and as Arrow arrays of the column's type."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.types as pat
from sqlalchemy import case, cast, literal_column
from sqlalchemy.dialects import postgresql

from driftmon.sources.sql.relations import field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.types import TypeEngine

    from driftmon.sources.arrow.batches import Array
    from driftmon.sources.sql.columns import SqlColumn

__all__ = ["as_read", "converted"]

LARGEST = "1.7976931348623157e308"
"""Exact numbers beyond this are infinite as floats; PostgreSQL would refuse to convert them."""


def as_read(dialect: str, column: SqlColumn) -> ColumnElement[Any]:
    """What to select so that the driver gives values that `converted` understands."""
    value = field(column.name)
    if dialect != "postgresql" or column.type is None:
        return value
    if pat.is_string(column.type):
        # CHAR loses the blanks that only fill it up; enumerations and identifiers become text.
        return cast(value, postgresql.TEXT)
    if column.exact and pat.is_floating(column.type):
        return _as_float(value, column)
    if pat.is_timestamp(column.type) or pat.is_date(column.type):
        return _within_years(value, column)
    return value


def _as_float(value: ColumnElement[Any], column: SqlColumn) -> ColumnElement[Any]:
    number = cast(value, postgresql.DOUBLE_PRECISION)
    if column.precision is not None:
        return number
    infinite = cast(literal_column("'Infinity'"), postgresql.DOUBLE_PRECISION)
    return case(
        (
            value == cast(literal_column("'NaN'"), postgresql.NUMERIC),
            cast(literal_column("'NaN'"), postgresql.DOUBLE_PRECISION),
        ),
        (value > literal_column(LARGEST), infinite),
        (value < literal_column(f"-{LARGEST}"), -infinite),
        else_=number,
    )


def _within_years(value: ColumnElement[Any], column: SqlColumn) -> ColumnElement[Any]:
    """Null outside of the years 1 to 9999, which neither Python nor files know: PostgreSQL has 'infinity', and years BC."""
    kinds: dict[str, TypeEngine[Any]] = {
        "date": postgresql.DATE(),
        "timestamp": postgresql.TIMESTAMP(),
        "timestamptz": postgresql.TIMESTAMP(timezone=True),
    }
    kind = kinds[column.declared]
    first, last = (cast(literal_column(f"'{text}'"), kind) for text in ("0001-01-01", "9999-12-31 23:59:59.999999"))
    return case((value.between(first, last), value))


def converted(values: Sequence[Any], column: SqlColumn) -> Array:
    """
    Values of the driver as an Arrow array of the column's type; of another one where they do not fit it.

    SQLite keeps anything in any column: what is no number in a column of numbers makes text of all of it, which the kernel then
    finds to be of another type than the reference.
    """
    type_ = pa.string() if column.type is None else column.type
    try:
        return pa.array(_fitted(values, type_), type_)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        pass
    if pat.is_integer(type_) or pat.is_decimal(type_) or pat.is_boolean(type_):
        try:
            return pa.array([None if value is None else float(value) for value in values], pa.float64())
        except (TypeError, ValueError, OverflowError):
            pass
    return pa.array([None if value is None else _text(value) for value in values], pa.large_string())


def _fitted(values: Sequence[Any], type_: Any) -> Sequence[Any]:  # noqa: ANN401 - Arrow's
    if pat.is_floating(type_):
        # Arrow takes exact numbers for floats only one by one.
        if any(isinstance(value, str | bytes) for value in values):
            raise TypeError(values)
        return [None if value is None else float(value) for value in values]
    if pat.is_boolean(type_):
        if any(value not in (None, 0, 1) for value in values):
            raise ValueError(values)
        return [None if value is None else bool(value) for value in values]
    return values


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value.isoformat() if isinstance(value, datetime) else str(value)
