"""Counting in the database: one statement of aggregates for all columns, and one that groups the values of some."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from sqlalchemy import func, select

from driftmon.core.clues import LEAST_NEW, MOST_KEPT
from driftmon.sources.arrow.columns import Columns
from driftmon.sources.arrow.tally import texts
from driftmon.sources.sql import relations
from driftmon.sources.sql.answers import answers
from driftmon.sources.sql.plan import value_key
from driftmon.sources.sql.tables import Tables
from driftmon.sources.sql.terms import CategoryTerm, text_is
from driftmon.sources.sql.ways import Way, coded_segment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement, Connection, Select

    from driftmon.core.baseline import BaselineColumn
    from driftmon.sources.arrow.batches import Array
    from driftmon.sources.arrow.zones import Zone
    from driftmon.sources.sql.columns import SqlColumn
    from driftmon.sources.sql.dialects import Dialect
    from driftmon.sources.sql.packing import Packed
    from driftmon.sources.sql.plan import Plan
    from driftmon.sources.sql.relations import Relation
    from driftmon.sources.sql.tables import Places
    from driftmon.sources.sql.terms import Term

__all__ = ["Counting", "Question"]

MOST_GROUPS = 5_000
"""Groups that segments and windows may make together in one statement; of more, each segment column has its own."""

MOST_SETS = 12
"""Columns whose values one statement groups."""

Expression = Any
Question = tuple["Select[Any]", "list[SqlColumn | Packed | None]"]
"""A statement, and whose values or packed counts each column of its answer holds; None for whole numbers."""


class Counting:
    """
    The counts of one window or of many, and of the segments of each.

    Parameters
    ----------
    relation : Relation
    conditions : sequence of conditions
        Which rows count.
    plan : Plan
    columns : mapping of str to BaselineColumn
    segments : mapping of str to sequence of str
    windows : Way or None
    dialect : Dialect
    zone : Zone

    Attributes
    ----------
    tables : Tables
        What was counted so far.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a statement is made of
        self,
        relation: Relation,
        conditions: Sequence[ColumnElement[bool]],
        plan: Plan,
        columns: Mapping[str, BaselineColumn],
        segments: Mapping[str, Sequence[str]],
        windows: Way | None,
        dialect: Dialect,
        zone: Zone,
    ) -> None:
        self.tables = Tables(plan, columns, segments, 1 if windows is None else windows.groups, zone)
        self._relation = relation
        self._conditions = list(conditions)
        self._plan = plan
        self._columns = columns
        self._windows = windows
        self._dialect = dialect
        self._zone = zone

    def run(self, connection: Connection) -> None:
        """
        Ask, and add up.

        Parameters
        ----------
        connection : Connection
            In a transaction that sees one state of the rows.

        Raises
        ------
        NotInSql
            If there are values that only the kernel can count.
        """
        for number, ways in enumerate(self.statements()):
            # All rows are in the answers of each statement; they are taken from the first.
            told = [None] if number == 0 else []
            names = [*told, *(way.name for way in ways if way.name is not None)]
            for place, terms in enumerate(self.chunks()):
                statement, kinds = self.aggregates(ways, terms)
                for answer in answers(connection, statement, kinds):
                    self._add_aggregates(self._places(ways, names, answer), ways, terms, answer, rows_too=place == 0)
            for raws in self.sets():
                statement, kinds = self.groups(ways, raws)
                for answer in answers(connection, statement, kinds, many=True):
                    self._add_groups(self._places(ways, names, answer), ways, raws, answer)

    def statements(self) -> Iterator[list[Way]]:
        """The ways to group by of each statement: as many together as make few groups."""
        always = [] if self._windows is None else [self._windows]
        ways, groups = list(always), self.tables.windows
        for name, values in self.tables.segments.items():
            way = self._segment(name, values)
            if len(ways) > len(always) and groups * way.size > MOST_GROUPS:
                yield ways
                ways, groups = list(always), self.tables.windows
            ways.append(way)
            groups *= way.size
        yield ways

    def _segment(self, name: str, values: Sequence[str]) -> Way:
        one = self._plan.segment(name)
        column = self._plan.columns[one.raw]
        way = coded_segment(name, values, column, one.kind, self._dialect)
        if way is not None:
            return way
        key = value_key(column, [one], self._dialect, self._zone)
        known = {name: self._columns[name]} if name in self._columns else {}

        def code(keys: Array) -> NDArray[np.intp]:
            found = Columns(known, {name: values}, self._zone)
            codes = found.segments(self._plan.batch(one.raw, keys))
            self.tables.lost_segments.update(found.problems)
            return codes.get(name, np.full(len(keys), -1, np.intp))

        # Its own statement, whatever else there is: nobody knows how many values there are.
        return Way(name, key, len(values), code, MOST_GROUPS, column)

    def chunks(self) -> Iterator[list[Term]]:
        """The columns that aggregates count: all together, or as many as one statement holds."""
        chunk: list[Term] = []
        terms = bound = 0
        for term in self._plan.terms:
            bins = self._columns[term.name].layout.size
            full = terms + term.size > self._dialect.most_terms or bound + bins > self._dialect.most_parameters
            if chunk and full:
                yield chunk
                chunk, terms, bound = [], 0, 0
            chunk.append(term)
            terms, bound = terms + term.size, bound + bins
        yield chunk

    def sets(self) -> Iterator[list[str]]:
        """The columns whose values are grouped: several together where the database can."""
        raws = list(self._plan.grouped)
        most = MOST_SETS if self._dialect.grouping_sets else 1
        yield from (raws[start : start + most] for start in range(0, len(raws), most))

    def aggregates(self, ways: Sequence[Way], terms: Sequence[Term]) -> Question:
        """The statement that counts all of some columns, by group."""
        names = [f"c{place}" for place in range(len(terms))]
        values = [term.value(relations.field(term.column.name)) for term in terms]
        inner, keys = self._inner(ways, dict(zip(names, values, strict=True)))
        counted = [each for name, term in zip(names, terms, strict=True) for each in term.counts(inner.c[name])]
        statement = select(*keys, func.count(), *counted).select_from(inner)
        numbers = [term.packed for term in terms for _ in range(term.size)]
        kinds: list[SqlColumn | Packed | None] = [*(way.column for way in ways), None, *numbers]
        return statement.group_by(*keys) if keys else statement, kinds

    def groups(self, ways: Sequence[Way], raws: Sequence[str]) -> Question:
        """The statement that counts the rows of each value of some columns, each apart."""
        names = [f"v{place}" for place in range(len(raws))]
        columns = [self._plan.columns[raw] for raw in raws]
        values = [value_key(each, self._plan.grouped[each.name], self._dialect, self._zone) for each in columns]
        inner, keys = self._inner(ways, dict(zip(names, values, strict=True)))
        grouped = [inner.c[name] for name in names]
        flags = [func.grouping(value) for value in grouped] if len(raws) > 1 else []
        statement = select(*keys, func.count(), *flags, *grouped).select_from(inner)
        if flags:
            statement = statement.group_by(func.grouping_sets(*(relations.together(*keys, value) for value in grouped)))
        else:
            statement = statement.group_by(*keys, *grouped)
        return statement, [*(way.column for way in ways), None, *(None for _ in flags), *columns]

    def _inner(self, ways: Sequence[Way], values: Mapping[str, Expression]) -> tuple[Expression, list[Expression]]:
        """The rows that count, with what to group by and what to count under names of our own; and the former."""
        keys = {f"k{place}": way.key for place, way in enumerate(ways)}
        columns = [expression.label(name) for name, expression in {**keys, **values}.items()]
        chosen = columns or [relations.literal("1").label("k")]
        inner = self._relation.select(*chosen).where(*self._conditions).subquery("r")
        return inner, [inner.c[name] for name in keys]

    def _places(self, ways: Sequence[Way], names: Sequence[str | None], answer: Sequence[Any]) -> Places:
        """The group of each row of an answer, for each way to group rows that is asked for."""
        codes = {way.name: way.code(answer[place]) for place, way in enumerate(ways)}
        period = codes.pop(None, np.zeros(len(answer[len(ways)]), np.intp))
        places: Places = {None: period} if None in names else {}
        for name, code in codes.items():
            places[name] = np.where((code >= 0) & (period >= 0), code * self.tables.windows + period, -1)
        return places

    def _add_aggregates(
        self, places: Places, ways: Sequence[Way], terms: Sequence[Term], answer: Sequence[Any], *, rows_too: bool
    ) -> None:
        rows, numbers = answer[len(ways)], iter(answer[len(ways) + 1 :])
        if rows_too:
            self.tables.add_rows(rows, places)
        for term in terms:
            counts = np.column_stack([next(numbers) for _ in range(term.size)])
            self.tables.add_term(term, counts, rows, places)

    def _add_groups(self, places: Places, ways: Sequence[Way], raws: Sequence[str], answer: Sequence[Any]) -> None:
        rows = answer[len(ways)]
        flags, arrays = answer[len(ways) + 1 : -len(raws)], answer[-len(raws) :]
        for place, (raw, array) in enumerate(zip(raws, arrays, strict=True)):
            chosen = np.flatnonzero(flags[place] == 0) if flags else np.arange(len(rows))
            some = {way: groups[chosen] for way, groups in places.items()}
            self.tables.add_values(raw, array.take(pa.array(chosen)), rows[chosen], some)

    def name_new(self, connection: Connection, name: str) -> None:
        """Ask for the most frequent novel categories of a column that aggregates counted."""
        term = next((term for term in self._plan.terms if term.name == name), None)
        if isinstance(term, CategoryTerm):
            statement, kinds = self.new_categories(term)
            for rows, values in answers(connection, statement, kinds):
                self.tables.add_new(name, texts(values), rows.tolist())

    def new_categories(self, term: CategoryTerm) -> Question:
        """The statement for it."""
        inner, _ = self._inner((), {"v": term.value(relations.field(term.column.name))})
        value, rows = inner.c["v"], func.count().label("n")
        own = [~text_is(value, key, self._dialect) for key in term.layout.categories]
        some = select(rows, value).where(value.is_not(None), *own).group_by(value).having(func.count() >= LEAST_NEW)
        return some.order_by(rows.desc()).limit(MOST_KEPT), [None, term.column]
