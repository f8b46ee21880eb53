"""What one statement counts of each column, all columns together, and how its numbers become bins."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.types as pat
from sqlalchemy import (
    BigInteger,
    Boolean,
    Double,
    Numeric,
    Unicode,
    bindparam,
    case,
    cast,
    false,
    func,
    true,
    type_coerce,
)

from driftmon.core.cuts import cuts
from driftmon.core.layout import KEY_LENGTH
from driftmon.core.learning import EXACT_INTEGER
from driftmon.sources.sql.packing import Packed, field_of
from driftmon.sources.sql.thresholds import exact_threshold
from driftmon.sources.sql.trees import halved

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement

    from driftmon.core.layout import CategoricalLayout, NumericLayout
    from driftmon.sources.sql.columns import SqlColumn
    from driftmon.sources.sql.dialects import Dialect

__all__ = ["CategoryTerm", "EdgeTerm", "NotInSql", "Term", "TruthTerm"]


class NotInSql(Exception):
    """Values that the database cannot count the way the kernel would: the rows have to be read."""


@dataclass(frozen=True)
class EdgeTerm:
    """
    Numbers: how many there are, and how many above each edge.

    Parameters
    ----------
    name : str
        As results call the column.
    column : SqlColumn
    layout : NumericLayout
    dialect : Dialect
    """

    name: str
    column: SqlColumn
    layout: NumericLayout
    dialect: Dialect

    @cached_property
    def _whole(self) -> bool:
        return not self.column.loose and not self.column.exact and pat.is_integer(self.column.type)

    @cached_property
    def _has_nan(self) -> bool:
        # Of exact numbers only PostgreSQL's can be NaN.
        can = self.dialect.name == "postgresql" if self.column.exact else pat.is_floating(self.column.type)
        return can and self.dialect.is_nan is not None

    def value(self, plain: ColumnElement[Any]) -> ColumnElement[Any]:
        """As it is, but where whole numbers beyond 2**53 meet edges there: those round."""
        beyond = max(map(abs, self.layout.edges)) >= EXACT_INTEGER
        return cast(plain, Double) if self.column.loose and beyond else plain

    @property
    def packed(self) -> Packed | None:
        """How the counts are told by one sum: of the bins, then of NaN."""
        return Packed(self.layout.size) if self.dialect.packs else None

    @property
    def size(self) -> int:
        """How many aggregates there are."""
        return 1 if self.packed else 1 + self._has_nan + self.column.loose + len(self._limits)

    def counts(self, value: ColumnElement[Any]) -> list[ColumnElement[Any]]:
        """Values, NaN among them, values of another type, and those above each edge from the least on; or one sum."""
        above = self._above(value)
        if self.packed:
            return [func.sum(halved(above, lambda place: self._field(value, place, last=len(above))))]
        nan = [self.dialect.count_if(self.dialect.is_nan(value))] if self._has_nan and self.dialect.is_nan else []
        bad = (
            [self.dialect.count_if(func.typeof(value).not_in(("integer", "real", "null")))] if self.column.loose else []
        )
        return [func.count(value), *nan, *bad, *map(self.dialect.count_if, above)]

    def _field(self, value: ColumnElement[Any], place: int, *, last: int) -> ColumnElement[Any]:
        """What a row of a bin adds to the sum: nothing without a value, which is above no edge; NaN is above all."""
        found = field_of(place)
        if self._has_nan and self.dialect.is_nan and place == last:
            found = case((self.dialect.is_nan(value), field_of(self.layout.size - 1)), else_=found)
        return case((value.is_not(None), found)) if place == 0 else found

    @cached_property
    def _limits(self) -> list[tuple[Any, bool] | None]:
        """
        For each edge that some value of the type is above: the bound of those values, and whether it is one of them.

        None where all values are.
        """
        if self._whole:
            type_: Any = self.column.type
            return [(int(cut), True) for cut in cuts(self.layout.edges, np.dtype(type_.to_pandas_dtype()))]
        if not self._compared_exactly:
            return [(edge, False) for edge in self.layout.edges]
        limits = [exact_threshold(edge, self.column.scale) for edge in self.layout.edges]
        if self.column.precision is None or self.column.scale is None:
            return [*limits]
        most = 10 ** (self.column.precision - self.column.scale)
        return [None if limit[0] <= -most else limit for limit in limits if limit[0] < most]

    @property
    def _compared_exactly(self) -> bool:
        return self.column.exact and (self.column.scale is not None or self.dialect.name == "postgresql")

    def _above(self, value: ColumnElement[Any]) -> list[Any]:
        """For each of those edges, whether a value is above it; who is above one is above those before it."""
        type_: Any = BigInteger() if self._whole else Numeric() if self._compared_exactly else Double()
        number = cast(value, Double) if self.column.exact and not self._compared_exactly else value
        conditions: list[Any] = []
        for limit in self._limits:
            if limit is None:
                conditions.append(value.is_not(None))
            else:
                bound = _bound(limit[0], type_)
                conditions.append(number >= bound if limit[1] else number > bound)
        return conditions

    def bins(self, counts: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """
        The bins, of the aggregates of some groups of rows.

        Parameters
        ----------
        counts : ndarray of int, shape (groups, aggregates)
        rows : ndarray of int, shape (groups,)

        Returns
        -------
        ndarray of int, shape (groups, bins)

        Raises
        ------
        NotInSql
            If there are values of another type than the column's.
        """
        if self.packed:
            spans = counts[:, :-1]
            return np.column_stack((spans, rows - spans.sum(axis=1)))
        present, place = counts[:, 0], 1
        above = np.zeros((len(counts), len(self.layout.edges)), np.int64)
        nan = np.zeros_like(present)
        if self._has_nan:
            nan, place = counts[:, place], place + 1
        if self.column.loose:
            if counts[:, place].any():
                raise NotInSql(f"column {self.column.name!r} holds values that are no numbers")
            place += 1
        found = counts[:, place:]
        above[:, : found.shape[1]] = found
        if self.dialect.nan_is_greatest:
            above -= nan[:, None]
        present = present - nan
        # How many are above each bound: minus infinity, the edges, plus infinity.
        bounds = np.column_stack((present, above, np.zeros_like(present)))
        return np.column_stack((bounds[:, :-1] - bounds[:, 1:], rows - present))


@dataclass(frozen=True)
class CategoryTerm:
    """
    Text: how many values there are, and how many are each of the categories that have a bin.

    Parameters
    ----------
    name, column, dialect
        As of `EdgeTerm`.
    layout : CategoricalLayout
    """

    name: str
    column: SqlColumn
    layout: CategoricalLayout
    dialect: Dialect

    def value(self, plain: ColumnElement[Any]) -> ColumnElement[Any]:
        """Text that is equal only if all of it is."""
        return self.dialect.text(plain)

    @property
    def packed(self) -> Packed | None:
        """How the counts are told by one sum."""
        return Packed(self.layout.size - 1) if self.dialect.packs else None

    @property
    def size(self) -> int:
        """How many aggregates there are."""
        return 1 if self.packed else 1 + self.column.loose + len(self.layout.categories)

    def counts(self, value: ColumnElement[Any]) -> list[ColumnElement[Any]]:
        """Values, values of another type, and those equal to each category; or one sum."""
        if self.packed:
            # The most frequent category comes first, so that most rows are compared with few.
            whens = [(text_is(value, key, self.dialect), field_of(n)) for n, key in enumerate(self.layout.categories)]
            rest = field_of(self.layout.size - 2)
            return [func.sum(case(*whens, (value.is_not(None), rest)))]
        bad = [self.dialect.count_if(func.typeof(value).not_in(("text", "null")))] if self.column.loose else []
        own = [self.dialect.count_if(text_is(value, key, self.dialect)) for key in self.layout.categories]
        return [func.count(value), *bad, *own]

    def bins(self, counts: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """As `EdgeTerm.bins`; the last but one bin has novel values, too."""
        if self.packed:
            return np.column_stack((counts, rows - counts.sum(axis=1)))
        if self.column.loose:
            if counts[:, 1].any():
                raise NotInSql(f"column {self.column.name!r} holds values that are no text")
            counts = np.delete(counts, 1, axis=1)
        present, own = counts[:, 0], counts[:, 1:]
        return np.column_stack((own, present - own.sum(axis=1), rows - present))


@dataclass(frozen=True)
class TruthTerm:
    """
    Booleans: how many are true, how many false.

    Parameters
    ----------
    name, column, dialect
        As of `EdgeTerm`.
    """

    name: str
    column: SqlColumn
    dialect: Dialect

    def value(self, plain: ColumnElement[Any]) -> ColumnElement[Any]:
        """As it is."""
        return plain

    packed = None
    """Two aggregates are as fast as one."""

    @property
    def size(self) -> int:
        """How many aggregates there are."""
        return 2 + self.column.loose

    def counts(self, value: ColumnElement[Any]) -> list[ColumnElement[Any]]:
        """False, true, and values of another type."""
        truth = type_coerce(value, Boolean())
        bad = [self.dialect.count_if(value.not_in((0, 1)))] if self.column.loose else []
        return [self.dialect.count_if(truth == false()), self.dialect.count_if(truth == true()), *bad]

    def bins(self, counts: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The bins of a layout of ``false`` and ``true``, without a bin for others."""
        if self.column.loose and counts[:, 2].any():
            raise NotInSql(f"column {self.column.name!r} holds values that are neither true nor false")
        return np.column_stack((counts[:, :2], rows - counts[:, :2].sum(axis=1)))


def text_is(value: ColumnElement[Any], key: str, dialect: Dialect) -> Any:  # noqa: ANN401 - a condition
    """Whether text is a category."""
    try:
        key.encode()
    except UnicodeEncodeError:
        return false()  # no database keeps halves of characters
    if len(key) > KEY_LENGTH or ("\0" in key and dialect.name == "postgresql"):
        return false()
    return value == _bound(key + dialect.text_end, Unicode())


def _bound(value: object, type_: Any) -> Any:  # noqa: ANN401 - SQLAlchemy's
    return bindparam(None, value, type_, unique=True)


Term = EdgeTerm | CategoryTerm | TruthTerm
