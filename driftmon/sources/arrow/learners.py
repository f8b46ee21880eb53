"""What is gathered of one reference column until its layout can be learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
import pyarrow.types as pat

from driftmon.core.baseline import BaselineColumn
from driftmon.core.layout import Kind
from driftmon.core.learning import EXACT_INTEGER, CategoryTally, Excluded, learn_categories, learn_numbers
from driftmon.sources.arrow.casting import ColumnProblem, countable
from driftmon.sources.arrow.identifiers import category_reason, number_reason
from driftmon.sources.arrow.parts import ORDERS
from driftmon.sources.arrow.tally import CodeTally

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from driftmon.sources.arrow.batches import Array, Batch
    from driftmon.sources.arrow.casting import Monitored
    from driftmon.sources.arrow.zones import Zone

__all__ = ["CategoryLearner", "NumberLearner"]


class NumberLearner:
    """
    The values of a numeric column.

    Parameters
    ----------
    column : Monitored
    forced : bool
        The owner says that it is numeric: then it is no identifier, whatever it looks like.
    """

    def __init__(self, column: Monitored, *, forced: bool) -> None:
        self.name = column.name
        self._column = column
        self._forced = forced
        self._chunks: list[NDArray[np.float64]] = []
        self._problem: str | None = None

    def add(self, batch: Batch, zone: Zone) -> None:
        """Gather the values of one more batch."""
        if self._problem is not None:
            return
        try:
            array = countable(batch, self._column, zone)
        except ColumnProblem as exc:
            self._give_up(str(exc))
            return
        if array.null_count:
            array = array.drop_null()
        if self._column.integer and not self._forced and _beyond_exact(array):
            self._give_up(
                "looks like an identifier: it has whole numbers from 2**53 on, which floating point does not tell apart; "
                f"to monitor it all the same, set its kind: {{{self.name}: numeric}}"
            )
            return
        # A copy: a view would keep the whole batch alive.
        self._chunks.append(np.array(array.to_numpy(), dtype=np.float64))

    def finish(self) -> BaselineColumn | Excluded:
        """The column with its layout, or why it has none. Once only."""
        if self._problem is not None:
            return Excluded(self.name, self._problem)
        values = np.concatenate(self._chunks) if self._chunks else np.zeros(0)
        self._chunks.clear()
        layout = learn_numbers(values)
        if layout is None:
            finite = "finite " if np.isinf(values).any() else ""
            return Excluded(self.name, f"no {finite}values in the reference")
        reason = None if self._forced else number_reason(self.name, values)
        if reason is not None:
            return Excluded(self.name, reason)
        return BaselineColumn(Kind.NUMERIC, self._column.dtype, layout)

    def _give_up(self, problem: str) -> None:
        self._problem = problem
        self._chunks.clear()


class CategoryLearner:
    """
    The categories of a column that is not numeric.

    Parameters
    ----------
    column : Monitored
    forced : bool
        The owner says that it is categorical: then it is no identifier, whatever it looks like.
    """

    def __init__(self, column: Monitored, *, forced: bool) -> None:
        self.name = column.name
        self._column = column
        self._key_like = column.kind is Kind.CATEGORICAL and not forced
        self._codes = CodeTally()
        self._tally = CategoryTally()
        self._problem: str | None = None

    def add(self, batch: Batch, zone: Zone) -> None:
        """Gather the categories of one more batch."""
        if self._problem is not None:
            return
        try:
            self._codes.add(countable(batch, self._column, zone))
        except ColumnProblem as exc:
            self._problem = str(exc)
            return
        if self._codes.full:
            self._settle()

    def finish(self) -> BaselineColumn | Excluded:
        """The column with its layout, or why it has none. Once only."""
        if self._problem is not None:
            return Excluded(self.name, self._problem)
        self._settle()
        if self._tally.rows == 0:
            return Excluded(self.name, "no values in the reference")
        reason = category_reason(self.name, self._tally) if self._key_like else None
        if reason is not None:
            return Excluded(self.name, reason)
        order = ORDERS.get(self._column.part or "")
        layout = learn_categories(self._tally, order=order)
        return BaselineColumn(self._column.kind, self._column.dtype, layout, self._tally.singletons)

    def _settle(self) -> None:
        self._tally.add(*self._codes.drain())


def _beyond_exact(array: Array) -> bool:
    if pat.is_integer(array.type) and array.type.bit_width <= 32:
        return False
    return any(end is not None and abs(end) >= EXACT_INTEGER for end in (pc.min(array).as_py(), pc.max(array).as_py()))
