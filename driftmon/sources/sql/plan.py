"""How each monitored column is counted: by aggregates of one statement, or by grouping its values."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pat
from sqlalchemy import case, cast
from sqlalchemy.dialects import postgresql

from driftmon.core.layout import CategoricalLayout, Kind, NumericLayout
from driftmon.sources.arrow.batches import Batch
from driftmon.sources.arrow.casting import Monitored, monitored
from driftmon.sources.arrow.columns import Columns
from driftmon.sources.arrow.kinds import Family, column_type
from driftmon.sources.arrow.zones import Zone
from driftmon.sources.sql import relations
from driftmon.sources.sql.terms import CategoryTerm, EdgeTerm, Term, TruthTerm
from driftmon.sources.sql.values import as_read
from driftmon.sources.sql.ways import ambiguous
from driftmon.sources.sql.windows import bound_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import ColumnElement

    from driftmon.core.baseline import BaselineColumn
    from driftmon.sources.arrow.batches import Array
    from driftmon.sources.sql.columns import SqlColumn
    from driftmon.sources.sql.dialects import Dialect

__all__ = ["Plan", "plan_of", "value_key"]

SINCE = 94_694_400
"""1973-01-01: since then every zone of the world is some full minutes from UTC, and most are full hours."""

UNTIL = 4_102_444_800
"""2100-01-01."""


@dataclass
class Plan:
    """
    What to ask of the database.

    Parameters
    ----------
    columns : mapping of str to SqlColumn
        Of the data.
    monitored : mapping of str to Monitored
        By the names of results.
    origin : str
        Where the rows are, for messages.
    text_end : str
        What stands at the end of text that was grouped; see `Dialect.text_end`.
    terms : list of Term
        Columns that aggregates count.
    grouped : dict of str to list of Monitored
        By column of the data, what is monitored of those whose values are grouped.
    problems : dict of str to str
        Columns that cannot be counted, with the reasons.
    lost_segments : dict of str to str
        Segment columns that cannot be told apart.
    """

    columns: Mapping[str, SqlColumn]
    monitored: Mapping[str, Monitored]
    origin: str
    text_end: str = ""
    terms: list[Term] = field(default_factory=list)
    grouped: dict[str, list[Monitored]] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    lost_segments: dict[str, str] = field(default_factory=dict)

    def group(self, column: Monitored) -> None:
        """Have the values of a column grouped."""
        self.grouped.setdefault(column.raw, []).append(column)

    def batch(self, raw: str, array: Array) -> Batch:
        """Values of a column of the data, the way the kernel meets them in rows."""
        if self.text_end and pat.is_string(array.type):
            array = pc.utf8_slice_codeunits(array, 0, -len(self.text_end))
        untyped = [raw] if self.columns[raw].type is None else []
        return Batch(len(array), {raw: array}, list(self.columns), self.origin, untyped)

    def segment(self, name: str) -> Monitored:
        """A segment column as categories, whatever it is monitored as."""
        column = self.monitored.get(name)
        if column is None:
            type_ = self.columns[name].type
            return Monitored(name, name, Kind.CATEGORICAL, "string" if type_ is None else column_type(type_).name)
        return column


def plan_of(
    live: Sequence[SqlColumn],
    columns: Mapping[str, BaselineColumn],
    segments: Mapping[str, Sequence[str]],
    dialect: Dialect,
    zone: Zone,
    origin: str,
) -> Plan:
    """
    A plan for monitored columns.

    The types of the live columns are held against those of the reference by the kernel itself, on a row without values.
    """
    known = {column.name: column for column in live}
    names = [column.name for column in live]
    plan = Plan(known, {name: monitored(name, column) for name, column in columns.items()}, origin, dialect.text_end)
    arrays = {each.name: pa.nulls(1, pa.string() if each.type is None else each.type) for each in live}
    batch = Batch(1, arrays, names, origin, [each.name for each in live if each.type is None])
    check = Columns(columns, {}, zone)
    check.values(batch)
    plan.problems = check.problems
    lost = Columns(columns, segments, zone)
    lost.segments(batch)
    plan.lost_segments = lost.problems
    for name, column in columns.items():
        if name not in plan.problems:
            one = plan.monitored[name]
            term = _term(one, column, known[one.raw], dialect)
            if term is None:
                plan.group(one)
            else:
                plan.terms.append(term)
    return plan


def _term(one: Monitored, column: BaselineColumn, live: SqlColumn, dialect: Dialect) -> Term | None:
    layout, type_ = column.layout, live.type
    if type_ is None:
        return None
    number = pat.is_integer(type_) or pat.is_floating(type_) or pat.is_decimal(type_)
    if isinstance(layout, NumericLayout):
        return EdgeTerm(one.name, live, layout, dialect) if number else None
    if pat.is_boolean(type_) and (one.kind is Kind.BOOLEAN or one.dtype == "bool"):
        return TruthTerm(one.name, live, dialect)
    text = one.kind is Kind.CATEGORICAL and one.family is Family.TEXT and pat.is_string(type_)
    if not text or _told_by_values(layout):
        return None
    return CategoryTerm(one.name, live, layout, dialect)


def _told_by_values(layout: CategoricalLayout) -> bool:
    """True where rows will mostly be of categories that have no bin: which ones they are has to be asked anyway."""
    return bool(layout.rare) or any(map(ambiguous, layout.categories))


def value_key(live: SqlColumn, several: Sequence[Monitored], dialect: Dialect, zone: Zone) -> ColumnElement[Any]:
    """What to group a column by, so that the kernel can tell the bins of all rows from the groups."""
    value = relations.field(live.name)
    if live.type is None:
        return value
    if pat.is_string(live.type):
        return dialect.text(value)
    parts = all(one.part is not None for one in several)
    if not (parts and pat.is_timestamp(live.type) and dialect.truncated):
        return as_read(dialect.name, live)
    whole = live.type.tz is None or full_hours(zone.name)
    start = dialect.truncated("hour" if whole else "minute", value)
    since = bound_of(SINCE * 1_000_000, pa.timestamp("us", live.type.tz))
    beginning = case((value >= since, start), else_=value)
    if dialect.name != "postgresql":
        return beginning
    kind = postgresql.TIMESTAMP(timezone=live.type.tz is not None)
    last = cast(relations.literal("9999-12-31 23:59:59.999999"), kind)
    first = cast(relations.literal("0001-01-01"), kind)
    return case((value.between(first, last), beginning))


@lru_cache
def full_hours(name: str) -> bool:
    """True if the wall clocks of a zone have always been some full hours from UTC since 1973."""
    zone = Zone(name)
    weeks = np.arange(SINCE, UNTIL, 7 * 86_400)
    return not bool(((zone.walls(weeks, 1) - weeks) % 3_600).any())
