"""One reading of one reference column, and what is left to find out after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow.compute as pc
import pyarrow.types as pat

from driftmon.core.baseline import BaselineColumn
from driftmon.core.grids import Grid
from driftmon.core.layout import Kind
from driftmon.core.learning import EXACT_INTEGER, Excluded, learn_categories, learn_numbers, learn_ordered
from driftmon.core.pieces import Pieces
from driftmon.core.sampled import Sampled
from driftmon.core.selecting import Cut, Spans, Survey
from driftmon.core.tallying import CategoryTally
from driftmon.sources.arrow.casting import ColumnProblem, countable
from driftmon.sources.arrow.identifiers import Whole, category_reason, number_reason, sampled_share
from driftmon.sources.arrow.parts import ORDERS
from driftmon.sources.arrow.recount import Recount
from driftmon.sources.arrow.tally import CodeTally

if TYPE_CHECKING:
    from driftmon.core.layout import NumericLayout
    from driftmon.sources.arrow.batches import Array, Batch
    from driftmon.sources.arrow.casting import Monitored
    from driftmon.sources.arrow.zones import Zone

__all__ = ["CategoryLearner", "CategoryTask", "NumberLearner", "NumberTask", "Problem", "State", "Task"]


@dataclass(frozen=True)
class Problem:
    """Why a column cannot be learnt, whatever its other values are."""

    reason: str


@dataclass(frozen=True)
class NumberTask:
    """
    What is to be done next for a numeric column.

    Parameters
    ----------
    column : Monitored
    forced : bool
        The owner says that it is numeric: then it is no identifier, whatever it looks like.
    room : int
        Values that may be gathered to find order statistics among.
    stage : Grid, Spans or None
        The cells that the first reading counts, the spans that a later one looks at, or, to hold all values, None.
    whole : Whole or None
        The numbers of the column, if all are whole; known after the first reading.
    pieces : Pieces or None
        What is known of the order of the values; None before the first reading.
    """

    column: Monitored
    forced: bool
    room: int
    stage: Grid | Spans | None = None
    whole: Whole | None = None
    pieces: Pieces | None = None

    def learner(self) -> NumberLearner:
        """Does it, for some of the rows."""
        return NumberLearner(self.column, self.forced, self.stage)

    @property
    def asked(self) -> NumberTask:
        """As much of it as those need who read."""
        return replace(self, pieces=None, whole=None)

    def fitted(self, grid: Grid) -> NumberTask:
        """The same, for more values than can be held."""
        return replace(self, stage=grid)

    def advance(self, state: State) -> Task | BaselineColumn | Excluded:
        """The next task, or the end of it."""
        name = self.column.name
        if isinstance(state, Problem):
            return Excluded(name, state.reason)
        if isinstance(state, Survey):
            return self._surveyed(state)
        if not isinstance(state, Cut) or self.pieces is None or not isinstance(self.stage, Spans):
            raise TypeError(f"{name}: {type(state).__name__} is not what was asked for")
        pieces = self.pieces.cut(state)
        reason = None if self.whole is None or self.stage.share == 0 else number_reason(name, self.whole, state.sampled)
        if reason is not None:
            return Excluded(name, reason)
        return self._next(pieces, self.stage.grid)

    def _surveyed(self, survey: Survey) -> Task | BaselineColumn | Excluded:
        name = self.column.name
        if survey.rows == 0:
            return Excluded(name, f"no {'finite ' if survey.infinite else ''}values in the reference")
        whole = Whole(survey.rows, survey.least, survey.most) if survey.whole and not self.forced else None
        share = 0.0 if whole is None else sampled_share(name, whole)
        if survey.grid is not None:
            return self._next(Pieces.surveyed(survey), survey.grid, share, whole)
        values = survey.values
        survey.held.clear()
        if whole is not None and share > 0:
            sampled = Sampled(share)
            sampled.add(values)
            reason = number_reason(name, whole, sampled)
            if reason is not None:
                return Excluded(name, reason)
        return self._finished(learn_numbers(values))

    def _next(
        self, pieces: Pieces, grid: Grid, share: float = 0.0, whole: Whole | None = None
    ) -> Task | BaselineColumn | Excluded:
        if share == 0 and len(pieces.needed) == 0:
            return self._finished(learn_ordered(pieces))
        return replace(self, stage=pieces.spans(grid, self.room, share), pieces=pieces, whole=whole)

    def _finished(self, layout: NumericLayout | None) -> BaselineColumn | Excluded:
        if layout is None:
            return Excluded(self.column.name, "no values in the reference")
        return BaselineColumn(Kind.NUMERIC, self.column.dtype, layout)


class NumberLearner:
    """
    A reading of a numeric column.

    Parameters
    ----------
    column : Monitored
    forced : bool
    stage : Grid, Spans or None
        As of `NumberTask`.
    """

    def __init__(self, column: Monitored, forced: bool, stage: Grid | Spans | None) -> None:
        self._column = column
        self._forced = forced
        self.state: Survey | Cut | Problem = Cut(stage) if isinstance(stage, Spans) else Survey(stage)

    @property
    def held(self) -> int:
        """Bytes of values held."""
        return 8 * self.state.rows if isinstance(self.state, Survey) and self.state.grid is None else 0

    def add(self, batch: Batch, zone: Zone) -> None:
        """Take in the values of one more batch."""
        if isinstance(self.state, Problem):
            return
        try:
            array = countable(batch, self._column, zone)
        except ColumnProblem as exc:
            self.state = Problem(str(exc))
            return
        if array.null_count:
            array = array.drop_null()
        if self._column.integer and not self._forced and _beyond_exact(array):
            self.state = Problem(
                "looks like an identifier: it has whole numbers from 2**53 on, which floating point does not tell apart; "
                f"to monitor it all the same, set its kind: {{{self._column.name}: numeric}}"
            )
            return
        # What is held is a copy: a view would keep the whole batch alive.
        held = isinstance(self.state, Survey) and self.state.grid is None
        numbers = array.to_numpy(zero_copy_only=False)
        self.state.add(np.array(numbers, dtype=np.float64) if held else numbers.astype(np.float64, copy=False))

    def spill(self, task: Task) -> None:
        """Count from now on the cells of the grid of a task, and what was held before."""
        if isinstance(self.state, Survey) and isinstance(task, NumberTask) and isinstance(task.stage, Grid):
            self.state.spill(task.stage)


@dataclass(frozen=True)
class CategoryTask:
    """
    What is to be done next for a column that is not numeric.

    Parameters
    ----------
    column : Monitored
    forced : bool
        The owner says that it is categorical: then it is no identifier, whatever it looks like.
    asked_for : tuple of str or None
        The categories to count again, or None to tally all.
    tally : CategoryTally or None
        Of the first reading.
    """

    column: Monitored
    forced: bool
    asked_for: tuple[str, ...] | None = None
    tally: CategoryTally | None = None

    def learner(self) -> CategoryLearner:
        """Does it, for some of the rows."""
        return CategoryLearner(self.column, self.asked_for)

    @property
    def asked(self) -> CategoryTask:
        """As much of it as those need who read."""
        return replace(self, tally=None)

    def advance(self, state: State) -> Task | BaselineColumn | Excluded:
        """The next task, or the end of it."""
        name = self.column.name
        if isinstance(state, Problem):
            return Excluded(name, state.reason)
        if isinstance(state, Recount) and self.tally is not None:
            return self._finished(self.tally.recounted(state.rows))
        if not isinstance(state, CategoryTally):
            raise TypeError(f"{name}: {type(state).__name__} is not what was asked for")
        key_like = self.column.kind is Kind.CATEGORICAL and not self.forced
        reason = "no values in the reference" if state.rows == 0 else category_reason(name, state) if key_like else None
        if reason is not None:
            return Excluded(name, reason)
        frequent = tuple(state.frequent) if state.pruned else ()
        if frequent:
            return replace(self, asked_for=frequent, tally=state)
        return self._finished(state.recounted({}) if state.pruned else state)

    def _finished(self, tally: CategoryTally) -> BaselineColumn:
        layout = learn_categories(tally, order=ORDERS.get(self.column.part or ""))
        return BaselineColumn(self.column.kind, self.column.dtype, layout, tally.singletons)


class CategoryLearner:
    """
    A reading of a column that is not numeric.

    Parameters
    ----------
    column : Monitored
    asked_for : tuple of str or None
        As of `CategoryTask`.
    """

    held = 0
    """Bytes of values held: tallies are bounded by themselves."""

    def __init__(self, column: Monitored, asked_for: tuple[str, ...] | None) -> None:
        self._column = column
        self._codes = CodeTally()
        self._state: CategoryTally | Recount | Problem = CategoryTally() if asked_for is None else Recount(asked_for)

    @property
    def state(self) -> CategoryTally | Recount | Problem:
        """What was found so far."""
        self._settle()
        return self._state

    def add(self, batch: Batch, zone: Zone) -> None:
        """Take in the categories of one more batch."""
        if isinstance(self._state, Problem):
            return
        try:
            array = countable(batch, self._column, zone)
        except ColumnProblem as exc:
            self._state = Problem(str(exc))
            return
        if isinstance(self._state, Recount):
            self._state.add(array)
            return
        self._codes.add(array)
        if self._codes.full:
            self._settle()

    def spill(self, task: Task) -> None:
        """Nothing to do: no values are held."""

    def _settle(self) -> None:
        if isinstance(self._state, CategoryTally):
            self._state.add(*self._codes.drain())


Task: TypeAlias = NumberTask | CategoryTask
State: TypeAlias = Survey | Cut | CategoryTally | Recount | Problem


def _beyond_exact(array: Array) -> bool:
    if pat.is_integer(array.type) and array.type.bit_width <= 32:
        return False
    return any(end is not None and abs(end) >= EXACT_INTEGER for end in (pc.min(array).as_py(), pc.max(array).as_py()))
