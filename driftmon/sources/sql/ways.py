"""How rows are grouped beside their bins: by window, by the values of segment columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.types as pat
from sqlalchemy import BigInteger, bindparam, case, false, literal_column, true, type_coerce
from sqlalchemy import types as sqltypes

from driftmon.core.layout import KEY_LENGTH, Kind
from driftmon.sources.arrow.times import cut
from driftmon.sources.sql.relations import field
from driftmon.sources.sql.terms import text_is
from driftmon.sources.sql.trees import halved
from driftmon.sources.sql.windows import bound_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement

    from driftmon.core.window import Window
    from driftmon.sources.arrow.zones import Zone
    from driftmon.sources.sql.columns import SqlColumn
    from driftmon.sources.sql.dialects import Dialect

__all__ = ["Way", "ambiguous", "coded_segment", "of_windows"]

LEAST_LONG = KEY_LENGTH - 17
"""Where the key of a long text has its "…": before 16 digits of a digest, see `category_key`."""


@dataclass(frozen=True)
class Way:
    """
    One way to group rows.

    Parameters
    ----------
    name : str or None
        The segment column; None for windows.
    key : expression
        What the database groups by.
    groups : int
        How many there are.
    code : callable
        The number of the group of each key that comes back (see `column`); -1 for rows that are in none.
    size : int
        How many different keys to expect.
    column : SqlColumn or None
        Whose values the keys are; None if they are numbers of ours.
    """

    name: str | None
    key: ColumnElement[Any]
    groups: int
    code: Callable[[Any], NDArray[np.intp]]
    size: int
    column: SqlColumn | None = None


def of_windows(column: SqlColumn, windows: Sequence[Window], zone: Zone) -> Way:
    """
    The windows that rows lie in, by their timestamps.

    The bounds of all windows cut time in spans; the database finds the span of a row by halving, and which window that is, if any,
    is known here.
    """
    cuts = sorted({cut(end, column.type, zone) for window in windows for end in (window.start, window.end)})
    starts = [cut(window.start, column.type, zone) for window in windows]
    ends = [cut(window.end, column.type, zone) for window in windows]
    spans = np.full(len(cuts) + 1, -1, np.intp)
    for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
        for place, low in enumerate(cuts):
            if start <= low < end:
                spans[place + 1] = number
    value = field(column.name)
    conditions = [value >= bound_of(each, column.type) for each in cuts]

    return Way(
        None,
        halved(conditions, lambda span: literal_column(str(span))),
        len(windows),
        lambda keys: spans[keys],
        len(windows) + 2,
    )


def coded_segment(name: str, values: Sequence[str], column: SqlColumn, kind: Kind, dialect: Dialect) -> Way | None:
    """
    The values of a segment column, told apart by the database; None where only the kernel can.

    Parameters
    ----------
    name : str
    values : sequence of str
        Keys of the categories to tell apart.
    column : SqlColumn
    kind : Kind
        What the column is monitored as.
    dialect : Dialect
    """
    test = _test(column, kind, dialect)
    if test is None or any(map(ambiguous, values)):
        return None
    conditions = [test(field(column.name), value) for value in values]
    whens: list[Any] = [(condition, literal_column(str(place))) for place, condition in enumerate(conditions)]
    key = case(*whens, else_=literal_column("-1")) if whens else literal_column("-1")
    return Way(name, key, len(values), lambda keys: keys.astype(np.intp), len(values) + 1)


def ambiguous(key: str) -> bool:
    """True for what may stand for a longer text (see `category_key`)."""
    return len(key) == KEY_LENGTH and key[LEAST_LONG : LEAST_LONG + 1] == "…"


Test = Callable[[Any, str], Any]


def _test(column: SqlColumn, kind: Kind, dialect: Dialect) -> Test | None:
    if column.type is None:
        return None
    if pat.is_string(column.type) and kind is Kind.CATEGORICAL:
        return lambda value, key: text_is(dialect.text(value), key, dialect)
    if pat.is_boolean(column.type):
        return _is_truth
    if pat.is_integer(column.type) and not column.exact and kind in {Kind.CATEGORICAL, Kind.NUMERIC}:
        return _is_whole
    return None


def _is_truth(value: Any, key: str) -> Any:  # noqa: ANN401 - SQLAlchemy's
    truth = type_coerce(value, sqltypes.Boolean())
    if key == "true":
        return truth == true()
    return truth == false() if key == "false" else false()


def _is_whole(value: Any, key: str) -> Any:  # noqa: ANN401 - SQLAlchemy's
    try:
        number = int(key)
    except ValueError:
        return false()
    if str(number) != key or abs(number) >= 2**63:
        return false()
    return value == bindparam(None, number, BigInteger(), unique=True)
