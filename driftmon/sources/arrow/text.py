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
    "read_clocks",
    "read_instants",
    "read_numbers",
    "read_walls",
]

MISSING_WORDS = ("", "na", "n/a", "#n/a", "#na", "nan", "-nan", "nat", "null", "none", "<na>")
"""What people and programs write for no value, in lower case. In categorical columns they stay values: NA is also Namibia."""

DIGITS = r"^[+-]?\d+$"
CLOCK = r"^\d{2}:\d{2}:\d{2}(\.\d+)?$"
EPOCH_DAY = "1970-01-01 "
"""Arrow reads times of day only as part of a timestamp."""
ZONED = r"^\d{4}-\d{2}-\d{2}[T ].*(Z|[+-]\d{2}(:?\d{2})?)$"

WHOLE_NUMBER = ColumnType("int64", Family.NUMBER, integer=True)
NUMBER = ColumnType("float64", Family.NUMBER)
TRUTH = ColumnType("bool", Family.BOOLEAN)
DATE = ColumnType("date", Family.DATE)
INSTANT = ColumnType("timestamp", Family.TIMESTAMP)
TIME = ColumnType("time", Family.TIME)
IMPLIES = {WHOLE_NUMBER: NUMBER, DATE: INSTANT}

PROBED = 64
"""Values that are tried before a whole batch."""

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
        return _probed(array, pa.float64())
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
    instants, walls = _read_moments(array)
    return _both(instants, None if walls is None else _from_walls(walls, zone))


def read_walls(array: Array, zone: Zone) -> Array:
    """
    ISO 8601 text as what the wall clock of the zone showed; readings without an offset as they are, also those of an hour that the
    clock skipped.

    As `read_numbers`, with an Arrow array of timestamps in microseconds, without a time zone.
    """
    instants, walls = _read_moments(array)
    return _both(None if instants is None else _to_walls(instants, zone), walls)


def read_clocks(array: Array) -> Array:
    """Text such as ``09:30:00`` as times of day; as `read_numbers`, with an Arrow array of times in microseconds."""
    expected = "a time of day such as 09:30:00"
    present = _present(array)
    other = pc.invert(pc.match_substring_regex(present, CLOCK))
    if pc.any(other).as_py():
        raise ValueProblem(present.filter(other)[0].as_py(), expected)
    digits = pc.replace_substring_regex(present, r"(\.\d{6})\d+", r"\1")
    dated = pc.binary_join_element_wise(pa.scalar(EPOCH_DAY, digits.type), digits, pa.scalar("", digits.type))
    try:
        return _probed(dated, pa.timestamp("us")).cast(pa.time64("us"))
    except pa.ArrowInvalid as exc:
        wrong = _first_unreadable(dated, pa.timestamp("us"))
        raise ValueProblem(wrong.removeprefix(EPOCH_DAY), expected) from exc


def _read_moments(array: Array) -> tuple[Array | None, Array | None]:
    """Times with an offset as instants, and those without as wall clocks, each null where there are the others."""
    for target in (pa.timestamp("us"), pa.timestamp("us", tz="UTC")):
        try:
            moments = _probed(array, target)
        except pa.ArrowInvalid:
            continue
        return (moments, None) if target.tz else (None, moments)
    present = _canonical(_present(array))
    zoned = pc.match_substring_regex(present, ZONED)
    nothing = pa.scalar(None, present.type)
    expected = "an ISO date or time such as 2013-05-01T09:30:00"
    instants = _cast(pc.if_else(zoned, present, nothing), pa.timestamp("us", tz="UTC"), expected)
    walls = _cast(pc.if_else(zoned, nothing, present), pa.timestamp("us"), expected)
    return instants, walls


def _both(some: Array | None, others: Array | None) -> Array:
    return others if some is None else some if others is None else pc.coalesce(some, others)


def has_naive(array: Array) -> bool:
    """True if some text tells a date or time without saying in which zone."""
    present = _present(array).drop_null()
    return len(present) > 0 and not pc.all(pc.match_substring_regex(_canonical(present), ZONED)).as_py()


