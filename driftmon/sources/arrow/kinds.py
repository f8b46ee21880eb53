"""What kind of column a data type makes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import pyarrow.types as pat

from driftmon.core.layout import Kind

if TYPE_CHECKING:
    from driftmon.sources.arrow.batches import ArrowType

__all__ = ["PARTS", "ColumnType", "Family", "column_type", "family_of", "value_type"]


class Family(StrEnum):
    """Data types that can stand for each other: a reference column and its live column must be of one family."""

    NUMBER = "number"
    DURATION = "duration"
    BOOLEAN = "boolean"
    TEXT = "text"
    TIMESTAMP = "timestamp"
    DATE = "date"
    TIME = "time"
    NOTHING = "nothing"
    OTHER = "other"

    @property
    def kind(self) -> Kind | None:
        """How columns of the family are cut unless their owner says otherwise; None if they cannot be."""
        return _KINDS.get(self)


_KINDS = {
    Family.NUMBER: Kind.NUMERIC,
    Family.DURATION: Kind.NUMERIC,
    Family.BOOLEAN: Kind.BOOLEAN,
    Family.TEXT: Kind.CATEGORICAL,
    Family.TIMESTAMP: Kind.DATETIME,
    Family.DATE: Kind.DATETIME,
    Family.TIME: Kind.DATETIME,
}

PARTS: dict[Family, tuple[str, ...]] = {
    Family.TIMESTAMP: ("hour", "weekday"),
    Family.DATE: ("weekday",),
    Family.TIME: ("hour",),
}
"""The parts that columns of a family are monitored through."""


@dataclass(frozen=True)
class ColumnType:
    """
    A data type as people say it, whatever file or frame it comes from.

    Parameters
    ----------
    name : str
        Such as ``int64``, ``string``, ``timestamp``.
    family : Family
    integer : bool
        True for types that hold whole numbers only.
    """

    name: str
    family: Family
    integer: bool = False


def value_type(arrow: ArrowType) -> ArrowType:
    """The type of the values of a dictionary-coded or run-length-coded Arrow type; any other type itself."""
    while pat.is_dictionary(arrow) or pat.is_run_end_encoded(arrow):
        arrow = arrow.value_type
    return arrow


def column_type(arrow: ArrowType) -> ColumnType:
    """
    The column type of an Arrow type.

    Examples
    --------
    >>> import pyarrow as pa
    >>> column_type(pa.dictionary(pa.int8(), pa.large_string())).name
    'string'
    >>> column_type(pa.float16())
    ColumnType(name='float16', family=<Family.NUMBER: 'number'>, integer=False)
    """
    arrow = value_type(arrow)
    if pat.is_integer(arrow):
        return ColumnType(str(arrow), Family.NUMBER, integer=True)
    if pat.is_floating(arrow):
        return ColumnType(f"float{arrow.bit_width}", Family.NUMBER)
    if pat.is_decimal(arrow):
        return ColumnType("decimal", Family.NUMBER, integer=arrow.scale <= 0)
    for test, name, family in _SIMPLE:
        if test(arrow):
            return ColumnType(name, family)
    return ColumnType(_other_name(arrow), Family.OTHER)


_SIMPLE = (
    (pat.is_duration, "duration", Family.DURATION),
    (pat.is_boolean, "bool", Family.BOOLEAN),
    (pat.is_string, "string", Family.TEXT),
    (pat.is_large_string, "string", Family.TEXT),
    (pat.is_string_view, "string", Family.TEXT),
    (pat.is_timestamp, "timestamp", Family.TIMESTAMP),
    (pat.is_date, "date", Family.DATE),
    (pat.is_time, "time", Family.TIME),
    (pat.is_null, "null", Family.NOTHING),
)


def _other_name(arrow: ArrowType) -> str:
    extension = getattr(arrow, "extension_name", None)
    if extension is not None:
        return str(extension)
    if pat.is_nested(arrow):
        # Their full names spell out every field.
        return str(arrow).split("<", maxsplit=1)[0]
    return str(arrow).split("[", maxsplit=1)[0]


def family_of(dtype: str, kind: Kind) -> Family:
    """
    The family of a type name, as a baseline keeps it.

    Parameters
    ----------
    dtype : str
        As `ColumnType` spells it, or as another source does (``bigint``, ``varchar(20)``).
    kind : Kind
        Says it where the name says nothing.

    Examples
    --------
    >>> family_of("uint8", Kind.CATEGORICAL), family_of("varchar(20)", Kind.CATEGORICAL)
    (<Family.NUMBER: 'number'>, <Family.TEXT: 'text'>)
    """
    word = dtype.lower()
    for start, family in _STARTS:
        if word.startswith(start):
            return family
    return _USUAL.get(kind, Family.OTHER)


_USUAL = {
    Kind.NUMERIC: Family.NUMBER,
    Kind.BOOLEAN: Family.BOOLEAN,
    Kind.CATEGORICAL: Family.TEXT,
    Kind.DATETIME: Family.TIMESTAMP,
}

_STARTS = (
    (("duration", "interval"), Family.DURATION),
    (("int", "uint", "float", "double", "decimal", "numeric", "bigint", "smallint", "tinyint", "real"), Family.NUMBER),
    (("bool",), Family.BOOLEAN),
    (("string", "str", "text", "varchar", "char", "enum", "uuid"), Family.TEXT),
    (("timestamp", "datetime"), Family.TIMESTAMP),
    (("date",), Family.DATE),
    (("time",), Family.TIME),
)
