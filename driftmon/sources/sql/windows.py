"""Windows of time as conditions on a column, in values of its own type: what an index or a partition can answer."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pyarrow.types as pat
from sqlalchemy import bindparam, func, or_
from sqlalchemy import types as sqltypes

from driftmon.sources.arrow.times import DAY, cut, instant_of, per_second
from driftmon.sources.sql.relations import field

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from driftmon.sources.arrow.batches import ArrowType
    from driftmon.sources.arrow.timefilter import TimeFilter
    from driftmon.sources.arrow.zones import Zone
    from driftmon.sources.sql.columns import SqlColumn

__all__ = ["bound", "bound_of", "time_condition", "typed"]

ISO = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*"
"""How text begins that sorts like the time it tells."""


def time_condition(dialect: str, column: SqlColumn, filter_: TimeFilter) -> list[ColumnElement[bool]]:
    """
    The rows of a window, or some more where a type does not let the database decide; none for other types.

    The kernel looks at the times of rows again, so that rows too many do no harm.
    """
    value = field(column.name)
    if typed(column.type):
        start, end = (bound(each, column.type, filter_.zone) for each in (filter_.window.start, filter_.window.end))
        return [value >= start, value < end]
    if dialect == "sqlite" and (column.type is None or pat.is_string(column.type)):
        around = filter_.around().window
        first, last = (f"{each:%Y-%m-%d}".rjust(10, "0") for each in (around.start, around.end))
        inside = (value >= first) & (value < last)
        # Dates that somebody declared are text that sorts; any other text has to be looked at.
        return [inside] if column.type is None else [or_(inside, func.coalesce(value, "").op("NOT GLOB")(ISO))]
    return []


def typed(type_: ArrowType | None) -> bool:
    """True for types that windows can be compared with."""
    return type_ is not None and (pat.is_timestamp(type_) or pat.is_date(type_))


def bound(instant: datetime, type_: ArrowType, zone: Zone) -> ColumnElement[Any]:
    """Where an instant cuts the values of a column: those from this one on are rows at or after it."""
    return bound_of(cut(instant, type_, zone), type_)


def bound_of(number: int, type_: ArrowType) -> ColumnElement[Any]:
    """A number of `cut` as a date of a date column; as an instant, or what a wall clock shows, of others."""
    if pat.is_date(type_):
        days = number if pat.is_date32(type_) else -(-number // (DAY * 1_000))
        return bindparam(None, _day(days), sqltypes.Date(), unique=True)
    microseconds = -(-number * 1_000_000 // per_second(type_))
    zoned, moment = type_.tz is not None, instant_of(microseconds)
    value = moment if zoned else moment.replace(tzinfo=None)
    return bindparam(None, value, sqltypes.DateTime(timezone=zoned), unique=True)


def _day(days: int) -> date:
    first = date(1970, 1, 1).toordinal()
    return date.fromordinal(min(max(days + first, 1), date.max.toordinal()))
