"""From Arrow arrays to what can be counted: plain numbers, or codes of categories."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from driftmon.core.layout import Kind
from driftmon.core.names import nearest
from driftmon.sources.arrow.decimals import read_decimals
from driftmon.sources.arrow.kinds import PARTS, ColumnType, Family, column_type, family_of, value_type
from driftmon.sources.arrow.parts import walls
from driftmon.sources.arrow.tally import coded
from driftmon.sources.arrow.text import ValueProblem, read_booleans, read_clocks, read_numbers, read_walls
from driftmon.sources.arrow.times import per_second
from driftmon.sources.faults import one_line

if TYPE_CHECKING:
    from driftmon.core.baseline import BaselineColumn
    from driftmon.sources.arrow.batches import Array, ArrowType, Batch
    from driftmon.sources.arrow.zones import Zone

__all__ = ["ColumnProblem", "Monitored", "countable", "monitored"]

TRUTH = pa.array(("false", "true"), pa.large_string())
NOTHING = pa.array((), pa.large_string())


class ColumnProblem(Exception):
    """A column that cannot be counted, and why; the others are none the worse for it."""


@dataclass(frozen=True)
class Monitored:
    """
    One monitored column, and where it comes from.

    Parameters
    ----------
    name : str
        As results call it.
    raw : str
        The column of the data; another name than `name` for parts of datetime columns only.
    kind : Kind
    dtype : str
        The reference's type, as people say it.
    part : str or None
        ``hour`` or ``weekday``.
    integer : bool
        True if the reference's type holds whole numbers only.
    """

    name: str
    raw: str
    kind: Kind
    dtype: str
    part: str | None = None
    integer: bool = False

    @property
    def family(self) -> Family:
        """The family of the reference's type."""
        return family_of(self.dtype, self.kind)


def monitored(name: str, column: BaselineColumn) -> Monitored:
    """A column of a baseline; the name of a datetime column ends with its part."""
    own = column.of or name
    if column.kind is Kind.DATETIME:
        raw, _, part = own.rpartition(".")
        return Monitored(name, raw, column.kind, column.dtype, part)
    return Monitored(name, own, column.kind, column.dtype)


def countable(batch: Batch, column: Monitored, zone: Zone) -> Array:
    """
    The values of a column in the one form that its kind is counted in.

    Returns
    -------
    Arrow array
        Integers or floats for numeric columns; a dictionary array of strings for all others. Null means missing.

    Raises
    ------
    ColumnProblem
        If the column is not there, is of another type than the reference's, or holds text that cannot be read as its type.
    """
    if column.raw not in batch.columns:
        raise ColumnProblem(f"gone: not in {batch.origin or 'the data'}; {nearest(column.raw, batch.names)}")
    array = batch.columns[column.raw]
    plain, live = _type_of(array.type)
    if not plain:
        array = _plain(array)
    if not _fits(column, live, untyped=column.raw in batch.untyped):
        raise ColumnProblem(
            f"type changed from {column.dtype} to {live.name}{batch.place}; "
            "make it what it was, or build a new baseline if it is meant to stay"
        )
    try:
        return _cast(array, live, column, zone) if column.part is None else _part(array, batch, column, zone)
    except ValueProblem as exc:
        raise ColumnProblem(f"{exc}{batch.place}; {column.raw!r} is {column.dtype} in the reference") from exc
    except pa.ArrowException as exc:
        raise ColumnProblem(f"{live.name} cannot be counted as {column.kind}{batch.place}: {one_line(exc)}") from exc


def _cast(array: Array, live: ColumnType, column: Monitored, zone: Zone) -> Array:
    if live.family is Family.NOTHING:
        return pa.nulls(len(array), pa.float64()) if column.kind is Kind.NUMERIC else _nothing(len(array))
    return _CASTS[column.kind](array, live, column, zone)


def _part(array: Array, batch: Batch, column: Monitored, zone: Zone) -> Array:
    family = column_type(array.type).family
    if family is Family.NOTHING:
        return _nothing(len(array))
    # Both parts need the wall clock, once.
    # What text means depends on the reference, of which monitors that share a scan have several.
    key = column.raw, column.family is Family.TIME
    if key not in batch.memo:
        batch.memo[key] = walls(_moments(_text(array), column, zone) if family is Family.TEXT else array, zone)
    return batch.memo[key].part(column.part)


def _moments(array: Array, column: Monitored, zone: Zone) -> Array:
    """Text as wall clocks: of days and hours, or of hours alone where the reference knows no days."""
    return read_clocks(array) if column.family is Family.TIME else read_walls(array, zone)


