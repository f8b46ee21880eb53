"""
Values written as text: the fields of CSV files, the values in the names of partition folders.

Such text has no type of its own. What it means is decided once, from the whole reference (`Narrowing`), and from then on every
value has to be readable as that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat

from driftmon.sources.arrow.kinds import ColumnType, Family

if TYPE_CHECKING:
    from collections.abc import Callable

    from driftmon.sources.arrow.batches import Array, ArrowType
    from driftmon.sources.arrow.zones import Zone

__all__ = [
    "Narrowing",
    "ValueProblem",
    "has_naive",
    "read_booleans",
    "read_instants",
    "read_numbers",
]

MISSING_WORDS = ("", "na", "n/a", "#n/a", "#na", "nan", "-nan", "nat", "null", "none", "<na>")
"""What people and programs write for no value, in lower case. In categorical columns they stay values: NA is also Namibia."""

DATE = r"^\d{4}-\d{2}-\d{2}$"
WHOLE = r"^[+-]?\d+$"
ZONED = r"^\d{4}-\d{2}-\d{2}[T ].*(Z|[+-]\d{2}(:?\d{2})?)$"

SHOWN = 40
"""Characters of a value that a message shows."""


class ValueProblem(Exception):
    """
    A value that cannot be read as what its column holds.

    Parameters
    ----------
    value : str
    expected : str
        In words, such as ``a number``.
    """

    def __init__(self, value: str, expected: str) -> None:
        shown = value if len(value) <= SHOWN else f"{value[:SHOWN]}…"
        super().__init__(f"value {shown!r} is not {expected}")


def read_numbers(array: Array) -> Array:
    """
    Text as numbers.

    Returns
    -------
    Arrow array of float64
        Null where the text says that there is no value.

    Raises
    ------
    ValueProblem
        Naming the first text that is neither.
    """
    try:
        return array.cast(pa.float64())
    except pa.ArrowInvalid:
        return _cast(_present(array), pa.float64(), "a number")


def read_booleans(array: Array) -> Array:
    """Text as booleans, in any case of letters; as `read_numbers`, with an Arrow array of bool."""
    present = _present(array)
    positions = pc.index_in(pc.utf8_lower(present), value_set=pa.array(["false", "true"], array.type))
    if positions.null_count > present.null_count:
        wrong = present.filter(pc.and_(pc.is_valid(present), pc.is_null(positions)))
        raise ValueProblem(wrong[0].as_py(), "true or false")
    return positions.cast(pa.bool_())


def read_instants(array: Array, zone: Zone) -> Array:
    """
    ISO 8601 text as instants; readings without an offset are wall clocks of the zone.

    As `read_numbers`, with an Arrow array of timestamps in microseconds, UTC.
    """
    try:
        return _from_walls(array.cast(pa.timestamp("us")), zone)
    except pa.ArrowInvalid:
        present = _canonical(_present(array))
    zoned = pc.match_substring_regex(present, ZONED)
    nothing = pa.scalar(None, present.type)
    expected = "an ISO date or time such as 2013-05-01T09:30:00"
    instants = _cast(pc.if_else(zoned, present, nothing), pa.timestamp("us", tz="UTC"), expected)
    walls = _cast(pc.if_else(zoned, nothing, present), pa.timestamp("us"), expected)
    return pc.coalesce(instants, _from_walls(walls, zone))


def has_naive(array: Array) -> bool:
    """True if some text tells a date or time without saying in which zone."""
    present = _present(array).drop_null()
    return len(present) > 0 and not pc.all(pc.match_substring_regex(_canonical(present), ZONED)).as_py()


def _from_walls(walls: Array, zone: Zone) -> Array:
    mask = np.asarray(walls.is_null()) if walls.null_count else None
    values = np.asarray(pc.fill_null(walls.view(pa.int64()), 0))
    return pa.array(zone.instants(values, 1_000_000), pa.timestamp("us", tz="UTC"), mask=mask)


def _present(array: Array) -> Array:
    """The text without spaces around it, null where it says that there is no value."""
    trimmed = pc.utf8_trim_whitespace(array)
    words = pa.array(MISSING_WORDS, array.type)
    return pc.if_else(pc.is_in(pc.utf8_lower(trimmed), value_set=words), pa.scalar(None, array.type), trimmed)


def _canonical(array: Array) -> Array:
    """Instants the way Arrow reads them: no more than six digits of a second, dashes in dates, UTC as Z."""
    array = pc.replace_substring_regex(array, r"^(\d{4})(\d{2})(\d{2})$", r"\1-\2-\3")
    array = pc.replace_substring_regex(array, r"(\.\d{6})\d+", r"\1")
    return pc.replace_substring_regex(array, r" ?(UTC|z)$", "Z")


def _cast(array: Array, target: ArrowType, expected: str) -> Array:
    try:
        return array.cast(target)
    except pa.ArrowInvalid as exc:
        raise ValueProblem(_first_unreadable(array, target), expected) from exc


def _first_unreadable(array: Array, target: ArrowType) -> str:
    """The first text that does not cast, by halving: some 16 casts instead of one for each value."""
    while len(array) > 1:
        half = array.slice(0, len(array) // 2)
        array = array.slice(len(half)) if _reads(half, lambda part: part.cast(target)) else half
    text: str = array[0].as_py()
    return text


def _reads(array: Array, read: Callable[[Array], object]) -> bool:
    try:
        read(array)
    except (pa.ArrowInvalid, ValueProblem):
        return False
    return True


class Narrowing:
    """
    What the text of a column means: the narrowest of whole numbers, numbers, booleans, dates, instants that every value can be
    read as; else it is just text.

    Parameters
    ----------
    zone : Zone
        Of times without an offset; only its readings matter here.
    """

    def __init__(self, zone: Zone) -> None:
        self._any = False
        self._open: dict[ColumnType, Callable[[Array], object]] = {
            ColumnType("int64", Family.NUMBER, integer=True): _read_whole,
            ColumnType("float64", Family.NUMBER): read_numbers,
            ColumnType("bool", Family.BOOLEAN): read_booleans,
            ColumnType("date", Family.DATE): _read_dates,
            ColumnType("timestamp", Family.TIMESTAMP): lambda array: read_instants(array, zone),
        }

    def add(self, array: Array) -> None:
        """Narrow by the values of one more batch."""
        if self._any and not self._open:
            return
        if pat.is_dictionary(array.type):
            array = array.dictionary_decode()
        present = _present(array).drop_null()
        if len(present) == 0:
            return
        self._any = True
        self._open = {meant: read for meant, read in self._open.items() if _reads(present, read)}

    @property
    def meant(self) -> ColumnType:
        """What every value so far can be read as."""
        if not self._any:
            return ColumnType("null", Family.NOTHING)
        return next(iter(self._open), ColumnType("string", Family.TEXT))


def _read_whole(present: Array) -> None:
    # Arrow also reads hexadecimal digits as integers, but never as floats.
    read_numbers(present)
    try:
        present.cast(pa.int64())
    except pa.ArrowInvalid:
        # More digits than 64 bits hold are whole numbers too.
        _require(present, WHOLE, "a whole number")


def _read_dates(present: Array) -> None:
    _require(present, DATE, "a date")
    _cast(present, pa.date32(), "a date")


def _require(array: Array, pattern: str, expected: str) -> None:
    matches = pc.match_substring_regex(array, pattern)
    if not pc.all(matches).as_py():
        raise ValueProblem(array.filter(pc.invert(matches))[0].as_py(), expected)