def _from_walls(walls: Array, zone: Zone) -> Array:
    mask = np.asarray(walls.is_null()) if walls.null_count else None
    values = np.asarray(pc.fill_null(walls.view(pa.int64()), 0))
    return pa.array(zone.instants(values, 1_000_000), pa.timestamp("us", tz="UTC"), mask=mask)


def _to_walls(instants: Array, zone: Zone) -> Array:
    mask = np.asarray(instants.is_null()) if instants.null_count else None
    values = np.asarray(pc.fill_null(instants.view(pa.int64()), 0))
    return pa.array(zone.walls(values, 1_000_000), pa.timestamp("us"), mask=mask)


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
        return _probed(array, target)
    except pa.ArrowInvalid as exc:
        raise ValueProblem(_first_unreadable(array, target), expected) from exc


def _probed(array: Array, target: ArrowType) -> Array:
    """A cast that fails early: Arrow makes a message of every value that it cannot read, and only then fails."""
    array.slice(0, PROBED).cast(target)
    return array.cast(target)


def _first_unreadable(array: Array, target: ArrowType) -> str:
    """The first text that does not cast, by ever longer and then by ever shorter spans."""
    start, rows = 0, PROBED
    while rows:
        try:
            array.slice(start, rows).cast(target)
        except pa.ArrowInvalid:
            rows //= 2
        else:
            start, rows = start + rows, min(2 * rows, len(array))
    text: str = array[start].as_py()
    return text


class Narrowing:
    """
    What the text of a column means: the narrowest of whole numbers, numbers, booleans, dates, instants, times of day that every
    value can be read as; else it is just text.

    Parameters
    ----------
    zone : Zone
        Of times without an offset; only its readings matter here.
    """

    def __init__(self, zone: Zone) -> None:
        self._any = False
        self._open: dict[ColumnType, Callable[[Array], object]] = {
            WHOLE_NUMBER: _read_whole,
            NUMBER: read_numbers,
            TRUTH: read_booleans,
            DATE: lambda array: _cast(array, pa.date32(), "a date"),
            INSTANT: lambda array: read_instants(array, zone),
            TIME: read_clocks,
        }

    def add(self, array: Array) -> None:
        """Narrow by the values of one more batch."""
        if self._any and not self._open:
            return
        if pat.is_dictionary(array.type):
            array = array.dictionary_decode()
        array = array.drop_null()
        self._any = self._any or _present(array).null_count < len(array)
        if self._any:
            self._narrow(array)

    def _narrow(self, array: Array) -> None:
        implied: ColumnType | None = None
        for meant, read in list(self._open.items()):
            # Whole numbers are numbers and dates are instants: no need to read them twice.
            if meant is not implied and not _reads(array, read):
                del self._open[meant]
            elif meant in IMPLIES:
                implied = IMPLIES[meant]

    @property
    def meant(self) -> ColumnType:
        """What every value so far can be read as."""
        if not self._any:
            return ColumnType("null", Family.NOTHING)
        return next(iter(self._open), ColumnType("string", Family.TEXT))


def _reads(array: Array, read: Callable[[Array], object]) -> bool:
    """True if all values can be read, those apart that say that there is none."""
    try:
        read(array)
    except (pa.ArrowInvalid, ValueProblem):
        try:
            read(_present(array).drop_null())
        except (pa.ArrowInvalid, ValueProblem):
            return False
    return True


def _read_whole(array: Array) -> None:
    # Arrow also reads hexadecimal digits as integers, but never as floats.
    read_numbers(array)
    try:
        _probed(array, pa.int64())
    except pa.ArrowInvalid:
        # More digits than 64 bits hold are whole numbers too.
        matches = pc.match_substring_regex(array, DIGITS)
        if not pc.all(matches).as_py():
            raise ValueProblem(array.filter(pc.invert(matches))[0].as_py(), "a whole number") from None