@lru_cache(maxsize=1_024)
def _type_of(arrow: ArrowType) -> tuple[bool, ColumnType]:
    """Whether values of a type can be taken as they are, and its column type: asked for each column of each batch."""
    live, plain = column_type(arrow), value_type(arrow)
    return plain == arrow or (pat.is_dictionary(arrow) and column_type(plain).family is Family.TEXT), live


def _plain(array: Array) -> Array:
    """Codes kept for text only: dictionaries of anything else are spelled out."""
    plain = value_type(array.type)
    if plain == array.type or (pat.is_dictionary(array.type) and column_type(plain).family is Family.TEXT):
        return array
    if pat.is_run_end_encoded(array.type):
        return _plain(pc.call_function("run_end_decode", [array]))
    return _plain(array.dictionary_decode())


def _fits(column: Monitored, live: ColumnType, *, untyped: bool) -> bool:
    if live.family in {Family.NOTHING, column.family}:
        return column.part is None or live.family not in PARTS or column.part in PARTS[live.family]
    if live.family is Family.TEXT:
        return untyped
    if column.kind is Kind.DATETIME:
        return column.part in PARTS.get(live.family, ())
    usual = column.kind is not Kind.CATEGORICAL and live.family.kind is column.kind
    return usual and Family.DURATION not in {live.family, column.family}


def _numbers(array: Array, live: ColumnType, column: Monitored, zone: Zone) -> Array:
    del column, zone
    if live.family is Family.TEXT:
        return read_numbers(_text(array))
    if live.family is Family.DURATION:
        return pc.divide(array.cast(pa.int64()).cast(pa.float64(), safe=False), float(per_second(array.type)))
    if live.family is Family.BOOLEAN:
        return array.cast(pa.uint8())
    return read_decimals(array) if pat.is_decimal(array.type) else array


def _categories(array: Array, live: ColumnType, column: Monitored, zone: Zone) -> Array:
    if live.family is Family.TEXT and column.family not in {Family.NUMBER, Family.BOOLEAN}:
        return coded(array)
    if live.family is Family.BOOLEAN or column.family is Family.BOOLEAN:
        return _booleans(array, live, column, zone)
    if Family.NUMBER in {live.family, column.family} or live.family is Family.DURATION:
        return _number_keys(_numbers(array, live, column, zone))
    if live.family is Family.TIMESTAMP:
        array = array.cast(pa.timestamp("us", array.type.tz), safe=False)
    return coded(array.cast(pa.string()))


def _booleans(array: Array, live: ColumnType, column: Monitored, zone: Zone) -> Array:
    if live.family is Family.TEXT:
        array = read_booleans(_text(array))
    elif live.family is Family.NUMBER:
        numbers = _numbers(array, live, column, zone).cast(pa.float64(), safe=False)
        known = pc.is_in(numbers, value_set=pa.array([0.0, 1.0, float("nan"), None]))
        if not pc.all(known).as_py():
            raise ValueProblem(str(array.filter(pc.invert(known))[0].as_py()), "0 or 1")
        array = pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.bool_()), numbers.cast(pa.bool_()))
    return _dictionary(array.cast(pa.int8()), TRUTH)


_CASTS = {
    Kind.NUMERIC: _numbers,
    Kind.CATEGORICAL: _categories,
    Kind.BOOLEAN: _booleans,
}


def _text(array: Array) -> Array:
    return array.dictionary_decode() if pat.is_dictionary(array.type) else array


def _nothing(rows: int) -> Array:
    return _dictionary(pa.nulls(rows, pa.int8()), NOTHING)


def _dictionary(codes: Array, keys: Array) -> Array:
    # Codes made here need no check.
    return pa.DictionaryArray.from_arrays(codes, keys, safe=False)


def _number_keys(array: Array) -> Array:
    """Numbers as categories: 5 and 5.0 are both "5", NaN is missing."""
    if pat.is_float16(array.type):
        array = array.cast(pa.float32())
    numbers = pc.dictionary_encode(array)
    keys = [_number_key(number) for number in np.asarray(numbers.dictionary)]
    return _dictionary(numbers.indices, pa.array(keys, pa.large_string()))


def _number_key(number: np.number[Any]) -> str | None:
    if np.isnan(number):
        return None
    whole = isinstance(number, np.integer) or float(number).is_integer()
    return str(int(number)) if whole else str(number)
