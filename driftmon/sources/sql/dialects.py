"""What databases do differently: the little that counting needs to know of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, case, cast, func, literal_column, text, types
from sqlalchemy.dialects import mysql, postgresql

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Dialect", "dialect_of"]

Expression = ColumnElement[Any]


def _filtered(condition: ColumnElement[bool]) -> Expression:
    return func.count().filter(condition)


def _cased(condition: ColumnElement[bool]) -> Expression:
    return func.count(case((condition, literal_column("1"))))


def _truncated(unit: str, value: Expression) -> Expression:
    return func.date_trunc(literal_column(f"'{unit}'"), value)


@dataclass(frozen=True)
class Dialect:
    """
    How one kind of database counts.

    Parameters
    ----------
    name : str
        As SQLAlchemy calls it.
    count_if : callable
        The number of rows for which a condition holds, in the form that is fastest.
    is_nan : callable or None
        Whether a float is no number; None where there is no such float.
    nan_is_greatest : bool
        True where NaN is larger than all numbers, False where it compares with nothing.
    text : callable
        Text that is equal only if every byte is, whatever the collation of the column.
    text_end : str
        What `text` adds to a value, so that blanks at its end count.
    truncated : callable of (str, expression), or None
        The beginning of the ``hour`` or ``minute`` of a timestamp.
    most_terms, most_parameters : int
        What one statement may select, and bind.
    grouping_sets : bool
        True if one statement can group by several columns apart.
    packs : bool
        True if one exact sum can hold the counts of all bins; see `packing`.
    """

    name: str
    count_if: Callable[[ColumnElement[bool]], Expression] = _cased
    is_nan: Callable[[Expression], Any] | None = None
    nan_is_greatest: bool = False
    text: Callable[[Expression], Expression] = lambda value: value
    text_end: str = ""
    truncated: Callable[[str, Expression], Expression] | None = _truncated
    most_terms: int = 1_000
    most_parameters: int = 2_000
    grouping_sets: bool = False
    packs: bool = False


def dialect_of(name: str) -> Dialect:
    """The traits of a dialect; of one that nobody looked at, what every database can do."""
    return _KNOWN.get(name) or Dialect(name, truncated=None)


def _postgresql_text(value: Expression) -> Expression:
    # CHAR loses the blanks that only fill it up, enumerations become text.
    return cast(value, postgresql.TEXT).collate("C")


def _mysql_truncated(unit: str, value: Expression) -> Expression:
    form = {"hour": "%Y-%m-%d %H:00:00", "minute": "%Y-%m-%d %H:%i:00"}[unit]
    return cast(func.date_format(value, text(f"'{form}'")), mysql.DATETIME)


def _mssql_truncated(unit: str, value: Expression) -> Expression:
    return func.datetrunc(literal_column(unit), value)


def _bigquery_truncated(unit: str, value: Expression) -> Expression:
    return func.timestamp_trunc(value, literal_column(unit.upper()))


def _postgresql_nan(value: Expression) -> Expression:
    return value == literal_column("'NaN'")


_KNOWN = {
    each.name: each
    for each in (
        Dialect(
            "postgresql",
            count_if=_filtered,
            is_nan=_postgresql_nan,
            nan_is_greatest=True,
            text=_postgresql_text,
            most_terms=1_500,  # of 1,664 columns of a row
            most_parameters=30_000,
            grouping_sets=True,
            packs=True,
        ),
        Dialect(
            "duckdb",
            count_if=func.count_if,
            is_nan=func.isnan,
            nan_is_greatest=True,
            text=lambda value: cast(value, types.VARCHAR),
            most_terms=4_000,
            most_parameters=30_000,
            grouping_sets=True,
        ),
        Dialect(
            "sqlite",
            count_if=_filtered,
            text=lambda value: value.collate("BINARY"),
            truncated=None,
            most_terms=1_500,  # of 2,000 columns of a row
            most_parameters=900,  # of 999 in old versions
        ),
        Dialect(
            "mysql",
            # Numbers of bytes, not of letters; blanks at the end count in binary text alone.
            text=lambda value: cast(func.convert(value.op("USING")(text("utf8mb4"))), types.BINARY),
            truncated=_mysql_truncated,
            most_terms=3_000,
            most_parameters=30_000,
        ),
        Dialect(
            "mssql",
            text=lambda value: (cast(value, types.NVARCHAR) + literal_column("N'.'")).collate(
                "Latin1_General_100_BIN2"
            ),
            text_end=".",
            truncated=_mssql_truncated,
            most_terms=3_000,
            most_parameters=2_000,  # of 2,100
            grouping_sets=True,
        ),
        Dialect(
            "snowflake",
            count_if=func.count_if,
            is_nan=lambda value: value == literal_column("'NaN'::FLOAT"),
            nan_is_greatest=True,
            text=lambda value: func.collate(value, literal_column("''")),
            most_terms=3_000,
            most_parameters=10_000,
            grouping_sets=True,
        ),
        Dialect(
            "bigquery",
            count_if=func.countif,
            is_nan=func.is_nan,
            truncated=_bigquery_truncated,
            most_terms=5_000,
            most_parameters=9_000,  # of 10,000
            grouping_sets=True,
        ),
        Dialect(
            "redshift",
            is_nan=_postgresql_nan,
            nan_is_greatest=True,
            most_terms=1_500,
            most_parameters=30_000,
            grouping_sets=True,
        ),
        Dialect("trino", count_if=func.count_if, is_nan=func.is_nan, most_terms=1_500, grouping_sets=True),
    )
}
